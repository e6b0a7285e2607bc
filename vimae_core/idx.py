"""MNIST's file format: images and labels in memory, each file checked when it is read."""

import gzip
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from vimae_core.data import DataError, Dataset

IDX_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}

# md5 of the unpacked files (Y. LeCun's distribution).
MD5 = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }
}


# As others spell them: train-images.idx3-ubyte, emnist-letters-test-labels-idx1-ubyte.gz.
SPELLED = re.compile(r"(?P<set>[^.].*-)?(?P<part>train|t10k|test)-(?P<kind>images-idx3|labels-idx1)-ubyte(\.gz)?")


def find_idx(files: Iterable[Path]) -> dict[str, Path] | None:
    """MNIST's name of each of the four files of a data set, and where it lies, or would lie; None without any.

    In one folder MNIST's own names go before others. Raises DataError where there is more than one data set.
    """
    sets: dict[tuple[Path, str], dict[str, Path]] = {}
    for file in sorted(files):
        found = SPELLED.fullmatch(file.name.replace(".idx", "-idx"))
        if found and not file.is_dir():
            part = "train" if found["part"] == "train" else "t10k"
            own = sets.setdefault((file.parent, found["set"] or ""), {})
            own.setdefault(f"{part}-{found['kind']}-ubyte", file)
    if not sets:
        return None
    chosen = [(folder, prefix) for folder, prefix in sets if not prefix or (folder, "") not in sets]
    if len(chosen) > 1:
        raise DataError(
            f"{', '.join(f'{folder}/{prefix}*' for folder, prefix in chosen)} are {len(chosen)} data sets: "
            "put the four files of one into a folder of its own in the data root, and name that"
        )
    ((folder, prefix),) = chosen
    return {f: sets[folder, prefix].get(f, folder / f"{prefix}{f}") for pair in IDX_FILES.values() for f in pair}


def load_idx(name: str, files: dict[str, Path]) -> Dataset:
    """Reads the four files that `find_idx` found, gzipped or not, `mnist` against its md5 sums. Raises DataError."""
    contents = _read_all(name, files)
    images, labels, split, start = [], [], {}, 0
    for part, (image_file, label_file) in IDX_FILES.items():
        x = _parse_idx(files[image_file], contents[image_file], dimensions=3)
        y = _parse_idx(files[label_file], contents[label_file], dimensions=1)
        folder = files[image_file].parent
        if len(x) != len(y):
            raise DataError(f"{folder}: {image_file} holds {len(x)} images, {label_file} {len(y)} labels")
        if images and x.shape[1:] != images[0].shape[1:]:
            raise DataError(f"{folder}: train images are {images[0].shape[1:]} pixels, {part} images {x.shape[1:]}")
        images.append(x)
        labels.append(y)
        split[part] = slice(start, start := start + len(x))
    return Dataset(
        name=name,
        images=torch.from_numpy(np.concatenate(images))[:, None],
        labels=torch.from_numpy(np.concatenate(labels).astype(np.int64)),
        split=split,
        digest=_digest(contents.values()),
    )


def idx_digest(name: str, files: dict[str, Path]) -> str:
    """The digest of the files as they are now on disk. Raises DataError."""
    return _digest(_read_all(name, files).values())


def missing(path: Path) -> DataError:
    """What to say of an IDX file that is not there."""
    return DataError(
        f"{path}(.gz) is missing. A data set is a folder with the four IDX files "
        f"{', '.join(f for pair in IDX_FILES.values() for f in pair)}, gzipped or not, or with pictures of faces. "
        f"Put them there, or name the folder above it by data_root or VIMAE_DATA. Nothing is downloaded."
    )


def _digest(contents: Iterable[bytes]) -> str:
    return hashlib.sha256("".join(hashlib.md5(c).hexdigest() for c in contents).encode()).hexdigest()


def _read_all(name: str, files: dict[str, Path]) -> dict[str, bytes]:
    return {file: _read(name, path, MD5.get(name, {}).get(file)) for file, path in files.items()}


def _read(name: str, path: Path, md5: str | None) -> bytes:
    """The unpacked bytes of a file, held against `md5` where one is known."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise missing(path) from None
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except EOFError:
            raise DataError(f"{path} is truncated ({len(content)} bytes): copy it again") from None
        except (OSError, ValueError, gzip.zlib.error) as error:
            raise DataError(f"{path} is altered or not a gzip file ({error}): copy it again") from None
    _parse_idx(path, content)
    if md5 and (found := hashlib.md5(content).hexdigest()) != md5:
        raise DataError(
            f"{path} is altered: md5 {found}, expected {md5}. Copy it again; "
            f"another data set goes into a folder of another name than {name!r}."
        )
    return content


def _parse_idx(path: Path, content: bytes, dimensions: int | None = None) -> np.ndarray:
    """The array of an IDX file of unsigned bytes: two zeros, the type, the number of dimensions, the sizes."""
    if len(content) < 4:
        raise DataError(f"{path} is truncated: {len(content)} bytes are less than its header")
    rank = content[3]
    if content[:3] != b"\0\0\x08" or rank not in (1, 3) or dimensions not in (None, rank):
        raise DataError(
            f"{path} is of the wrong type: it starts with {content[:4].hex(' ')}, "
            f"an IDX file of bytes with {dimensions or '1 or 3'} dimension(s) with 00 00 08 0{dimensions or '1 or 03'}"
        )
    if len(content) < 4 + 4 * rank:
        raise DataError(f"{path} is truncated: {len(content)} bytes are less than its header")
    shape = tuple(np.frombuffer(content, ">u4", rank, 4))
    expected = 4 + 4 * rank + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected or 0 in shape:
        fault = "truncated" if len(content) < expected else "of the wrong size"
        raise DataError(f"{path} is {fault}: {len(content)} bytes, its header of shape {shape} asks for {expected}")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
