"""The page of lambda, live: its numbers are the records', and its sentences say what they show."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.path import Path as Outline
from scipy import stats
from sphinx.application import Sphinx

from tests.conftest import ROOT
from tests.live import places, unwrapped
from vimae_core.config import paper_model
from vimae_core.datasets import load_dataset
from vimae_core.priors import make_prior
from vimae_core.reference import find_reference
from vimae_core.report import live_lambda
from vimae_core.report.live_lambda import CONVENTION, COSTS, Point, drawn_configs, read_paths, rings, script
from vimae_core.report.live_lambda_story import rounded, story
from vimae_core.runs import Run
from vimae_core.store import RunError

NAMES = {
    "ae": "AE", "vae": "VAE", "beta-vae": "beta-VAE", "vimae normal": "VIMAE-n", "vimae logistic": "VIMAE-l",
}  # fmt: skip


@pytest.fixture(scope="module")
def paths():
    return read_paths()


@pytest.fixture(scope="module")
def shown(paths):
    """The page's data, read back from its script."""
    return unwrapped(script(paths, load_dataset()))


@pytest.fixture(scope="module")
def files() -> list[tuple[dict, dict]]:
    """Configuration and latent fit of every committed run in two dimensions, from the files alone, seed by seed."""
    found = []
    for path in (ROOT / "results" / "reference").iterdir():
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        if config["latent_dim"] == 2 and config["epochs"] == 15:
            found.append((config, json.loads((path / "record.json").read_text(encoding="utf-8"))["latent_fit"]))
    return sorted(found, key=lambda pair: pair[0]["seed"])


def of(files, point: str, path: str, model: str) -> list[tuple[dict, dict]]:
    """The files of a place of the slider, by what the two registered pages say of it."""

    def there(c: dict) -> bool:
        own = NAMES.get(f"{c['method']} {c['prior']}") or NAMES.get(c["method"])
        first, rises = c["seed"] < 10, c.get("lambda_schedule", "constant")
        if own != model or rises == "constrained":
            return False
        start, arch = c.get("pretraining", 0), c["architecture"]
        if path != CONVENTION:
            cost = {"λ, Bernoulli": "bernoulli", "λ, Gaussian": "gaussian"}.get(path, "wae")
            weight = float(point.replace(",", "").replace("↗ ", ""))
            ramp = ("ramp", False) if "↗" in point else ("constant", True)
            return c["likelihood"] == cost and c["lambda_"] == weight and (rises, first) == ramp and not start
        if first:
            return False
        if point == "constrained":
            vimae = c["method"] == "vimae"
            return c["likelihood"] == "bernoulli" and (rises == "ramp") == vimae
        bundle = {"bernoulli": ("bernoulli", 0, "mlp"), "gaussian": ("gaussian", 0, "mlp"), "wae": ("wae", 1000, "mlp")}
        same = (c["likelihood"], start, arch) == bundle.get(point, ("wae", 1000, "wae-mlp"))
        return same and rises == "constant"

    return [(c, record) for c, record in files if there(c)]


