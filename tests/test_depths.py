"""Pictures of other depths and modes: scaled by the range of their type, on white, or left out by name."""

import hashlib
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import draw_picture, write_celeba
from vimae_core import load_dataset
from vimae_core.datasets import data_digest
from vimae_core.pictures import RULE, read_picture

SMOOTH = draw_picture((80, 80))
GREY = np.asarray(SMOOTH.convert("L"))


def shrunk(values: np.ndarray) -> np.ndarray:
    """What 64x64 of 8 bits comes of a picture of 8 bits: channels first."""
    image = Image.fromarray(values).convert("RGB").resize((64, 64), Image.Resampling.LANCZOS)
    return np.asarray(image).transpose(2, 0, 1)


def png(values: np.ndarray, colour: int) -> bytes:
    """A PNG of 16 bits written by hand, as Pillow writes none in colour: colour 2 is RGB, 4 grey with alpha, 6 RGBA."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    packed = (struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def tiff12(values: np.ndarray) -> bytes:
    """A grey TIFF of 12 bits by hand: two pixels in three bytes."""
    even, odd = values[:, ::2].astype(int), values[:, 1::2].astype(int)
    pixels = np.stack([even >> 4, (even & 15) << 4 | odd >> 8, odd & 255], -1).astype(np.uint8).tobytes()
    height, width = values.shape
    tags = {256: width, 257: height, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(pixels)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return (
        struct.pack("<2sHI", b"II", 42, 8 + len(pixels)) + pixels + struct.pack("<H", len(tags)) + entries + b"\0" * 4
    )


def write(path: Path, content: np.ndarray | Image.Image | bytes, **options) -> Path:
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        (Image.fromarray(content) if isinstance(content, np.ndarray) else content).save(path, **options)
    return path


WIDE = GREY.astype(np.uint16) * 257  # 255 becomes 65535
DEEP = {
    "16.png": WIDE,
    "16.tif": WIDE,
    "16.pgm": WIDE.astype(np.int32),
    "big-endian.tif": Image.frombytes("I;16B", (80, 80), WIDE.astype(">u2").tobytes()),
    "12.tif": tiff12(np.rint(GREY * (4095 / 255))),
    "float.tif": GREY.astype(np.float32) / 255,
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_grey_is_that_of_eight_bits(name, tmp_path):
    """The white of its type is white: as the same picture of 8 bits, to the grey level."""
    pixels, _, note = read_picture(write(tmp_path / name, DEEP[name]))
    assert note == "grey of many bits" and np.array_equal(pixels, shrunk(GREY))


def test_a_dark_picture_of_16_bits_is_dark(tmp_path):
    """Of mean 119 of 65535 hardly anything is left: not its own range counts, but that of its type."""
    dark = np.full((80, 80), 119, np.uint16)
    assert read_picture(write(tmp_path / "a.png", dark))[0].max() == 0
    assert read_picture(write(tmp_path / "b.png", dark * 257))[0].tolist() == np.full((3, 64, 64), 119).tolist()


FLOATS = GREY.astype(np.float32) / 255
SPOT = np.zeros((80, 80), bool)
SPOT[5, 7] = True
UNKNOWN = {
    "integers.tif": GREY.astype(np.int32),
    "to255.tif": GREY.astype(np.float32),
    "negative.tif": FLOATS - 0.5,
    "nan.tif": np.where(SPOT, np.nan, FLOATS),
    "inf.tif": np.where(SPOT, np.inf, FLOATS),
    "minus-inf.tif": np.where(SPOT, -np.inf, FLOATS),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_range_that_no_type_tells_is_left_out(name, tmp_path):
    """Integers of 32 bits, floats outside 0 to 1, NaN: nobody knows what is white."""
    pixels, md5, note = read_picture(write(tmp_path / name, UNKNOWN[name]))
    assert pixels is None and note == "of unknown range" and len(md5) == 32


COLOURS = np.asarray(SMOOTH)
OPAQUE = np.full((80, 80, 1), 255, np.uint8)
ONE_BIT = SMOOTH.convert("1")
INKS = Image.merge("CMYK", [*Image.fromarray(255 - COLOURS).split(), Image.new("L", (80, 80))])
SAME = {
    "rgb16.png": (png(COLOURS.astype(np.uint16) * 257, 2), COLOURS, None),
    "rgba16.png": (png(np.concatenate([COLOURS, OPAQUE], 2).astype(np.uint16) * 257, 6), COLOURS, None),
    "la16.png": (png(np.stack([GREY, OPAQUE[..., 0]], 2).astype(np.uint16) * 257, 4), GREY, None),
    "1.png": (ONE_BIT, np.asarray(ONE_BIT, np.uint8) * 255, "grey"),
    "1.tif": (ONE_BIT, np.asarray(ONE_BIT, np.uint8) * 255, "grey"),
    "la.png": (SMOOTH.convert("LA"), GREY, "grey"),
    "rgba.png": (SMOOTH.convert("RGBA"), COLOURS, None),
    "cmyk.tif": (INKS, COLOURS, None),
    "palette.png": (SMOOTH.quantize(64), np.asarray(SMOOTH.quantize(64).convert("RGB")), None),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_other_modes_are_the_same_picture(name, tmp_path):
    """16 bits in colour, one bit, opaque alpha, CMYK, a palette: as in RGB of 8 bits."""
    content, expected, note = SAME[name]
    pixels, md5, found = read_picture(write(tmp_path / name, content))
    assert found == note and np.array_equal(pixels, shrunk(expected))
    assert md5 == hashlib.md5((tmp_path / name).read_bytes()).hexdigest()


def test_cmyk_of_a_jpeg(tmp_path):
    """Where Adobe's inverted inks were not undone, dark and light would change places."""
    pixels = read_picture(write(tmp_path / "a.jpg", INKS, quality=95))[0]
    assert np.abs(pixels.astype(int) - shrunk(COLOURS)).mean() < 6


