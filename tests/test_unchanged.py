"""Where nothing has changed since the last build, nothing is loaded to find out; every doubt is left to snakemake."""

import os
import sys

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "workflow"))
import unchanged

FILES = ("vimae_core/mmd.py", "notebooks/a.ipynb", "data/mnist/images.gz", "results/reference/0/record.json")
MADE = ("_build/html/index.html", "book/results/a.ipynb", "runs/1/record.json")
ASIDE = (".git/index", ".venv/lib.py", "vimae_core/__pycache__/mmd.pyc", "cache/pictures.bin")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A folder like the project's, in which a build of profile quick has just ended."""
    for variable in unchanged.FOLDERS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(unchanged, "ROOT", tmp_path)
    monkeypatch.setattr(unchanged, "NOTED", tmp_path / ".snakemake" / "unchanged")
    monkeypatch.setattr(unchanged, "MADE", (tmp_path / "_build", tmp_path / "book" / "results"))
    for name in (*FILES, *MADE, *ASIDE, ".snakemake/log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was")
    unchanged.note("quick", unchanged.inputs("quick"))
    assert unchanged.since_the_last("quick")
    return tmp_path


def test_another_profile_or_place_is_another_build(tree, monkeypatch):
    """Its runs, its data, its cache."""
    assert not unchanged.since_the_last("smoke")
    for variable in unchanged.FOLDERS:
        with monkeypatch.context() as patch:
            patch.setenv(variable, str(tree / "elsewhere"))
            assert not unchanged.since_the_last("quick")
    assert unchanged.since_the_last("quick")


@pytest.mark.parametrize("name", [*FILES, *MADE])
def test_what_a_build_reads_or_makes_counts(tree, name):
    """Written with the same length, touched, gone."""
    about = (tree / name).stat()
    (tree / name).write_text("as it is ")
    assert not unchanged.since_the_last("quick")
    os.utime(tree / name, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert unchanged.since_the_last("quick")
    (tree / name).unlink()
    assert not unchanged.since_the_last("quick")


def test_a_new_file_counts_and_what_lies_behind_a_link(tree, tmp_path_factory):
    """In circles too; what is hidden or made from the data does not, nor a link to nowhere."""
    for name in ASIDE:
        (tree / name).write_text("other")
    (tree / "nowhere").symlink_to("nothing")
    assert unchanged.since_the_last("quick")
    other = tmp_path_factory.mktemp("other")
    (other / "faces").symlink_to(other)
    (tree / "data" / "celeba").symlink_to(other)
    unchanged.note("quick", unchanged.inputs("quick"))
    (other / "1.jpg").write_text("a face")
    assert not unchanged.since_the_last("quick")


def test_what_changed_during_a_build_may_not_have_been_read(tree):
    """The next call plans."""
    before = unchanged.inputs("quick")
    (tree / "vimae_core" / "mmd.py").write_text("edited")
    unchanged.note("quick", before)
    assert not unchanged.since_the_last("quick")
