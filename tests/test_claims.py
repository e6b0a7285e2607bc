"""Comparisons over seeds and draws, their correction, and the verdicts on claims 2 to 6."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from vimae_core.chapters.capacity import HEAVY, TABLE_1, accuracies, claim_2, claim_3, rankings, table_1
from vimae_core.chapters.faces import claim_6
from vimae_core.chapters.generation import claim_4, claim_5
from vimae_core.report.claims import comparisons, difference
from vimae_core.report.results import Results
from vimae_core.report.statistics import _crossed, compare_pairs, crossed_mean, holm, two_sided_p

MODELS = ("VAE", "beta-VAE", "VIMAE-n", "VIMAE-l")


def test_one_draw_is_the_t_test():
    """Mean, interval and p are scipy's."""
    values = np.random.default_rng(0).normal(0.5, 1, (6, 1))
    mean, found = crossed_mean(values), compare_pairs({"a": values})["a"]
    wanted = stats.ttest_1samp(values[:, 0], 0)
    assert found.p == pytest.approx(wanted.pvalue)
    assert (mean.low, mean.high) == pytest.approx(tuple(wanted.confidence_interval()))
    assert found.effect == pytest.approx(values.mean() / values.std(ddof=1))


def test_crossed_mean_is_the_analysis_of_variance():
    """Mean squares by loops over cells, and Satterthwaite's degrees of freedom."""
    s, r = 5, 7
    rng = np.random.default_rng(1)
    x = 2 + rng.normal(size=(s, 1)) + rng.normal(size=(1, r)) + 0.5 * rng.normal(size=(s, r))
    m = x.mean()
    ms = r * sum((x[i].mean() - m) ** 2 for i in range(s)) / (s - 1)
    mr = s * sum((x[:, j].mean() - m) ** 2 for j in range(r)) / (r - 1)
    me = sum((x[i, j] - x[i].mean() - x[:, j].mean() + m) ** 2 for i in range(s) for j in range(r)) / (
        (s - 1) * (r - 1)
    )
    total = ms + mr - me
    assert total > max(ms, mr)
    df = total**2 / (ms**2 / (s - 1) + mr**2 / (r - 1) + me**2 / ((s - 1) * (r - 1)))
    half = stats.t.ppf(0.975, df) * np.sqrt(total / (s * r))
    mean = crossed_mean(x)
    assert (mean.value, mean.low, mean.high, mean.n) == pytest.approx((m, m - half, m + half, s))


@pytest.mark.parametrize("size", [(5, 7), (10, 10)])
def test_crossed_mean_is_the_mixed_models(size):
    """Mean and standard error are those of restricted maximum likelihood, seeds and draws crossed in one group."""
    rng = np.random.default_rng(1)
    x = 2 + rng.normal(size=(size[0], 1)) + rng.normal(size=(1, size[1])) + 0.5 * rng.normal(size=size)
    seed, draw = np.indices(size).reshape(2, -1)
    frame = pd.DataFrame({"value": x.ravel(), "seed": seed, "draw": draw, "group": 1})
    components = {"seed": "0 + C(seed)", "draw": "0 + C(draw)"}
    model = MixedLM.from_formula("value ~ 1", frame, groups="group", re_formula="0", vc_formula=components)
    fitted = model.fit(reml=True)
    assert min(*fitted.vcomp, fitted.scale) > 0.1  # at none of the edges, where the two part
    value, error, _ = _crossed(x)
    assert value == pytest.approx(fitted.fe_params["Intercept"], rel=1e-3)
    assert error == pytest.approx(fitted.bse_fe["Intercept"], rel=1e-3)


@pytest.mark.parametrize("level", [0.2, 0.01, 1e-6])
def test_an_interval_of_another_level(level):
    """Of one draw a seed it is scipy's; 0.05 is what is meant where none is given."""
    values = np.random.default_rng(0).normal(0.5, 1, (6, 1))
    wanted = stats.ttest_1samp(values[:, 0], 0).confidence_interval(1 - level)
    mean = crossed_mean(values, level)
    assert (mean.low, mean.high) == pytest.approx(tuple(wanted))
    assert crossed_mean(values) == crossed_mean(values, 0.05) != mean


def rejected(size: tuple[int, int], spread: tuple[float, float, float], effect: float, n: int = 2000) -> int:
    """In how many of n tables of that size the test finds a difference at 5 %."""
    (s, r), (seed, draw, rest), rng = size, spread, np.random.default_rng(2)
    tables = (
        effect
        + seed * rng.normal(size=(n, s, 1))
        + draw * rng.normal(size=(n, 1, r))
        + rest * rng.normal(size=(n, s, r))
    )
    return sum(two_sided_p(table) < 0.05 for table in tables)


