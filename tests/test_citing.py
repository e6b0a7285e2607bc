"""How the book is cited, described and shared: CITATION.cff, the package, the configuration and the pages agree."""

import re
import subprocess
import sys
import tomllib
from html import unescape

import pytest
import yaml
from PIL import Image
from pybtex.database import parse_file, parse_string

from tests.conftest import ROOT
from tests.test_book import PAGES

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from heads import description, picture
from imprint import imprint

CITED = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NUMBERED = parse_file(ROOT / "book" / "references.bib").entries


def bibtex():
    """The entry of this book on its last page."""
    (text,) = re.findall(r"```bibtex\n(.*?)```", (ROOT / "book" / "cite.md").read_text("utf-8"), re.DOTALL)
    return parse_string(text, "bibtex").entries["vimaebook"]


def test_citation_file_is_valid():
    """What version 1.2.0 of the format asks for, and no field that it does not know."""
    known = {"cff-version", "message", "type", "title", "abstract", "authors", "version", "license", "keywords"}
    assert CITED["cff-version"] == "1.2.0" and CITED["type"] in {"software", "dataset"}
    assert {"cff-version", "message", "title", "authors"} <= set(CITED) <= known | {"references"}
    assert all(isinstance(CITED[name], str) and CITED[name] for name in ("message", "title", "version", "license"))
    for reference in CITED["references"]:
        needed = {"type", "title", "authors"}
        assert needed <= set(reference) <= needed | {"year", "url", "identifiers"}
        assert isinstance(reference["year"], int)
        assert all(set(author) == {"given-names", "family-names"} for author in reference["authors"])


def test_one_title_author_version_licence_and_year():
    """CITATION.cff, pyproject.toml, _config.yml, LICENSE and the page's BibTeX say the same."""
    entry = bibtex()
    assert CITED["title"] == CONFIG["title"] == entry.fields["title"]
    author = CITED["authors"][0]["name"]
    assert author == CONFIG["author"] == str(entry.persons["author"][0]).strip("{}")
    assert CITED["version"] == PROJECT["version"] and f"Version {PROJECT['version']}." in entry.fields["note"]
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert CITED["license"] == PROJECT["license"] and licence.startswith(f"{CITED['license']} License")
    assert f"Copyright (c) {CONFIG['copyright']} {author}" in licence and entry.fields["year"] == CONFIG["copyright"]


def test_the_paper_is_cited_as_in_the_bibliography():
    """The reference of CITATION.cff is the bibliography's entry, and the book's note names it."""
    (paper,), entry = CITED["references"], NUMBERED["crescimanna2019vimae"]
    assert paper["title"] == entry.fields["title"].replace("{", "").replace("}", "")
    names = [f"{a['family-names']}, {a['given-names']}" for a in paper["authors"]]
    assert names == [str(person) for person in entry.persons["author"]]
    assert str(paper["year"]) == entry.fields["year"] and paper["url"] == entry.fields["url"]
    assert (
        paper["identifiers"][0]["value"] == entry.fields["howpublished"]
        and entry.fields["howpublished"] in bibtex().fields["note"]
    )


def test_an_imprint_names_the_day_where_git_knows_it(tmp_path):
    """In an archive there is none, even one that was unpacked inside a clone."""
    (tmp_path / "CITATION.cff").write_bytes((ROOT / "CITATION.cff").read_bytes())
    told = imprint(tmp_path)
    assert told == [CONFIG["author"], f"version {PROJECT['version']}", "MIT licence"]
    if (ROOT / ".git").exists():
        dated = imprint(ROOT)
        assert re.fullmatch(r"[1-9]\d? [A-Z][a-z]+ 20\d\d", dated[2]) and [*dated[:2], *dated[3:]] == told


