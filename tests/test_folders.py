"""What lies in a folder: each file once whatever the links, hidden files never, lists as others write them."""

import codecs
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import draw_picture, write_celeba
from vimae_core import load_dataset
from vimae_core.data import DataError, data_root
from vimae_core.datasets import data_digest
from vimae_core.folders import files_below, find_pictures


def write_faces(root: Path, names: list[str | bytes]) -> Path:
    """A folder `faces` of these pictures, each another one."""
    folder = root / "faces"
    for i, name in enumerate(names):
        path = folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_picture((64, 64), seed=i).save(path, "png")
    return folder


LINKS = {
    "to its own folder": lambda f: (f / "again").symlink_to(f),
    "to its own folder, by way of itself": lambda f: (f / "b" / "again").symlink_to("../b/../b"),
    "to the folder above": lambda f: (f / "b" / "up").symlink_to(f.parent),
    "in a circle": lambda f: [(f / "x").symlink_to("y"), (f / "y").symlink_to("x")],
    "before the folder it leads to": lambda f: (f / "a").symlink_to("b"),
    "to a picture that is there": lambda f: (f / "0.png").symlink_to("b/3.png"),
    "to nowhere": lambda f: (f / "nothing").symlink_to("nowhere"),
}


@pytest.mark.parametrize("link", LINKS)
def test_a_link_changes_nothing_where_all_it_leads_to_is_there(link, tmp_path):
    """Neither the pictures, nor their names, nor the digest."""
    folder = write_faces(tmp_path / "data", ["1.png", "2.png", "b/3.png", "b/c/4.png", "b/c/5.png"])
    draw_picture().save(folder.parent / "no data of this set.png")
    digest = data_digest("faces", tmp_path / "data")
    LINKS[link](folder)
    assert find_pictures(folder).pictures == ["1.png", "2.png", "b/3.png", "b/c/4.png", "b/c/5.png"]
    assert data_digest("faces", tmp_path / "data") == digest


def test_what_links_lead_to_elsewhere_counts_once(tmp_path):
    """Two links to one folder, two to one picture: by the first; not a picture of such a folder once more.

    Two hard links are two files.
    """
    folder = write_faces(tmp_path, ["1.png"])
    other = write_faces(tmp_path / "elsewhere", ["a.png", "b.png", "sub/c.png"])
    (folder / "two").symlink_to(other), (folder / "one").symlink_to(other)
    (folder / "q.png").symlink_to(other / "a.png"), (folder / "z.png").symlink_to(other.parent / "d.png")
    draw_picture().save(other.parent / "d.png")
    (folder / "y.png").symlink_to(other.parent / "d.png")
    os.link(folder / "1.png", folder / "2.png")
    assert find_pictures(folder).pictures == ["1.png", "2.png", "one/a.png", "one/b.png", "one/sub/c.png", "y.png"]


def test_files_below_are_those_of_a_walk_by_hand(tmp_path):
    """A tree drawn at random, without links: as pathlib finds them, but for what is hidden."""
    draw = random.Random(0)
    for i in range(200):
        place = tmp_path / "tree" / "/".join(draw.choice(["a", "b", ".c", "d.png"]) for _ in range(draw.randint(0, 4)))
        place.mkdir(parents=True, exist_ok=True)
        (place / draw.choice([f"{i}.png", f".{i}.png", f"{i}"])).touch()
    expected = {
        path
        for path in (tmp_path / "tree").rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(tmp_path).parts)
    }
    found = files_below(tmp_path / "tree")
    assert len(found) > 50 and len(found) == len(set(found)) and set(found) == expected


def test_hidden_files_and_folders_are_no_data(tmp_path):
    """What Jupyter, macOS and version control leave behind; a pipe is no picture, and nobody waits for it."""
    folder = write_faces(
        tmp_path, ["1.png", "2.png", ".ipynb_checkpoints/1-checkpoint.png", "a/.git/3.png", "__MACOSX/._1.png"]
    )
    os.mkfifo(folder / "pipe.png")
    assert find_pictures(folder).pictures == ["1.png", "2.png"]


