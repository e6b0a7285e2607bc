"""What has changed since a build that finished: in a moment, as neither snakemake nor PyTorch is loaded.

By the name, size and time of every file that a build reads or makes. Where more than text differs snakemake plans,
which looks at contents, and at the definitions that code uses.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTED = ROOT / ".snakemake" / "last_build"  # the state after the last whole build
MADE = (ROOT / "_build", ROOT / "book" / "results")
FOLDERS = {"VIMAE_RUNS": "runs", "VIMAE_DATA": "data", "VIMAE_CACHE": "cache"}  # each a folder here, where it is unset

State = dict[str, list]  # of each file its size and time; under "" the profile, and where things lie


def inputs(profile: str) -> State:
    """What a build depends on."""
    made = {*MADE, _folder("VIMAE_RUNS"), _folder("VIMAE_CACHE")}
    remote = ROOT / ".git" / "config"  # whence buttons and links lead
    told = {str(remote): [remote.stat().st_size, remote.stat().st_mtime_ns]} if remote.is_file() else {}
    return told | _state(profile, [ROOT, _folder("VIMAE_DATA")], without=made)


def since_the_last(profile: str) -> list[Path] | None:
    """The files that are other than when the last whole build ended; None where it was of another profile or place, or
    where files have come or gone."""
    try:
        before = json.loads(NOTED.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never built; half-written
        return None
    now = _all(profile)
    if before.keys() != now.keys() or before[""] != now[""]:
        return None
    return [Path(name) for name in now if now[name] != before[name]]


def note(profile: str, before: State) -> None:
    """To be called after a whole build, with its `inputs` before it: what changed meanwhile may not have been read."""
    NOTED.write_text(json.dumps(_all(profile)) if before == inputs(profile) else "", encoding="utf-8")


def _all(profile: str) -> State:
    printed = {ROOT / "_build" / "vimae.pdf"}  # of the book, and no part of it
    return inputs(profile) | _state(profile, [*MADE, _folder("VIMAE_RUNS")], without=printed)


def _folder(variable: str) -> Path:
    return Path(os.environ.get(variable) or ROOT / FOLDERS[variable]).expanduser().resolve()


def _state(profile: str, folders: list[Path], without: set[Path]) -> State:
    state = {"": [profile, sys.executable, *(str(_folder(variable)) for variable in FOLDERS)]}
    for path in (path for folder in folders for path in _files(folder, without)):
        about = path.stat()
        state[str(path)] = [about.st_size, about.st_mtime_ns]
    return state


def _files(folder: Path, without: set[Path]) -> Iterator[Path]:
    """In one order, without what is hidden, is Python's own, or is a link that leads nowhere."""
    entered = set()
    for name, folders, files in os.walk(folder, followlinks=True):
        here = Path(name)
        entered.add(here.resolve())
        unseen = [f for f in folders if f[0] != "." and f != "__pycache__" and here / f not in without]
        folders[:] = sorted(f for f in unseen if (here / f).resolve() not in entered)
        seen = [file for file in sorted(files) if file[0] != "." and here / file not in without]
        yield from (here / file for file in seen if (here / file).exists())
