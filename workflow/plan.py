"""What `make book` would do, and how long that should take: python workflow/plan.py [PROFILE]. It changes nothing.

What is missing the workflow says itself, by snakemake's summary; the times are recorded ones of the same kind.
"""

import contextlib
import io
import json
import os
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import run
from snakemake.cli import main as snakemake

from vimae_core import durations
from vimae_core.asked import Asked, asked_runs
from vimae_core.chapters import CHAPTERS
from vimae_core.durations import Estimate
from vimae_core.environment import machine
from vimae_core.process import pick_device
from vimae_core.profiles import runs_together
from vimae_core.reference import REFERENCE
from vimae_core.store import runs_root

# Seconds on one core where nothing is recorded: a process starts, a notebook is executed, the book rendered.
START, NOTEBOOK, BOOK = 5.0, 30.0, 90.0


class Row(NamedTuple):
    """A kind of work: how many are to do, how many are there, and how long each of the former should take."""

    kind: str
    to_do: int
    there: int
    estimates: list[Estimate]

    @property
    def seconds(self) -> float:
        return sum(e.seconds or 0.0 for e in self.estimates)


def pending(profile: str) -> set[str]:
    """The files that the workflow would make now. Ends the process where it cannot tell."""
    summary = io.StringIO()
    try:
        with contextlib.redirect_stdout(summary):
            snakemake(run.asked(profile, "--summary", "--dry-run"))  # which writes no log
    except SystemExit as end:
        if end.code:
            raise
    rows = [line.split("\t") for line in summary.getvalue().splitlines()]
    return {row[0] for row in rows if row[-1] == "update pending"}


def trainings(asked: list[Asked], times: list[durations.Timed], device: str) -> list[Row]:
    """A row a chapter and architecture; a run that several chapters show counts for the first."""
    estimate = cache(lambda config: durations.training(config, times, device))
    kinds: dict[str, list[Asked]] = {}
    for one in asked:
        kinds.setdefault(f"{one.chapters[0]}: {one.config.architecture}, {one.config.dataset}", []).append(one)
    rows = []
    for kind, runs in kinds.items():
        missing = [one.config for one in runs if not one.is_trained]
        estimates = [estimate(replace(config, seed=0)) for config in missing]
        rows.append(Row(kind, len(missing), len(runs) - len(missing), estimates))
    return rows


def measures(asked: list[Asked], times: list[durations.Timed], device: str) -> list[Row]:
    """A row a measure."""
    estimate = cache(lambda name, s, config: durations.measure(name, json.loads(s), config, times, device))
    lacking = [(one, set(one.lacking())) for one in asked]
    rows = []
    for name in dict.fromkeys(name for one in asked for name in one.measures):
        having = [(one, name in missing) for one, missing in lacking if name in one.measures]
        missing = [one for one, is_missing in having if is_missing]
        estimates = [estimate(name, json.dumps(m.measures[name]), replace(m.config, seed=0)) for m in missing]
        rows.append(Row(name, len(missing), len(having) - len(missing), estimates))
    return rows


def pages(files: set[str], device: str) -> list[Row]:
    """The notebooks, each as long as it last took here, and the book."""
    targets = {name: Path("book") / "results" / f"{name}.ipynb" for name in CHAPTERS.values()}
    to_do = [target for target in targets.values() if str(target) in files]
    executed = [_executed(target, device) for target in to_do]
    book = [Estimate(BOOK)] * ("_build/html/index.html" in files)
    return [
        Row("notebooks", len(to_do), len(targets) - len(to_do), executed),
        Row("the book", len(book), 1 - len(book), book),
    ]


def _executed(notebook: Path, device: str) -> Estimate:
    try:
        seconds = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["papermill"]["duration"]
        return Estimate(float(seconds), device, like=True)
    except (OSError, ValueError, KeyError, TypeError):
        return Estimate(NOTEBOOK)


def told(profile: str, asked: list[Asked], files: set[str]) -> str:
    """The plan in words."""
    device, cores = machine(pick_device("auto")), _cores()
    times, faults = durations.recorded([REFERENCE, runs_root()])
    parts = {
        "trainings": trainings(asked, times, device),
        "measures": measures(asked, times, device),
        "pages": pages(files, device),
    }
    lines = [f"make book PROFILE={profile}", "", f"{'':42}{'to do':>7}{'there':>7}{'minutes of one core':>21}"]
    for part, rows in parts.items():
        lines.append(part)
        lines += [f"  {r.kind:40}{r.to_do:7}{r.there:7}{f'{r.seconds / 60:.1f}' if r.to_do else '':>21}" for r in rows]
    if faults:
        lines += ["", f"{len(faults)} of the records cannot be read, and are left out or made anew:", *faults]
    rows = [row for part in parts.values() for row in part]
    if not any(row.to_do for row in rows):
        return "\n".join([*lines, "", "Nothing is to be done."])
    starts = -(-sum(bool(one.lacking()) for one in asked) // runs_together(profile))
    begun = sum(one.path.with_name(f"{one.path.name}.partial").is_dir() for one in asked)
    side_by_side = sum(row.seconds for row in rows) - BOOK * rows[-1].to_do + START * starts
    seconds = side_by_side / cores + BOOK * rows[-1].to_do
    lines += ["", f"About {_time(seconds)} on the {cores} cores of this machine ({device})."]
    if begun:
        lines.append(f"{begun} trainings were begun, and go on from their checkpoints: less of them is left.")
    return "\n".join([*lines, *_sources([e for row in rows for e in row.estimates], starts)])


def _sources(estimates: list[Estimate], starts: int) -> list[str]:
    """Where the estimate's times come from, and for how much there were none."""
    devices = Counter(e.device for e in estimates if e.device)
    unlike = sum(e.device is not None and not e.like for e in estimates)
    unknown = sum(e.seconds is None for e in estimates)
    assumed = sum(e.device is None and e.seconds is not None for e in estimates)
    lines = []
    if devices:
        on = "; ".join(f"{n} on {device}" for device, n in devices.most_common())
        lines.append(f"An estimate, by the recorded times of like work: {on}.")
    if unlike:
        lines.append(
            f"{unlike} have no like record: taken from the nearest, a training in proportion to the square of the "
            "width, a measure to its test images, draws and conditions."
        )
    if assumed:
        lines.append(
            f"Nothing is recorded of {assumed} pages: {NOTEBOOK:g} s are assumed for a notebook, {BOOK:g} s for the "
            f"book to be rendered, and {START:g} s for each of {starts} processes to start."
        )
    if unknown:
        lines.append(f"{unknown} have no record of any kind, and are not in this time.")
    return lines


def _cores() -> int:
    """Those that this process may use, where the system tells (macOS does not)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _time(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 90:
        return f"{max(1, round(minutes))} minutes"
    return f"{minutes / 60:.1f} hours" if minutes < 48 * 60 else f"{minutes / 60 / 24:.1f} days"


def main(profile: str = "quick") -> None:
    """Prints the plan; ends the process with 1 for an unknown profile, and as snakemake does where that fails."""
    files = pending(profile)
    print(told(profile, asked_runs(profile), files))


if __name__ == "__main__":
    main(*sys.argv[1:])
