"""The data sets: what is committed, what else loads, and what each kind of damage is called."""

import gzip
import shutil
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT, write_idx
from vimae_core import load_dataset
from vimae_core.datasets import DataError, data_digest

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def test_the_committed_mnist():
    """70,000 digits in one uint8 tensor, LeCun's splits and class counts, and views into it."""
    data = load_dataset()
    assert data.images.shape == (70_000, 1, 28, 28) and data.images.dtype == torch.uint8
    assert data.split == {"train": slice(0, 60_000), "test": slice(60_000, 70_000)}
    assert data["test"][1].bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data["train"][1][:5].tolist() == [5, 0, 4, 1, 9]
    assert data["test"][0].data_ptr() == data.images[60_000:].data_ptr()
    assert data.digest == data_digest()
    with pytest.raises(KeyError, match="mnist has no split 'valid', only train, test"):
        data["valid"]


def test_the_root_is_given_or_named_by_the_environment(tiny, monkeypatch):
    """By argument, else VIMAE_DATA, else the project's data/."""
    by_argument = load_dataset("tiny", tiny)
    monkeypatch.setenv("VIMAE_DATA", str(tiny))
    assert torch.equal(load_dataset("tiny").images, by_argument.images)
    with pytest.raises(DataError, match="missing"):
        load_dataset("mnist")


def test_any_folder_of_that_form_is_a_data_set(tmp_path):
    """Another name, another side, gzipped or not: the digest is of the content."""
    folder = write_idx(tmp_path / "fashion", train=10, test=4, side=12)
    packed = load_dataset("fashion", tmp_path)
    assert packed.images.shape == (14, 1, 12, 12) and packed.name == "fashion"
    for path in list(folder.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    unpacked = load_dataset("fashion", tmp_path)
    assert unpacked.digest == packed.digest and torch.equal(unpacked.images, packed.images)
    raw = folder / LABELS.removesuffix(".gz")
    raw.write_bytes(raw.read_bytes()[:-1] + b"\x07")
    assert load_dataset("fashion", tmp_path).digest != packed.digest == packed.digest


def rewrite(path: Path, change) -> None:
    """Changes the unpacked content of a gzipped file."""
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


def header(*shape: int, kind: int = 8) -> bytes:
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape)


