"""Processes of their own that begin with what takes seconds to load: children of a server that has loaded it.

A test's own process cannot be their parent, as no fork survives its threads.
"""

import multiprocessing
import os
import sys
import tempfile
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Of other packages alone: of this one each copy of the repository has its own. So no conftest here, which loads it.
LOADED = [
    "IPython",
    "matplotlib.pyplot",
    "pandas",
    "safetensors.torch",
    "scipy.stats",
    "seaborn",
    "sklearn.svm",
    "snakemake.cli",
    "statsmodels.stats.multitest",
    "torch",
    "torchvision",
]


def begin(
    program: str, *arguments: str, said: Path, folder: Path = ROOT, environment: dict[str, str] | None = None
) -> BaseProcess:
    """As `python -c` does in that folder; all that it says goes to the end of the file `said`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    given = program, arguments, str(said), str(folder), dict(os.environ if environment is None else environment)
    process = context.Process(target=_run, args=given, daemon=True)
    process.start()
    return process


def ended(program: str, *arguments: str, seconds: float = 600, **options) -> tuple[int, str]:
    """Its exit status, and all that it said."""
    with tempfile.NamedTemporaryFile() as said:
        process = begin(program, *arguments, said=Path(said.name), **options)
        process.join(seconds)
        process.kill()
        process.join()
        return process.exitcode, Path(said.name).read_text(encoding="utf-8")


def script(tree: Path, environment: dict[str, str], name: str, *arguments: str) -> tuple[int, str]:
    """The same of a script of `workflow/` in a copy of the repository."""
    program = f"import runpy, sys; sys.path.insert(0, 'workflow'); runpy.run_path('workflow/{name}', None, '__main__')"
    return ended(program, *arguments, folder=tree, environment=environment)


def _run(program: str, arguments: tuple[str, ...], said: str, folder: str, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = ["-c", *arguments]
    with open(said, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    exec(program, {"__name__": "__main__"})
