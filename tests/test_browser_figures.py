"""Figures in large, links into what is folded, and boxes that scroll: by mouse and by keyboard."""

import re

import pytest

from tests.test_book import FIGURE_1, PAGES, SPEED, TRAINING

FOLDED = ".sd-tab-set > input:not(:checked) + label + .sd-tab-content [id], article details:not([open]) [id]"


def test_a_figure_opens_in_large_by_keyboard(opened):
    """Enter opens it, Escape closes it, and the focus is where it was."""
    page = opened(FIGURE_1)
    link = page.locator("a.enlarge:visible").first
    link.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Figure in large")
    assert dialog.is_visible()
    assert dialog.locator("img").get_attribute("alt") == link.locator("img").get_attribute("alt")
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert link.evaluate("link => link === document.activeElement")


def test_a_large_figure_is_scrolled_by_keyboard(opened):
    """A button makes it larger and whole again; arrow keys scroll the sheet, and Escape closes it there, too."""
    page = opened(FIGURE_1)
    page.locator("a.enlarge:visible").first.press("Enter")
    whole = enlarged(page)
    page.get_by_role("button", name="Larger").press("Enter")
    assert enlarged(page)["width"] > 1.3 * whole["width"]
    page.get_by_role("button", name="Whole").press("Enter")
    assert enlarged(page) == whole
    page.get_by_role("button", name="Larger").press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.querySelector('dialog.large .sheet').scrollTop > 0")
    page.keyboard.press("Escape")
    assert not page.locator("dialog.large").is_visible()


def enlarged(page) -> dict:
    """The figure's place and size on the screen, its own width, and how far its sheet is scrolled, and can be."""
    page.wait_for_function("document.querySelector('dialog.large img').complete")
    return page.evaluate("""() => {
        const image = document.querySelector("dialog.large img"), sheet = image.parentElement;
        const { left, top, width, height } = image.getBoundingClientRect(), at = sheet.getBoundingClientRect();
        return { left, top, width, height, own: image.width, sheet: [at.left, at.top, at.width, at.height],
                 scrolled: [sheet.scrollLeft, sheet.scrollTop], room: sheet.scrollWidth - sheet.clientWidth };
    }""")


def test_on_a_phone_a_figure_opens_at_a_size_to_be_read(opened):
    """At twice the phone's width at least, from its left, under a finger; another tap shows the whole; Close closes."""
    page = opened(FIGURE_1, width=360, has_touch=True, is_mobile=True)
    link = page.locator("a.enlarge.wide:visible").first
    assert "tap to enlarge" in link.evaluate("link => getComputedStyle(link, '::after').content")
    link.tap()
    large = enlarged(page)
    own = int(link.locator("img").get_attribute("width"))
    assert large["width"] >= max(own, 720) and large["scrolled"] == [0, 0] and large["left"] == 0
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 330, "y": 400}]})
    for x in range(320, 20, -20):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": 400}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("document.querySelector('dialog.large .sheet').scrollLeft > 100")
    page.locator("dialog.large img").tap(position={"x": 300, "y": 300})
    whole = enlarged(page)
    assert whole["width"] <= 360 and whole["room"] <= 0
    page.locator("dialog.large img").tap(position={"x": whole["width"] - 5, "y": 20})
    again = enlarged(page)
    assert again["width"] == large["width"] and again["scrolled"][0] == again["room"] > 0  # where the tap was
    page.get_by_role("button", name="Close").tap()
    assert not page.locator("dialog.large").is_visible()


def test_on_a_wide_screen_a_vector_fills_the_window_and_pixels_are_not_blown_up(opened):
    """One side of the window at least; a picture of pixels no larger than it has pixels; a click beside it closes."""
    seen = set()
    for name in (FIGURE_1, TRAINING, PAGES[-1]):
        page = opened(name)
        for link in page.locator("a.enlarge:visible").all():
            link.click()
            box = enlarged(page)
            vector = link.locator("img").get_attribute("src").endswith(".svg")
            filled = max(box["width"] / box["sheet"][2], box["height"] / box["sheet"][3])
            pixels = link.locator("img").evaluate("image => image.naturalWidth")
            if box["room"] <= 0:
                assert filled == pytest.approx(1, abs=0.01) if vector else box["width"] <= pixels
                assert filled <= 1.01
                seen.add(vector)
            page.keyboard.press("Escape")
            assert not page.locator("dialog.large").is_visible()
    assert seen == {True, False}
    page.locator("a.enlarge:visible").first.click()
    page.locator("dialog.large .sheet").click(position={"x": 3, "y": 3})
    assert not page.locator("dialog.large").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_dark_pages_plots_are_dark_and_pictures_dimmed(opened, scheme):
    """By a filter that no picture's colours are inverted by."""
    page = opened(FIGURE_1, scheme=scheme)
    filters = page.locator("a.enlarge img").evaluate_all(
        "images => images.map(i => [i.getAttribute('src').endsWith('.svg'), getComputedStyle(i).filter])"
    )
    assert filters
    for vector, look in filters:
        assert ("invert" in look) == (vector and scheme == "dark")
        assert ("brightness" in look) == (not vector and scheme == "dark")


def test_a_link_into_a_fold_opens_it(opened):
    """By loading the page at the anchor and by following a link; the target ends at the top of the window."""
    asked = 0
    for name in (FIGURE_1, TRAINING, SPEED):
        page = opened(name)
        names = page.locator(FOLDED).evaluate_all("elements => elements.map(e => e.id)")
        names = [name for name in names if re.match("(fig|tab)-", name)]
        for anchor in names[:1] + names[-1:]:
            asked += 1
            page.evaluate("name => { location.hash = ''; location.hash = name; }", anchor)
            page.wait_for_function(
                "name => { const box = document.getElementById(name).getBoundingClientRect();"
                "          return box.height > 0 && box.top > -2 && box.top < innerHeight }",
                arg=anchor,
            )
    assert asked >= 2


def test_a_wide_table_is_reached_by_keyboard_and_says_that_it_goes_on(opened):
    """On a phone; its first column stays in sight while the arrow keys move it."""
    for name in PAGES:
        page = opened(name, width=360)
        box = page.locator(".pst-scrollable-table-container.scrolls:visible").first
        if box.count():
            break
    else:
        pytest.fail("no page has a table that is wider than a phone")
    assert box.get_attribute("role") == "region" and "wider than the page" in box.get_attribute("aria-label")
    captioned = (
        "b => getComputedStyle(b.querySelector('caption') ?? b, b.querySelector('caption') ? '::after' : '::before')"
    )
    assert "more to the right" in box.evaluate(f"b => ({captioned})(b).content")
    first = box.locator("tbody tr > :first-child").first
    before = first.evaluate("cell => cell.getBoundingClientRect().left")
    box.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("box => box.scrollLeft > 10", arg=box.element_handle())
    assert abs(first.evaluate("cell => cell.getBoundingClientRect().left") - before) < 2
