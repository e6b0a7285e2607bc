"""The rendered book, opened from disk in headless Chromium: every page as a reader without a network sees it."""

import re
from pathlib import Path

import pytest
import yaml
from bs4 import BeautifulSoup

from tests.conftest import ROOT
from vimae_core.chapters import CHAPTERS
from vimae_core.chapters.speed import load_records

FIGURE_1, TRAINING, SPEED = (f"book/results/{CHAPTERS[name]}.html" for name in ("latent_shape", "training", "speed"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [f"{page['file']}.html" for part in TOC["parts"] for page in part["chapters"]] + [f"{TOC['root']}.html"]


def test_the_book_has_these_pages(built_tree):
    """What the table of contents names is rendered, every chapter among it, and its first page tells what was found."""
    root = built_tree / "_build" / "html"
    assert {f"book/results/{notebook}.html" for notebook in CHAPTERS.values()} <= set(PAGES)
    assert all((root / name).is_file() for name in PAGES)
    assert "book/results/00_findings.html" in (root / "index.html").read_text()


def article(root: Path, name: str) -> BeautifulSoup:
    return BeautifulSoup((root / "_build" / "html" / name).read_text(encoding="utf-8"), "html.parser").article


@pytest.mark.parametrize("chapter", [c for c in CHAPTERS if c not in ("findings", "speed")])
def test_a_chapter_begins_with_its_box(built_tree, chapter):
    """Whatever computes it comes after it, folded."""
    cells = article(built_tree, f"book/results/{CHAPTERS[chapter]}.html").select("div.cell")
    assert cells[0].select_one(".in-short .admonition-title").get_text() == "In short"
    assert not cells[0].select(".cell_input")


@pytest.mark.parametrize("name", PAGES)
def test_figures_of_one_number_are_the_papers(built_tree, name):
    """This book's have two; the paper's are called so, on every page."""
    page = article(built_tree, name)
    for code in page.select(".cell_input, pre"):
        code.decompose()
    text = " ".join(page.get_text().split())
    papers = r"(paper['’]s|its) (Figure|Table) \d((,| and) (of )?(the )?(paper['’]s )?(Figure|Table) \d)*"
    assert re.findall(r".{0,40}\b(?:Figure|Table) \d\b(?!\.\d)", re.sub(papers, "", text)) == []


def test_figure_1_is_there_with_its_provenance(opened):
    """Figures and numbered tables, each with a caption and a line that tells where it comes from."""
    page = opened(FIGURE_1)
    figures, tables = page.locator("article figure").count(), page.locator("article table caption").count()
    assert figures >= 4 and tables == 5
    told = page.locator(".provenance")
    assert told.filter(has_text="Provenance: notebooks/").count() == figures + tables
    assert told.filter(has_text="notebooks/06_conventions_and_scale.ipynb").count() == 1  # of the other conventions
    assert told.filter(has_text="notebooks/01_latent_shape.ipynb").count() == figures + tables - 1
    assert page.locator("figcaption", has_text="Figure 1, this build").count() == 1
    assert page.locator("text=Claim 1").count() >= 1


def test_the_training_and_speed_pages_carry_their_figures(opened):
    """Each figure and numbered table has its provenance."""
    records = load_records().values()
    tried = sum(any(name.startswith("tried, ") for name in record["comparisons"]) for record in records)
    for name, figures, tables in ((TRAINING, 4, 3), (SPEED, len(records), 8 * len(records) + tried + 3)):
        page = opened(name)
        assert page.locator("article figure").count() == figures
        assert page.locator("article table caption").count() == tables
        assert page.locator(".provenance", has_text="Provenance:").count() == figures + tables


def test_the_theory_carries_the_papers_numbers(opened):
    """Fifteen numbered equations, (1) to (15) in this order, and each is followed by its code and its test."""
    page = opened("book/theory.html")
    numbers = [text.strip("#() \n") for text in page.locator(".eqno").all_inner_texts()]
    assert numbers == [str(n) for n in range(1, 16)]
    lines = page.locator("article p", has_text="Test:")
    assert lines.count() >= 15
    hrefs = lines.locator("a.reference.internal").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert len(hrefs) >= 30 and all(href.startswith(("code.html#", "tests.html#")) for href in hrefs)
    assert page.locator("text=Erratum").count() >= 3


def test_code_links_show_the_source(opened, built_tree):
    """The function of Eq. (15) is one click from its source, which stands on a page of the book."""
    page = opened("book/code.html")
    link = page.locator("dt", has_text="mmd2(").locator("a", has_text="[source]").first
    target = Path(built_tree / "_build" / "html" / "book" / link.get_attribute("href").split("#")[0])
    assert "Eq. (15)" in target.read_text(encoding="utf-8")


def test_the_verdict_stands_on_the_first_page(opened):
    """Claim 1's row holds the verdicts that the notebook reached."""
    row = opened("book/results/00_findings.html").locator("tr", has_text="In two dimensions")
    assert "partly reproduced" in row.inner_text() and "2 of 3 statements hold" in row.inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_provenance_is_readable_in_light_and_dark(opened, scheme):
    """Its contrast with the page is at least 4.5 to 1 (WCAG AA)."""
    page = opened(FIGURE_1, scheme=scheme)
    page.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
    page.wait_for_timeout(400)  # the theme fades
    line = page.evaluate("getComputedStyle(document.querySelector('.provenance')).color")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert contrast(line, back) >= 4.5


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two CSS colours `rgb(r, g, b)`."""

    def luminance(colour: str) -> float:
        channels = [int(c) / 255 for c in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)
