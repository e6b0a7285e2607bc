"""MNIST's file format: images and labels in memory, each file checked when it is read."""

import gzip
import hashlib
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


def has_idx_files(folder: Path) -> bool:
    """Whether at least one of the four files is there."""
    names = [name for pair in IDX_FILES.values() for name in pair]
    return any((folder / f"{name}{ending}").is_file() for name in names for ending in ("", ".gz"))


def load_idx(name: str, folder: Path) -> Dataset:
    """Reads the four IDX files (gzipped or not) of a folder, `mnist` against its md5 sums. Raises DataError."""
    files = {f: _read(folder, f, MD5.get(name, {}).get(f)) for pair in IDX_FILES.values() for f in pair}
    images, labels, split, start = [], [], {}, 0
    for part, (image_file, label_file) in IDX_FILES.items():
        x = _parse_idx(folder / image_file, files[image_file], dimensions=3)
        y = _parse_idx(folder / label_file, files[label_file], dimensions=1)
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
        digest=_digest(files.values()),
    )


def idx_digest(name: str, folder: Path) -> str:
    """The digest of the files as they are now on disk. Raises DataError."""
    return _digest(_read(folder, f, MD5.get(name, {}).get(f)) for pair in IDX_FILES.values() for f in pair)


def _digest(contents) -> str:
    return hashlib.sha256("".join(hashlib.md5(c).hexdigest() for c in contents).encode()).hexdigest()


def _read(folder: Path, file: str, md5: str | None) -> bytes:
    """The unpacked bytes of `file` or `file`.gz, held against `md5` where one is known."""
    path = next((p for p in (folder / file, folder / f"{file}.gz") if p.is_file()), None)
    if path is None:
        raise DataError(
            f"{folder / file}(.gz) is missing. A data set is a folder with the four IDX files "
            f"{', '.join(f for pair in IDX_FILES.values() for f in pair)}, gzipped or not, or with pictures of faces. "
            f"Put them there, or name the folder above it by data_root or VIMAE_DATA. Nothing is downloaded."
        )
    content = path.read_bytes()
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
            f"another data set goes into a folder of another name than {folder.name!r}."
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