DAMAGES = {
    "a missing folder": (shutil.rmtree, r"train-images-idx3-ubyte\(.gz\) is missing.*VIMAE_DATA.*downloaded"),
    "a missing file": (lambda f: (f / LABELS).unlink(), r"train-labels-idx1-ubyte\(.gz\) is missing"),
    "a cut gzip file": (lambda f: (f / IMAGES).write_bytes((f / IMAGES).read_bytes()[:500]), "is truncated.*again"),
    "no gzip file": (lambda f: (f / IMAGES).write_bytes(b"hello"), "is altered or not a gzip file"),
    "an empty file": (lambda f: rewrite(f / IMAGES, lambda c: b""), "is truncated: 0 bytes are less than its header"),
    "another type": (
        lambda f: rewrite(f / IMAGES, lambda c: header(256, 8, 8, kind=12) + c[16:]),
        "is of the wrong type: it starts with 00 00 0c 03",
    ),
    "labels for images": (lambda f: shutil.copy(f / LABELS, f / IMAGES), "is of the wrong type.*with 00 00 08 03"),
    "too few bytes": (lambda f: rewrite(f / IMAGES, lambda c: c[:-1]), "is truncated: 16399 bytes.*asks for 16400"),
    "too many bytes": (lambda f: rewrite(f / IMAGES, lambda c: c + b"!"), "is of the wrong size: 16401 bytes"),
    "half a header": (lambda f: rewrite(f / IMAGES, lambda c: c[:9]), "is truncated: 9 bytes are less than its header"),
    "a label too few": (
        lambda f: rewrite(f / LABELS, lambda c: header(255) + c[8:-1]),
        "holds 256 images, .* 255 labels",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_has_its_message(damage, tiny):
    """It names the file, what is wrong with it, and what to do."""
    change, message = DAMAGES[damage]
    change(tiny / "tiny")
    with pytest.raises(DataError, match=message):
        load_dataset("tiny", tiny)


def test_images_of_two_sizes(tmp_path):
    """Train and test images of different sides do not make one data set."""
    write_idx(tmp_path / "a"), write_idx(tmp_path / "b", side=10)
    shutil.copy(tmp_path / "b" / "t10k-images-idx3-ubyte.gz", tmp_path / "a")
    with pytest.raises(DataError, match=r"train images are \(8, 8\) pixels, test images \(10, 10\)"):
        load_dataset("a", tmp_path)


def test_one_altered_pixel_of_mnist_is_found(tmp_path):
    """By the published md5; under another name the same files are a data set of their own."""
    shutil.copytree(ROOT / "data" / "mnist", tmp_path / "mnist")
    rewrite(tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz", lambda c: c[:-1] + bytes([c[-1] ^ 1]))
    with pytest.raises(DataError, match=r"altered: md5 \w+, expected 27ae3e4e.*another name than 'mnist'"):
        load_dataset("mnist", tmp_path)
    (tmp_path / "mnist").rename(tmp_path / "mine")
    assert load_dataset("mine", tmp_path).digest != data_digest()


SPELLINGS = {
    "with dots": lambda name: name.replace("-idx", ".idx"),
    "EMNIST": lambda name: "emnist-balanced-" + name.replace("t10k", "test"),
    "torchvision": lambda name: "MNIST/raw/" + name,
    "torchvision's EMNIST": lambda name: "EMNIST/raw/emnist-letters-" + name.replace("t10k", "test"),
}


def respell(folder: Path, spelling: str) -> None:
    """Moves MNIST's four names to those of others."""
    for path in list(folder.glob("*.gz")):
        new = folder / SPELLINGS[spelling](path.name)
        new.parent.mkdir(parents=True, exist_ok=True)
        path.rename(new)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_names_as_others_spell_them(spelling, tiny):
    """The same images and labels, and the same digest; a file that is missing is named as the others are."""
    plain = load_dataset("tiny", tiny)
    respell(tiny / "tiny", spelling)
    data = load_dataset("tiny", tiny)
    assert data.digest == plain.digest and torch.equal(data.images, plain.images)
    assert torch.equal(data.labels, plain.labels)
    path = tiny / "tiny" / SPELLINGS[spelling](LABELS)
    path.unlink()
    with pytest.raises(DataError, match=f"{path.parent}/{path.name.split('train')[0]}train-labels.* is missing"):
        load_dataset("tiny", tiny)


def test_several_data_sets_in_one_folder(tmp_path):
    """They are named, with what to do; MNIST's own names go first; a folder named as a file is none."""
    for i, split in enumerate(["letters", "digits"]):
        for path in write_idx(tmp_path / split, seed=i).iterdir():
            path.rename(path.with_name(f"emnist-{split}-{path.name}"))
    digest = data_digest("letters", tmp_path)
    (
        shutil.copytree(tmp_path / "digits", tmp_path / "both"),
        shutil.copytree(tmp_path / "digits", tmp_path / "all/a/raw"),
    )
    shutil.copytree(tmp_path / "letters", tmp_path / "both", dirs_exist_ok=True)
    shutil.copytree(tmp_path / "letters", tmp_path / "all/b/raw")
    for name in (
        "both/emnist-digits-\\*, .*both/emnist-letters-",
        "all/a/raw/emnist-digits-\\*, .*all/b/raw/emnist-letters-",
    ):
        with pytest.raises(
            DataError, match=name + r"\* are 2 data sets: put the four files of one into a folder of its"
        ):
            load_dataset(name.split("/")[0], tmp_path)
    write_idx(tmp_path / "own", seed=2)
    own = data_digest("own", tmp_path)
    shutil.copytree(tmp_path / "both", tmp_path / "own", dirs_exist_ok=True)
    (tmp_path / "letters" / "train-images-idx3-ubyte").mkdir()
    assert data_digest("own", tmp_path) == own and data_digest("letters", tmp_path) == digest != own


@settings(deadline=None, max_examples=150)
@given(st.integers(0, 3), st.integers(0, 10_000), st.integers(0, 7), st.booleans())
def test_no_damage_ends_in_anything_else(tmp_path_factory, file, place, bit, cut):
    """A flipped bit or a cut anywhere in a packed file is a DataError, or another data set; never a crash."""
    root = tmp_path_factory.getbasetemp() / "fuzz"
    if not (root / "intact").exists():
        write_idx(root / "intact", train=20, test=10)
    folder = root / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "intact", folder)
    path = sorted(folder.iterdir())[file]
    content = bytearray(path.read_bytes())
    place %= len(content)
    content[place] ^= 1 << bit
    path.write_bytes(bytes(content[:place] if cut else content))
    try:
        loaded = load_dataset("damaged", root)
    except DataError as error:
        assert str(folder) in str(error)
    else:
        assert len(loaded.images) == 30