def test_the_last_page_has_both_entries(built_tree):
    """BibTeX of the paper and of the book, and the imprint."""
    assert PAGES[-2] == "book/cite.html"  # the last of the contents; the first page comes after
    page = (built_tree / "_build" / "html" / "book" / "cite.html").read_text("utf-8")
    text = unescape(re.sub("<[^>]+>", "", page))
    assert "@misc{crescimanna2019vimae," in text and "@misc{vimaebook," in text
    assert 'class="imprint"' in page and f"version {PROJECT['version']}" in text


@pytest.mark.parametrize("name", PAGES)
def test_a_page_tells_what_it_is(built_tree, name):
    """A description of its own, title and picture for where it is shared, and an icon."""
    head = (built_tree / "_build" / "html" / name).read_text("utf-8").split("</head>")[0]
    meta = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)" />', head))
    assert 60 <= len(unescape(meta["description"])) <= 200 and meta["og:description"] == meta["description"]
    assert "\\" not in meta["description"] and meta["og:site_name"] == CONFIG["title"]
    assert meta["og:title"] and "og:image" not in meta  # a copy without a remote: no address that sharing could use
    assert 'rel="icon"' in head and "favicon.svg" in head


def test_descriptions_differ(built_tree):
    """No page is described by another's words."""
    site = built_tree / "_build" / "html"
    told = [re.search(r'name="description" content="([^"]*)"', (site / name).read_text("utf-8"))[1] for name in PAGES]
    assert len(set(told)) == len(told)


def test_a_description_is_prose():
    """The first paragraph without mathematics that is long enough, cut at a word."""
    from docutils import nodes
    from docutils.utils import new_document

    document = new_document("page")
    short, formula, prose = nodes.paragraph("", "Short."), nodes.paragraph(), nodes.paragraph("", "word " * 60)
    formula += [nodes.Text("A sentence that is long enough to describe a page, with "), nodes.math("", "x")]
    document += [short, formula]
    assert description(document) is None
    document += prose
    assert description(document).endswith("word…") and len(description(document)) <= 200


def test_a_picture_is_shared_where_it_has_an_address(tmp_path):
    """That of the public remote; an archive, a clone without a remote and one with a private remote have none."""
    assert picture(tmp_path) == [("name", "twitter:card", "summary")]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert picture(tmp_path) == [("name", "twitter:card", "summary")]
    git = ["git", "-C", tmp_path, "remote"]
    subprocess.run([*git, "add", "origin", "git@example.org:a/b.git"], check=True)
    assert picture(tmp_path) == [("name", "twitter:card", "summary")]
    subprocess.run([*git, "set-url", "origin", "git@github.com:a/b.git"], check=True)
    told = {name: value for _, name, value in picture(tmp_path)}
    assert told["og:image"] == "https://raw.githubusercontent.com/a/b/main/book/_static/preview.png"
    assert told["twitter:card"] == "summary_large_image" and told["og:image:alt"]


def test_the_shared_picture_is_small_and_of_the_form_that_sites_want():
    """1200 by 630 pixels, under 120 kB."""
    path = ROOT / "book" / "_static" / "preview.png"
    with Image.open(path) as image:
        assert image.size == (1200, 630) and path.stat().st_size < 120_000


def test_the_bibliography_is_one_valid_list_under_the_papers_numbers(opened):
    """1 to 30 as the paper numbers, then letters; every entry once; corrections at their entries."""
    page = opened("book/bibliography.html")
    labels = page.locator(".citation .label").all_inner_texts()
    assert labels[:30] == [f"[{n}]" for n in range(1, 31)] and labels[30] == "[a]"
    assert len(labels) == len(set(labels)) == len(NUMBERED)
    texts = page.locator(".citation p").all_inner_texts()
    assert len(set(texts)) == len(texts)
    assert (
        sum("Corrected here:" in text for text in texts) == sum("corrected" in e.fields for e in NUMBERED.values()) > 10
    )
    assert page.evaluate("[...document.querySelectorAll('[role=list] > *')].every(e => e.role === 'listitem')")
    assert page.locator("[role=list]").count() == 2 and page.locator("article table").count() == 0
