"""What a data set is, what it may be called, and where data and caches lie."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

CHECKOUT = Path(__file__).parent.parent
ROOT = CHECKOUT if (CHECKOUT / "pyproject.toml").is_file() else Path.cwd()  # installed alone: where one works
FOLDER_NAME = "the name of a folder in the data root: printable, without / and \\, no leading dot, at most 200 bytes"


class DataError(Exception):
    """A data file is missing, truncated, altered, or not what its name says."""

    def __init__(self, told: str):
        super().__init__(shown(told))


@dataclass(frozen=True)
class Dataset:
    """All images of a data set, which rows belong to which split, and what is known of each image.

    `data["test"]` gives (images, labels) as views, without a copy; labels are None where there are none.
    """

    name: str
    images: UInt8[Tensor, "n channels height width"]  # pixels 0 to 255
    labels: Int64[Tensor, " n"] | None
    split: dict[str, slice]
    digest: str  # of the files, or of the code that draws the images
    factors: Float32[Tensor, "n factors"] | None = None  # what an image was drawn from, each in [0, 1]

    def __getitem__(self, split: str) -> tuple[UInt8[Tensor, "m c h w"], Int64[Tensor, " m"] | None]:
        if split not in self.split:
            raise KeyError(f"{self.name} has no split {split!r}, only {', '.join(self.split)}")
        rows = self.split[split]
        return self.images[rows], None if self.labels is None else self.labels[rows]


def data_root(given: str | os.PathLike | None = None) -> Path:
    """The folder that holds the data sets: as given, else `VIMAE_DATA`, else the project's `data/`; or DataError."""
    root = _absolute(given or os.environ.get("VIMAE_DATA") or ROOT / "data")
    if os.path.isfile(root):
        raise DataError(f"the data root {root} is a file: name the folder that holds the data sets' folders")
    return root


def cache_root() -> Path:
    """What can be made again from the data, such as shrunk pictures: `VIMAE_CACHE`, else the project's `cache/`."""
    return _absolute(os.environ.get("VIMAE_CACHE") or ROOT / "cache")


def _absolute(path: str | os.PathLike) -> Path:
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # ~ of nobody, links in a circle, a NUL
        raise DataError(f"{str(path)!r} is no place for data: {error}") from None


def names_folder(name: str) -> bool:
    """Whether a text can name a data set: a folder of the data root, and files of the cache."""
    return name.isprintable() and 0 < len(name.encode()) <= 200 and name[0] != "." and not {*name} & {"/", "\\"}


def data_folder(name: str, root: str | os.PathLike | None) -> Path:
    """Where a data set's files lie, or would lie. Raises DataError for what cannot be its name."""
    if not names_folder(name):
        raise DataError(f"dataset={name!r} is not possible: must be {FOLDER_NAME}")
    return data_root(root) / name


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """What the file system refuses, of a path or below it, becomes a DataError: one line, which file and why."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{error.filename or path} cannot be read: {error.strerror or error}") from None
    except UnicodeEncodeError as error:
        raise DataError(f"{str(path)!r} cannot be read: {error}; set LC_ALL to a locale of UTF-8") from None


def name_bytes(name: str) -> bytes:
    """The bytes of a file's name, the same in every locale, and of a name that is not UTF-8 as well."""
    return name.encode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    r"""A text as it can be printed and stored: of names that are not UTF-8 the odd bytes as \xff."""
    return name_bytes(text).decode("utf-8", "backslashreplace")
