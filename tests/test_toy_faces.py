"""The toy faces: pictures of the factors alone, each factor where it belongs, and edges without steps."""

import itertools

import pytest
import torch
from scipy import stats
from torch.nn.functional import avg_pool2d

from vimae_core import toy_faces
from vimae_core.toy_faces import CHUNK, FACTORS, draw_factors, render

CORNERS = torch.tensor(list(itertools.product((0.0, 1.0), repeat=len(FACTORS))))
# Left, top, right, bottom of all that a factor may change, whatever the others.
WHERE = {
    "background": (0, 0, 64, 64),
    "skin": (9, 14, 55, 62),
    "hair_colour": (7, 6, 57, 60),
    "hair_length": (7, 24, 57, 60),
    "face_width": (7, 6, 57, 60),
    "eye_distance": (14, 24, 50, 40),
    "gaze": (16, 29, 48, 37),
    "turn": (9, 14, 55, 50),
    "mouth": (23, 39, 41, 50),
    "glasses": (12, 26, 52, 40),
}


def swept(name, values, n=40, **fixed):
    """The same faces at several values of one factor, [values, n, 3, 64, 64]."""
    factors = draw_factors(n, seed=7).repeat(len(values), 1, 1)
    for other, value in fixed.items():
        factors[..., FACTORS.index(other)] = value
    factors[..., FACTORS.index(name)] = torch.tensor(values)[:, None]
    return render(factors.flatten(0, 1)).unflatten(0, (len(values), n)).int()


def test_a_face_depends_on_its_own_factors_only():
    """Bit for bit the same again, alone, in another place of the batch and across the border of a chunk."""
    factors = draw_factors(CHUNK + 3, seed=1)
    faces = render(factors)
    assert faces.shape == (CHUNK + 3, 3, 64, 64) and faces.dtype == torch.uint8
    assert torch.equal(faces, render(factors))
    assert torch.equal(faces, torch.cat([render(row[None]) for row in factors]))
    assert torch.equal(faces.flip(0), render(factors.flip(0)))
    assert torch.equal(faces, render(factors.double()))
    assert len(faces.flatten(1).unique(dim=0)) == len(faces)
    assert render(factors[:0]).shape == (0, 3, 64, 64)


@pytest.mark.parametrize("name", FACTORS)
def test_a_factor_changes_every_face_and_only_where_it_may(name):
    """From 0 to 1 many pixels change by more than 10 grey levels, none outside the factor's part of the picture."""
    low, high = swept(name, [0.0, 1.0])
    change = (high - low).abs().amax(1)
    assert ((change > 10).sum((1, 2)) > 25).all()
    left, top, right, bottom = WHERE[name]
    change[:, top:bottom, left:right] = 0
    assert not change.any()


