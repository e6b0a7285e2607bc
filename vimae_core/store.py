"""The run store: one directory a run, named by what determines its result; files whole or absent; no pickles."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch
from filelock import BaseFileLock, FileLock, SoftFileLease, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.data import ROOT
from vimae_core.definitions import code_digest

LEASE = 60.0  # seconds after which another machine takes over from one that is silent
COMPUTES = ("training.Training",)  # what determines a run's weights, and all that it uses


class RunError(Exception):
    """A run cannot go on, or what is stored of it cannot be used."""


def runs_root() -> Path:
    """The run store: `VIMAE_RUNS`, else the project's `runs/`. Raises RunError for a home that is nobody's."""
    given = os.environ.get("VIMAE_RUNS") or ROOT / "runs"
    try:
        return Path(given).expanduser().resolve()
    except RuntimeError as error:
        raise RunError(f"VIMAE_RUNS={given!r} names no folder: {error}") from None


@cache
def config_digest(config: RunConfig) -> str:
    """Names a configuration by its scientific fields alone."""
    return _digest(config.scientific)


def run_path(config: RunConfig, data_digest: str) -> Path:
    """The directory of a run: its fields, its data, and the code that computes it."""
    return runs_root() / _digest([config.scientific, data_digest, code_digest(COMPUTES, config)])


def _digest(value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def is_whole(path: Path) -> bool:
    """Whether a finished run lies there (its directory appears by one rename)."""
    return (path / "config.json").is_file()


@contextlib.contextmanager
def lock(path: Path, progress: bool = False, wait: bool = True) -> Iterator[None]:
    """Held while a run is trained or its record changed, however the process ends: against others of this machine by
    the system's own lock; against other machines, which a network file system may not tell of that, by a file of who
    is at it that is touched every few seconds, and counts for nothing once it is not. Raises filelock.Timeout where
    another holds it and it is not to `wait`; RunError where there can be none."""
    file = make_folder(path.parent) / f"{path.name}.lock"
    with contextlib.ExitStack() as held:
        try:
            for one in (FileLock(file), SoftFileLease(file.with_suffix(".lease"), lease_duration=LEASE)):
                with contextlib.suppress(NotImplementedError):  # a file system without such locks
                    if wait:
                        _acquire(one, path.name, progress)
                    else:
                        one.acquire(timeout=0)
                    held.callback(one.release)
        except Timeout:
            raise
        except OSError as error:
            raise RunError(f"{file} cannot be locked: {error.strerror}. VIMAE_RUNS names another store.") from None
        yield


def _acquire(one: BaseFileLock, run: str, progress: bool) -> None:
    try:
        one.acquire(timeout=0)
    except Timeout:
        if progress:
            say(f"another process trains {run}: waiting for its result\n")
        if isinstance(one, SoftFileLease):
            _outlive(one)
        else:
            one.acquire()


def _outlive(lease: SoftFileLease) -> None:
    """Waits until a lease is free, or silent for longer than filelock asks, which takes over by exchanging two names:
    NFS can exchange none, and the lease of a machine that died would stay for ever."""
    file, seen, since = Path(lease.lock_file), None, 0.0
    while True:
        with contextlib.suppress(Timeout):
            lease.acquire(timeout=1)
            return
        if (now := _touched(file)) != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > 1.5 * LEASE:
            aside = file.with_name(f"{file.name}.{socket.gethostname()}-{os.getpid()}")
            with contextlib.suppress(FileNotFoundError):
                file.rename(aside)
                if _touched(aside) != seen:  # somebody else was faster, and is at it
                    with contextlib.suppress(FileExistsError):  # or a third already
                        os.link(aside, file)
                aside.unlink()


def _touched(file: Path) -> tuple[int, int] | None:
    """When it was touched, and which file it is; asked of the opened file, as a network file system may otherwise tell
    what it remembers."""
    with contextlib.suppress(FileNotFoundError), file.open("rb") as opened:
        about = os.fstat(opened.fileno())
        return about.st_mtime_ns, about.st_ino
    return None


def say(text: str) -> None:
    """A line of progress; a reader that has stopped stops nothing."""
    with contextlib.suppress(OSError):
        print(text, end="", flush=True)


# Files: written under another name, flushed, renamed. What carries the final name is whole.


def write_bytes(path: Path, content: bytes) -> None:
    _write(path, lambda part: part.write_bytes(content))


def write_json(path: Path, value) -> None:
    """Raises ValueError for a number that JSON does not have."""
    write_bytes(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path):
    """Raises RunError where the file is missing, damaged, or may not be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} is missing") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}). Remove the folder {path.parent} to compute it again.") from None


def save_tensors(path: Path, tensors: dict[str, Tensor], meta: dict[str, str]) -> None:
    """A safetensors file that carries a digest of its content."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    meta = {**meta, "digest": _content_digest(tensors, meta)}
    # One entry: safetensors writes several in random order, and the same run is to be the same bytes.
    _write(path, lambda part: save_file(tensors, part, {"vimae": json.dumps(meta, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata. Raises RunError where the file is missing, truncated or altered, or may not be read."""
    if not path.is_file():
        raise RunError(f"{path} is missing: this run was stored without it")
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            meta = json.loads((file.metadata() or {})["vimae"])
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error}") from None
    except (SafetensorError, ValueError, KeyError) as error:
        raise RunError(f"{path} is damaged ({error}). Remove {path.parent} to train this run again.") from None
    digest = meta.pop("digest", None)
    if digest != _content_digest(tensors, meta):
        raise RunError(f"{path} is damaged (its digest differs). Remove {path.parent} to train this run again.")
    return tensors, meta


def _content_digest(tensors: dict[str, Tensor], meta: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _write(path: Path, write) -> None:
    part = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.part")
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise RunError(
            f"cannot write {path}: {error}. Nothing whole was overwritten. {free_space(path.parent)}"
        ) from None


def make_folder(folder: Path) -> Path:
    """The folder, made where it is missing. Raises RunError where that may not be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"cannot make the folder {folder}: {error.strerror} ({error.filename})") from None
    return folder


def free_space(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return f"{shutil.disk_usage(folder).free / 2**20:,.0f} MiB are free there; make room and call again."
    return ""
