"""What is installed: one set of pins, the package's lower bounds, the wheel alone; and a Makefile that does it once."""

import ast
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT, clean_environment, copy_tree

CUDA = ("nvidia-", "cuda-", "triton")


def pins(lines) -> dict[str, str]:
    """Name -> version of lines `name==version`; comments and blank lines aside."""
    names = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            name, version = re.fullmatch(r"([\w.-]+)==([\w.+]+)", line.strip()).groups()
            names[canonicalize_name(name)] = version
    return names


DIRECT = pins((ROOT / "requirements.txt").read_text().splitlines())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = {name: [Requirement(text) for text in texts] for name, texts in PROJECT["optional-dependencies"].items()}
CONSTRAINTS = pins((ROOT / "constraints.txt").read_text().splitlines())


def test_two_files_name_the_same_pins():
    """requirements.txt and conda's environment.yml."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    assert pins(line for line in pip if not line.startswith("-")) == DIRECT
    assert "-c constraints.txt" in pip


def test_every_pin_is_a_lower_bound_of_the_package_and_within_it():
    """The dependencies and both extras together are what is pinned, without an upper bound but Jupyter Book's."""
    bounds = {canonicalize_name(r.name): r.specifier for part in (CORE, *EXTRAS.values()) for r in part}
    assert set(bounds) == set(DIRECT)
    assert all(DIRECT[name] in specifier for name, specifier in bounds.items())
    assert [name for name, s in bounds.items() if {part.operator for part in s} != {">="}] == ["jupyter-book"]


def test_the_package_imports_what_it_asks_for():
    """What trains and measures, the dependencies alone; chapters and report, the extra `book` beside them."""
    distribution_of = {
        name: {canonicalize_name(d) for d in ds} for name, ds in metadata.packages_distributions().items()
    }
    core, book = ({canonicalize_name(r.name) for r in part} for part in (CORE, EXTRAS["book"]))
    imported = {False: set(), True: set()}  # whether for the book
    for path in (ROOT / "vimae_core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for_book = path.parent.name in ("chapters", "report")
            imported[for_book] |= {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"vimae_core"}
    assert all(distribution_of[name] & core for name in imported[False])
    assert all(distribution_of[name] & (core | book) for name in imported[True])
    assert {"matplotlib", "pandas", "seaborn"} <= imported[True] and {"torch", "torch_fidelity"} <= imported[False]


@pytest.mark.parametrize("command", ["import vimae_core", "from vimae_core.__main__ import main; main(TRAIN)"])
def test_what_trains_loads_only_what_trains(command, tiny):
    """Neither measures, nor pictures, figures or notebooks; compiled or parsed."""
    train = ["train", "--dataset", "tiny", "--data-root", str(tiny), "--epochs", "1", "--batch-size", "16"]
    code = f"import sys\nTRAIN = {train}\n{command}\nprint(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {"sklearn", "scipy", "torchvision", "torch_fidelity", "efficientnet_lite_pytorch", "matplotlib", "IPython"}
    assert "vimae_core" in loaded and not loaded & (heavy | {"pandas", "seaborn", "statsmodels", "myst_nb", "PIL"})


def closure(requirements: list[Requirement]) -> set[str]:
    """The distributions that these pull in, as they are installed here."""
    queue, seen = [canonicalize_name(r.name) for r in requirements], set()
    while queue:
        name = queue.pop()
        if name not in seen:
            seen.add(name)
            wanted = (Requirement(text) for text in metadata.requires(name) or [])
            queue += [canonicalize_name(r.name) for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})]
    return seen