def test_the_numbers_are_those_of_the_record_files(shown, files):
    """Every seed, median and range, the band at q = p, and the word by Student's t, by the files alone."""
    for path, model, point in places(shown):
        records = [record for _, record in of(files, point["label"], path, model)]
        assert len(records) == (3 if path in ("λ, Gaussian", "λ, 0.05 × squared error") else 5), (path, model)
        for measure in ("kl", "rate"):
            values = [record[measure] for record in records]
            if None in values:
                assert values == [None] * 5 and point["label"] == "wae-code"
                assert point[measure] == {"seeds": values, "median": None, "range": [None, None]}
                continue
            *below, middle = sorted(values)[: len(values) // 2 + 1]  # of three or five seeds
            assert point[measure] == {"seeds": values, "median": middle, "range": [below[0], max(values)]}
        kl, rate = ([record[measure] for record in records] for measure in ("kl", "rate"))
        half = stats.t.ppf(0.975, len(kl) - 1) * np.std(kl, ddof=1) / np.sqrt(len(kl))
        low, high = np.mean(kl) - half, np.mean(kl) + half
        fits = "fits" if high <= 0.1 else "does not fit" if low > 0.1 else "undecided"
        assert point["word"] == ("empty" if None not in rate and np.mean(rate) < 1 else fits)
        assert point["band"] == [min(r["kl_null_low"] for r in records), max(r["kl_null_high"] for r in records)]


def test_every_recorded_place_can_be_reached(shown):
    """Four lambdas under each likelihood, then the one that rises; five conventions for each of five models."""
    found = {p["name"]: {m: [q["label"] for q in points] for m, points in p["models"].items()} for p in shown["paths"]}
    four, conventions = ["10", "100", "1,000", "10,000"], ["bernoulli", "gaussian", "wae", "wae-code", "constrained"]
    assert found == {
        "λ, Bernoulli": {"VIMAE-n": [*four, "↗ 1,000"], "VIMAE-l": [*four, "↗ 1,000"]},
        "λ, Gaussian": {"VIMAE-n": four},
        "λ, 0.05 × squared error": {"VIMAE-n": four},
        "the convention": dict.fromkeys(["AE", "VAE", "beta-VAE", "VIMAE-n", "VIMAE-l"], conventions),
    }
    assert shown["models"] == list(found["the convention"])


def test_a_record_that_is_missing_is_named(monkeypatch):
    """The folder, the model, the place and the seed."""
    gone = drawn_configs()[1]
    monkeypatch.setattr(live_lambda, "find_reference", lambda c: None if c == gone else find_reference(c))
    with pytest.raises(
        RunError, match=r"results/reference/\w{16} holds no record of VIMAE-n, λ = 100 .*seed 0\. Restore"
    ):
        read_paths()


@pytest.mark.parametrize("name", ["normal", "logistic"])
def test_the_rings_hold_their_part_of_the_prior(name):
    """50, 90 and 99 % of other draws lie within; a normal prior's are circles of the radius that theory gives."""
    prior, found = make_prior(name, 2), rings(make_prior(name, 2))
    draws = prior.sample(200_000, torch.Generator().manual_seed(1)).numpy()
    inside = [Outline(ring).contains_points(draws).mean() for ring in found]
    assert np.allclose(inside, [0.5, 0.9, 0.99], atol=0.006)
    if name == "normal":
        assert np.allclose([np.hypot(*ring[5]) for ring in found], np.sqrt(-2 * np.log([0.5, 0.1, 0.01])), rtol=0.02)


def invented(label: str, kl: list[float], rate: list[float]) -> Point:
    """A point whose numbers are a test's, kept where a run has its losses."""
    weight = 1.0 if label.isalpha() else float(label.replace(",", "").replace("↗ ", ""))
    config = paper_model("VIMAE-n", lambda_=weight)
    runs = [Run(config, Path(), {"kl": a, "rate": b}, {}) for a, b in zip(kl, rate, strict=True)]
    return Point(label, label, runs)


def test_the_story_follows_its_numbers(monkeypatch):
    """Other records, other words: what gets worse is not said to get better, and a broken ramp is counted."""
    monkeypatch.setattr(live_lambda, "reference_record", lambda run: run.history)
    steps = [("10", [1.0, 2.0], [9.0, 9.5]), ("100", [3.0, 1.5], [8.0, 8.0]), ("1,000", [0.5, 0.0], [7.0, 0.2]),
             ("↗ 1,000", [0.1, 5.0], [6.0, 0.5])]  # fmt: skip
    vae = [invented(c, [0.3], [rate]) for c, rate in (("bernoulli", 6.0), ("wae", 2.0))]
    told = story({COSTS["bernoulli"]: {"VIMAE-n": [invented(*s) for s in steps]}, CONVENTION: {"VAE": vae}})
    assert told[0].startswith("**No larger λ brings the codes nearer") and "1.00–2.00 nats" in told[0]
    assert "1.50–3.00 nats, and 1 of 2 end farther" in told[1]
    assert told[2].startswith("**At λ = 1,000 the code of 1 of 2 seeds is empty") and "0.20–7.00" in told[2]
    assert told[2].endswith("The divergence is 0.00–0.50 nats.")  # not small for being empty
    assert "1 of 2 seeds keep a code" in told[3] and "0 of 2 lie nearer" in told[3] and "0.10–5.00" in told[3]
    assert "6.00 nats under `bernoulli` and 2.00 under `wae`" in told[4]


DIGITS = [(2709.89, "2,710"), (999.6, "1,000"), (104.4, "104"), (31.44, "31.4"), (9.996, "10.0"), (9.99, "9.99"),
          (0.0462, "0.05"), (-0.004, "0.00"), (-0.02, "−0.02"), (np.inf, "∞")]  # fmt: skip


@pytest.mark.parametrize(("nats", "told"), DIGITS)
def test_a_number_has_three_digits_at_most(nats, told):
    """And none finer than a hundredth; a minus, no hyphen; no sign before what rounds to zero."""
    assert rounded(nats) == told


def test_the_story_of_the_records(paths, files):
    """Its spans are the files' smallest and largest, and no number in it has more than three significant digits."""
    told = " ".join(story(paths))
    for label in ("10", "100", "1,000", "10,000", "↗ 1,000"):
        kl = [record["kl"] for _, record in of(files, label, "λ, Bernoulli", "VIMAE-n")]
        assert f"{rounded(min(kl))}–{rounded(max(kl))}" in told
    numbers = [number.replace(",", "") for number in re.findall(r"\d[\d,.]*\d", told)]
    assert len(numbers) > 15 and all(float(n) == float(f"{float(n):.3g}") for n in numbers)


def test_a_build_says_what_is_missing(tmp_path, monkeypatch):
    """A record that is not there is an error of the page, in the words of the package."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "book" / "_ext"), *sys.path])
    (tmp_path / "conf.py").write_text("extensions = ['live_lambda']\n", encoding="utf-8")
    (tmp_path / "index.rst").write_text("Page\n====\n\n.. live_lambda::\n", encoding="utf-8")

    def gone():
        raise RunError("results/reference/0123 holds no record")

    monkeypatch.setattr(live_lambda, "read_paths", gone)
    with open(tmp_path / "warnings", "w+", encoding="utf-8") as warnings:
        folders = (tmp_path, tmp_path, tmp_path / "out", tmp_path / "trees")
        Sphinx(*map(str, folders), "html", status=None, warning=warnings).build()
        warnings.seek(0)
        assert "results/reference/0123 holds no record" in warnings.read()