ODD = b"\xff\xe9.png"


def test_names_that_are_not_utf8(tmp_path):
    """They are read, split and counted as others; in the index as they are, in a warning as it can be printed."""
    folder = write_faces(tmp_path, [b"%d\xe9.png" % i for i in range(9)])
    draw_picture((64, 64)).convert("L").save(folder / os.fsdecode(ODD), "png")
    with pytest.warns(UserWarning, match=r"1 grey \(kept, its one channel three times\): \\xff\\xe9.png") as caught:
        first = load_dataset("faces", tmp_path)
    assert len(first.images) == 10 and str(caught[0].message).encode()
    (index,) = (tmp_path / "cache").glob("*.json")
    assert json.loads(index.read_text())["faults"] == {"grey": [os.fsdecode(ODD)]}
    os.rename(folder / os.fsdecode(ODD), folder / os.fsdecode(b"\xff\xe8.png"))
    assert data_digest("faces", tmp_path) != first.digest
    (folder / "list_eval_partition.txt").write_text("others.png 0")
    with pytest.raises(DataError, match=r"does not name 10 of the 10 pictures, such as 0\\xe9.png"):
        load_dataset("faces", tmp_path)


def test_a_locale_without_utf8_changes_no_digest(tmp_path):
    """LC_ALL=C and UTF-8 mode off: names, list and index are read as elsewhere, from the same cache."""
    folder = write_faces(tmp_path, ["é1.png", "2.png", "ü3.png", b"\xe9.png", "４.png"])
    (folder / "list_eval_partition.txt").write_text("é1.png 2\n2.png 0\nü3.png 0\n４.png 1\n", encoding="utf-8")
    with (folder / "list_eval_partition.txt").open("ab") as file:
        file.write(b"\xe9.png 0\n")
    program = f"from vimae_core.datasets import data_digest; print(data_digest('faces', {str(tmp_path)!r}))"
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-c", program], env=plain, capture_output=True, text=True, check=True)
    for path in (tmp_path / "cache").glob("*.u8"):
        path.chmod(0o444)
    before = sorted((tmp_path / "cache").iterdir())
    assert done.stdout.split()[-1] == data_digest("faces", tmp_path)
    assert sorted((tmp_path / "cache").iterdir()) == before
    assert load_dataset("faces", tmp_path).split["test"] == slice(4, 5)


CODES = {"000001.jpg": 2, "000002.jpg": 0, "000003.jpg": 1, "000004.jpg": 0, "000005.jpg": 2, "000006.jpg": 0}


def lines(form: str = "{} {}", end: str = "\n", codes: dict = CODES) -> str:
    return "".join(form.format(*row) + end for row in codes.items())


LISTS = {
    "plain": lines().encode(),
    "byte-order mark": codecs.BOM_UTF8 + lines().encode(),
    "UTF-16 of Windows": lines(end="\r\n").encode("utf-16"),
    "UTF-16, the other way": codecs.BOM_UTF16_BE + lines().encode("utf-16-be"),
    "Kaggle": ("image_id,partition\n" + lines("{},{}")).encode(),
    "quoted": ('"image_id","partition"\n' + lines('"{}","{}"')).encode(),
    "index column": (",image_id,partition\n" + lines("7,{},{}")).encode(),
    "tabs": lines("{}\t{}").encode(),
    "semicolons, Windows": lines("{};{}", end="\r\n").encode(),
    "columns of blanks": ("   " + lines("{}    {}  ")).encode(),
    "blanks after commas, empty lines": lines("{}, {}", end="\n\n").encode(),
    "other endings": lines().replace(".jpg", ".png").encode(),
    "without endings": lines().replace(".jpg", "").encode(),
    "paths": lines("img_align_celeba/{} {}").encode(),
    "a line twice, and of other pictures": (lines() + "000002.jpg 0\n000007.jpg 0\n000008.jpg 5\n").encode(),
}  # fmt: skip


