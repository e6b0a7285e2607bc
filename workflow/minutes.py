"""Where a build's minutes went: read from what it left behind, each file newer than its begin."""

import json
import os
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def told(begun: float) -> str:
    """The seconds of trainings, of each measure and of each notebook that were made since `begun`, and of all."""
    store = Path(os.environ.get("VIMAE_RUNS") or ROOT / "runs").expanduser()
    trained, measured = [], {}
    for record in store.glob("*/record.json"):
        made = json.loads(record.read_text(encoding="utf-8"))
        for measure, took in made.get("took", {}).items():
            if took["until"] >= begun:
                measured.setdefault(measure, []).append(took["seconds"])
        if record.with_name("history.json").stat().st_mtime >= begun:
            trained.append(json.loads(record.with_name("environment.json").read_text(encoding="utf-8"))["seconds"])
    notebooks = []
    for notebook in (ROOT / "book" / "results").glob("*.ipynb"):
        if notebook.stat().st_mtime >= begun:
            about = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]["papermill"]
            notebooks.append(about["duration"])
    made = {"trainings": trained, **dict(sorted(measured.items())), "notebooks": notebooks}
    if not any(made.values()):
        return f"{(time.time() - begun) / 60:.1f} minutes: nothing was to be trained, measured or executed."
    return "\n".join(
        [
            f"{(time.time() - begun) / 60:.1f} minutes in all. Added up over the processes side by side, in seconds:",
            *(f"{sum(seconds):8.0f}  {what} ({len(seconds)})" for what, seconds in made.items() if seconds),
            "What is not here starts processes, renders pages, and waits.",
        ]
    )
