"""What a thousand runs cost on 1, 10 and 100 nodes, by the recorded times, and what a store of that size costs itself.

    PYTHONPATH=. .venv/bin/python benchmarks/nodes.py

The runs are drawn, with replacement, from those of the profile `reference` that are recorded; the jobs are those that
`make book ON=...` would make of them; a node has two cores, as the machines of the records, and takes two jobs. Writes
benchmarks/nodes.json.
"""

import heapq
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import torch

from vimae_core import jobs
from vimae_core.asked import Asked, asked_runs
from vimae_core.data import ROOT
from vimae_core.environment import environment
from vimae_core.reference import REFERENCE, find_reference
from vimae_core.runs import stored_runs
from vimae_core.store import lock, write_json

RUNS, NODES, CORES = 1000, (1, 10, 100), 2
MINUTES = (60, 10)  # of a job: as base.yaml has it, and shorter
STORES = (100, 1000, 10_000)  # runs of a store


def kind(run: Asked) -> tuple:
    """As in workflow/Snakefile."""
    return run.config.architecture, run.config.dataset, run.config.epochs, tuple(run.measures)


def queued(runs: list[Asked], full: float) -> list[float]:
    """The minutes of each job, those that take longest first."""
    parts = []
    for _, of_kind in groupby(sorted(runs, key=kind), kind):
        named = {str(n): run for n, run in enumerate(of_kind)}
        parts += [[named[n] for n in part] for part in jobs.by_minutes(named, full)]
    return sorted(map(jobs.minutes, parts), reverse=True)


def hours(minutes: list[float], cores: int) -> float:
    """Until the last job has ended, where each core takes the next one."""
    free = [0.0] * cores
    for one in minutes:
        heapq.heappush(free, heapq.heappop(free) + one)
    return max(free) / 60


def opened(call: Callable[[], object]) -> tuple[float, int]:
    """The seconds of a call, and how many files it opened."""
    begun, before = time.monotonic(), len(OPENED)
    call()
    return time.monotonic() - begun, len(OPENED) - before


OPENED: list[None] = []
sys.addaudithook(lambda event, _: OPENED.append(None) if event == "open" else None)


def store(folder: Path, runs: int) -> dict[str, float]:
    """What a store of so many runs costs: each a copy of a committed one, by links to its files."""
    whole = next(p for p in sorted(REFERENCE.iterdir()) if (p / "weights.safetensors").is_file())
    for n in range(runs):
        run = folder / f"{n:016x}"
        run.mkdir(parents=True)
        for file in whole.iterdir():
            os.link(file, run / file.name)
    os.environ["VIMAE_RUNS"] = str(folder)
    listing, files = opened(lambda: list(stored_runs()))
    begun = time.monotonic()
    found = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    walking = time.monotonic() - begun
    begun = time.monotonic()
    for n in range(100):
        with lock(folder / f"{n:016x}"):
            pass
    locking = (time.monotonic() - begun) / 100
    return {
        "files": len(found),
        "megabytes": sum(found) / 1e6,
        "seconds to look at all": walking,
        "seconds to list": listing,
        "files opened to list": files,
        "seconds a lock": locking,
    }


def main() -> None:
    asked = [run for run in asked_runs("reference") if find_reference(run.config)]
    chosen = random.Random(0).choices(asked, k=RUNS)
    each = [jobs.minutes([run]) for run in chosen]
    found = {
        "environment": environment(torch.device("cpu")),
        "of": len(asked),
        "minutes a run": {"median": statistics.median(each), "longest": max(each), "all": sum(each)},
        "jobs": {
            full: {
                "jobs": len(queue := queued(chosen, full)),
                "hours": {nodes: hours(queue, CORES * nodes) for nodes in NODES},
            }
            for full in MINUTES
        },
        "stores": {},
    }
    for runs in STORES:
        with tempfile.TemporaryDirectory(dir=ROOT) as folder:  # where links to the committed files may lie
            found["stores"][runs] = store(Path(folder, "runs"), runs)
    write_json(ROOT / "benchmarks" / "nodes.json", found)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
