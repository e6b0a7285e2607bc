"""One set of pins in three files, all that they pull in pinned too, and a Makefile that installs once."""

import os
import re
import shutil
import stat
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

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
CONSTRAINTS = pins((ROOT / "constraints.txt").read_text().splitlines())


def test_three_files_name_the_same_pins():
    """requirements.txt, conda's environment.yml, and the package's metadata, which pyproject.toml determines."""
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    assert pins(line for line in pip if not line.startswith("-")) == DIRECT
    assert "-c constraints.txt" in pip
    installed = [str(r).replace(" ", "") for r in metadata.requires("vimae_core")]
    assert pins(installed) == DIRECT


def test_the_pins_that_the_project_is_built_on():
    """Jupyter Book 1, and a torch and torchvision that belong together."""
    expected = {"jupyter-book": "1.0.4.post1", "torch": "2.14.1", "torchvision": "0.29.1"}
    assert {name: DIRECT[name] for name in expected} == expected
    assert all(metadata.version(name).split("+")[0] == version for name, version in DIRECT.items())


def test_everything_that_is_pulled_in_is_pinned():
    """Walked through the metadata of what is installed: each at its installed version, but for CUDA's own."""
    queue, seen = list(DIRECT), set()
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        for text in metadata.requires(name) or []:
            requirement = Requirement(text)
            wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if wanted:
                queue.append(canonicalize_name(requirement.name))
    pulled_in = {name for name in seen - set(DIRECT) if not name.startswith(CUDA)}
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
