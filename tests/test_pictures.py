"""Folders of pictures: cropped and shrunk once, whatever lies in the folder, and whatever stops the preparation."""

import io
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets import CelebA

from tests.conftest import draw_picture, write_celeba
from vimae_core import load_dataset
from vimae_core.data import DataError
from vimae_core.datasets import data_digest
from vimae_core.pictures import read_picture


def jpeg(image: Image.Image, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", **options)
    return buffer.getvalue()


def test_the_crop_is_the_centre_140_shrunk_by_lanczos(tmp_path):
    """Against a crop and a convolution by hand, with Lanczos' kernel written out, to two grey levels."""
    draw_picture().save(tmp_path / "a.png")
    found = read_picture(tmp_path / "a.png")[0]
    pixels = np.asarray(draw_picture(), dtype=float)[39:179, 19:159]
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
    large = draw_picture((356, 436))
    large.resize((178, 218), Image.Resampling.BOX).save(tmp_path / "usual.png")
    large.resize(size, Image.Resampling.BOX).save(tmp_path / "other.png")
    usual, other = (read_picture(tmp_path / name)[0].astype(float) for name in ("usual.png", "other.png"))
    assert np.abs(usual - other).mean() < 4


def test_other_pictures_keep_their_largest_centre_square(tmp_path):
    """Of 250x200 the middle 200 columns."""
    image = draw_picture((250, 200))
    image.save(tmp_path / "a.png")
    expected = np.asarray(image.crop((25, 0, 225, 200)).resize((64, 64), Image.Resampling.LANCZOS))
    assert np.array_equal(read_picture(tmp_path / "a.png")[0], expected.transpose(2, 0, 1))


def test_without_a_list_the_last_fifth_of_the_names_is_held_out(tmp_path):
    """In the order of the names, the images as read one by one; no labels."""
    folder = write_celeba(tmp_path, 10)
    data = load_dataset("celeba", tmp_path)
    assert data.split == {"train": slice(0, 8), "test": slice(8, 10)}
    assert data.images.shape == (10, 3, 64, 64) and data["test"][1] is None
    for i, image in enumerate(data.images):
        alone = read_picture(folder / "img_align_celeba" / f"{i + 1:06}.jpg")[0]
        assert np.array_equal(image.numpy(), alone)


@pytest.mark.parametrize("form", ["txt", "csv", "elsewhere"])
def test_the_partition_list_splits(tmp_path, form):
    """As text, as the csv that Kaggle makes of it, and in the folder Eval of the original archive."""
    folder = write_celeba(tmp_path, 6)
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
    folder = write_celeba(tmp_path, 3)
    names = ["000001.jpg", "000002.jpg", "000003.jpg"]
    (folder / "list_eval_partition.txt").write_text("".join(f"{n} 0\n" for n in names[:2]))
    with pytest.raises(DataError, match=r"does not name 1 of the 3 pictures, such as 000003.jpg: get the whole list"):
        load_dataset("celeba", tmp_path)
    (folder / "list_eval_partition.txt").write_text("".join(f"{n} 0\n" for n in names))
    with pytest.raises(DataError, match=r"3 training and 0 test pictures.*without that file it is by the names"):
        load_dataset("celeba", tmp_path)


def test_torchvision_lays_it_out_the_same_way(tmp_path):
    """torchvision.datasets.CelebA finds its pictures in the folder that we read."""
    folder = write_celeba(tmp_path, 5)
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
        draw_picture(size, seed=i).save(place)
    (root / "readme.txt").write_text("no picture")
    first = load_dataset("faces", tmp_path)
    assert first.split == {"train": slice(0, 16), "test": slice(16, 20)} and first.name == "faces"
    shutil.move(root, tmp_path / "moved")
    assert load_dataset("moved", tmp_path).digest == first.digest == data_digest("moved", tmp_path)
    draw_picture((250, 250), seed=99).save(tmp_path / "moved" / "person0" / "00.jpg")
    assert load_dataset("moved", tmp_path).digest != first.digest


def spoil(folder: Path) -> None:
    """One picture of each fault, in the first eight."""
    whole = (folder / "000001.jpg").read_bytes()
    (folder / "000001.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "000002.jpg").write_bytes(b"no picture at all")
    (folder / "000003.jpg").write_bytes(b"")
    (folder / "000004.jpg").write_bytes(jpeg(draw_picture(mode="L")))
    (folder / "000005.jpg").write_bytes(jpeg(draw_picture((178, 178))))
    (folder / "000006.jpg").write_bytes(jpeg(draw_picture((20, 24))))


def test_broken_pictures_are_named_counted_and_left_out(tmp_path):
    """The grey one is kept; the split does not move; the warning comes again with each load."""
    folder = write_celeba(tmp_path, 20)
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
    folder = write_celeba(tmp_path, 20, name="other")
    spoil(folder / "img_align_celeba")
    draw_picture((400, 100)).save(folder / "img_align_celeba" / "000007.jpg")
    with pytest.warns(UserWarning, match=r"2 of odd size \(left out\): 000006.jpg, 000007.jpg"):
        assert len(load_dataset("other", tmp_path).images) == 15


def test_a_long_list_of_faults_is_cut(tmp_path):
    """Ten names and how many more."""
    folder = write_celeba(tmp_path, 30)
    for i in range(12):
        (folder / "img_align_celeba" / f"{i + 1:06}.jpg").write_bytes(b"x")
    with pytest.warns(UserWarning, match=r"12 unreadable \(left out\): 000001.jpg, .*000010.jpg and 2 more"):
        load_dataset("celeba", tmp_path)


def test_a_folder_of_broken_pictures_is_refused(tmp_path):
    """With what is wrong with them."""
    folder = write_celeba(tmp_path, 5)
    for path in (folder / "img_align_celeba").iterdir():
        path.write_bytes(b"x")
    with pytest.raises(DataError, match=r"0 training and 0 test pictures.*5 unreadable, such as 000001.jpg"):
        load_dataset("celeba", tmp_path)


def test_a_dangling_link_is_unreadable(tmp_path):
    """And no crash."""
    folder = write_celeba(tmp_path, 10)
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


def test_no_warning_without_a_fault(tmp_path):
    """A clean folder says nothing."""
    write_celeba(tmp_path, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_dataset("celeba", tmp_path)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["jpeg", "png", "webp", "tiff", "gif"]), st.integers(0, 10_000), st.integers(0, 255), st.booleans()
)
def test_no_damage_stops_the_others(tmp_path_factory, form, place, byte, cut):
    """A changed byte or a cut anywhere: another picture, or one that is named and left out; never an exception."""
    path = tmp_path_factory.getbasetemp() / f"damaged.{form}"
    draw_picture((89, 109)).save(path)
    content = bytearray(path.read_bytes())
    place %= len(content)
    content[place] = byte
    path.write_bytes(bytes(content[:place] if cut else content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's
        pixels, md5, fault = read_picture(path)
    assert (pixels is None) == (fault in ("truncated", "unreadable", "of odd size")) and len(md5) == 32
