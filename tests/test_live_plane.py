"""The data of the page "The latent plane, live", unpacked by other means than the page's."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from vimae_core import make_prior, reference
from vimae_core.report import live_plane
from vimae_core.report.live_plane import BEND, WORDS, plane_runs

MODELS = ["ae", "vae", "beta-vae", "vimae-n", "vimae-l"]


def unpacked(text: str, count: int, kind: str) -> list[int]:
    """The numbers of a text, by Python's own whole numbers, a word after the other."""
    word = WORDS[kind]
    alphabet = [chr(c) for c in range(32, 127) if chr(c) not in '"\\']
    numbers = []
    for start in range(0, len(text), word.characters):
        value = sum(alphabet.index(c) * 93**i for i, c in enumerate(text[start : start + word.characters]))
        for _ in range(word.numbers):
            value, number = divmod(value, word.levels)
            numbers.append(number)
    return numbers[:count]


@pytest.mark.parametrize("kind", WORDS)
def test_text_says_its_numbers(kind):
    """Also where the last word is not full; in printable ASCII that no string need escape."""
    numbers = np.random.default_rng(0).integers(0, WORDS[kind].levels, 1001)
    numbers[:2] = 0, WORDS[kind].levels - 1
    text = live_plane.write_text(numbers, WORDS[kind])
    assert unpacked(text, 1001, kind) == numbers.tolist()
    assert text.isascii() and text.isprintable() and not {*text} & {'"', "\\"}
    with pytest.raises(ValueError, match=rf"numbers from 0 to {WORDS[kind].levels} are not possible"):
        live_plane.write_text(np.array([0, WORDS[kind].levels]), WORDS[kind])


@pytest.mark.parametrize("kind", ["fine", "coarse"])
def test_a_layer_stands_for_what_was_rounded(kind):
    """Scales, biases and weights are read from the text alone; no weight is off by more than half its level's step."""
    rng = np.random.default_rng(1)
    weight, bias = rng.standard_t(3, (7, 30)), rng.normal(size=7)
    weight[2] = 0
    written, (rounded, rounded_bias) = live_plane.pack_layer(weight, bias, kind)

    def values(text, count, word):
        half = (WORDS[word].levels - 1) / 2
        return np.array([math.sinh(BEND * (n / half - 1)) / math.sinh(BEND) for n in unpacked(text, count, word)])

    scales = written["scales"][0] * values(written["scales"][1], 7, "fine")
    read = scales[:, None] * values(written["weights"], 210, kind).reshape(7, 30)
    np.testing.assert_allclose(read, rounded, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(written["bias"][0] * values(written["bias"][1], 7, "fine"), rounded_bias, rtol=1e-9)
    largest = np.abs(weight).max(1, keepdims=True)
    step = largest * BEND / math.sinh(BEND) * math.cosh(BEND) / (WORDS[kind].levels // 2)
    assert (np.abs(rounded - weight) <= 0.75 * step + 1e-9).all()
    assert np.abs(rounded - weight).max() > 0
    small = np.abs(weight) < largest / 20
    assert np.abs(rounded - weight)[small].max() < 0.3 * step.max()  # the bend: finer near 0


def test_silent_units_are_left_out():
    """A unit that no input wakes goes with its row and its column; what the network says stays."""
    rng = np.random.default_rng(2)
    layers = [(rng.normal(size=(6, 2)), rng.normal(size=6)), (rng.normal(size=(4, 6)), rng.normal(size=4)),
              (rng.normal(size=(3, 4)), rng.normal(size=3))]  # fmt: skip
    layers[0][1][[1, 4]] = -100
    layers[1][1][2] = -1000
    x = torch.from_numpy(rng.uniform(-1, 1, (500, 2))).float()
    awake = [given.relu().gt(0).any(0).sum().item() for given in live_plane.through(layers, x)[:-1]]
    kept = live_plane.without_silent_units(layers, x)
    assert [weight.shape for weight, _ in kept] == [(awake[0], 2), (awake[1], awake[0]), (3, awake[1])]
    assert awake[0] <= 4 and awake[1] <= 3
    torch.testing.assert_close(live_plane.through(kept, x)[-1], live_plane.through(layers, x)[-1])


def test_digits_come_back_whole():
    """Zeros are counted, also more than 255 of them and across images; every byte returns."""
    images = torch.zeros(4, 1, 28, 28, dtype=torch.uint8)
    images[1, 0, 3:9, 4:7] = torch.randint(1, 256, (6, 3), dtype=torch.uint8)
    images[3, 0, 27, 27] = 255
    written = live_plane.pack_digits(images, torch.tensor([7, 0, 1, 9]))
    told, flat = iter(unpacked(written["pixels"], written["bytes"], "bytes")), []
    for byte in told:
        flat += [byte] if byte else [0] * next(told)
    assert flat == images.flatten().tolist() and written["labels"] == "7019"


def test_contours_of_the_normal_are_where_they_must_be():
    """Outside of a circle lies exp(-r^2 / 2) of a standard normal on the plane."""
    exact = [math.log(1 - mass) - math.log(2 * math.pi) for mass in live_plane.MASS]
    assert live_plane.contour_levels(make_prior("normal", 2)) == pytest.approx(exact, abs=0.05)


def test_a_missing_run_is_named(tmp_path, monkeypatch, capsys):
    """Without committed runs the page is told so, in a file that it can read."""
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "none")
    assert live_plane.write_live_plane(tmp_path / "data") == ["AE", "VAE", "β-VAE", "VIMAE-n", "VIMAE-l"]
    about = read_script(tmp_path / "data" / "about.js")
    assert about["models"] == [] and "β-VAE" in about["missing"]


def test_what_the_page_is_made_of_is_known():
    """Three files of each of the five runs, which the workflow watches; all of one seed."""
    runs, missing = plane_runs()
    assert [run.config.label.lower() for run in runs] == MODELS and missing == []
    assert len({run.config.seed for run in runs}) == 1
    files = live_plane.packed_files()
    assert len(files) == 15 and all(file.is_file() for file in files)


def read_script(path: Path) -> dict:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("livePlane.arrived(") and text.endswith(");\n")
    return json.loads(text[len("livePlane.arrived(") : -3])