def test_the_wheel_alone_trains(tmp_path):
    """In an environment that holds the wheel and what its metadata ask for, without extras: it trains and measures."""
    copy_tree(tmp_path / "source")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    alone = ["--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "wheel", *alone, "-w", str(tmp_path), str(tmp_path / "source")], check=True)
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "--python", str(python), "install", "--no-index", *alone, str(wheel)], check=True)
    (packages,) = (tmp_path / "env").glob("lib/python*/site-packages")
    for name in closure(CORE):  # linked, as copies of PyTorch would take minutes
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files if file.parts[0] not in ("..", "__pycache__")}:
            if not (packages / top).exists():
                (packages / top).symlink_to(distribution.locate_file(top))
    work = tmp_path / "work"
    work.mkdir()
    flags = ["--dataset", "toy-faces", "--n-train", "200", "--epochs", "1", "--width", "0.05", "--n-test", "50"]
    command = [str(python), "-m", "vimae_core", "evaluate", *flags]
    environment = {k: v for k, v in clean_environment().items() if not k.startswith("PYTHON")}
    done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]).parent == work / "runs"
    asked = [str(python), "-c", "from vimae_core.chapters import load_chapter; load_chapter('capacity')"]
    done = subprocess.run(asked, cwd=work, env=environment, capture_output=True, text=True)
    assert "pip install 'vimae_core[book]'" in done.stderr.splitlines()[-1]


def test_the_pins_that_the_project_is_built_on():
    """Jupyter Book 1, and a torch and torchvision that belong together."""
    expected = {"jupyter-book": "1.0.4.post1", "torch": "2.14.1", "torchvision": "0.29.1"}
    assert {name: DIRECT[name] for name in expected} == expected
    assert all(metadata.version(name).split("+")[0] == version for name, version in DIRECT.items())


def test_everything_that_is_pulled_in_is_pinned():
    """Walked through the metadata of what is installed: each at its installed version, but for CUDA's own."""
    pulled_in = {n for n in closure(list(map(Requirement, DIRECT))) - set(DIRECT) if not n.startswith(CUDA)}
    assert {n: CONSTRAINTS.get(n) for n in pulled_in} == {n: metadata.version(n) for n in pulled_in}
    assert len(pulled_in) > 100


def test_constraints_hold_no_cuda_and_nothing_twice():
    """CUDA's packages differ from machine to machine; a direct pin stands in requirements.txt alone."""
    assert not [name for name in CONSTRAINTS if name.startswith(CUDA)]
    assert not set(CONSTRAINTS) & set(DIRECT)


@pytest.fixture
def makefile(tmp_path) -> Path:
    """The Makefile and what it installs from, alone in a folder, with a python3 that only takes notes."""
    for name in ("Makefile", "requirements.txt", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def fake_python(folder: Path, body: str) -> str:
    path = folder / "python-fake"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    # Not as a part of the `make test` that may be running this.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_an_older_python_is_refused_by_name(makefile):
    """Before anything is made: what was found, what is needed, how to name another."""
    real = shutil.which("python3")
    old = 'import sys; sys.version_info = type("V", (tuple,), {})((3, 9, 7)); exec(sys.argv.pop(1))'
    python = fake_python(makefile, f"shift; exec {real} -c '{old}' \"$@\"")
    done = make(makefile, "book", f"PYTHON={python}")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr and "is Python 3.9" in done.stderr
    assert "make book PYTHON=python3.12" in done.stderr
    assert not (makefile / ".venv").exists()


def test_a_second_call_does_not_install(makefile):
    """Nothing is planned but the job itself; changed pins install again; a failed installation is no installation."""
    assert "pip install" in make(makefile, "-n", "book").stdout
    (makefile / ".venv").mkdir()
    (makefile / ".venv" / "installed").touch()
    assert make(makefile, "-n", "book").stdout.splitlines() == [".venv/bin/python workflow/run.py quick"]
    assert "run.py reference" in make(makefile, "-n", "book", "PROFILE=reference").stdout
    assert "pip" not in make(makefile, "-n", "test").stdout
    (makefile / "constraints.txt").touch()
    assert "pip install" in make(makefile, "-n", "book").stdout
    done = make(makefile, "book", f"PYTHON={fake_python(makefile, 'case $1 in -m) exit 1;; esac')}")
    assert done.returncode != 0 and "pip install" in make(makefile, "-n", "book").stdout
