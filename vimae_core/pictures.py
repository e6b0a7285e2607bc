"""A folder of face pictures as a data set: each cropped and shrunk to 64x64 once, into a memory-mapped cache."""

import hashlib
import io
import json
import os
import shutil
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import UInt8
from PIL import Image, ImageOps

from vimae_core.data import DataError, Dataset, cache_root, name_bytes, readable, shown
from vimae_core.folders import SPLITS, Folder, split_pictures
from vimae_core.store import say

SIDE = 64
ALIGNED = (178, 218)  # pixels of an aligned CelebA picture,
CROPPED = 140  # of which this centre square is kept, as in the WAE code; of other pictures the largest square
SMALLEST = SIDE // 2  # a square of fewer pixels a side shows no face
RULE = f"centre {CROPPED} of {ALIGNED} in proportion, else the largest square; Lanczos to {SIDE}; 1"
DEPTHS = "white: 65535 of 16 bits, 1 of floats; transparent on white; 1"  # counts where it was applied
PLAIN = (".jpg", ".jpeg", ".txt", ".csv")  # to which it never applies
KEPT = {
    "grey": "its one channel three times",
    "grey of many bits": "scaled to 8 bits, its one channel three times",
    "transparent": "on white",
}
NAMED = 10  # pictures of a fault that a warning names


def load_pictures(name: str, folder: Folder) -> Dataset:
    """The data set of a folder of pictures, prepared now where that has not been done.

    Without CelebA's partition list the last fifth of the names is the test split. Pictures that cannot be read, or
    whose range or size is odd, are left out, and a warning names them. Raises DataError.
    """
    about = prepared(name, folder)
    _warn(name, about)
    shape = (about["n"], 3, SIDE, SIDE)
    images = np.memmap(_images(about), np.uint8, mode="c", shape=shape)  # c: nobody writes into the cache
    split = {part: slice(*rows) for part, rows in about["split"].items()}
    return Dataset(name, torch.from_numpy(images), None, split, about["digest"])


def prepared(name: str, folder: Folder) -> dict:
    """What is known of a prepared folder: digest, splits, faults; the images lie in the file that its digest names."""
    root, state = cache_root(), _state(folder)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{name}-{state[:16]}.lock"):
            index = root / f"{name}-{state[:16]}.json"
            if (about := _read_index(index)) is None:
                about = _prepare(name, folder, index.with_suffix(".part"))
                index.with_suffix(".part").write_text(json.dumps(about, indent=1), encoding="utf-8")
                os.replace(index.with_suffix(".part"), index)
            return about
    except OSError as error:
        raise DataError(
            f"cannot prepare {folder.path} in {root}: {error}. The cache needs {_megabytes(len(folder.pictures))} MB; "
            "VIMAE_CACHE names another place for it."
        ) from None


def _state(folder: Folder) -> str:
    """Digest of names, sizes, times, and what may not be read: another one means, look again."""
    state = hashlib.sha256(RULE.encode())
    with readable(folder.path):
        for file in [*(folder.path / name for name in folder.pictures), *folder.lists]:
            closed = not os.access(file, os.R_OK)  # by its permissions, or as a link that leads nowhere
            about = os.lstat(file) if closed else os.stat(file)
            state.update(name_bytes(f"{file} {about.st_size} {about.st_mtime_ns}{' closed' * closed}\n"))
            if file.suffix.lower() not in PLAIN:
                state.update(DEPTHS.encode())
    return state.hexdigest()


def _read_index(index: Path) -> dict | None:
    """An earlier preparation, if its images lie there as they were written."""
    try:
        about = json.loads(index.read_text(encoding="utf-8"))
        written = _images(about).stat()
        return about if [written.st_size, written.st_mtime_ns] == about["written"] else None
    except (OSError, ValueError, KeyError):
        return None


def _images(about: dict) -> Path:
    return cache_root() / f"{about['name']}-{about['digest'][:16]}.u8"


def _prepare(name: str, folder: Folder, part: Path) -> dict:
    """Reads every picture once; the images appear under their final name when all of them are written."""
    rows = split_pictures(folder)
    if (free := shutil.disk_usage(cache_root()).free) < len(rows) * 3 * SIDE**2:
        raise OSError(f"{free >> 20:,} MB are free")
    digest = hashlib.sha256(RULE.encode())
    faults: dict[str, list[str]] = {}
    kept = dict.fromkeys(SPLITS, 0)
    strict = name == "celeba"
    with part.open("wb") as file:
        for (split, picture), (pixels, md5, fault) in _progress(name, rows, _read_all(folder.path, rows, strict)):
            digest.update(name_bytes(f"{split} {picture} {md5}\n"))
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
            + "".join(f" The split is that of {path}: without that file it is by the names." for path in folder.lists)
        )
    ends = np.cumsum(list(kept.values())).tolist()
    about["split"] = {s: [end - kept[s], end] for s, end in zip(SPLITS, ends, strict=True) if kept[s]}
    os.replace(part, _images(about))
    written = _images(about).stat()
    return {**about, "written": [written.st_size, written.st_mtime_ns]}


