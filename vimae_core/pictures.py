"""A folder of face pictures as a data set: each cropped and shrunk to 64x64 once, into a memory-mapped cache."""

import hashlib
import io
import json
import os
import re
import shutil
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import UInt8
from PIL import Image, ImageOps

from vimae_core.data import DataError, Dataset, cache_root

SIDE = 64
ALIGNED = (178, 218)  # pixels of an aligned CelebA picture,
CROPPED = 140  # of which this centre square is kept, as in the WAE code; of other pictures the largest square
SMALLEST = SIDE // 2  # a square of fewer pixels a side shows no face
RULE = f"centre {CROPPED} of {ALIGNED} in proportion, else the largest square; Lanczos to {SIDE}; 1"
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".ppm", ".pgm", ".tif", ".tiff")
PARTITION = ("list_eval_partition.txt", "list_eval_partition.csv")
SPLITS = ("train", "valid", "test")  # 0, 1, 2 of list_eval_partition
NAMED = 10  # pictures of a fault that a warning names


class Folder(NamedTuple):
    """The pictures under a folder, in the order of their names, and CelebA's partition list where there is one."""

    path: Path  # img_align_celeba, where there is one
    pictures: list[str]  # relative to it
    partition: Path | None
    state: str  # digest of names, sizes and times: another one means, look again


def find_pictures(folder: Path) -> Folder:
    """All pictures in a folder and below; of CelebA as it is distributed, those in img_align_celeba."""
    files = [Path(place) / name for place, _, names in os.walk(folder, followlinks=True) for name in names]
    partition = min((f for f in files if f.name in PARTITION), default=None)
    pictures = [f for f in files if f.suffix.lower() in ENDINGS and not f.name.startswith(".")]
    aligned = next((p for f in pictures for p in f.parents if p.name == "img_align_celeba"), None)
    path = aligned or folder
    names = sorted(f.relative_to(path).as_posix() for f in pictures if f.is_relative_to(path))
    state = hashlib.sha256(RULE.encode())
    for file in [path / name for name in names] + ([partition] if partition else []):
        about = file.stat() if file.exists() else file.lstat()  # a dangling link is a picture that cannot be read
        state.update(f"{file} {about.st_size} {about.st_mtime_ns}\n".encode())
    return Folder(path, names, partition, state.hexdigest())


def load_pictures(name: str, folder: Folder) -> Dataset:
    """The data set of a folder of pictures, prepared now where that has not been done.

    Without CelebA's partition list the last fifth of the names is the test split. Pictures that cannot be read, or
    whose size is odd, are left out, and a warning names them. Raises DataError.
    """
    about = prepared(name, folder)
    _warn(name, about)
    shape = (about["n"], 3, SIDE, SIDE)
    images = np.memmap(_images(about), np.uint8, mode="c", shape=shape)  # c: nobody writes into the cache
    split = {part: slice(*rows) for part, rows in about["split"].items()}
    return Dataset(name, torch.from_numpy(images), None, split, about["digest"])


def prepared(name: str, folder: Folder) -> dict:
    """What is known of a prepared folder: digest, splits, faults; the images lie in the file that its digest names."""
    root = cache_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{name}-{folder.state[:16]}.lock"):
            index = root / f"{name}-{folder.state[:16]}.json"
            if (about := _read_index(index)) is None:
                about = _prepare(name, folder)
                index.with_suffix(".part").write_text(json.dumps(about, indent=1))
                os.replace(index.with_suffix(".part"), index)
            return about
    except OSError as error:
        raise DataError(
            f"cannot prepare {folder.path} in {root}: {error}. The cache needs {_megabytes(len(folder.pictures))} MB; "
            "VIMAE_CACHE names another place for it."
        ) from None


def _read_index(index: Path) -> dict | None:
    """An earlier preparation, if its images lie there as they were written."""
    try:
        about = json.loads(index.read_text())
        written = _images(about).stat()
        return about if [written.st_size, written.st_mtime_ns] == about["written"] else None
    except (OSError, ValueError, KeyError):
        return None


def _images(about: dict) -> Path:
    return cache_root() / f"{about['name']}-{about['digest'][:16]}.u8"


