"""Provenance leads to records: from the sign under a figure to the page of its runs, and to each run's record."""

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.conftest import ROOT
from vimae_core.chapters import CHAPTERS
from vimae_core.reference import REFERENCE
from vimae_core.report import record_pages
from vimae_core.report.measures import MEANINGS
from vimae_core.report.record_pages import commit_address, list_name, record_page, write_pages
from vimae_core.runs import Run

FIGURE_1 = f"book/results/{CHAPTERS['latent_shape']}.html"
LIMIT = 9_000  # bytes a page, on average: six measures a run
NAMED = re.compile(r"\(runs:([0-9a-f+]+)\)")


class Parsed(HTMLParser):
    """Tags, links and text of a page, read without what wrote it."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.links, self.text = Counter(), [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.links += [value for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data):
        self.text += data + " "


def numbers(value) -> list[str]:
    """Every number of a part of a record, as a page spells it."""
    if isinstance(value, dict | list):
        return [number for part in (value.values() if isinstance(value, dict) else value) for number in numbers(part)]
    if value is None or isinstance(value, bool):
        return ["∞" if value is None else "yes" if value else "no"]
    if isinstance(value, str):
        return []
    return [str(value) if isinstance(value, int) else f"{value:z.6g}".replace("-", "−")]


def test_a_page_holds_every_number_of_its_record():
    """As often as the record has it, and none without a meaning; of one run of each kind of record."""
    kinds = {}
    for path in sorted(REFERENCE.glob("*/record.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        measured = {name: found for name, found in record.items() if name not in ("determined_by", "took")}
        assert all(set(found) <= set(MEANINGS[name]) for name, found in measured.items())
        kinds[str({name: list(found) for name, found in measured.items()})] = path, record, measured
    assert len(kinds) > 5
    for path, record, measured in kinds.values():
        page = Parsed(record_page(Run.load(path.parent), record, {}, None))
        assert Counter(numbers(measured)) <= Counter(re.split(r"[\s,;]+", page.text)), path


def test_a_page_names_where_and_how_it_was_computed():
    """Each field that differs from its default, and where others are; environment; a line a term of the loss."""
    folder = next(f for f in sorted(REFERENCE.iterdir()) if '"lambda"' in (f / "history.json").read_text())
    run = Run.load(folder)
    page = Parsed(record_page(run, {}, {"book/x.html": "A chapter"}, "https://github.com/a/b"))
    differing = page.text[page.text.index("What differs") : page.text.index("All else is")]
    for name, value in run.config.scientific.items():
        assert f"{name.replace('_', ' ').strip()} {value}".rstrip("0").rstrip(".") in " ".join(differing.split())
    assert all(str(value) in page.text for value in run.environment.values())
    assert page.tags["polyline"] == len(run.history["epochs"]) + ("pretraining" in run.history)
    assert {"../book/x.html", "../index.html", "../book/code.html#vimae_core.config.RunConfig"} <= set(page.links)
    assert "Nothing was measured" in page.text
    assert any(link.startswith("https://github.com/a/b/commit/") for link in page.links)


def test_pages_escape_what_they_quote():
    """A device or a record's text that looks like HTML stays text."""
    run = Run.load(next(REFERENCE.iterdir()))
    run.environment.update(device="<script>1</script>", commit='"><img src=x>')
    page = Parsed(record_page(run, {"faces": {"title": "<b>&amp;"}}, {'"><i>': "<u>"}, None))
    assert not {"script", "img", "b", "i", "u"} & set(page.tags)
    assert all(text in page.text for text in ("<script>1</script>", '"><img src=x>', "<b>&amp;", "<u>"))


@pytest.mark.parametrize(
    ("commit", "expected"),
    [("5ec9394", "5ec9394"), ("5ec9394-dirty", "5ec9394"), ("v1.0-3-g5ec9394", "5ec9394"), ("unknown", None)],
)
def test_commits_are_linked_where_the_clone_is_public(commit, expected):
    """By the hash in what `git describe` says."""
    assert commit_address("https://github.com/a/b", commit) == (
        f"https://github.com/a/b/commit/{expected}" if expected else None
    )
    assert commit_address(None, commit) is None