@pytest.mark.parametrize("form", LISTS)
def test_lists_as_others_write_them(form, tmp_path):
    """Each gives the same split, and so the same digest."""
    folder = write_celeba(tmp_path, 6)
    (folder / "list_eval_partition.txt").write_bytes(LISTS["plain"])
    digest = data_digest("celeba", tmp_path)
    (folder / "list_eval_partition.txt").write_bytes(LISTS[form])
    data = load_dataset("celeba", tmp_path)
    assert data.split == {"train": slice(0, 3), "valid": slice(3, 4), "test": slice(4, 6)} and data.digest == digest


WRONG = {
    "empty": (b"", "is empty: get the whole list, or remove it"),
    "blank": (b"\n  \n", "is empty: get the whole list, or remove it"),
    "UTF-16 without a mark": (lines().encode("utf-16-le"), "is no text in UTF-8, nor in UTF-16 with a byte-order mark"),
    "half a UTF-16": (codecs.BOM_UTF16_LE + lines().encode("utf-16-le")[:-1], "is no list: .*truncated"),
    "no list": (b"x" * 200_000 + b" 0", "is no list: field larger than field limit"),
    "a code too large": (lines().replace(" 1", " 3").encode(), "gives 000003.jpg the split 3: it must be one of 0, 1"),
    "words": (lines().replace(" 1", " valid").encode(), "gives 000003.jpg the split valid: it must be one of 0, 1 and"),
    "two codes": ((lines() + "000002.jpg 1\n").encode(), "gives 000002.jpg the split 0 and 1: it must be one"),
    "another list": (
        b"name,code\nmine.jpg,0\n",
        "not name 6 of the 6 pictures, .*'000001.jpg 0'.* here is 'name code'",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_list_that_is_wrong_says_what_is_wrong(fault, tmp_path):
    """One line with the list's path, what is wrong, and what is meant."""
    content, message = WRONG[fault]
    path = write_celeba(tmp_path, 6) / "list_eval_partition.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^{path} {message}|^{path} .*{message}") as caught:
        load_dataset("celeba", tmp_path)
    assert "\n" not in str(caught.value)


def test_several_lists_must_agree(tmp_path):
    """In whatever form; one that is changed is looked at again, whichever it is."""
    folder = write_celeba(tmp_path, 6)
    (folder / "list_eval_partition.csv").write_bytes(LISTS["Kaggle"])
    (folder / "Eval").mkdir()
    (folder / "Eval" / "list_eval_partition.txt").write_bytes(LISTS["plain"])
    assert load_dataset("celeba", tmp_path).split["train"] == slice(0, 3)
    (folder / "list_eval_partition.csv").write_bytes(LISTS["Kaggle"].replace(b"1.jpg,2", b"1.jpg,0"))
    with pytest.raises(DataError, match=r"Eval/list\S*txt and \S*csv split the pictures differently: remove one"):
        load_dataset("celeba", tmp_path)


def test_pictures_of_one_name_go_by_their_paths(tmp_path):
    """Where the list names the folders; where it does not, one code holds for both, and two are refused."""
    folder = write_faces(tmp_path, ["a/1.png", "b/1.png"])
    (folder / "list_eval_partition.txt").write_text("a/1.png 2\nb/1.png 0\n")
    pictures = load_dataset("faces", tmp_path)
    assert pictures.split == {"train": slice(0, 1), "test": slice(1, 2)}
    (folder / "list_eval_partition.txt").write_text("1.png 2\n1.png 0\n")
    with pytest.raises(DataError, match=r"gives a/1\.png the split 0 and 2"):
        load_dataset("faces", tmp_path)


def test_a_data_root_below_a_folder_of_celebas_name(tmp_path):
    """img_align_celeba counts within the data set, not above it."""
    folder = write_faces(tmp_path / "img_align_celeba", ["1.png", "2.png"])
    assert find_pictures(folder)[:2] == (folder, ["1.png", "2.png"])
    assert data_root(folder.parent) == folder.parent