def _prepare(name: str, folder: Folder) -> dict:
    """Reads every picture once; the images appear under their final name when all of them are written."""
    rows = _split(folder)
    if (free := shutil.disk_usage(cache_root()).free) < len(rows) * 3 * SIDE**2:
        raise OSError(f"{free >> 20:,} MB are free")
    part = cache_root() / f"{name}-{folder.state[:16]}.part"
    digest = hashlib.sha256(RULE.encode())
    faults: dict[str, list[str]] = {}
    kept = dict.fromkeys(SPLITS, 0)
    strict = name == "celeba"
    with part.open("wb") as file:
        for (split, picture), (pixels, md5, fault) in _progress(name, rows, _read_all(folder.path, rows, strict)):
            digest.update(f"{split} {picture} {md5}\n".encode())
            if fault:
                faults.setdefault(fault, []).append(picture)
            if pixels is not None:
                file.write(pixels)
                kept[split] += 1
        file.flush()
        os.fsync(file.fileno())
    about = {"name": name, "digest": digest.hexdigest(), "n": sum(kept.values()), "faults": faults}
    if not (kept["train"] and kept["test"]):
        part.unlink()
        told = "; ".join(f"{len(names)} {fault}, such as {names[0]}" for fault, names in faults.items())
        raise DataError(
            f"{folder.path} gives {kept['train']} training and {kept['test']} test pictures, and at least one of each "
            f"is needed. {told or 'All others are in another split.'}"
            + (
                f" The split is that of {folder.partition}: without that file it is by the names."
                * bool(folder.partition)
            )
        )
    ends = np.cumsum(list(kept.values())).tolist()
    about["split"] = {s: [end - kept[s], end] for s, end in zip(SPLITS, ends, strict=True) if kept[s]}
    os.replace(part, _images(about))
    written = _images(about).stat()
    return {**about, "written": [written.st_size, written.st_mtime_ns]}


def _split(folder: Folder) -> list[tuple[str, str]]:
    """(split, picture) of every picture: train, valid, test, by the names within each."""
    if folder.partition is None:
        test = len(folder.pictures) * 4 // 5
        return [("test" if i >= test else "train", picture) for i, picture in enumerate(folder.pictures)]
    lines = (re.split(r"[,\s]+", line.strip()) for line in folder.partition.read_text().splitlines())
    code = {line[0]: line[1] for line in lines if len(line) == 2 and line[1] in ("0", "1", "2")}
    if unlisted := [p for p in folder.pictures if Path(p).name not in code]:
        raise DataError(
            f"{folder.partition} does not name {len(unlisted)} of the {len(folder.pictures)} pictures, such as "
            f"{unlisted[0]}: get the whole list, or remove it to split by the names"
        )
    return sorted(
        ((SPLITS[int(code[Path(p).name])], p) for p in folder.pictures), key=lambda row: (SPLITS.index(row[0]), row[1])
    )


def _read_all(folder: Path, rows: list[tuple[str, str]], strict: bool) -> Iterator:
    """In order, on all cores: Pillow lets other threads go on while it decodes. A block at a time, for the memory."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(rows), 1000):
            yield from pool.map(lambda row: read_picture(folder / row[1], strict), rows[start : start + 1000])


def read_picture(path: Path, strict: bool = False) -> tuple[UInt8[np.ndarray, "3 64 64"] | None, str, str | None]:
    """The cropped and shrunk picture, or None; the md5 of the file; and what is wrong with it, if anything.

    One channel is repeated three times. A picture is left out where it cannot be read whole, or its size is odd: its
    square has less than 32 pixels a side, or one side is more than twice the other; `strict`: another aspect than
    CelebA's.
    """
    md5 = "none"
    try:
        content = path.read_bytes()
        md5 = hashlib.md5(content).hexdigest()
        with Image.open(io.BytesIO(content)) as image:
            grey = image.mode in ("1", "L", "LA", "I", "F") or image.mode.startswith("I;")
            image = ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:  # a damaged picture can raise anything, and is not to stop two hundred thousand others
        return None, md5, "truncated" if "truncated" in str(error) else "unreadable"
    width, height = image.size
    aligned = abs(width * ALIGNED[1] - height * ALIGNED[0]) <= max(ALIGNED)  # to within a pixel
    side = round(CROPPED * width / ALIGNED[0]) if aligned else min(width, height)
    if side < SMALLEST or max(width, height) > 2 * min(width, height) or (strict and not aligned):
        return None, md5, "of odd size"
    left, top = (width - side) // 2, (height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    pixels = np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1))
    return pixels, md5, "grey" if grey else None


def _progress(name: str, rows: list, results: Iterator) -> Iterator:
    begun = shown = time.monotonic()
    for i, pair in enumerate(zip(rows, results, strict=True), 1):
        yield pair
        if (now := time.monotonic()) - shown >= 1 or i == len(rows):
            speed, shown = i / max(now - begun, 1e-9), now
            left = f"{(len(rows) - i) / speed:.0f} s left"
            print(f"\r{name}: {i:,} of {len(rows):,} pictures  {speed:,.0f}/s  {left}  ", end="", flush=True)
    print()


def _warn(name: str, about: dict) -> None:
    """One warning for all faults, each with its count, its first names, and what was done."""
    told = []
    for fault, pictures in about["faults"].items():
        done = "kept, its one channel three times" if fault == "grey" else "left out"
        more = f" and {len(pictures) - NAMED} more" * (len(pictures) > NAMED)
        told.append(f"{len(pictures)} {fault} ({done}): {', '.join(pictures[:NAMED])}{more}")
    if told:
        warnings.warn(f"{name}, of {about['n']:,} pictures that are used: {'; '.join(told)}", stacklevel=3)


def _megabytes(n: int) -> int:
    return -(-n * 3 * SIDE**2 // 10**6)
