"""What a data set is, and where data and caches lie."""

import os
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

ROOT = Path(__file__).parent.parent


class DataError(Exception):
    """A data file is missing, truncated, altered, or not what its name says."""


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
    """The folder that holds the data sets: as given, else `VIMAE_DATA`, else the project's `data/`."""
    return Path(given or os.environ.get("VIMAE_DATA") or ROOT / "data").expanduser().resolve()


def cache_root() -> Path:
    """What can be made again from the data, such as shrunk pictures: `VIMAE_CACHE`, else the project's `cache/`."""
    return Path(os.environ.get("VIMAE_CACHE") or ROOT / "cache").expanduser().resolve()