@pytest.mark.parametrize("name", [name for name in FACTORS if name != "glasses"])
def test_a_factor_is_felt_along_its_whole_range(name):
    """Every step of a fifth changes every face."""
    faces = swept(name, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ((faces.diff(dim=0).abs() > 3).any(2).sum((2, 3)) > 5).all()


def test_the_background_leaves_the_person_alone():
    """Head, hair, neck and shirt have the same pixels before every background, the corners of the picture have not."""
    low, high = swept("background", [0.0, 1.0])
    change = (high - low).abs().amax(1)
    assert not change[:, 14:46, 23:41].any() and not change[:, 58:, 16:48].any()
    assert (change[:, :4] > 10).all()


def test_gaze_and_turn_go_to_the_right():
    """The dark of the eyes and of the mouth moves to the right as the factor grows."""

    def centre(faces, top, bottom):
        ink = 255.0 - faces[:, :, :, top:bottom, 16:48].float().mean(2)
        change = ink - ink.amin(0)
        return (change * torch.arange(16, 48)).sum((2, 3)) / change.sum((2, 3))

    assert (centre(swept("gaze", [0.0, 1.0], glasses=0.0), 31, 36).diff(dim=0) > 1).all()
    assert (centre(swept("turn", [0.0, 1.0], mouth=0.5, skin=0.0), 43, 47).diff(dim=0) > 2).all()


def test_a_smile_has_its_ends_up():
    """The mouth's row at its ends less that in its middle, in pixels: falls from a frown to a smile."""
    base = swept("mouth", [0.0, 0.5, 1.0], skin=0.0, turn=0.5)
    dark = 255.0 - base[:, :, 1, 39:50].float()  # lips are dark in green
    row = dark.clamp(min=100).sub(100).transpose(2, 3) @ torch.arange(11.0) / dark.clamp(min=100).sub(100).sum(2)
    bend = row[..., [27, 36]].mean(-1) - row[..., [31, 32]].mean(-1)
    assert (bend[0] > 1.5).all() and (bend[1].abs() < 0.3).all() and (bend[2] < -1.5).all()


def test_skin_goes_from_light_to_dark():
    """The chin darkens with every step."""
    chin = swept("skin", [0.0, 0.25, 0.5, 0.75, 1.0])[..., 48:50, 31:33].float().mean((2, 3, 4))
    assert (chin.diff(dim=0) < -10).all()


def test_factors_are_uniform_and_independent():
    """Each factor against the uniform distribution, the glasses against a coin, and each pair's correlation."""
    n = 20_000
    factors = draw_factors(n, seed=5)
    assert factors.shape == (n, 10) and factors.dtype == torch.float32
    *continuous, glasses = factors.T.numpy()
    assert min(stats.kstest(column, "uniform").pvalue for column in continuous) > 1e-3
    assert set(glasses) == {0, 1} and stats.binomtest(int(glasses.sum()), n).pvalue > 1e-3
    correlation = torch.corrcoef(factors.T) - torch.eye(10)
    assert correlation.abs().max() < 4.5 / n**0.5


def test_the_seed_determines_the_factors():
    """The same seed, the same faces, in a longer draw too; another seed, others."""
    assert torch.equal(draw_factors(50, seed=1), draw_factors(50, seed=1))
    assert torch.equal(draw_factors(50, seed=1)[:7], draw_factors(7, seed=1))
    assert not torch.equal(draw_factors(50, seed=1)[:, :9], draw_factors(50, seed=2)[:, :9])


def test_edges_are_anti_aliased():
    """A face is the mean of the same face painted at four times the side, to a grey level or two on average."""
    factors = draw_factors(24, seed=3)
    fine = avg_pool2d(toy_faces._paint(factors, 256), 4)
    error = (toy_faces._paint(factors, 64) - fine).abs()
    assert error.mean() < 1 and error.flatten(1).mean(1).max() < 1.5
    stepped = toy_faces._paint(factors, 256)[:, :, 2::4, 2::4]  # one sample a pixel: what hard edges would cost
    assert error.mean() < 0.4 * (stepped - fine).abs().mean()


def test_what_moves_moves_smoothly():
    """A hundredth of a factor changes no pixel by more than a quarter of the range: no edge jumps to the next pixel."""
    for name in ("hair_length", "face_width", "eye_distance", "gaze", "turn", "mouth"):
        steps = swept(name, torch.linspace(0, 1, 101).tolist(), n=2).diff(dim=0).abs()
        assert 0 < steps.max() < 64, name


def test_no_window_cuts_its_shape(monkeypatch):
    """With every shape painted in the whole picture the faces at all ends of all factors are the same."""
    faces = render(CORNERS)
    monkeypatch.setattr(toy_faces, "_window", lambda scale, *window: (slice(0, 64 * scale), slice(0, 64 * scale)))
    assert (render(CORNERS).int() - faces.int()).abs().max() <= 1


@pytest.mark.parametrize("value", [-0.01, 1.5, float("nan"), float("inf")])
def test_a_factor_outside_its_range_is_refused(value):
    """By name, value and row, with what is possible."""
    factors = draw_factors(5)
    factors[3, FACTORS.index("gaze")] = value
    with pytest.raises(ValueError, match=rf"gaze={value:g} in row 3 is not possible: must be in \[0, 1\]"):
        render(factors)


@pytest.mark.parametrize("columns", [0, 9, 11])
def test_another_number_of_factors_is_refused(columns):
    """By number, with the names of those that are meant."""
    with pytest.raises(ValueError, match=f"{columns} factors are not possible: must be 10: background, skin, "):
        render(torch.full((2, columns), 0.5))
