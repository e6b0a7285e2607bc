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


def test_on_a_phone_a_figure_grows_to_its_own_size(opened):
    """The first tap shows it in the window, the second at its own size; the button closes it."""
    page = opened(FIGURE_1, width=360)
    page.locator("a.enlarge:visible").first.click()
    image = page.locator("dialog.large img")
    page.wait_for_function("document.querySelector('dialog.large img').complete")
    small = image.bounding_box()["width"]
    page.locator("dialog.large .sheet").click(position={"x": 180, "y": 450})
    assert small <= 360 < image.bounding_box()["width"]
    page.get_by_role("button", name="Close").click()
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
