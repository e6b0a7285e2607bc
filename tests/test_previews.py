"""What a link leads to is shown beside it: by mouse, by keyboard, away by Escape, nothing on touch."""

import os
import sys
import time

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
import previews
from previews import clipped

CAPACITY = "book/results/03_capacity_semi_supervised.html"
LINKS = {
    "an equation": ("book/theory.html", "#equation-eq-7", "(7)"),
    "an equation of another page": ("book/symbols.html", "theory.html#equation-eq-2", "(2)"),
    "an equation, on a page without any": ("book/code.html", "theory.html#equation-eq-4", "(4)"),
    "a table": ("book/claims.html", "#tab-fit-kl", "Table 6."),
    "a figure": (CAPACITY, "#fig-noise-reference", "Fig. 8."),
    "a test": ("book/claims.html", "protocol.html#claim-1-test", "Claim 1"),
    "a citation": ("book/theory.html", "bibliography.html#", "Crescimanna"),
    "a word": ("book/theory.html", "glossary.html#term-prior", "prior"),
    "a function": ("book/theory.html", "code.html#vimae_core.evaluation.discrete.f_divergence", "f_divergence"),
}


def link(page, href):
    """The first link of the text that ends so, in view."""
    found = page.locator(f"article a.reference.internal[href*='{href}']").first
    found.evaluate("link => link.scrollIntoView({block: 'center', behavior: 'instant'})")
    page.wait_for_timeout(200)  # scrolling puts a preview away
    return found


@pytest.mark.parametrize("kind", LINKS)
def test_hovering_shows_what_a_link_leads_to(opened, kind):
    """Within the window, its equations set, named as the link's description; gone when the pointer is elsewhere."""
    name, href, text = LINKS[kind]
    page = opened(name)
    found, tip = link(page, href), page.locator("#preview")
    found.hover()
    page.wait_for_function("document.querySelector('a[aria-describedby=preview]')")
    assert text in tip.inner_text() and tip.get_attribute("role") == "tooltip"
    unset = "[...document.querySelectorAll('#preview .math')].filter(m => !m.querySelector('mjx-container')).length"
    assert page.evaluate(unset) == 0
    box = tip.bounding_box()
    assert box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= 1280 and box["y"] + box["height"] <= 900
    assert found.get_attribute("aria-describedby") == "preview"
    page.mouse.move(3, 500)
    tip.wait_for(state="hidden")
    assert page.locator("a[aria-describedby=preview]").count() == 0
    assert page.problems == []


def tab_to(page, name: str) -> None:
    """Tab, past equations, which take the focus too, to the link with this end."""
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("name => document.activeElement.getAttribute('href')?.endsWith(name)", name):
            return
    raise AssertionError(f"{name} is not reached")


def test_the_keyboard_reaches_it_and_escape_puts_it_away(opened):
    """Tab to a link shows, Escape hides and the focus stays; the next link has its own."""
    page = opened("book/theory.html", width=360, scheme="dark")
    found, tip = link(page, "glossary.html#term-prior"), page.locator("#preview")
    found.evaluate("link => { const all = [...document.querySelectorAll('a')]; all[all.indexOf(link) - 1].focus(); }")
    tab_to(page, "term-prior")
    page.wait_for_selector("a[aria-describedby=preview][href$='term-prior']")
    assert tip.inner_text().startswith("prior") and tip.bounding_box()["x"] + tip.bounding_box()["width"] <= 360
    page.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "glossary.html#term-prior"
    tab_to(page, "term-encoder")
    page.wait_for_selector("a[aria-describedby=preview][href$='term-encoder']")
    assert tip.inner_text().startswith("encoder")
    assert page.problems == []


def test_a_touch_follows_the_link_and_shows_nothing(browser, built_tree):
    """As on any page."""
    context = browser.new_context(viewport={"width": 360, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto((built_tree / "_build" / "html" / "book" / "theory.html").as_uri())
    link(page, "#equation-eq-7").tap()
    page.wait_for_timeout(600)
    assert page.url.endswith("#equation-eq-7") and page.locator("#preview").is_hidden()
    context.close()


def test_the_texts_are_light_and_have_no_names_or_links(built_tree):
    """One file, asked for at the first link: it repeats no picture, and no name of a place."""
    text = (built_tree / "_build" / "html" / "_static" / "previews_texts.js").read_text("utf-8")
    assert text.startswith("window.previews = {") and len(text.encode()) < 200_000
    assert "data:image" not in text and " id=" not in text and "<a " not in text


def test_a_long_text_ends_with_a_sentence_or_a_word():
    """And a short one stays."""
    assert clipped("Short.") == "Short."
    assert clipped("One sentence. Another one that is long", 20) == "One sentence."
    assert clipped("words without any end at all", 15) == "words without…"


def test_only_pages_that_were_rendered_since_are_read_again(tmp_path, monkeypatch):
    """The texts are those of reading them all; a page that changed is read, and one that gains a linked place."""
    link = '<p><a class="internal" href="b.html#{0}">{0}</a></p>'
    place = '<section id="{0}"><h2>{0}</h2><p>{1}</p></section>'

    def page(name, *parts):
        (tmp_path / name).write_text(f"<article>{''.join(parts)}</article>")

    page("a.html", link.format("one"))
    page("b.html", place.format("one", "first."), place.format("two", "second."))
    whole, read, known = previews.article, [], {}
    monkeypatch.setattr(previews, "article", lambda site, page: read.append(page) or whole(site, page))
    pages = ["a.html", "b.html"]
    assert previews.texts(tmp_path, pages, known) == {"b.html#one": "<p><b>one</b></p><p>first.</p>"}
    for changed, expected in (
        ([], []),
        ([("a.html", link.format("two"))], pages),
        ([("b.html", place.format("two", "third."))], ["b.html"]),
    ):
        for name, text in changed:
            page(name, text)
            os.utime(tmp_path / name, ns=(time.time_ns(),) * 2)
        read.clear()
        assert previews.texts(tmp_path, pages, known) == previews.texts(tmp_path, pages, {})
        assert read[: len(expected)] == expected and len(read) == len(expected) + 2
    assert previews.texts(tmp_path, ["a.html"], known) == {}
