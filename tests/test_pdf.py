"""The printed book: nothing cut, nothing hidden, numbered pages, links that lead somewhere."""

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from filelock import FileLock
from pypdf import PdfReader

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "workflow"))
import pdf


@pytest.fixture(scope="module")
def printed(built_tree) -> PdfReader:
    """The book of the tests, printed once for all processes; nothing was wider than its page."""
    target = built_tree / pdf.TARGET
    with FileLock(f"{built_tree}-pdf.lock"):
        if not target.is_file():
            # In a process of its own: one process has one playwright, that of the browser's tests.
            call = "import sys, pathlib, pdf; pdf.print_book(*map(pathlib.Path, sys.argv[1:]), pdf.chromium())"
            command = [sys.executable, "-c", call, str(built_tree), str(target)]
            done = subprocess.run(command, cwd=ROOT / "workflow", capture_output=True, text=True)
            assert done.returncode == 0 and done.stderr == "", done.stderr
    return PdfReader(target)


@pytest.fixture(scope="module")
def read(printed) -> list[tuple[str, list[float]]]:
    """Each page's text, and how far to the right, in points, every piece of it begins."""
    pages = []
    for page in printed.pages:
        places = []

        def note(text, cm, tm, font, size, places=places):
            if text.strip():
                places.append(cm[0] * tm[4] + cm[4])

        pages.append((page.extract_text(visitor_text=note), places))
    return pages


def bare(text: str) -> str:
    """Without spaces, line ends, hyphens of words that are broken, and ligatures."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def articles(root: Path) -> dict[str, BeautifulSoup]:
    """By page, in the book's order, what it says."""
    site = root / "_build" / "html"
    pages = [page for _, of_part in pdf.parts(root) for page in of_part]
    return {p: BeautifulSoup((site / f"{p}.html").read_text("utf-8"), "html.parser").article for p in pages}


def test_every_chapter_begins_where_the_contents_say(read, built_tree):
    """Title, authors, version and licence come first, then the contents, then each chapter on a page of its own."""
    pages = [bare(text) for text, _ in read]
    assert all(bare(text) in pages[0] for text in pdf.imprint(built_tree))
    contents = read[1][0]
    assert "Contents" in contents.splitlines()[:2]
    for article in articles(built_tree).values():
        for mark in article.select(".headerlink"):
            mark.decompose()
        title = " ".join(article.h1.get_text().split())
        (number,) = re.findall(rf"^{re.escape(bare(title))}(\d+)$", "\n".join(map(bare, contents.splitlines())), re.M)
        assert pages[int(number) - 1].count(bare(title)) >= 2  # in the page's head, and as the heading
        assert number in read[int(number) - 1][0].splitlines()


def test_the_last_columns_of_all_tables_are_there(read, built_tree):
    """Every cell of words and numbers, in tabs and folded parts too."""
    text = bare("".join(text for text, _ in read))
    seen = 0
    for article in articles(built_tree).values():
        for table in article.select("table"):
            cells = [row.find_all(["th", "td"])[-1] for row in table.select("tr")]
            cells = [cell for cell in cells if not cell.select(".math")]
            assert [cell.get_text() for cell in cells if bare(cell.get_text()) not in text] == []
            seen += len(cells)
    assert seen > 200


def test_nothing_lies_outside_of_its_page(printed, read):
    """Text begins between the margins of every page."""
    for page, (_, places) in zip(printed.pages, read, strict=True):
        assert all(40 <= x <= float(page.mediabox.width) - 40 for x in places)


def test_links_lead_to_places_of_the_book(printed):
    """Hundreds of them, and each to one that is there."""
    named = printed.named_destinations
    links = [a.get_object() for page in printed.pages for a in page.get("/Annots", [])]
    inner = [link["/Dest"] for link in links if "/Dest" in link]
    assert len(inner) > 200 and set(inner) <= set(named)
    outer = [link["/A"]["/URI"] for link in links if "/A" in link and "/URI" in link["/A"]]
    assert all(address.startswith("http") for address in outer)


def test_code_is_folded_away_and_equations_are_set(read):
    """No cell's source and no TeX."""
    text = "".join(text for text, _ in read)
    assert "from vimae_core.report" not in text and "\\begin" not in text and "\\mathbb" not in text
    assert "Provenance: notebooks/" not in text
    assert not re.search(r"^The (code|parameters)$", text, re.MULTILINE)  # nor the folds that hid it


PAGE = """<article class="bd-article"><section id="top"><h1>Title<a class="headerlink" href="#top">#</a></h1>
<p>First.</p>
<div class="sd-tab-set"><input type="radio"><label class="sd-tab-label">Reference</label>
<div class="sd-tab-content"><p>one</p></div><input type="radio"><label class="sd-tab-label">This build</label>
<div class="sd-tab-content"><p>two</p></div></div><details><summary>Numbers</summary><p>three</p></details>
<div class="cell"><div class="cell_input">code()</div></div><img src="../_images/a.png" loading="lazy">
<a href="other.html#there">there</a> <a href="../_downloads/x.ipynb">file</a> <a href="https://example.org">out</a>
%s</section></article>"""


def article_of(extra: str = ""):
    article = BeautifulSoup(PAGE % extra, "html.parser").article
    return pdf.printable(article, "book/page", {"book/page", "book/other"})


def test_what_a_screen_hides_is_printed():
    """Tabs with their titles, folded parts open, pictures at once; no code; links to the one page's places."""
    article = article_of()
    text = article.get_text(" ", strip=True)
    assert all(word in text for word in ("Reference", "one", "This build", "two", "Numbers", "three"))
    assert article.details.has_attr("open") and "code()" not in text and "#" not in article.h1.get_text()
    assert article.img.attrs == {"src": "_images/a.png"}
    assert [link["href"] for link in article.select("a")] == ["#book-other--there", "https://example.org"]
    assert article["id"] == "book-page--" and article.section["id"] == "book-page--top" and "file" in text


@pytest.mark.parametrize("extra", ["<canvas></canvas>", "<input type='range'>", "<select></select>"])
def test_a_page_that_moves_is_a_note(extra):
    """Its title and first paragraph, and where it is."""
    text = article_of(extra).get_text(" ", strip=True)
    assert text == "Title First. This page is to be touched: it is in the rendered book."


def test_without_chromium_it_says_what_to_install(monkeypatch, tmp_path):
    """Before anything is built."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pdf.subprocess, "run", lambda *_: pytest.fail("nothing is built"))
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        pdf.main("smoke")
