"""Where a build's minutes went: read from what it left behind, each file newer than its begin."""

import json
import os
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "book" / "results"


def notebooks(since: float) -> dict[str, float]:
    """The seconds of each notebook that was executed since then, by its name; where only text changed, none was."""
    found = [(p.stem, json.loads(p.read_text("utf-8"))["metadata"]["papermill"]) for p in RESULTS.glob("*.ipynb")]
    return {name: about["duration"] for name, about in found if _time(about["start_time"]) >= since}


def _time(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()


def told(begun: float) -> str:
    """The seconds of trainings, of each measure and of each notebook that were made since `begun`, and of all; and
    which records cannot be read."""
    store = Path(os.environ.get("VIMAE_RUNS") or ROOT / "runs").expanduser()
    trained, measured, damaged = [], {}, []
    for record in store.glob("*/record.json"):
        try:
            took = json.loads(record.read_text(encoding="utf-8")).get("took", {})
            if record.with_name("history.json").stat().st_mtime >= begun:
                trained.append(json.loads(record.with_name("environment.json").read_text(encoding="utf-8"))["seconds"])
        except (OSError, ValueError, KeyError, AttributeError) as error:
            damaged.append(f"{record.parent} is damaged ({error}). Remove the folder to compute it again.")
            continue
        for measure, one in took.items():
            if one["until"] >= begun:
                measured.setdefault(measure, []).append(one["seconds"])
    made = {"trainings": trained, **dict(sorted(measured.items())), "notebooks": list(notebooks(begun).values())}
    minutes = f"{(time.time() - begun) / 60:.1f} minutes"
    if not any(made.values()):
        return "\n".join([*damaged, f"{minutes}: nothing was to be trained, measured or executed."])
    return "\n".join(
        [
            *damaged,
            f"{minutes} in all. Added up over the processes side by side, in seconds:",
            *(f"{sum(seconds):8.0f}  {what} ({len(seconds)})" for what, seconds in made.items() if seconds),
            "What is not here starts processes, renders pages, and waits.",
        ]
    )