def rate_of_the_formula(
    size: tuple[int, int], spread: tuple[float, float, float], effect: float, n: int = 200_000
) -> float:
    """How often book/claims.md's formula rejects: of the mean and the mean squares, drawn as the normal and the chi
    squares that they are, without a table."""
    (s, r), (seed, draw, rest), rng = size, np.square(spread), np.random.default_rng(3)
    mean = effect + np.sqrt(seed / s + draw / r + rest / (s * r)) * rng.normal(size=n)
    freedom = np.array([s - 1, r - 1, (s - 1) * (r - 1)])
    squares = np.array([r * seed + rest, s * draw + rest, rest]) * rng.chisquare(freedom, (n, 3)) / freedom
    both = squares @ [1, 1, -1]
    satterthwaite = both**2 / (np.square(squares) / freedom).sum(1)
    choices = np.stack([squares[:, 0], squares[:, 1], both])
    degrees = np.stack([np.full(n, s - 1), np.full(n, r - 1), satterthwaite])
    largest = choices.argmax(0), np.arange(n)
    t = mean / np.sqrt(choices[largest] / (s * r))
    return float(np.mean(np.abs(t) > stats.t.ppf(0.975, degrees[largest])))


def within_chance(count: int, rate: float, n: int = 2000) -> bool:
    """Whether so many of n are what the rate leads to, but for one case in a thousand."""
    low, high = stats.binom.interval(0.999, n, rate)
    return low <= count <= high


SPREADS = [(1, 0, 1), (0, 1, 1), (1, 1, 1), (0, 0, 1)]


@pytest.mark.parametrize("spread", SPREADS)
def test_the_test_keeps_its_level(spread):
    """Without a difference 1 to 6 % are rejected, as often as the formula says, whatever scatters."""
    rate = rate_of_the_formula((5, 10), spread, 0.0)
    assert 0.01 < rate < 0.06
    assert within_chance(rejected((5, 10), spread, 0.0), rate)


@pytest.mark.parametrize(("spread", "effect"), list(zip(SPREADS, (1.0, -1.0, 1.5, -0.6), strict=True)))
def test_the_test_has_its_power(spread, effect):
    """Of a difference of known size the formula finds 30 to 90 %, and the test as many."""
    rate = rate_of_the_formula((5, 10), spread, effect)
    assert 0.3 < rate < 0.9
    assert within_chance(rejected((5, 10), spread, effect), rate)


@pytest.mark.parametrize("effect", [0.0, 0.5, 1.2])
def test_one_draw_has_the_level_and_power_of_students_t(effect):
    """One draw a seed, of which the noncentral t distribution says how often a difference is found."""
    s, edge = 6, stats.t.ppf(0.975, 5)
    shift = effect * np.sqrt(s)
    power = stats.nct.sf(edge, s - 1, shift) + stats.nct.cdf(-edge, s - 1, shift)
    assert power == pytest.approx(0.05) or effect > 0
    assert within_chance(rejected((s, 1), (1, 0, 0), effect), power)


