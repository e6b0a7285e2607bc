"""What lies in the run store that no present code would find: named, and removed when asked to."""

import shutil
from pathlib import Path

from filelock import Timeout

from vimae_core.config import RunConfig
from vimae_core.runs import ASKED, stored_runs
from vimae_core.store import RunError, is_whole, lock, read_json, run_path, runs_root


def unfound() -> dict[Path, str]:
    """Folder -> why nobody finds it: runs of earlier code, damaged ones, and trainings that were never ended."""
    found = {}
    for path, run in stored_runs():
        if isinstance(run, RunError):
            found[path] = f"damaged: {run}"
        elif run_path(run.config, run.environment["data_digest"]) != path:
            found[path] = f"{run.config.label} seed {run.config.seed}: trained by code {run.environment['commit']}"
    for partial in sorted(runs_root().glob("*.partial")):
        if not _goes_on(partial):
            found[partial] = "a training that was stopped, and that today's code would begin anew"
    return found


def _goes_on(partial: Path) -> bool:
    """Whether `fit` would take up this training, or has left it behind a finished run."""
    path = partial.with_suffix("")
    try:
        asked = read_json(partial / ASKED)
        return run_path(RunConfig(**asked["config"]), asked["data_digest"]) == path and not is_whole(path)
    except (RunError, TypeError, ValueError, KeyError):
        return False


def remove(folders: dict[Path, str]) -> list[Path]:
    """Removes them with their locks, and names those that a process is at: left alone, as other code may train there.

    Raises RunError for one that may not be removed.
    """
    busy = []
    for path in folders:
        run = path.with_name(path.name.removesuffix(".partial"))
        try:
            with lock(run, wait=False):
                shutil.rmtree(path)
                run.with_name(f"{run.name}.lock").unlink(missing_ok=True)
        except Timeout:
            busy.append(path)
        except OSError as error:
            raise RunError(f"cannot remove {path}: {error.strerror}") from None
    return busy
