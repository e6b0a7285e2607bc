"""Binder and Colab, as far as a test can be there: Binder's environment, and the cell that installs on Colab alone."""

import ast
import subprocess
import sys
from types import ModuleType

import nbformat
import pytest
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.test_environment import CORE, CUDA, DIRECT, EXTRAS, pins
from vimae_core.chapters import CHAPTERS

BINDER = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
HEAVY = ("torch", "torchvision")
UNUSED = ("snakemake", "jupyter-book", "pypdf")  # where only notebooks are opened
OF_COLAB = ("IPython",)  # whose own its kernel needs
NOTEBOOKS = [ROOT / "notebooks" / f"{name}.ipynb" for name in CHAPTERS.values() if name != "speed"]


def test_binder_has_the_pins_of_the_notebooks_and_the_small_build():
    """All of requirements.txt but what tests, the workflow and the pages need; PyTorch without CUDA."""
    found = pins(line for line in BINDER if line and not line.startswith("-"))
    tests = {canonicalize_name(r.name) for r in EXTRAS["test"]}
    wanted = {name: version for name, version in DIRECT.items() if name not in {*tests, *UNUSED}}
    assert found == {n: f"{v}+cpu" if n in HEAVY else v for n, v in wanted.items()}
    assert not [name for name in found if name.startswith(CUDA)]
    options = [line for line in BINDER if line.startswith("-")]
    assert options == ["-c ../constraints.txt", "--extra-index-url https://download.pytorch.org/whl/cpu", "-e ."]
    assert (ROOT / ".binder" / "runtime.txt").read_text().strip() == "python-3.11"


def colab_cells(path) -> list:
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if "colab" in cell.metadata.get("tags", [])]


@pytest.fixture
def cell() -> str:
    return colab_cells(NOTEBOOKS[0])[0].source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_chapter_has_the_cell_after_its_title(path, cell):
    """The same one, which no page shows."""
    (found,) = colab_cells(path)
    assert nbformat.read(path, as_version=4).cells[1] == found
    assert found.source == cell and "remove-cell" in found.metadata.tags


def commands(cell: str, monkeypatch, folder, answer: str | None) -> list[list[str]]:
    """What the cell would execute; on Colab where there is an answer to its question."""
    ran = []
    monkeypatch.chdir(folder)
    monkeypatch.setattr(subprocess, "run", lambda command, check: ran.append(command))
    monkeypatch.setattr(sys, "path", list(sys.path))
    if answer is not None:
        monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
        monkeypatch.setattr("builtins.input", lambda question: answer)
    exec(cell, {})
    assert (str(folder / "vimae") == sys.path[0]) is (answer is not None)
    return ran


def test_elsewhere_the_cell_does_nothing(cell, monkeypatch, tmp_path):
    """It asks nothing and runs nothing."""
    assert commands(cell, monkeypatch, tmp_path, None) == []


@pytest.mark.parametrize(
    "answer",
    [
        "https://colab.research.google.com/github/some-one/vimae.x/blob/main/notebooks/01_latent_shape.ipynb#scrollTo=a",
        "https://github.com/some-one/vimae.x",
        "https://github.com/some-one/vimae.x.git/",
        " some-one/vimae.x ",
    ],
)
def test_on_colab_it_clones_and_installs(answer, cell, monkeypatch, tmp_path):
    """From the page's address, as any fork has its own; once cloned, it is not cloned again."""
    clone, install = commands(cell, monkeypatch, tmp_path, answer)
    assert clone == ["git", "clone", "--depth", "1", "https://github.com/some-one/vimae.x", "vimae"]
    assert install[:6] == [sys.executable, "-m", "pip", "install", "-q", "-e"]
    (tmp_path / "vimae").mkdir()
    assert commands(cell, monkeypatch, tmp_path, answer) == [install]


@pytest.mark.parametrize("answer", ["", "vimae", "https://example.org/a/b"])
def test_an_address_that_names_no_repository_is_refused(answer, cell, monkeypatch, tmp_path):
    """With what is to be given."""
    with pytest.raises(ValueError, match=f"'{answer}' names no repository: give OWNER/NAME"):
        commands(cell, monkeypatch, tmp_path, answer)


def test_the_cell_installs_what_the_chapters_import(cell, monkeypatch, tmp_path):
    """Beside the package's own dependencies, which come with it."""
    installed = {canonicalize_name(name) for name in commands(cell, monkeypatch, tmp_path, "a/b")[1][6:]}
    imported = set()
    for path in (ROOT / "vimae_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            imported |= {name.split(".")[0] for name in names}
    spelled = {"markdown_it": "markdown-it-py", "PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}
    others = imported - set(sys.stdlib_module_names) - set(OF_COLAB) - {"vimae_core"}
    wanted = {canonicalize_name(spelled.get(name, name)) for name in others} - {canonicalize_name(r.name) for r in CORE}
    assert wanted <= installed and "vimae" in installed
