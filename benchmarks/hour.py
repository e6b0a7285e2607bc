"""Where the hour goes: a whole `make book`, a second one, and one after the text of a notebook has changed.

    PYTHONPATH=. .venv/bin/python benchmarks/hour.py

In a copy of the last commit. Beside it what the committed records say of the profile `reference`. Writes
benchmarks/hour.json.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import torch

from vimae_core.chapters import CHAPTERS
from vimae_core.data import ROOT
from vimae_core.environment import environment
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE
from vimae_core.store import read_json, write_json

PROFILE, NOTEBOOK = "quick", "notebooks/01_latent_shape.ipynb"
OWN = {k: v for k, v in os.environ.items() if not k.startswith("VIMAE_") and k != "PYTHONPATH"}
STARTS, DATA, BOOK = "processes start and load packages", "data are read", "the book is rendered"

Seconds = dict[str, list[float]]  # of each process, training, measure, page, by kind


def python(tree: Path, *arguments: str) -> str:
    """What Python says in a copy of the repository."""
    return subprocess.run([sys.executable, *arguments], cwd=tree, env=OWN, check=True, text=True, stdout=-1).stdout


def book(tree: Path) -> float:
    """Seconds of a `make book` there, after what is installed."""
    begun = time.monotonic()
    python(tree, "workflow/run.py", PROFILE)
    return round(time.monotonic() - begun, 2)


def reading(tree: Path, dataset: str) -> float:
    """Seconds in which a process reads a data set, pictures from the cache: the median of three processes."""
    code = f"import time; from vimae_core.datasets import load_dataset; t = time.monotonic(); load_dataset({dataset!r})"
    return sorted(float(python(tree, "-c", f"{code}; print(time.monotonic() - t)")) for _ in range(3))[1]


def parted(tree: Path) -> Seconds:
    """Where the seconds of a build went; of what is left of a process, how much of it reads data."""
    code = "import sys, json; sys.path.insert(0, 'workflow'); import minutes; print(json.dumps(minutes.made(0)[0]))"
    found = json.loads(python(tree, "-c", code))
    (started,) = [kind for kind in found if kind.startswith("processes start")]
    configs = [read_json(path) for path in tree.glob("runs/*/config.json")]
    of_runs = Counter(config["dataset"] for config in configs)
    of_pages = Counter(getattr(parameters(chapter, PROFILE), "dataset", None) for chapter in CHAPTERS)
    processes = len(found[started]) - len(found["notebooks"])
    data = []
    for name, seconds in {name: reading(tree, name) for name in of_runs}.items():
        data += [seconds] * (of_pages[name] + round(processes * of_runs[name] / len(configs)))
    rest = (sum(found.pop(started)) - sum(data)) / (processes + len(found["notebooks"]))
    return {STARTS: [rest] * (processes + len(found["notebooks"])), DATA: data, **found}


def recorded() -> tuple[Seconds, Counter]:
    """The seconds of every committed run and measure, and the machines."""
    found, machines = {"trainings": []}, Counter()
    for path in sorted(REFERENCE.glob("*/environment.json")):
        about, record = read_json(path), path.with_name("record.json")
        machines[about["device"]] += 1
        found["trainings"].append(about["seconds"])
        for measure, took in (read_json(record).get("took", {}) if record.is_file() else {}).items():
            found.setdefault(measure, []).append(took["seconds"])
    return found, machines


def summed(kinds: Seconds) -> dict[str, tuple[float, int]]:
    return {kind: (round(sum(seconds), 1), len(seconds)) for kind, seconds in kinds.items()}


def main(folder: Path) -> None:
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "x"], cwd=folder, input=archive, check=True)
    wall = book(folder)
    kinds, (reference, machines) = parted(folder), recorded()
    again = {"nothing": [book(folder) for _ in range(3)], "text": []}
    page = folder / NOTEBOOK
    text = page.read_text("utf-8")
    for n in range(3):
        page.write_text(text.replace("**The question.**", f"**The question, {n}.**", 1), "utf-8")
        again["text"].append(book(folder))
    start, read = (sum(kinds[kind]) / len(kinds[kind]) for kind in (STARTS, DATA))
    each = {STARTS: [start] * len(reference["trainings"]), DATA: [read] * len(reference["trainings"])}
    pages = {kind: kinds[kind] for kind in ("notebooks", BOOK)}  # which show much the same
    found = {
        "environment": environment(torch.device("cpu")),
        "minutes": round(wall / 60, 1),
        "again": again,
        PROFILE: summed(kinds),
        "reference": summed(each | reference | pages),
        "machines": dict(machines),
    }
    write_json(ROOT / "benchmarks" / "hour.json", found)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as copy:
        main(Path(copy))
