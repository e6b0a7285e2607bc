"""Toy faces: 64 x 64 cartoon faces whose every difference is one of ten known, independent factors."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

FACTORS = (
    "background",  # its hue: peach, yellow, green, blue, violet
    "skin",  # light to dark
    "hair_colour",  # blond, ginger, brown, black, grey
    "hair_length",  # from the ears to the chest
    "face_width",  # narrow to wide, and the hair with it
    "eye_distance",  # close to far apart
    "gaze",  # irises to the left or the right of the picture
    "turn",  # eyes, nose and mouth to the left or the right, the nose farthest
    "mouth",  # frown to smile
    "glasses",  # without or with; a value between is their opacity
)
SIDE = 64  # pixels, and the unit of every length below
CHUNK = 64  # images painted at once: they stay in the processor's cache


def _colours(*codes):
    return torch.tensor([list(bytes.fromhex(code)) for code in codes], dtype=torch.float32)


BACKGROUND = _colours("f4bfa6", "f3dc9c", "abd6b0", "98c9e0", "bcaee0")
SKIN = _colours("fbdcc6", "f1c3a0", "d39a6f", "a46a45", "6d4430")
HAIR = _colours("e9c47c", "c5652f", "74482c", "2c2529", "a5a2a8")
SHIRT, LIPS, BLUSH, IRIS, INK, WHITE = _colours("46618a", "a8323f", "ea6a63", "5a7f78", "2b2328", "ffffff").split(1)


def draw_factors(n: int, seed: int = 0) -> Float[Tensor, "n factors"]:
    """The factors of n faces, in the order of FACTORS, shape [n, 10].

    All are independent and uniform in [0, 1], but for the glasses, which are 0 or 1 with probability 1/2 each.
    The same seed gives the same faces, the first of them in a longer draw too.
    """
    factors = torch.rand(n, len(FACTORS), generator=torch.Generator().manual_seed(seed))
    factors[:, FACTORS.index("glasses")].round_()
    return factors


def render(factors: Float[Tensor, "n factors"]) -> UInt8[Tensor, "n 3 64 64"]:
    """The picture of each row of factors, RGB, 0 to 255: a function of that row alone.

    Columns are those of FACTORS, each in [0, 1]. Raises ValueError for another number of columns or a value outside.
    """
    if factors.shape[1] != len(FACTORS):
        raise ValueError(f"{factors.shape[1]} factors are not possible: must be {len(FACTORS)}: {', '.join(FACTORS)}")
    for row, column in (~((factors >= 0) & (factors <= 1))).nonzero()[:1].tolist():  # a NaN is outside too
        value = factors[row, column].item()
        raise ValueError(f"{FACTORS[column]}={value:g} in row {row} is not possible: must be in [0, 1]")
    images = torch.empty(len(factors), 3, SIDE, SIDE, dtype=torch.uint8)
    for image, chunk in zip(images.split(CHUNK), factors.float().cpu().split(CHUNK), strict=True):
        image.copy_(_paint(chunk, SIDE).round_())
    return images


def _paint(factors, side):
    """The pictures in floats, shape [n, 3, side, side]; side is a multiple of 64."""
    background, skin, hair_colour, length, width, distance, gaze, turn, smile, glasses = factors.T[..., None, None]
    skin, hair = _blend(SKIN, skin), _blend(HAIR, hair_colour)
    shade, lips, brow = skin * skin.new_tensor([0.88, 0.8, 0.78]), skin.lerp(LIPS, 0.75), hair * 0.75
    background = _blend(BACKGROUND, background)
    image = background[..., None, None].repeat(1, 1, side, side)
    scale = side // SIDE

    def paint(colour, window, shape, opacity=1.0):
        rows, columns = _window(scale, *window)
        y = (torch.arange(rows.start, rows.stop)[:, None] + 0.5) / scale
        x = (torch.arange(columns.start, columns.stop) + 0.5) / scale
        cover = (0.5 - scale * shape(x, y)).clamp_(0, 1) * opacity
        image[:, :, rows, columns].lerp_(colour[..., None, None], cover[:, None])

    half = 15 + 4 * width  # of the face
    eye = 6.4 + 1.8 * distance  # from the middle of the eyes
    turn, gaze, bend = 2 * turn - 1, 3.4 * gaze - 1.7, 7 * smile - 3.5
    middle = 32 + 2.6 * turn  # of the eyes

    def both(x):  # eyes, brows or lenses at once
        return (x - middle).abs() - eye

    def cap(x, y):
        return _ellipse(x - 32, y - 28, half + 2.5, 20.5)

    def locks(x, y):
        flare = 1 + 0.004 * length * (y - 30)
        return _box((x - 32) / flare, y - 31 - 10 * length, half + 2, 7 + 10 * length, 5 + 2 * length)

    def hairline(x, y):
        u = x - 38.5 - 1.5 * turn  # from the parting
        bow = torch.where(u < 0, 0.022, 0.07)
        return (y - 18 - bow * u * u) / (1 + (2 * bow * u).square()).sqrt()

    def face(x, y):
        return _ellipse((x - 32) * (1 + 0.006 * (y - 33)), y - 33, half, 18)

    def white(x, y):
        return _ellipse(both(x), y - 33, 4, 3.2)

    def in_eye(x, y, radius):
        return torch.maximum(white(x, y), _ellipse(both(x) * (x - middle).sign() - gaze, y - 33, radius, radius))

    def lens(x, y):
        return _ellipse(both(x), y - 33, 5.5, 5.2)

    def frame(x, y):
        bar = _box(x - 32, y - 32, half - 0.3, 0.5, 0)  # bridge and temples in one
        return torch.minimum(lens(x, y).abs() - 0.55, torch.maximum(bar, -lens(x, y)))

    paint(background.lerp(WHITE, 0.35), (3, 4, 61, 62), lambda x, y: _ellipse(x - 32, y - 33, 28, 28)[None])
    paint(SHIRT, (4, 53, 60, 64), lambda x, y: _ellipse(x - 32, y - 68, 26, 14)[None])
    paint(hair * 0.8, (9, 6, 55, 50), cap)
    paint(hair * 0.8, (7, 23, 57, 60), locks)
    paint(shade, (25, 44, 39, 61), lambda x, y: _box(x - 32, y - 50, 6, 9, 6)[None])
    paint(skin.lerp(shade, 0.5), (9, 29, 55, 39), lambda x, y: _ellipse((x - 32).abs() - half, y - 34, 2.6, 3.8))
    paint(skin, (12, 14, 52, 52), face)
    paint(shade, (12, 14, 52, 40), lambda x, y: torch.maximum(face(x, y), hairline(x, y - 1.3)), 0.7)
    paint(BLUSH, (15, 37, 49, 44), lambda x, y: _ellipse((x - middle).abs() - 0.53 * half, y - 40.6, 3, 2.1), 0.25)
    paint(shade, (24, 35, 40, 42), lambda x, y: _stroke(x - 32 - 4.2 * turn, y - 38.4, 1.9, 1.6, 0.8))
    paint(lips, (23, 39, 41, 50), lambda x, y: _stroke(x - 32 - 3 * turn, y - 44.4, 5, bend, 0.95))
    paint(WHITE, (16, 29, 48, 37), white)
    paint(IRIS, (16, 29, 48, 37), lambda x, y: in_eye(x, y, 2.6))
    paint(INK, (16, 29, 48, 37), lambda x, y: in_eye(x, y, 1.45))
    paint(WHITE, (16, 29, 48, 37), lambda x, y: in_eye(x - 0.8, y + 1, 0.7))
    paint(INK, (16, 28, 48, 34), lambda x, y: _stroke(both(x), y - 30.9, 4.1, -2.2, 0.55))
    paint(hair, (9, 6, 55, 44), lambda x, y: torch.maximum(cap(x, y), hairline(x, y)))
    paint(WHITE, (17, 9, 45, 16), lambda x, y: _stroke(x - 28, y - 12.7, 7, -2.6, 1)[None], 0.13)
    paint(brow, (16, 24, 48, 30), lambda x, y: _stroke(both(x), y - 26.6, 3.5, -1.3, 0.8))
    paint(WHITE, (15, 27, 49, 39), lens, 0.1 * glasses)
    paint(INK, (13, 26, 51, 40), frame, glasses)
    return image


def _window(scale, left, top, right, bottom):
    return slice(top * scale, bottom * scale), slice(left * scale, right * scale)


def _blend(palette, position):
    """The colours of a palette at positions 0 to 1, shape [n, 3]."""
    position = position[:, 0] * (len(palette) - 1)
    start = position.long().clamp(max=len(palette) - 2)
    return palette[start[:, 0]].lerp(palette[start[:, 0] + 1], position - start)


# Signed distances, in pixels and to first order near the edge: negative inside.


def _ellipse(x, y, a, b):
    u, v = x / a, y / b
    k = (u * u + v * v + 1e-9).sqrt()
    return k * (k - 1) / ((u / a).square() + (v / b).square() + 1e-9).sqrt()


def _box(x, y, a, b, radius):
    u, v = x.abs() - a + radius, y.abs() - b + radius
    return (u.clamp(min=0).square() + v.clamp(min=0).square()).sqrt() + torch.maximum(u, v).clamp(max=0) - radius


def _stroke(x, y, a, bend, thick):
    """A line from -a to a whose middle hangs `bend` lower than its ends."""
    u = x.clamp(-a, a)
    slope = -2 * bend * u / a**2
    v = (y - bend * (0.5 - (u / a) ** 2)) / (1 + slope * slope).sqrt()
    return ((x - u).square() + v.square()).sqrt() - thick
