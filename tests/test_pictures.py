"""Folders of pictures: cropped and shrunk once, whatever lies in the folder, and whatever stops the preparation."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CelebA

from vimae_core import load_dataset
from vimae_core.data import DataError
from vimae_core.datasets import data_digest
from vimae_core.pictures import read_picture


@pytest.fixture
def own_cache(tmp_path) -> Path:
    """The cache that every test has of its own."""
    return tmp_path / "cache"


def picture(size: tuple[int, int] = (178, 218), seed: int = 0, mode: str = "RGB") -> Image.Image:
    """A smooth picture, so that JPEG keeps it."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).convert(mode)


def celeba(root: Path, n: int = 10, size: tuple[int, int] = (178, 218), name: str = "celeba") -> Path:
    """Aligned CelebA as it is distributed, of n pictures; the folder of the data set."""
    folder = root / name / "img_align_celeba"
    folder.mkdir(parents=True)
    for i in range(n):
        picture(size, seed=i).save(folder / f"{i + 1:06}.jpg", quality=95)
    return root / name


def jpeg(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", **options)
    return buffer.getvalue()


def test_the_crop_is_the_centre_140_shrunk_by_lanczos(tmp_path):
    """Against a crop and a convolution by hand, with Lanczos' kernel written out, to two grey levels."""
    picture().save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png")[0]
    pixels = np.asarray(picture(), dtype=float)[39:179, 19:159]
    scale = 140 / 64
    centres = (np.arange(64) + 0.5) * scale
    distance = (np.arange(140) + 0.5 - centres[:, None]) / scale
    kernel = np.where(abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    kernel /= kernel.sum(1, keepdims=True)
    expected = np.einsum("ij,jkc,lk->cil", kernel, pixels, kernel)
    assert np.abs(found - expected.clip(0, 255)).max() <= 2


@pytest.mark.parametrize("size", [(89, 109), (356, 436)])
def test_other_sizes_of_the_same_aspect_are_cropped_in_proportion(tmp_path, size):
    """A copy of half or twice the size gives nearly the same 64x64."""
    large = picture((356, 436))
    large.resize((178, 218), Image.Resampling.BOX).save(tmp_path / "usual.png")
    large.resize(size, Image.Resampling.BOX).save(tmp_path / "other.png")
    usual, other = (read_picture(tmp_path / name)[0].astype(float) for name in ("usual.png", "other.png"))
    assert np.abs(usual - other).mean() < 4


def test_other_pictures_keep_their_largest_centre_square(tmp_path):
    """Of 250x200 the middle 200 columns."""
    image = picture((250, 200))
    image.save(tmp_path / "a.png")
    expected = np.asarray(image.crop((25, 0, 225, 200)).resize((64, 64), Image.Resampling.LANCZOS))
    assert np.array_equal(read_picture(tmp_path / "a.png")[0], expected.transpose(2, 0, 1))


def test_without_a_list_the_last_fifth_of_the_names_is_held_out(tmp_path):
    """In the order of the names, the images as read one by one; no labels."""
    folder = celeba(tmp_path, 10)
    data = load_dataset("celeba", tmp_path)
    assert data.split == {"train": slice(0, 8), "test": slice(8, 10)}
    assert data.images.shape == (10, 3, 64, 64) and data["test"][1] is None
    for i, image in enumerate(data.images):
        alone = read_picture(folder / "img_align_celeba" / f"{i + 1:06}.jpg")[0]
        assert np.array_equal(image.numpy(), alone)


@pytest.mark.parametrize("form", ["txt", "csv", "elsewhere"])
def test_the_partition_list_splits(tmp_path, form):
    """As text, as the csv that Kaggle makes of it, and in the folder Eval of the original archive."""
    folder = celeba(tmp_path, 6)
    codes = {"000001.jpg": 2, "000002.jpg": 0, "000003.jpg": 1, "000004.jpg": 0, "000005.jpg": 2, "000006.jpg": 0}
    if form == "csv":
        rows = ["image_id,partition", *(f"{k},{v}" for k, v in codes.items())]
        (folder / "list_eval_partition.csv").write_text("\n".join(rows))
    else:
        path = folder / "Eval" if form == "elsewhere" else folder
        path.mkdir(exist_ok=True)
        (path / "list_eval_partition.txt").write_text("".join(f"{k} {v}\n" for k, v in codes.items()))
    data = load_dataset("celeba", tmp_path)
    assert data.split == {"train": slice(0, 3), "valid": slice(3, 4), "test": slice(4, 6)}
    names = [2, 4, 6, 3, 1, 5]
    for image, name in zip(data.images, names, strict=True):
        alone = read_picture(folder / "img_align_celeba" / f"{name:06}.jpg")[0]
        assert np.array_equal(image.numpy(), alone)


def test_a_list_that_does_not_fit_is_refused(tmp_path):
    """One that lacks a picture, and one that leaves no test picture."""
    folder = celeba(tmp_path, 3)
    names = ["000001.jpg", "000002.jpg", "000003.jpg"]
    (folder / "list_eval_partition.txt").write_text("".join(f"{n} 0\n" for n in names[:2]))
    with pytest.raises(DataError, match=r"does not name 1 of the 3 pictures, such as 000003.jpg: get the whole list"):
        load_dataset("celeba", tmp_path)
    (folder / "list_eval_partition.txt").write_text("".join(f"{n} 0\n" for n in names))
    with pytest.raises(DataError, match=r"3 training and 0 test pictures.*without that file it is by the names"):
        load_dataset("celeba", tmp_path)


def test_torchvision_lays_it_out_the_same_way(tmp_path):
    """torchvision.datasets.CelebA finds its pictures in the folder that we read."""
    folder = celeba(tmp_path, 5)
    assert tmp_path / CelebA.base_folder == folder
    assert {name for _, _, name in CelebA.file_list} >= {"img_align_celeba.zip", "list_eval_partition.txt"}
    assert load_dataset("celeba", tmp_path).split["test"] == slice(4, 5)


def test_any_folder_of_pictures_is_a_data_set(tmp_path):
    """Other sizes, other endings, folders in folders; the digest is of names and content."""
    root = tmp_path / "faces"
    for i, (size, ending) in enumerate(
        [((250, 250), "jpg"), ((100, 90), "png"), ((70, 80), "JPEG"), ((300, 200), "webp")] * 5
    ):
        place = root / f"person{i % 3}" / f"{i:02}.{ending}"
        place.parent.mkdir(parents=True, exist_ok=True)
        picture(size, seed=i).save(place)
    (root / "readme.txt").write_text("no picture")
    first = load_dataset("faces", tmp_path)
    assert first.split == {"train": slice(0, 16), "test": slice(16, 20)} and first.name == "faces"
    shutil.move(root, tmp_path / "moved")
    assert load_dataset("moved", tmp_path).digest == first.digest == data_digest("moved", tmp_path)
    picture((250, 250), seed=99).save(tmp_path / "moved" / "person0" / "00.jpg")
    assert load_dataset("moved", tmp_path).digest != first.digest


def test_the_second_time_nothing_is_read(tmp_path, monkeypatch, capsys):
    """The pictures lie in the cache, mapped and not copied; a changed one is noticed."""
    folder = celeba(tmp_path, 10)
    first = load_dataset("celeba", tmp_path)
    assert "10 of 10 pictures" in capsys.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr("vimae_core.pictures.read_picture", lambda *_: pytest.fail("read again"))
        again = load_dataset("celeba", tmp_path)
    assert torch.equal(again.images, first.images) and again.digest == first.digest
    again.images[0] = 0  # what one process writes, no other sees
    assert torch.equal(load_dataset("celeba", tmp_path).images, first.images)
    picture(seed=77).save(folder / "img_align_celeba" / "000001.jpg")
    assert not torch.equal(load_dataset("celeba", tmp_path).images[0], first.images[0])


@pytest.mark.parametrize("damage", ["cut", "altered", "index", "removed"])
def test_a_damaged_cache_is_made_again(tmp_path, own_cache, damage):
    """Cut, written over, or with an index that is no JSON."""
    celeba(tmp_path, 10)
    first = load_dataset("celeba", tmp_path).images.clone()
    images, index = next(own_cache.glob("*.u8")), next(own_cache.glob("*.json"))
    content = images.read_bytes()
    time.sleep(0.02)
    if damage == "index":
        index.write_text(index.read_text()[:-20])
    elif damage == "removed":
        images.unlink()
    else:
        images.write_bytes(content[:-1] if damage == "cut" else b"\0" * len(content))
    assert torch.equal(load_dataset("celeba", tmp_path).images, first)


def spoil(folder: Path) -> None:
    """One picture of each fault, in the first eight."""
    whole = (folder / "000001.jpg").read_bytes()
    (folder / "000001.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "000002.jpg").write_bytes(b"no picture at all")
    (folder / "000003.jpg").write_bytes(b"")
    (folder / "000004.jpg").write_bytes(jpeg(picture(mode="L")))
    (folder / "000005.jpg").write_bytes(jpeg(picture((178, 178))))
    (folder / "000006.jpg").write_bytes(jpeg(picture((20, 24))))


def test_broken_pictures_are_named_counted_and_left_out(tmp_path):
    """The grey one is kept; the split does not move; the warning comes again with each load."""
    folder = celeba(tmp_path, 20)
    spoil(folder / "img_align_celeba")
    for _ in range(2):
        with pytest.warns(UserWarning) as caught:
            data = load_dataset("celeba", tmp_path)
        told = str(caught[0].message)
        assert "of 15 pictures that are used" in told
        assert "1 truncated (left out): 000001.jpg" in told
        assert "2 unreadable (left out): 000002.jpg, 000003.jpg" in told
        assert "1 grey (kept, its one channel three times): 000004.jpg" in told
        assert "2 of odd size (left out): 000005.jpg, 000006.jpg" in told
        assert data.split == {"train": slice(0, 11), "test": slice(11, 15)}
    grey = data.images[0].int()
    assert (grey[0] == grey[1]).all() and (grey[1] == grey[2]).all()


def test_in_another_folder_only_a_strip_or_a_speck_is_odd(tmp_path):
    """A square is as good as CelebA's aspect there."""
    folder = celeba(tmp_path, 20, name="other")
    spoil(folder / "img_align_celeba")
    picture((400, 100)).save(folder / "img_align_celeba" / "000007.jpg")
    with pytest.warns(UserWarning, match=r"2 of odd size \(left out\): 000006.jpg, 000007.jpg"):
        assert len(load_dataset("other", tmp_path).images) == 15


def test_a_long_list_of_faults_is_cut(tmp_path):
    """Ten names and how many more."""
    folder = celeba(tmp_path, 30)
    for i in range(12):
        (folder / "img_align_celeba" / f"{i + 1:06}.jpg").write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"12 unreadable \(left out\): 000001.jpg, .*000010.jpg and 2 more"):
        load_dataset("celeba", tmp_path)


def test_a_folder_of_broken_pictures_is_refused(tmp_path):
    """With what is wrong with them."""
    folder = celeba(tmp_path, 5)
    for path in (folder / "img_align_celeba").iterdir():
        path.write_bytes(b"x")
    with pytest.raises(DataError, match=r"0 training and 0 test pictures.*5 unreadable, such as 000001.jpg"):
        load_dataset("celeba", tmp_path)


def test_a_dangling_link_is_unreadable(tmp_path):
    """And no crash."""
    folder = celeba(tmp_path, 10)
    (folder / "img_align_celeba" / "000001.jpg").unlink()
    (folder / "img_align_celeba" / "000001.jpg").symlink_to(tmp_path / "nowhere")
    with pytest.warns(UserWarning, match="1 unreadable"):
        assert len(load_dataset("celeba", tmp_path).images) == 9


def test_missing_celeba_says_where_it_comes_from(tmp_path):
    """Place, licence, layout, and what needs no files; nothing is downloaded."""
    with pytest.raises(DataError) as caught:
        load_dataset("celeba", tmp_path)
    told = str(caught.value)
    for part in (str(tmp_path / "celeba" / "img_align_celeba"), "non-commercial", "mmlab.ie.cuhk.edu.hk", "toy-faces"):
        assert part in told
    assert "never downloaded" in told


def test_a_read_only_folder_is_enough(tmp_path):
    """Nothing is written beside the pictures: every name and time is as before."""
    folder = celeba(tmp_path, 10)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555)
    try:
        load_dataset("celeba", tmp_path)
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    """Names the place, the room that is needed, and the variable."""
    celeba(tmp_path, 10)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIMAE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match=r"cannot prepare .* in .*file/cache.*needs 1 MB; VIMAE_CACHE"):
        load_dataset("celeba", tmp_path)
    monkeypatch.setenv("VIMAE_CACHE", str(tmp_path / "full"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(DataError, match=r"0 MB are free.*needs 1 MB"):
        load_dataset("celeba", tmp_path)
    assert not list((tmp_path / "full").glob("*.u8"))


def test_killed_in_the_middle_it_starts_again(tmp_path, own_cache):
    """kill -9 while pictures are read: nothing half-written is read, and no old lock stops the next call."""
    folder = celeba(tmp_path, 1)
    first = folder / "img_align_celeba" / "000001.jpg"
    for i in range(2, 4001):
        os.link(first, first.with_name(f"{i:06}.jpg"))
    program = f"from vimae_core import load_dataset; load_dataset('celeba', {str(tmp_path)!r})"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while not any(path.stat().st_size for path in own_cache.glob("*.part")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert not list(own_cache.glob("*.u8")) and not list(own_cache.glob("*.json"))
    data = load_dataset("celeba", tmp_path)
    assert len(data.images) == 4000 and torch.equal(data.images[0], data.images[3999])
    assert not list(own_cache.glob("*.part"))


MEASURE = """
import resource, sys
from vimae_core.pictures import find_pictures, prepared
from pathlib import Path
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
about = prepared("celeba", find_pictures(Path(sys.argv[1])))
print(about["n"], peak() - before)
"""


def test_preparing_needs_little_memory(tmp_path):
    """12,000 pictures are 147 MB of pixels; beyond the imports it takes less than half of that."""
    folder = celeba(tmp_path, 1, size=(89, 109))
    first = folder / "img_align_celeba" / "000001.jpg"
    for i in range(2, 12_001):
        os.link(first, first.with_name(f"{i:06}.jpg"))
    done = subprocess.run([sys.executable, "-c", MEASURE, folder], capture_output=True, text=True, check=True)
    n, kilobytes = map(int, done.stdout.splitlines()[-1].split())
    assert n == 12_000 and kilobytes < 70_000


def test_no_warning_without_a_fault(tmp_path):
    """A clean folder says nothing."""
    celeba(tmp_path, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_dataset("celeba", tmp_path)
