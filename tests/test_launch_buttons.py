"""Launch buttons appear where a clone has a public remote, and point at the notebook's source."""

import subprocess
import sys

import nbformat
import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from launch_source import public_remote, source_buttons


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/someone/vimae.git\n", "https://github.com/someone/vimae"),
        ("https://github.com/someone/vimae", "https://github.com/someone/vimae"),
        ("git@github.com:someone/vimae.git", "https://github.com/someone/vimae"),
        ("ssh://git@github.com/someone/vimae", "https://github.com/someone/vimae"),
        ("/home/someone/vimae", None),
        ("https://example.org/someone/vimae.git", None),
        ("https://github.com.example.org/someone/vimae", None),
        ("", None),
    ],
)
def test_public_remote(url, expected):
    """GitHub's https and ssh forms are public; a path or another host is not taken for it."""
    assert public_remote(url) == expected


def test_launchers_lead_to_the_source():
    """Both open notebooks/NAME.ipynb; pages that are no chapter lose their launchers, and keep the rest."""
    binder = {"url": "https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/book/results/01_x.ipynb"}
    colab = {"url": "https://colab.research.google.com/github/a/b/blob/main/book/results/01_x.ipynb"}
    buttons = [{"buttons": [binder, colab], "label": "launch"}, {"url": "https://github.com/a/b"}]
    chapter = source_buttons(buttons, "book/results/01_x")
    assert chapter[0]["buttons"][0]["url"].endswith("lab/tree/notebooks/01_x.ipynb")
    assert chapter[0]["buttons"][1]["url"].endswith("/github/a/b/blob/main/notebooks/01_x.ipynb")
    assert source_buttons(buttons, "book/intro") == [{"url": "https://github.com/a/b"}]


@pytest.mark.parametrize("remote", [None, "git@github.com:someone/vimae.git"])
def test_a_book_with_and_without_a_remote(remote, tmp_path):
    """Two pages built for real: the remote decides, and the chapter's link names notebooks/."""
    results = tmp_path / "book" / "results"
    results.mkdir(parents=True)
    (tmp_path / "book" / "_ext").symlink_to(ROOT / "book" / "_ext")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/intro\nchapters:\n- file: book/results/01_x\n")
    (tmp_path / "_config.yml").write_text(
        "execute: {execute_notebooks: 'off'}\nonly_build_toc_files: true\n"
        "sphinx: {local_extensions: {launch_source: book/_ext}}\n"
    )
    (tmp_path / "book" / "intro.md").write_text("# Intro\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Chapter")])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "p", "language": "python"}
    nbformat.write(notebook, results / "01_x.ipynb")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    if remote:
        subprocess.run(["git", "remote", "add", "origin", remote], cwd=tmp_path, check=True)
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ".", "-W", "-q"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    chapter = (tmp_path / "_build" / "html" / "book" / "results" / "01_x.html").read_text()
    intro = (tmp_path / "_build" / "html" / "book" / "intro.html").read_text()
    assert "mybinder.org" not in intro and "colab" not in intro
    if remote:
        assert "mybinder.org/v2/gh/someone/vimae/main?urlpath=lab/tree/notebooks/01_x.ipynb" in chapter
        assert "colab.research.google.com/github/someone/vimae/blob/main/notebooks/01_x.ipynb" in chapter
    else:
        assert "mybinder.org" not in chapter and "colab" not in chapter and "github.com/someone" not in chapter
