"""VIMAE-n under one convention beside another model under another: paired, shared where runs are, counted in words."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from vimae_core.chapters import pairings as chapter
from vimae_core.reference import REFERENCE
from vimae_core.report.paper import paper_values
from vimae_core.report.results import Results, reference_results
from vimae_core.report.statistics import Mean

SEEDS = range(10, 15)
NONE = Results("reference", "n", "reference", [], pd.DataFrame())


@pytest.fixture
def made_up(monkeypatch):
    """Accuracies of two draws by model and convention: VIMAE-n's 95, a VAE's and a beta-VAE's by convention."""
    of = {"wae": 60.0, "bernoulli": 80.0, "gaussian": 95.0}
    monkeypatch.setattr(chapter, "table_1", lambda results, convention: convention)

    def accuracies(convention, model, condition):
        if convention not in of:
            return {seed: [1.0, 1.0] for seed in (10, 11)}  # not all seeds yet
        value = 95.0 if model == "VIMAE-n" else of[convention]
        return {seed: [value + 0.1 * (seed - 12) * (model == "VIMAE-n"), value] for seed in SEEDS}

    monkeypatch.setattr(chapter, "accuracies", accuracies)


def test_a_vae_has_the_same_runs_where_there_is_nothing_to_constrain():
    """Its conventions share a name; VIMAE-n's do not."""
    assert chapter.shared("VAE")["constrained"] == chapter.shared("VAE")["bernoulli"] == "constrained, bernoulli"
    assert chapter.shared("VIMAE-n")["bernoulli"] == "bernoulli" and chapter.shared("beta-VAE")["wae"] == "wae"


def test_pairs_have_all_seeds_and_their_interval(made_up):
    """95 less each convention's, by seed and draw; a convention without all of its seeds has no pairing."""
    found = chapter.pairings(NONE, "VAE", "clean")
    assert {a for a, _ in found} == {"wae", "bernoulli", "gaussian"}
    assert {b for _, b in found} == {"wae", "constrained, bernoulli", "gaussian"}
    mean = found["gaussian", "constrained, bernoulli"]
    by_seed = np.array([0.05 * (seed - 12) + 15 for seed in SEEDS])
    assert mean.value == pytest.approx(15.0) and mean.n == 5
    assert mean.high - mean.value >= stats.t.ppf(0.975, 4) * by_seed.std(ddof=1) / np.sqrt(5) - 1e-9


def test_the_words_count_what_holds_the_papers_differences(made_up, monkeypatch):
    """Framed and counted where the interval holds it; the nearest on clean digits is named."""
    monkeypatch.setattr(chapter, "printed", lambda other, condition: 15.0)
    text = " ".join(chapter.in_words(NONE).split())
    assert (
        "3 of 9 (VAE, clean)" in text
        and "3 of 9 (β-VAE, mask 0.5)" in text
        and "all four of its differences: 3" in text
    )
    assert "Nearest to its 15.0 points" in text and "beside a VAE under `constrained, bernoulli`, with 15.0" in text
    monkeypatch.setattr(chapter, "printed", lambda other, condition: 50.0)
    assert "all four of its differences: none" in " ".join(chapter.in_words(NONE).split())
    monkeypatch.setattr(chapter, "pairings", lambda *_: {})
    assert chapter.in_words(NONE) == ""


def test_a_cell_looks_as_its_interval_lies():
    """Blue above zero, orange below, grey across; a frame where the paper's lies within."""
    looks = [chapter._look(Mean(v, v - 1, v + 1, 5), 3.5) for v in (3.0, -3.0, 0.5)]
    assert [look["facecolor"] for look in looks] == [chapter.COLOURS[s] for s in ("above", "below", "holds zero")]
    assert [look["linewidth"] > 0 for look in looks] == [True, False, False]
    assert chapter._look(None, 3.5)["facecolor"] == "white"


def test_a_pairing_from_the_files():
    """VIMAE-n and VAE under `wae`, five seeds by ten draws, read from the records by hand."""
    found = chapter.pairings(reference_results("conventions", None)["digits"], "VAE", "mask 0.5")["wae", "wae"]
    read = {}
    for path in REFERENCE.glob("*/config.json"):
        c = json.loads(path.read_text())
        bundle = {"likelihood": "wae", "pretraining": 1000, "kernel": "imq", "latent_dim": 8}
        wae = all(c.get(name) == value for name, value in bundle.items()) and c["schedule"] != "wae"  # wae-code's
        if wae and c["prior"] == "normal" and c["method"] in ("vae", "vimae") and c["seed"] in SEEDS:
            record = json.loads(path.with_name("record.json").read_text())["probes"]
            read[c["method"], c["seed"]] = record["accuracy"]["test"]["mask 0.5"]["tsvm"]
    by_hand = np.array([np.subtract(read["vimae", s], read["vae", s]) for s in SEEDS])
    assert found.value == pytest.approx(by_hand.mean(), rel=1e-9)
    table = paper_values()["table_1"]
    at = table["conditions"].index("mask 0.5")
    assert chapter.printed("VAE", "mask 0.5") == pytest.approx(table["VIMAE-n"][at] - table["VAE"][at])