def test_damaged_and_missing_runs_are_named_and_the_others_have_pages(tmp_path, monkeypatch):
    """What cannot be read has no page, nor has what is there no longer; what was there before is removed."""
    whole, cut, odd = sorted(REFERENCE.iterdir())[:3]
    reference, pages = tmp_path / "reference", tmp_path / "records"
    for folder in (whole, cut, odd):
        shutil.copytree(folder, reference / folder.name)
    content = (cut / "record.json").read_bytes()
    (reference / cut.name / "record.json").write_bytes(content[: len(content) // 2])
    (reference / odd.name / "environment.json").write_text("{}")
    monkeypatch.setattr(record_pages, "REFERENCE", reference)
    pages.mkdir()
    (pages / "stale.html").write_text("")
    lists = {(whole.name, "0" * 16): {"book/x.html": "A chapter"}}
    faults = write_pages(pages, lists, None)
    assert [f for f in faults if cut.name in f and "record.json is damaged" in f]
    assert [f for f in faults if odd.name in f and "KeyError" in f]
    assert [f for f in faults if "0" * 16 in f and "VIMAE_RUNS" in f] and len(faults) == 3
    names = {f"{name}.html" for name in (whole.name, list_name([whole.name, "0" * 16]), "index")}
    assert {path.name for path in pages.iterdir()} == names
    assert list_name(["b", "a"]) == list_name(["a", "b", "a"]) != list_name(["a"])


def test_a_book_with_a_run_that_is_not_there_fails(tmp_path):
    """The build names the run and ends with an error; a commit without a public clone is plain text."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "_ext").symlink_to(ROOT / "book" / "_ext")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: intro\n")
    (tmp_path / "_config.yml").write_text(
        "parse: {myst_url_schemes: [commit, runs]}\nonly_build_toc_files: true\n"
        "sphinx: {local_extensions: {launch_source: book/_ext, record_pages: book/_ext}}\n"
    )
    (tmp_path / "intro.md").write_text("# Intro\n\n[1 run](runs:00ff); [5ec9394](commit:5ec9394).\n")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ".", "-W", "-q"]
    done = subprocess.run([*command, "--keep-going"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and "run 00ff has no page" in done.stdout + done.stderr
    page = (tmp_path / "_build" / "html" / "intro.html").read_text(encoding="utf-8")
    assert f'href="records/{list_name(["00ff"])}.html"' in page and "; 5ec9394." in page


def test_every_link_of_the_records_leads_somewhere(built_tree):
    """All pages together stay light; each leads back to the book, and asks nothing of the network."""
    pages = sorted((built_tree / "_build" / "html" / "records").glob("*.html"))
    assert len(pages) > len(list(REFERENCE.iterdir())) and sum(p.stat().st_size for p in pages) < LIMIT * len(pages)
    for path in pages:
        links = Parsed(path.read_text(encoding="utf-8")).links
        assert "../index.html" in links
        assert [link for link in links if not (path.parent / unquote(link).partition("#")[0]).is_file()] == []


@pytest.mark.parametrize("notebook", CHAPTERS.values())
def test_a_figure_leads_to_exactly_its_runs(built_tree, notebook):
    """Each list that a chapter's outputs name is linked from its page, with a row for each run, and no other."""
    executed = (built_tree / "book" / "results" / f"{notebook}.ipynb").read_text(encoding="utf-8")
    page = built_tree / "_build" / "html" / "book" / "results" / f"{notebook}.html"
    links = [(page.parent / unquote(link)).resolve() for link in set(Parsed(page.read_text("utf-8")).links)]
    linked = {path.name: path for path in links if path.parent.name == "records"}
    lists = {f"{list_name(names.split('+'))}.html": set(names.split("+")) for names in NAMED.findall(executed)}
    assert set(linked) == set(lists) and (lists or notebook == CHAPTERS["speed"])
    for name, runs in lists.items():
        parsed = Parsed(linked[name].read_text(encoding="utf-8"))
        assert {
            link.removesuffix(".html") for link in parsed.links if re.fullmatch(r"[0-9a-f]{16}\.html", link)
        } == runs
        assert f"{len(runs)} run" in parsed.text and f"../book/results/{notebook}.html" in parsed.links


def test_the_sign_opens_by_mouse_and_by_keyboard(opened):
    """And two clicks lead from it to a run's record, one to the notebook without outputs."""
    page = opened(FIGURE_1)
    sign = page.locator("figcaption .provenance").first
    told, opener = sign.locator("p").first, sign.locator("summary")
    assert not told.is_visible()
    opener.click()
    assert told.is_visible() and "Provenance: notebooks/" in told.inner_text()
    opener.press("Enter")
    assert not told.is_visible()
    opener.press("Space")
    assert told.is_visible()
    notebook = page.evaluate("a => a.href", told.locator("a", has_text=".ipynb").element_handle())
    cells = json.loads(Path(unquote(notebook.removeprefix("file://"))).read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells)
    told.locator("a", has_text=" run").click()
    page.locator("tbody a").first.click()
    assert "/records/" in page.url and "Configuration" in page.inner_text("main")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_record_is_read_on_a_phone(opened, scheme):
    """The longest one: no sideways scrolling but in boxes that the keyboard reaches; dark where the system is."""
    longest = max(REFERENCE.iterdir(), key=lambda folder: (folder / "record.json").stat().st_size)
    for name in (longest.name, "index"):
        page = opened(f"records/{name}.html", width=360, scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360 and page.problems == []
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(255, 255, 255)") == (scheme == "light")
        unreached = (
            "[...document.querySelectorAll('*')].filter(e => e.scrollWidth > e.clientWidth + 1 && e.tabIndex < 0"
        )
        assert page.evaluate(f"{unreached} && getComputedStyle(e).overflowX == 'auto').length") == 0
