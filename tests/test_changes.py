"""Where nothing has changed since the last build, nothing is loaded to find out; every doubt is left to snakemake."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "workflow"))
import changes
import execute
import text

FILES = ("vimae_core/mmd.py", "notebooks/a.ipynb", "data/mnist/images.gz", "results/reference/0/record.json")
MADE = ("_build/html/index.html", "book/results/a.ipynb", "runs/1/record.json")
ASIDE = (".git/index", ".venv/lib.py", "vimae_core/__pycache__/mmd.pyc", "cache/pictures.bin")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A folder like the project's, in which a build of profile quick has just ended."""
    for variable in changes.FOLDERS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(changes, "ROOT", tmp_path)
    monkeypatch.setattr(changes, "NOTED", tmp_path / ".snakemake" / "last_build")
    monkeypatch.setattr(changes, "MADE", (tmp_path / "_build", tmp_path / "book" / "results"))
    for name in (*FILES, *MADE, *ASIDE, ".snakemake/log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was")
    changes.note("quick", changes.inputs("quick"))
    assert changes.since_the_last("quick") == []
    return tmp_path


def test_another_profile_or_place_is_another_build(tree, monkeypatch):
    """Its runs, its data, its cache."""
    assert changes.since_the_last("smoke") is None
    for variable in changes.FOLDERS:
        with monkeypatch.context() as patch:
            patch.setenv(variable, str(tree / "elsewhere"))
            assert changes.since_the_last("quick") is None
    assert changes.since_the_last("quick") == []


@pytest.mark.parametrize("name", [*FILES, *MADE])
def test_what_a_build_reads_or_makes_counts(tree, name):
    """Written with the same length, touched, gone."""
    about = (tree / name).stat()
    (tree / name).write_text("as it is ")
    assert changes.since_the_last("quick") == [tree / name]
    os.utime(tree / name, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert changes.since_the_last("quick") == []
    (tree / name).unlink()
    assert changes.since_the_last("quick") is None


def test_a_new_file_counts_and_what_lies_behind_a_link(tree, tmp_path_factory):
    """In circles too; what is hidden or made from the data does not, nor a link to nowhere."""
    for name in (*ASIDE, "_build/vimae.pdf"):
        (tree / name).write_text("other")
    (tree / "nowhere").symlink_to("nothing")
    assert changes.since_the_last("quick") == []
    other = tmp_path_factory.mktemp("other")
    (other / "faces").symlink_to(other)
    (tree / "data" / "celeba").symlink_to(other)
    changes.note("quick", changes.inputs("quick"))
    (other / "1.jpg").write_text("a face")
    assert changes.since_the_last("quick") is None


def test_another_remote_counts(tree):
    """Buttons and links lead there."""
    (tree / ".git" / "config").write_text("a remote")
    assert changes.since_the_last("quick") is None
    changes.note("quick", changes.inputs("quick"))
    assert changes.since_the_last("quick") == []


def test_what_changed_during_a_build_may_not_have_been_read(tree):
    """The next call plans."""
    before = changes.inputs("quick")
    (tree / "vimae_core" / "mmd.py").write_text("edited")
    changes.note("quick", before)
    assert changes.since_the_last("quick") is None


def test_only_text_is_told_anew(tmp_path, monkeypatch):
    """Of notebooks with the cells that were executed, and of pages; else no file is touched."""
    kept, calls = tmp_path / "_build" / "executed", []
    monkeypatch.setattr(text, "ROOT", tmp_path)
    monkeypatch.setattr(execute, "KEPT", kept)
    monkeypatch.setattr(
        text.subprocess, "run", lambda command, **_: calls.append(command[1:]) or SimpleNamespace(returncode=0)
    )
    page, notebook = tmp_path / "book" / "claims.md", tmp_path / "notebooks" / "a.ipynb"
    target = tmp_path / "book" / "results" / "a.ipynb"

    def written(said: str, code: str) -> None:
        new = nbformat.v4.new_notebook()
        new.cells = [nbformat.v4.new_markdown_cell(said), nbformat.v4.new_code_cell(code)]
        notebook.parent.mkdir(exist_ok=True)
        nbformat.write(new, notebook)

    written("before", "1 + 1")
    execute.write(nbformat.read(notebook, 4), kept / "a.ipynb")
    written("after", "1 + 2")
    for changed in (
        [notebook],
        [notebook, page],
        [page, tmp_path / "book" / "paper_values.yml"],
        [target],
        [kept / "a.ipynb"],
    ):
        assert not text.told_anew(changed)
    assert not calls and not target.exists()
    written("after", "1 + 1")
    assert text.told_anew([notebook, page]) and calls == [["workflow/render.py"]]
    assert nbformat.read(target, 4).cells[0].source == "after" == nbformat.read(kept / "a.ipynb", 4).cells[0].source
    book = tmp_path / "_build" / "html" / "index.html"
    book.parent.mkdir()
    failing = lambda command, **_: book.write_text("in spite of a warning") and SimpleNamespace(returncode=1)  # noqa: E731
    monkeypatch.setattr(text.subprocess, "run", failing)
    with pytest.raises(SystemExit) as end:
        text.told_anew([page])
    assert end.value.code == 1 and not book.exists()


BOOK = """
import os, sys
from pathlib import Path

def main(arguments):
    page = Path("_build", "html", "page.html")
    print("found", page.exists(), flush=True)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text("half")
    if "KILLED" in os.environ:
        os._exit(9)
    sys.exit(int(os.environ.get("STATUS", 0)))
"""


def test_a_rendering_that_was_stopped_is_begun_anew(tmp_path):
    """Killed, or ended with a warning: what it had written is not taken for whole; a whole one is gone on from."""
    for folder in ("workflow", "jupyter_book/cli"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "workflow" / "render.py", tmp_path / "workflow")
    for name in ("__init__", "cli/__init__", "cli/main"):
        (tmp_path / "jupyter_book" / f"{name}.py").write_text(BOOK)
    found = []
    for given in ({}, {}, {"KILLED": "1"}, {"STATUS": "1"}, {}, {}):
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), **given}
        command = [sys.executable, "workflow/render.py"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        found.append((done.stdout.strip(), done.returncode))
    ends = [0, 0, 9, 1, 0, 0]
    there = [False, True, True, False, False, True]
    assert found == [(f"found {was}", end) for was, end in zip(there, ends, strict=True)]
