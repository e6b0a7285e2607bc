"""Comparisons over seeds and draws, and their correction."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from vimae_core.report.statistics import Mean, _crossed, compare_pairs, crossed_mean, holm, two_sided_p


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


@pytest.mark.parametrize("odd", [[np.nan, 1.0], [np.inf, 1.0], [-np.inf, 1.0], [np.inf, -np.inf]])
def test_values_that_are_not_finite_decide_nothing(odd):
    """Of three seeds one has no number, or two have infinite ones either way: neither holds nor contradicted."""
    found = compare_pairs({"a": np.array([*odd, 1.0])[:, None], "b": np.array([[1.0], [1.1], [1.2]])})
    assert found["a"].outcome == "undecided" and np.isnan(found["a"].effect)
    assert found["b"].outcome == "holds"


def test_a_mean_is_spelled_with_its_ends():
    """The interval in brackets, and what stands beside it."""
    mean = Mean(1.234, 0.5, 2.0, 5)
    assert mean.with_ends(".1f") == "1.2 (0.5 to 2.0)"
    assert Mean(-0.01, -0.5, 0.48, 5).with_ends(".1f") == "0.0 (−0.5 to 0.5)"
    assert Mean(-0.01, -0.5, 0.48, 5).interval(".1f") == "[−0.5, 0.5]"
    assert f"{Mean(-1.234, -2.0, -0.5, 5):.1f}" == "−1.2 ± 0.8"
    assert mean.with_ends(".0f", ", the paper's 3") == "1 (0 to 2, the paper's 3)"
