"""Where a build's minutes went: read from what it left behind, each file newer than its begin."""

import json
import os
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "book" / "results"
STARTS, BOOK = "processes start, load packages, read data", "the book is rendered"


def notebooks(since: float) -> dict[str, float]:
    """The seconds of each notebook that was executed since then, by its name; where only text changed, none was."""
    found = [(p.stem, json.loads(p.read_text("utf-8"))["metadata"]["papermill"]) for p in RESULTS.glob("*.ipynb")]
    return {name: about["duration"] for name, about in found if _time(about["start_time"]) >= since}


def _time(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def processes(since: float) -> dict[str, list[float]]:
    """The seconds of each process that has ended since then, by what it was for, as snakemake records them."""
    found = {}
    for path in (path for path in (ROOT / ".snakemake" / "metadata").rglob("*") if path.is_file()):
        try:
            about = json.loads(path.read_text("utf-8"))  # of one file of those that a process makes
            if about["starttime"] >= since:
                found[about["shellcmd"]] = about["rule"].partition("_")[0], about["endtime"] - about["starttime"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not ended, or damaged: snakemake's to tell
    kinds = {kind for kind, _ in found.values()}
    return {kind: [seconds for of, seconds in found.values() if of == kind] for kind in sorted(kinds)}


def made(since: float) -> tuple[dict[str, list[float]], list[str]]:
    """The seconds of each training, of each run's measures, and of each notebook that were made since then, of what is
    left of their processes, and of the book; and which records cannot be read."""
    store = Path(os.environ.get("VIMAE_RUNS") or ROOT / "runs").expanduser()
    trained, measured, damaged = [], {}, []
    for record in store.glob("*/record.json"):
        try:
            took = json.loads(record.read_text(encoding="utf-8")).get("took", {})
            if record.with_name("history.json").stat().st_mtime >= since:
                trained.append(json.loads(record.with_name("environment.json").read_text(encoding="utf-8"))["seconds"])
        except (OSError, ValueError, KeyError, AttributeError) as error:
            damaged.append(f"{record.parent} is damaged ({error}). Remove the folder to compute it again.")
            continue
        for measure, one in took.items():
            if one["until"] >= since:
                measured.setdefault(measure, []).append(one["seconds"])
    inside = {"trainings": trained, **dict(sorted(measured.items())), "notebooks": list(notebooks(since).values())}
    ended = processes(since)
    started = [*ended.get("run", []), *ended.get("notebook", [])]
    inner = sum(map(sum, inside.values()))  # of a process that failed too, whose end nobody records
    rest = max(0.0, sum(started) - inner) / max(1, len(started))
    kinds = {**inside, STARTS: [rest] * len(started), BOOK: ended.get("book", [])}
    return {kind: seconds for kind, seconds in kinds.items() if seconds}, damaged


def told(begun: float) -> str:
    """Where the time since `begun` went, in words."""
    kinds, damaged = made(begun)
    minutes = f"{(time.time() - begun) / 60:.1f} minutes"
    if not set(kinds) - {STARTS, BOOK}:
        return "\n".join([*damaged, f"{minutes}: nothing was to be trained, measured or executed."])
    return "\n".join(
        [
            *damaged,
            f"{minutes} in all. Added up over the processes side by side, in seconds:",
            *(f"{sum(seconds):8.0f}  {kind} ({len(seconds)})" for kind, seconds in kinds.items()),
        ]
    )