ALPHA = np.tile(np.arange(80, dtype=np.uint8) * 3, (80, 1))
FEW = SMOOTH.quantize(8)
TRANSPARENT = {
    "rgba.png": (Image.merge("RGBA", [*SMOOTH.split(), Image.fromarray(ALPHA)]), COLOURS, ALPHA, {}),
    "la.png": (Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)]), GREY[..., None], ALPHA, {}),
    "palette.png": (
        FEW,
        np.asarray(FEW.convert("RGB")),
        np.array([0, 100, 200, *[255] * 253])[np.asarray(FEW)],
        {"transparency": bytes([0, 100, 200])},
    ),
    "key.png": (
        Image.fromarray(GREY),
        GREY[..., None],
        np.where(np.isin(GREY, GREY[5, 5]), 0, 255),
        {"transparency": int(GREY[5, 5])},
    ),
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_transparent_pixels_stand_on_white(name, tmp_path):
    """By the formula alpha x colour + (1 - alpha) x white, to a grey level or two; whatever colour hides beneath."""
    content, colours, alpha, options = TRANSPARENT[name]
    weight = alpha[..., None] / 255
    expected = np.rint(weight * colours + (1 - weight) * 255).astype(np.uint8) * np.ones(3, np.uint8)
    pixels, _, note = read_picture(write(tmp_path / name, content, **options))
    assert note == "transparent" and np.abs(pixels.astype(int) - shrunk(expected)).max() <= 2


def test_the_warning_says_what_was_done(tmp_path):
    """Scaled, on white, left out: each by name; the rest as before."""
    folder = write_celeba(tmp_path, 10, name="faces") / "img_align_celeba"
    write(folder / "a.png", WIDE), write(folder / "b.tif", UNKNOWN["nan.tif"])
    write(folder / "c.png", TRANSPARENT["rgba.png"][0])
    with pytest.warns(UserWarning) as caught:
        data = load_dataset("faces", tmp_path)
    told = str(caught[0].message)
    assert len(data.images) == 12 and "of 12 pictures that are used" in told
    assert "1 grey of many bits (kept, scaled to 8 bits, its one channel three times): a.png" in told
    assert "1 of unknown range (left out): b.tif" in told and "1 transparent (kept, on white): c.png" in told


def test_an_ordinary_folder_keeps_digest_and_cache(tmp_path):
    """Both as they were before there was a rule for depths: of RULE, names, md5; of RULE, paths, sizes and times."""
    folder = write_celeba(tmp_path, 5, name="faces") / "img_align_celeba"
    digest, state = hashlib.sha256(RULE.encode()), hashlib.sha256(RULE.encode())
    for i, path in enumerate(sorted(folder.iterdir())):
        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        digest.update(f"{'train' if i < 4 else 'test'} {path.name} {md5}\n".encode())
        state.update(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}\n".encode())
    assert RULE == "centre 140 of (178, 218) in proportion, else the largest square; Lanczos to 64; 1"
    assert data_digest("faces", tmp_path) == digest.hexdigest()
    assert [p.name for p in (tmp_path / "cache").glob("*.json")] == [f"faces-{state.hexdigest()[:16]}.json"]


def test_where_pixels_are_others_the_digest_is_another(tmp_path):
    """Of deep, transparent and unknown pictures it counts the rule as well as the file."""
    for name, content in {"16.png": WIDE, "nan.tif": UNKNOWN["nan.tif"], "t.png": TRANSPARENT["rgba.png"][0]}.items():
        path = write(tmp_path / name, content)
        assert read_picture(path)[1] != hashlib.md5(path.read_bytes()).hexdigest()
