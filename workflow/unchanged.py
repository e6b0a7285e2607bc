"""Whether anything has changed since a build that finished: in a moment, as neither snakemake nor PyTorch is loaded.

By the name, size and time of every file that a build reads or makes. Where any differs snakemake plans, which looks at
contents, and at the definitions that code uses.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTED = ROOT / ".snakemake" / "unchanged"  # the state after the last whole build
MADE = (ROOT / "_build", ROOT / "book" / "results")
FOLDERS = {"VIMAE_RUNS": "runs", "VIMAE_DATA": "data", "VIMAE_CACHE": "cache"}  # each a folder here, where it is unset


def inputs(profile: str) -> str:
    """A digest of what a build depends on."""
    return _digest(
        profile, [ROOT, _folder("VIMAE_DATA")], without={*MADE, _folder("VIMAE_RUNS"), _folder("VIMAE_CACHE")}
    )


def since_the_last(profile: str) -> bool:
    """Whether the last whole build was of this profile, and all that it read and made is as it was then."""
    return NOTED.is_file() and NOTED.read_text(encoding="utf-8") == _all(profile)


def note(profile: str, before: str) -> None:
    """To be called after a whole build, with its `inputs` before it: what changed meanwhile may not have been read."""
    NOTED.write_text(_all(profile) if before == inputs(profile) else "", encoding="utf-8")


def _all(profile: str) -> str:
    return inputs(profile) + _digest(profile, [*MADE, _folder("VIMAE_RUNS")], without=set())


def _folder(variable: str) -> Path:
    return Path(os.environ.get(variable) or ROOT / FOLDERS[variable]).expanduser().resolve()


def _digest(profile: str, folders: list[Path], without: set[Path]) -> str:
    digest = hashlib.sha256(repr([profile, sys.executable, *map(_folder, FOLDERS)]).encode())
    for path in (path for folder in folders for path in _files(folder, without)):
        about = path.stat()
        digest.update(f"{path}\0{about.st_size}\0{about.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files(folder: Path, without: set[Path]) -> Iterator[Path]:
    """In one order, without what is hidden, is Python's own, or is a link that leads nowhere."""
    entered = set()
    for name, folders, files in os.walk(folder, followlinks=True):
        here = Path(name)
        entered.add(here.resolve())
        unseen = [f for f in folders if f[0] != "." and f != "__pycache__" and here / f not in without]
        folders[:] = sorted(f for f in unseen if (here / f).resolve() not in entered)
        yield from (here / file for file in sorted(files) if file[0] != "." and (here / file).exists())
