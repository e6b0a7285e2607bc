"""Effects by scale: what is compared, and the plane that goes beyond what was run."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import ROOT
from vimae_core.chapters.scale import (
    DISTANCE,
    PAIRS,
    TURNING,
    beyond,
    effects,
    farthest,
    foretold,
    foretold_table,
    grown,
    in_words,
    model_table,
    scale_figure,
    scale_table,
    show_scale,
    sizes,
    turning,
    with_width,
)
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


def made_up(rng, plane, sizes=SIZES, seeds=3, draws=10, of_seed=0.3, of_draw=0.2, of_rest=0.1):
    """A difference at each size: a plane, what a training does to it, what a draw does to all, and what both do."""
    by_draw = of_draw * rng.normal(size=draws)
    noise = lambda: of_seed * rng.normal(size=(seeds, 1)) + of_rest * rng.normal(size=(seeds, draws))  # noqa: E731
    return {s: plane(*s) + by_draw + noise() for s in sizes}


def plane(w, e):
    return 1 + 0.5 * np.log2(w) - 0.25 * np.log2(e)


def test_a_plane_goes_on_as_a_plane():
    """log2 of width and epochs with noise, one draw: mean and band are those of the normal equations."""
    by_size = made_up(np.random.default_rng(1), plane, draws=1)
    found = beyond(by_size)
    y = np.concatenate([v.mean(1) for v in by_size.values()])
    x = np.repeat([[1, np.log2(w), np.log2(e)] for w, e in by_size], 3, axis=0)
    b = np.linalg.solve(x.T @ x, x.T @ y)
    at = np.array([1, 0, np.log2(100)])
    s2 = np.square(y - x @ b).sum() / (len(y) - 3)
    half = stats.t.ppf(0.975, len(y) - 3) * np.sqrt(s2 * at @ np.linalg.solve(x.T @ x, at))
    assert tuple(found[:3]) == pytest.approx((at @ b, at @ b - half, at @ b + half))


def test_the_bands_hold_the_truth_as_often_as_they_say():
    """Draws of labels move all sizes together; the band holds a plane's value beyond, and one foretold what is found.

    Of 400 made-up experiments, 95 % are 380 with a standard deviation of 4.4.
    """
    rng, held = np.random.default_rng(3), np.zeros(2)
    for _ in range(400):
        by_size = made_up(rng, plane)
        there, told = beyond(by_size), foretold(by_size, (0.125, 24), 1)
        held += there.low < plane(1, 100) < there.high, told.low < by_size[0.125, 24].mean() < told.high
    assert (held >= 364).all() and (held <= 396).all()


def test_draws_alone_leave_a_band():
    """Seeds that agree to the last digit say nothing of other draws: the band is that of the draws."""
    by_size = made_up(np.random.default_rng(4), plane, of_seed=0, of_rest=0)
    found, draws = beyond(by_size), by_size[0.125, 6][0] - plane(0.125, 6)
    half = stats.t.ppf(0.975, 9) * draws.std(ddof=1) / np.sqrt(10)
    assert tuple(found[:3]) == pytest.approx(plane(1, 100) + draws.mean() + np.array([0, -half, half]))


def test_what_is_foretold_knows_smaller_sizes_alone():
    """At the widest and at the longest trained, by what is less wide or less trained: a bend shows."""
    rng = np.random.default_rng(5)
    by_size = made_up(rng, plane, [*SIZES, (0.0625, 24), (0.5, 6)], of_seed=0.01, of_draw=0, of_rest=0)
    assert farthest({"a": by_size}) == ((0.5, 6), (0.125, 24))
    for axis, size in enumerate(farthest({"a": by_size})):
        other = {**by_size, size: by_size[size] + 3}
        assert foretold(other, size, axis)[:2] == pytest.approx(foretold(by_size, size, axis)[:2])
        told = foretold(other, size, axis)
        assert not told.low <= other[size].mean() <= told.high
    without = {**by_size, (0.0625, 24): by_size[0.0625, 24] + 9}
    assert foretold(without, (0.125, 24), 1) == foretold(by_size, (0.125, 24), 1)  # as long trained: it is not asked
    assert foretold({s: by_size[s] for s in ((0.0625, 6), (0.125, 6), (0.125, 24))}, (0.125, 24), 1) is None


def test_what_could_turn_is_what_changes_its_sign():
    """An effect that grows stays; one that shrinks could turn, or turns; none at the largest size is open."""
    rng = np.random.default_rng(2)
    noise = lambda: 0.05 * rng.normal(size=(3, 1))  # noqa: E731
    widths = (0.0625, 0.125, 0.25)
    assert turning({(w, 6): 2 + w + noise() for w in widths}) == "stays"
    assert turning({(w, 6): -np.log2(w) + noise() for w in widths}) == "could turn"
    assert turning({(w, 6): -np.log2(w) - 1.5 + noise() for w in widths}) == "turns"
    assert turning({(w, 6): noise() - noise() for w in widths}) == "open"
    assert beyond({(0.125, 6): noise()}) is None and turning({(0.125, 6): 9 + noise()}) == "too few runs"
    assert turning({(w, 6): 9 + noise()[:1] for w in widths}) == "too few runs"  # one seed has no word
    assert beyond({(0.125, 6): noise(), (0.25, 12): noise()}) is None  # both axes moved at once: no plane


def test_the_table_and_the_figure_hold_every_size():
    """A column a size in order, and two panels a comparison."""
    results = example(lambda w, e: 1.0)
    table = scale_table(results)
    assert list(table.columns) == [*(f"{w:g} × {e}" for w, e in sizes(results)), "paper's scale", "there"]
    assert table.loc["VIMAE-n − VAE, clean", "there"] == "stays"
    assert table.loc["β-VAE − VAE, clean", "0.25 × 6"].startswith(("0.", "-0."))
    assert len(scale_figure(effects(results)).axes) == 2 * len(table)
    two = results.among(r.config for r in results.runs if r.config.label in ("VAE", "beta-VAE"))
    assert len(scale_figure(effects(two)).axes) == 2 and list(scale_table(two).index) == ["β-VAE − VAE, clean"]
    one = results.among(r.config for r in two.runs if r.config.width == 0.25 and r.config.seed == 10)
    assert set(scale_table(one)["there"]) == {"too few runs"} and "Not enough sizes" in in_words(one)
    assert foretold_table(one).iloc[0, 0] == "—"  # one size, of one seed


def as_float(printed: str) -> float:
    return float(printed.replace("−", "-"))


def test_the_words_are_the_tables():
    """What stays, what is open, and what was foretold: each comparison once, counted as the tables have it."""
    results = example(lambda w, e: 1.0)
    text, table, told = in_words(results), scale_table(results), foretold_table(results)
    for word, what in TURNING.items():
        n = int((table["there"] == word).sum())
        assert (f"{n} of 6 {what}" in text) == (n > 0)
    assert "β-VAE − VAE, clean" in text and "beta" not in text
    assert list(told.columns) == [f"{s}, {w}" for s in ("0.25 × 6", "0.125 × 24") for w in ("foretold", "found")]
    within = dict.fromkeys(("0.25 × 6", "0.125 × 24"), 0)
    for size in within:
        for band, found in zip(told[f"{size}, foretold"], told[f"{size}, found"], strict=True):
            low, high = (as_float(end) for end in band.split("[")[1].rstrip("]").split(", "))
            within[size] += low - 0.05 <= as_float(found) <= high + 0.05
    assert f"{within['0.25 × 6']} of 6 of those found at width 0.25 and 6 epochs" in text
    assert f"{within['0.125 × 24']} of 6 of those found at width 0.125 and 24 epochs" in text


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
    only = Results("reference", "n", "reference", [wide], row)
    assert scale_table(only).empty and foretold_table(only).empty  # nothing to compare, and no figure of nothing
    assert show_scale(only, "fig-none") is None and "Not enough sizes" in in_words(only)


def test_a_model_by_itself_is_told_from_the_narrowest_to_the_widest():
    """At the fewest epochs, and only where two widths have two seeds each."""
    results = example(lambda w, e: 0.0)
    rng = np.random.default_rng(1)
    kl = results.table["kl"] + 0.01 * rng.normal(size=len(results.table))
    rate = 7 - 8 * results.table["kl"] + 0.01 * rng.normal(size=len(results.table))
    noisy = Results("reference", "n", "reference", results.runs, results.table.assign(kl=kl, rate=rate))
    text = " ".join(with_width(noisy, ("VAE",)).split())
    assert (
        "From width 0.0625 to 0.25, at 6 epochs, in nats (95 %): the divergence from its prior of VAE grows by 0.2 ("
        in text
    )
    assert "the rate of VAE falls by 1.5 (1." in text
    assert with_width(example(lambda w, e: 0.0, seeds=(10,)), ("VAE",)) == ""
    assert with_width(results.among(r.config for r in results.runs if r.config.width == 0.125), ("VAE",)) == ""


def test_what_has_grown_is_welchs():
    """By scipy's own interval of two means, whichever way it lies; one that holds zero is undecided."""
    before, after = [1.0, 2.0, 3.5], [9.0, 12.0, 10.0, 11.5]
    low, high = stats.ttest_ind(after, before, equal_var=False).confidence_interval()
    value = np.mean(after) - np.mean(before)
    assert grown(before, after) == f"grows by {value:.1f} ({low:.1f} to {high:.1f})"
    assert grown(after, before) == f"falls by {value:.1f} ({low:.1f} to {high:.1f})"
    low, high = stats.ttest_ind(before, before[::-1], equal_var=False).confidence_interval()
    assert grown(before, before) == f"changes by 0.0 (−{-low:.1f} to {high:.1f}), which is undecided"
