"""The workflow's plans, made in a process that begins with what takes seconds to load."""

import multiprocessing
import os
import runpy
import sys
import tempfile
from pathlib import Path

# Of other packages alone: of this one each copy of the repository has its own.
LOADED = [
    "snakemake.cli",
    "torch",
    "pandas",
    "matplotlib.pyplot",
    "seaborn",
    "scipy.stats",
    "statsmodels.stats.multitest",
]


def planned(tree: Path, environment: dict[str, str], script: str, *arguments: str) -> tuple[int, str]:
    """The exit status of a script of `workflow/` in a copy of the repository, and all that it said.

    In a child of a server that has loaded those packages: not in this process's own, whose threads no fork survives.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    with tempfile.NamedTemporaryFile() as said:
        process = context.Process(target=_run, args=(tree, environment, script, arguments, said.name))
        process.start()
        process.join()
        return process.exitcode, Path(said.name).read_text(encoding="utf-8")


def _run(tree: Path, environment: dict[str, str], script: str, arguments: tuple[str, ...], said: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(tree)
    sys.path.insert(0, str(tree / "workflow"))
    sys.argv = [script, *arguments]
    with open(said, "w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    runpy.run_path(f"workflow/{script}", run_name="__main__")