def test_holm_is_by_the_book():
    """An example worked by hand: the smallest times four, the next times three, never falling, at most 1."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([0.02, np.nan]) == pytest.approx([0.02, np.nan], nan_ok=True)


def test_outcomes():
    """By the corrected p and the sign; one seed by its sign; no difference is undecided."""
    rng = np.random.default_rng(3)
    noise = 0.1 * rng.normal(size=(5, 4))
    found = compare_pairs({"up": 1 + noise, "down": noise - 1, "level": noise - noise.mean(), "same": 0 * noise})
    assert [c.outcome for c in found.values()] == ["holds", "contradicted", "undecided", "undecided"]
    assert found["same"].p == 1 and compare_pairs({"constant": np.ones((3, 2))})["constant"].p == 0
    one = compare_pairs({"up": np.ones((1, 3)), "down": -np.ones((1, 3)), "same": np.zeros((1, 3))})
    assert [c.outcome for c in one.values()] == ["holds", "contradicted", "undecided"]
    assert all(np.isnan(c.p) and np.isnan(c.effect) for c in one.values())


def results(rows: list[dict]) -> Results:
    return Results("reference", "03_capacity_semi_supervised", "reference", [], pd.DataFrame(rows))


def table(means: dict[str, dict[str, float]], seeds: int = 5) -> Results:
    """Runs whose accuracies scatter by 0.1 around the given means."""
    rng = np.random.default_rng(4)
    rows = []
    for model, by_condition in means.items():
        for seed in range(seeds):
            scatter = 0.1 * rng.normal(size=(len(by_condition), 6))
            accuracy = {
                c: {p: (m + s).tolist() for p in ("svm", "tsvm")}
                for (c, m), s in zip(by_condition.items(), scatter, strict=True)
            }
            rows.append({"model": model, "seed": seed, "accuracy": {"test": accuracy, "both": accuracy}})
    return results(rows)


def level(values: dict[str, float]) -> dict[str, dict[str, float]]:
    return {m: dict.fromkeys(TABLE_1, v) for m, v in values.items()}


def test_claim_2():
    """All fifteen; one model under all conditions; or less; nothing run; nothing to compare."""
    as_printed = level({"VAE": 80.0, "beta-VAE": 90.0, "VIMAE-n": 93.0, "VIMAE-l": 92.0})
    assert claim_2(table(as_printed))[0] == "reproduced (15 of 15 comparisons hold, 5 seeds)"
    assert claim_2(table(as_printed, seeds=1))[0] == "sign agrees (15 of 15 comparisons, one seed)"
    as_printed["beta-VAE"]["mask 0.5"] = 70.0
    assert claim_2(table(as_printed))[0] == "partly reproduced (14 of 15 comparisons hold, 5 seeds)"
    for model in ("VIMAE-n", "VIMAE-l"):
        as_printed[model]["clean"] = 80.0
    verdict, tested = claim_2(table(as_printed))
    assert verdict == "not reproduced (12 of 15 comparisons hold, 5 seeds)"
    assert tested["beta-VAE − VAE, mask 0.5"].outcome == "contradicted"
    assert tested["VIMAE-n − VAE, clean"].outcome == "undecided"
    assert claim_2(results([]))[0] == "not yet run"
    del as_printed["VIMAE-l"]
    assert claim_2(table(as_printed))[0] == "not tested: nothing to compare for VIMAE-l − VAE, clean"


def test_claim_3():
    """Best clean, best under heavy corruption, smaller loss: all three, some, none."""
    as_printed = level({"VAE": 80.0, "beta-VAE": 90.0, "VIMAE-n": 93.0, "VIMAE-l": 92.0})
    for condition in HEAVY:
        for model, value in {"VAE": 60.0, "beta-VAE": 80.0, "VIMAE-n": 85.0, "VIMAE-l": 88.0}.items():
            as_printed[model][condition] = value
    verdict, tested = claim_3(table(as_printed))
    assert verdict == "reproduced (11 of 11 comparisons hold, 5 seeds)"
    loss = tested["loss of VIMAE-n − loss of VIMAE-l, clean to mask 0.5"].difference
    assert loss.value == pytest.approx((93 - 85) - (92 - 88), abs=0.2)
    as_printed["VIMAE-n"]["clean"] = 89.0
    assert claim_3(table(as_printed))[0].startswith("partly reproduced")
    for condition in HEAVY:
        as_printed["VIMAE-l"][condition] = 70.0
    assert claim_3(table(as_printed))[0].startswith("not reproduced")


def measures(**by_model: dict[str, float]) -> Results:
    rng = np.random.default_rng(5)
    rows = [
        {"model": m, "seed": s} | {k: v + 0.01 * rng.normal() for k, v in values.items()}
        for m, values in by_model.items()
        for s in range(5)
    ]
    return results(rows)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "reproduced (4 of 4"),
        ({"VIMAE-l": {"prior_frechet": 60.0}}, "partly reproduced (2 of 4"),
        ({"VAE": {"prior_frechet": 10.0}, "beta-VAE": {"prior_frechet": 10.0}}, "not reproduced (0 of 4"),
        ({"beta-VAE": {"reconstruction_error": 40.0}}, "not reproduced (4 of 4"),
    ],
)
def test_claim_4(changes, expected):
    """Reconstructions against principal components, prior samples against VAE and beta-VAE."""
    distances = dict(zip(MODELS, (50.0, 40.0, 20.0, 30.0), strict=True))
    found = {m: {"pca_error": 37.0, "reconstruction_error": 20.0, "prior_frechet": d} for m, d in distances.items()}
    for model, values in changes.items():
        found[model] |= values
    assert claim_4(measures(**found))[0].startswith(expected)


@pytest.mark.parametrize(
    ("near", "kept", "expected"),
    [
        ((30, 30), (90, 90), "reproduced (4 of 4"),
        ((30, 30), (90, 80), "partly reproduced (3 of 4"),
        ((30, 30), (80, 80), "partly reproduced (2 of 4"),
        ((30, 50), (90, 80), "partly reproduced (2 of 4"),
        ((30, 50), (80, 90), "not reproduced (2 of 4"),
    ],
)
def test_claim_5(near, kept, expected):
    """Nearer to the clean digit than the masked one is, and nine tenths of the labels, for both models."""
    found = {
        model: {
            "corrupted_input_error": 40.0, "corrupted_error": float(near[i]), "label_kept": 95.0,
            "corrupted_label_kept": float(kept[i]),
        }
        for i, model in enumerate(("VIMAE-n", "VIMAE-l"))
    }  # fmt: skip
    assert claim_5(measures(**found))[0].startswith(expected)


def test_claim_5_is_not_corrected():
    """Four comparisons of p = 0.04 each: by the end of each one's interval, all hold."""
    rows = [
        {"model": model, "seed": seed, "corrupted_input_error": 40.0, "corrupted_error": 40.0 - d, "label_kept": 90.0,
         "corrupted_label_kept": 81.0 + d}
        for model in ("VIMAE-n", "VIMAE-l") for seed, d in enumerate(1.06 + np.linspace(-1, 1, 5))
    ]  # fmt: skip
    verdict, tested = claim_5(results(rows))
    assert verdict.startswith("reproduced (4 of 4") and all(0.03 < c.p < 0.05 for c in tested.values())


