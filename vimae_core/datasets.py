"""load_dataset: MNIST and its like, folders of face pictures, and the built-in toy faces."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from vimae_core import toy_faces
from vimae_core.data import ROOT, DataError, Dataset, cache_root, data_folder, data_root, readable
from vimae_core.folders import Folder, files_below, find_pictures
from vimae_core.idx import IDX_FILES, find_idx, idx_digest, load_idx, missing
from vimae_core.sources import source_digest

__all__ = ["ROOT", "DataError", "Dataset", "cache_root", "data_digest", "data_root", "load_dataset"]

TOY_FACES, TOY_SIZES = "toy-faces", {"train": 8000, "test": 2000}

CELEBA = """{folder} holds no pictures. CelebA (Z. Liu, P. Luo, X. Wang, X. Tang, 2015) may be used for non-commercial \
research only and may not be passed on, so that it does not come with this book and is never downloaded by it. Get \
img_align_celeba.zip and list_eval_partition.txt from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html, read the \
agreement there, and unpack them to {folder}/img_align_celeba/*.jpg and {folder}/list_eval_partition.txt (as \
torchvision.datasets.CelebA lays them out); or name the folder above {name}/ by data_root or VIMAE_DATA. \
dataset="toy-faces" needs no files."""


def load_dataset(name: str = "mnist", root: str | os.PathLike | None = None) -> Dataset:
    """The data set of that name: the folder `name` under the data root, or the built-in `toy-faces`.

    A folder holds the four IDX files of MNIST, gzipped or not, which for `mnist` are held against their published md5
    sums; or pictures of faces, `celeba` among them, which are cropped and shrunk to 64x64 once and then lie in the
    cache. Any other name is a data set of its own, told apart by its digest. Raises DataError.
    """
    if name == TOY_FACES:
        factors = toy_faces.draw_factors(sum(TOY_SIZES.values()))
        train = TOY_SIZES["train"]
        split = {"train": slice(0, train), "test": slice(train, len(factors))}
        return Dataset(name, toy_faces.render(factors), None, split, _toy_digest(), factors)
    folder = data_folder(name, root)
    with readable(folder):
        found = _find(name, folder)
        if isinstance(found, Folder):
            from vimae_core.pictures import load_pictures  # here, so that only who has pictures loads Pillow

            return load_pictures(name, found)
        return load_idx(name, found)


def data_digest(name: str = "mnist", root: str | os.PathLike | None = None) -> str:
    """The digest of a data set as its files are now on disk. Raises DataError."""
    if name == TOY_FACES:
        return _toy_digest()
    folder = data_folder(name, root)
    with readable(folder):
        found = _find(name, folder)
        if isinstance(found, Folder):
            from vimae_core.pictures import prepared

            return prepared(name, found)["digest"]
        return idx_digest(name, found)


def _find(name: str, folder: Path) -> dict[str, Path] | Folder:
    """The IDX files in a folder, else the pictures there and below, else IDX files below. Raises DataError."""
    with suppress(FileNotFoundError):  # of the folder itself
        if found := find_idx(list(folder.iterdir())):
            return found
        if (found := find_pictures(folder)).pictures:
            return found
        if found := find_idx(files_below(folder)):
            return found
    if name == "celeba":
        raise DataError(CELEBA.format(folder=folder, name=name))
    raise missing(folder / IDX_FILES["train"][0])


def _toy_digest() -> str:
    """Of the code that draws them: rounding, and with it a pixel, may differ between machines."""
    return hashlib.sha256(f"{source_digest(toy_faces.__file__)} {TOY_SIZES}".encode()).hexdigest()
