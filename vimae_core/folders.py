"""What lies in a folder of pictures: each picture once, and the list that splits them."""

import codecs
import csv
import os
from collections import defaultdict, deque
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from vimae_core.data import DataError, name_bytes, readable

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".ppm", ".pgm", ".tif", ".tiff")
PARTITION = ("list_eval_partition.txt", "list_eval_partition.csv")
SPLITS = ("train", "valid", "test")  # 0, 1, 2 of list_eval_partition


class Folder(NamedTuple):
    """The pictures under a folder, in the order of their names, and CelebA's partition list where there is one."""

    path: Path  # img_align_celeba, where there is one
    pictures: list[str]  # relative to it
    lists: list[Path]  # where there are several, they must agree


def files_below(folder: Path) -> list[Path]:
    """Every file in a folder and below, once: first what lies there itself, then what links lead to.

    Hidden files and folders are left out. Raises DataError naming a folder that may not be listed.
    """
    found: dict[str, str] = {}  # real path -> path in the folder
    listed = {str(above) for above in Path(os.path.realpath(folder)).parents}  # a link up there leads in a circle
    own, links = deque([str(folder)]), deque()
    with readable(folder):
        while own or links:
            path = own.popleft() if own else links.popleft()
            real = os.path.realpath(path)
            if os.path.islink(path) and not os.path.isdir(path):
                found.setdefault(real, path)  # the link of a file, or to nowhere
            elif real not in listed:
                listed.add(real)
                for entry in sorted(os.scandir(path), key=lambda entry: name_bytes(entry.name)):
                    if entry.name.startswith("."):
                        continue
                    if entry.is_symlink():
                        links.append(entry.path)
                    elif entry.is_dir():
                        own.append(entry.path)
                    elif entry.is_file():
                        found[os.path.join(real, entry.name)] = entry.path
    return [Path(path) for path in found.values()]


def find_pictures(folder: Path) -> Folder:
    """All pictures in a folder and below; of CelebA as it is distributed, those in img_align_celeba."""
    files = files_below(folder)
    pictures = [f for f in files if f.suffix.lower() in ENDINGS]
    inside = (p for f in pictures for p in f.parents if p.name == "img_align_celeba" and p.is_relative_to(folder))
    path = next(inside, folder)
    names = [f.relative_to(path).as_posix() for f in pictures if f.is_relative_to(path)]
    return Folder(path, sorted(names, key=name_bytes), sorted(f for f in files if f.name in PARTITION))


def split_pictures(folder: Folder) -> list[tuple[str, str]]:
    """(split, picture) of every picture: train, valid, test, by the names within each.

    Without a partition list the last fifth of the names is the test split. Raises DataError for a list that does not
    give each picture one split.
    """
    if not folder.lists:
        test = len(folder.pictures) * 4 // 5
        return [("test" if i >= test else "train", picture) for i, picture in enumerate(folder.pictures)]
    codes = _codes(folder.lists[0], folder.pictures)
    for other in folder.lists[1:]:
        if _codes(other, folder.pictures) != codes:
            raise DataError(f"{folder.lists[0]} and {other} split the pictures differently: remove one of them")
    rows = sorted((code, name_bytes(picture), picture) for picture, code in zip(folder.pictures, codes, strict=True))
    return [(SPLITS[code], picture) for code, _, picture in rows]


def _codes(partition: Path, pictures: list[str]) -> list[int]:
    """The code that a list gives to each picture: by its path, else by its name, else by its name without the ending.

    The last two fields of a line are name and code; lines that name no picture, such as a header, do not count.
    """
    rows = _rows(partition)
    given: dict[bytes, set[str]] = defaultdict(set)
    for *_, name, code in (row for row in rows if len(row) > 1):
        for key in _keys(name):
            given[key].add(code)
    found = [next((given[key] for key in _keys(picture) if key in given), set()) for picture in pictures]
    if unlisted := [picture for picture, codes in zip(pictures, found, strict=True) if not codes]:
        raise DataError(
            f"{partition} does not name {len(unlisted)} of the {len(pictures)} pictures, such as {unlisted[0]}: "
            f"get the whole list, or remove it to split by the names. A line holds the name of a picture and its "
            f"split, such as '{PurePosixPath(unlisted[0]).name} 0'; the first line here is {' '.join(rows[0])[:80]!r}"
        )
    for picture, codes in zip(pictures, found, strict=True):
        if len(codes) > 1 or not codes <= {"0", "1", "2"}:
            raise DataError(
                f"{partition} gives {picture} the split {' and '.join(sorted(codes))}: "
                f"it must be one of 0, 1 and 2 ({', '.join(SPLITS)})"
            )
    return [int(code) for (code,) in found]


def _rows(partition: Path) -> list[list[str]]:
    """The fields of each line, between tabs, semicolons, commas or blanks; in UTF-8, or UTF-16 with its mark."""
    with readable(partition):
        content = partition.read_bytes()
    try:
        wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16") if wide else content.decode("utf-8-sig", "surrogateescape")
        lines = [line for line in text.splitlines() if line.strip("\0 \t")]
        delimiter = next((mark for mark in "\t;," if lines and mark in lines[0]), " ")
        fields = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        rows = [[field.strip() for field in row if field.strip()] for row in fields]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{partition} is no list: {error}. Get it again, or save it as UTF-8") from None
    if "\0" in text:
        raise DataError(f"{partition} is no text in UTF-8, nor in UTF-16 with a byte-order mark: save it as UTF-8")
    if not rows:
        raise DataError(f"{partition} is empty: get the whole list, or remove it to split by the names")
    return rows


def _keys(name: str) -> tuple[bytes, bytes, bytes]:
    path = PurePosixPath(name)
    return name_bytes(name), name_bytes(path.name), name_bytes(path.stem)