def test_a_seed_is_compared_with_itself():
    """Whatever the order, and without those that either side lacks."""
    one, other = {0: [1.0, 2.0], 7: [8.0, 8.0], 2: [5.0, 6.0]}, {3: [9.0, 9.0], 2: [1.0, 1.0], 0: [4.0, 4.0]}
    assert difference(one, other).tolist() == [[-3, -2], [4, 5]]


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        ((90, 60, 61), "reproduced (3 of 3"),
        ((90, 61, 60), "partly reproduced (2 of 3"),  # both far better, but VIMAE-n is not the better one
        ((90, 55, 60), "partly reproduced (3 of 3"),  # not nearly equal
        ((90, 77, 78), "not reproduced (3 of 3"),  # better, but not far
        ((90, 60, 99), "not reproduced (2 of 3"),
        ((55, 60, 61), "not reproduced (1 of 3"),
    ],
)
def test_claim_6(distances, expected):
    """Far better than the VAE, nearly equal, VIMAE-n slightly better."""
    models = ("VAE", "VIMAE-n", "VIMAE-l")
    found = {m: {"prior_distance": float(d)} for m, d in zip(models, distances, strict=True)}
    assert claim_6(measures(**found))[0].startswith(expected)


def test_tables_of_the_chapter():
    """Table 1's cells are the paper's number over the results'; the ranking by another probe; comparisons in words."""
    found = table(level({"VAE": 80.0, "VIMAE-n": 93.0, "AE": 70.0}))
    paper = {"conditions": ["clean"], "VAE": [12.3]}
    shown = table_1(["VAE", "AE"], ["clean", "mask 0.5"], "svm", "both", [found, results([])], paper)
    mean = crossed_mean(np.array(list(accuracies(found, "VAE", "clean", "svm", "both").values())))
    assert shown.loc["VAE", "clean"] == f"12.3<br>{mean:.1f}<br>—"
    assert shown.loc["AE", "mask 0.5"].startswith("—<br>70.")
    by_svm = {"VAE": 70.0, "VIMAE-n": 80.0, "AE": 93.0}  # under M1+TSVM in the order AE, VAE, VIMAE-n
    rows = [
        row | {"accuracy": {"test": {"clean": {"tsvm": row["accuracy"]["test"]["clean"]["tsvm"], "svm": [svm]}}}}
        for row in found.table.to_dict("records")
        for svm in [by_svm[row["model"]]]
    ]
    ranked = rankings(["VAE", "VIMAE-n", "AE"], ["clean"], ["svm", "tsvm"], results(rows))
    assert ranked.loc["clean"].to_list() == ["-0.50", "1.00"]
    told = comparisons(compare_pairs({"beta-VAE − VAE": np.ones((1, 2))}), "points")
    assert told.loc["β-VAE − VAE"].to_list() == ["1.00", "—", "—", "sign agrees"]


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_decide_nothing(odd):
    """Of three seeds one has no number: neither holds nor contradicted."""
    found = compare_pairs({"a": np.array([[odd], [1.0], [1.0]]), "b": np.array([[1.0], [1.1], [1.2]])})
    assert found["a"].outcome == "undecided" and np.isnan(found["a"].effect)
    assert found["b"].outcome == "holds"
