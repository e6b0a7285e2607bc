"""Effects by scale: what is compared, and the plane that goes beyond what was run."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import ROOT
from vimae_core.chapters.scale import DISTANCE, PAIRS, beyond, effects, model_table, scale_figure, scale_table, sizes
from vimae_core.config import paper_model
from vimae_core.report.results import Results
from vimae_core.runs import Run

SIZES = [(0.0625, 6), (0.125, 6), (0.25, 6), (0.125, 12), (0.125, 24)]


def example(effect, seeds=(10, 11, 12)) -> Results:
    """VIMAE-n is better than the VAE by what `effect` says of a size; the others are the VAE's equals."""
    runs, rows, rng = [], [], np.random.default_rng(0)
    for width, epochs in SIZES:
        for model in ("VAE", "beta-VAE", "VIMAE-n", "VIMAE-l"):
            for seed in seeds:
                by = effect(width, epochs) if model == "VIMAE-n" else 0.0
                conditions = {c: {"tsvm": (90 + by + 0.1 * rng.normal(size=3)).tolist()} for _, _, c in PAIRS}
                runs.append(Run(paper_model(model, seed=seed, width=width, epochs=epochs), ROOT, {}, {}))
                fit = {"prior_frechet": 50 - by, "kl": width, "rate": 7.0, "reconstruction_error": float(epochs)}
                rows.append({"model": model, "seed": seed, "accuracy": {"test": conditions}, **fit})
    return Results("reference", "n", "reference", runs, pd.DataFrame(rows))


def test_effects_stand_by_size():
    """Every comparison at every size: seeds by draws, and what was put in comes out."""
    found = effects(example(lambda w, e: 8 * w))
    assert set(found) == {f"{a} − {b}, {c}" for a, b, c in PAIRS} | {DISTANCE}
    for of in found.values():
        assert sorted(of) == sorted(SIZES) and {v.shape[0] for v in of.values()} == {3}
    assert found[DISTANCE][0.25, 6].ravel().tolist() == pytest.approx([2.0] * 3)
    assert found["VIMAE-n − VAE, clean"][0.25, 6].mean() == pytest.approx(2.0, abs=0.2)


def test_a_plane_goes_on_as_a_plane():
    """log2 of width and epochs with noise: mean and band are those of the normal equations, and hold the truth."""
    rng = np.random.default_rng(1)
    truth = lambda w, e: 1 + 0.5 * np.log2(w) - 0.25 * np.log2(e)  # noqa: E731
    by_size = {s: truth(*s) + 0.1 * rng.normal(size=(4, 2)) for s in SIZES}
    found = beyond(by_size)
    y = np.concatenate([v.mean(1) for v in by_size.values()])
    x = np.repeat([[1, np.log2(w), np.log2(e)] for w, e in by_size], 4, axis=0)
    b = np.linalg.solve(x.T @ x, x.T @ y)
    at = np.array([1, 0, np.log2(100)])
    s2 = np.square(y - x @ b).sum() / (len(y) - 3)
    half = stats.t.ppf(0.975, len(y) - 3) * np.sqrt(s2 * at @ np.linalg.solve(x.T @ x, at))
    assert (found.value, found.low, found.high) == pytest.approx((at @ b, at @ b - half, at @ b + half))
    assert found.low < truth(1, 100) < found.high


def test_what_could_turn_is_what_changes_its_sign():
    """An effect that grows stays; one that shrinks to nothing could turn; one axis alone goes on along it."""
    rng = np.random.default_rng(2)
    noise = lambda: 0.05 * rng.normal(size=(3, 1))  # noqa: E731
    assert not beyond({(w, 6): 2 + w + noise() for w in (0.0625, 0.125, 0.25)}).could_turn
    assert beyond({(w, 6): -np.log2(w) - 1.2 + noise() for w in (0.0625, 0.125, 0.25)}).could_turn
    assert beyond({(0.125, 6): noise()[:1]}) is None


def test_the_table_and_the_figure_hold_every_size():
    """A column a size in order, and two panels a comparison."""
    results = example(lambda w, e: 1.0)
    table = scale_table(results)
    assert list(table.columns) == [*(f"{w:g} × {e}" for w, e in sizes(results)), "paper's scale", "could turn"]
    assert table.loc["VIMAE-n − VAE, clean", "could turn"] == "no"
    assert table.loc["β-VAE − VAE, clean", "0.25 × 6"].startswith(("0.", "-0."))
    assert len(scale_figure(effects(results)).axes) == 2 * len(table)


def test_a_model_that_was_run_alone_has_a_row_and_no_comparison():
    """One training at the paper's width stands in the model's own table, without interval, and in no other."""
    results = example(lambda w, e: 1.0)
    wide = Run(paper_model("VIMAE-n", seed=10, width=1.0, epochs=6), ROOT, {}, {})
    row = results.table.query("model == 'VIMAE-n'").iloc[:1].assign(kl=2.25)
    both = Results("reference", "n", "reference", [*results.runs, wide], pd.concat([results.table, row]))
    table = model_table(both, "VIMAE-n")
    assert table.index.tolist() == [f"{w:g} × {e}" for w, e in sizes(both)] and sizes(both)[-1] == (1.0, 6)
    assert table.loc["1 × 6", "seeds"] == 1 and table.loc["1 × 6", "KL"] == "2.25"
    assert table.loc["0.25 × 6", "KL"] == "0.25 ± 0.00" and table.loc["0.125 × 24", "squared error"] == "24.0 ± 0.0"
    assert abs(float(table.loc["0.25 × 6", "clean"].split(" ± ")[0]) - 91) < 0.3
    assert scale_table(both).equals(scale_table(results))