def _read_all(folder: Path, rows: list[tuple[str, str]], strict: bool) -> Iterator:
    """In order, on all cores: Pillow lets other threads go on while it decodes. A block at a time, for the memory."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(rows), 1000):
            yield from pool.map(lambda row: read_picture(folder / row[1], strict), rows[start : start + 1000])


def read_picture(path: Path, strict: bool = False) -> tuple[UInt8[np.ndarray, "3 64 64"] | None, str, str | None]:
    """The cropped and shrunk picture, or None; the md5 of the file; and what is wrong with it, if anything.

    One channel is repeated three times; of 16 bits, 65535 becomes 255, and of floats 1; transparent pixels stand on
    white. A picture is left out where it cannot be read whole; where its range is unknown: floats outside 0 to 1,
    integers of 32 bits; or where its size is odd: its square has less than 32 pixels a side, or one side is more than
    twice the other; `strict`: another aspect than CelebA's.
    """
    md5 = "none"
    try:
        content = path.read_bytes()
        md5 = hashlib.md5(content).hexdigest()
        with Image.open(io.BytesIO(content)) as image:
            image, note = _in_rgb(image)
    except Exception as error:  # a damaged picture can raise anything, and is not to stop two hundred thousand others
        return None, md5, "truncated" if "truncated" in str(error) else "unreadable"
    if note not in (None, "grey"):
        md5 = hashlib.md5(content + DEPTHS.encode()).hexdigest()
    if image is None:
        return None, md5, note
    width, height = image.size
    aligned = abs(width * ALIGNED[1] - height * ALIGNED[0]) <= max(ALIGNED)  # to within a pixel
    side = round(CROPPED * width / ALIGNED[0]) if aligned else min(width, height)
    if side < SMALLEST or max(width, height) > 2 * min(width, height) or (strict and not aligned):
        return None, md5, "of odd size"
    left, top = (width - side) // 2, (height - side) // 2
    image = image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.ascontiguousarray(np.asarray(image).transpose(2, 0, 1)), md5, note


def _in_rgb(image: Image.Image) -> tuple[Image.Image | None, str | None]:
    """The picture upright in three channels of 8 bits, or None; and what is to be told of it, if anything."""
    deep, white = image.mode == "F" or image.mode.startswith("I"), _white(image)
    grey = image.mode in ("1", "L", "LA")
    image = ImageOps.exif_transpose(image)
    if deep:
        values = np.asarray(image, dtype=float)
        if not (white and values.min() >= 0 and values.max() <= white):  # nor is NaN in a range
            return None, "of unknown range"
        return Image.fromarray(np.rint(values * 255 / white).astype(np.uint8)).convert("RGB"), "grey of many bits"
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getextrema()[3][0] < 255:
            return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"), "transparent"
    return image.convert("RGB"), "grey" if grey else None


def _white(image: Image.Image) -> float | None:
    """The value of white in a channel of more than 8 bits, by its type; integers of 32 bits have none."""
    if image.mode == "F":
        return 1.0
    if image.mode.startswith("I;16") and image.format == "TIFF":
        return 2.0 ** image.tag_v2[258][0] - 1  # BitsPerSample: those of 12 bits come as 16, too
    return 65535.0 if image.mode.startswith("I;16") or image.format == "PPM" else None


def _progress(name: str, rows: list, results: Iterator) -> Iterator:
    begun = shown = time.monotonic()
    for i, pair in enumerate(zip(rows, results, strict=True), 1):
        yield pair
        if (now := time.monotonic()) - shown >= 10 or i == len(rows):
            speed, shown = i / max(now - begun, 1e-9), now
            left = f"{(len(rows) - i) / speed:.0f} s left"
            say(f"{name}: {i:,} of {len(rows):,} pictures, {speed:,.0f}/s, {left}\n")


def _warn(name: str, about: dict) -> None:
    """One warning for all faults, each with its count, its first names, and what was done."""
    told = []
    for fault, pictures in about["faults"].items():
        done = f"kept, {KEPT[fault]}" if fault in KEPT else "left out"
        more = f" and {len(pictures) - NAMED} more" * (len(pictures) > NAMED)
        told.append(f"{len(pictures)} {fault} ({done}): {', '.join(pictures[:NAMED])}{more}")
    if told:
        warnings.warn(shown(f"{name}, of {about['n']:,} pictures that are used: {'; '.join(told)}"), stacklevel=3)


def _megabytes(n: int) -> int:
    return -(-n * 3 * SIDE**2 // 10**6)
