"""Outcomes of statements: corrected intervals, equivalence, the paper's effect, power."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.multitest import multipletests

from vimae_core.report.outcomes import (
    at_the_papers_mean,
    corrected_intervals,
    equivalent,
    power,
    seeds_needed,
)
from vimae_core.report.statistics import compare_pairs, crossed_mean, two_sided_p


@st.composite
def families(draw) -> dict[str, np.ndarray]:
    """Tables of one to five seeds by one to three draws; some without spread, some twice, some with nan or inf."""
    tables = []
    for _ in range(draw(st.integers(1, 6))):
        rng = np.random.default_rng(draw(st.integers(0, 2**32)))
        shape = draw(st.integers(1, 5)), draw(st.integers(1, 3))
        table = draw(st.sampled_from([0.0, 1.0, -2.0, 6.0])) + draw(st.sampled_from([1, 1, 0])) * rng.normal(size=shape)
        table[0, 0] = draw(st.sampled_from([table[0, 0]] * 7 + [np.nan, np.inf, -np.inf]))
        tables += [table] * draw(st.sampled_from([1, 1, 2]))
    return {str(i): table for i, table in enumerate(tables)}


@settings(deadline=None, max_examples=30)
@given(families(), st.sampled_from([0.01, 0.05, 0.3]))
def test_an_interval_leaves_out_0_where_holm_rejects(tables, level):
    """And there alone, with the sign; p is statsmodels' and alpha the step-down's by a loop, over those tested."""
    found = corrected_intervals(tables, level)
    assert list(found) == list(tables) and all(o.seeds == len(tables[name]) for name, o in found.items())
    untested = [name for name, t in tables.items() if len(t) == 1 or not np.isfinite(t).all()]
    assert all(np.isnan([o.p, o.alpha, o.difference.low, o.difference.high]).all() for o in map(found.get, untested))
    tested = {name: two_sided_p(t) for name, t in tables.items() if name not in untested}
    if not tested:
        return
    rejects, corrected, *_ = multipletests(list(tested.values()), level, "holm")
    for name, rejected, p in zip(tested, rejects, corrected, strict=True):
        outcome = found[name]
        assert (outcome.difference.low > 0 or outcome.difference.high < 0) == rejected
        sign = "holds" if tables[name].mean() > 0 else "contradicted"
        assert outcome.word == (sign if rejected else "undecided") and outcome.p == pytest.approx(p, rel=1e-12)
        assert outcome.difference == crossed_mean(tables[name], outcome.alpha)
    left, going = len(tested), True
    for name in sorted(tested, key=tested.get):  # stable: equal ones in their order
        assert found[name].alpha == pytest.approx(level / left)
        going = going and tested[name] < level / left
        left -= going


def test_a_family_by_hand():
    """Three of known p: the smallest at a third of the level, the next not rejected at half of it, nor what follows."""
    shape = np.array([-1.0, 0.0, 1.0])[:, None]  # its t is the mean times the root of 3, of 2 degrees of freedom
    tables = {str(p): shape + stats.t.isf(p / 2, 2) / np.sqrt(3) for p in (0.04, 0.03, 0.01)}
    found = corrected_intervals(tables)
    assert [o.alpha for o in found.values()] == pytest.approx([0.025, 0.025, 0.05 / 3])
    assert [o.p for o in found.values()] == pytest.approx([0.06, 0.06, 0.03])
    assert [o.word for o in found.values()] == ["undecided", "undecided", "holds"]
    assert found["0.01"].effect_size == pytest.approx(tables["0.01"].mean())
    half = stats.t.isf(0.05 / 6, 2) / np.sqrt(3)
    assert found["0.01"].difference.low == pytest.approx(tables["0.01"].mean() - half)


@pytest.mark.parametrize(
    ("values", "word"),
    [([1.0, 3.0], "sign agrees"), ([-1.0, 0.5], "sign disagrees"), ([1.0, -1.0], "undecided"), ([np.inf], "undecided")],
)
def test_one_seed_has_its_sign(values, word):
    """Of the mean of its draws; none where that is 0 or no number."""
    assert corrected_intervals({"a": np.array([values])})["a"].word == word


def test_the_registered_verdicts_words_agree():
    """Where there are seeds, the word is that of the claims' comparison, whose p is corrected by the same method."""
    rng = np.random.default_rng(0)
    tables = {str(m): m + rng.normal(size=(5, 4)) for m in (-3, -1, 0, 1, 2, 3)}
    ours, theirs = corrected_intervals(tables), compare_pairs(tables)
    assert {n: o.word for n, o in ours.items()} == {n: c.outcome for n, c in theirs.items()}
    assert len({o.word for o in ours.values()}) == 3


def test_no_values_are_no_outcome():
    """An empty table is an error, an empty family is none."""
    with pytest.raises(ValueError, match="no values"):
        corrected_intervals({"a": np.empty((0, 1))})
    assert corrected_intervals({}) == {}


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**32), st.integers(2, 8), st.sampled_from([0.0, 0.5, -1.5, 3.0]), st.floats(0.05, 4))
def test_equivalence_is_two_one_sided_t_tests(seed, n, mean, margin):
    """By scipy's two, and its interval."""
    values = mean + np.random.default_rng(seed).normal(0, 0.5, n)
    found = equivalent(values, margin)
    above = stats.ttest_1samp(values, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(values, margin, alternative="less").pvalue
    assert found.p == pytest.approx(max(above, below)) and found.alpha == 0.05
    low, high = stats.ttest_1samp(values, 0).confidence_interval()
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high))
    expected = "holds" if max(above, below) < 0.05 else "contradicted" if max(low, -high) > margin else "undecided"
    assert found.word == expected


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([0.1, 0.0, -0.1], "holds"),
        ([0.1, 2.0, -2.0], "undecided"),
        ([2.1, 2.0, 1.9], "contradicted"),
        ([-2.1, -2.0, -1.9], "contradicted"),
        ([0.5, 0.5, 0.5], "holds"),
        ([1.0, 1.0, 1.0], "undecided"),
        ([1.5, 1.5, 1.5], "contradicted"),
        ([0.1], "undecided"),
        ([0.1, np.nan, 0.1], "undecided"),
        ([np.inf, -np.inf, 0.1], "undecided"),
    ],
)
def test_equivalence_in_words(values, word):
    """Within ± 1; without a spread by the mean alone, and nothing at the margin itself; one seed makes none."""
    assert equivalent(np.array(values), 1.0).word == word


@pytest.mark.parametrize("margin", [0.0, -1.0, np.nan])
def test_equivalence_needs_a_margin(margin):
    """By its value, and what is allowed."""
    with pytest.raises(ValueError, match=rf"a margin of {margin}: give one above 0"):
        equivalent(np.zeros(3), margin)


def test_at_the_papers_mean():
    """What stood at 0 is where the paper has it, with its own spread; what the paper puts at 0 is not found."""
    rng = np.random.default_rng(0)
    noise = {name: rng.normal(size=(5, 3)) for name in ("near", "far", "none")}
    effects = {"near": 0.2, "far": 20.0, "none": 0.0}
    found = at_the_papers_mean(noise, effects)
    assert {name: o.word for name, o in found.items()} == {"near": "undecided", "far": "holds", "none": "undecided"}
    for name, outcome in found.items():
        assert outcome.difference.value == pytest.approx(effects[name])
        width = crossed_mean(noise[name], outcome.alpha)
        assert outcome.difference.high - effects[name] == pytest.approx(width.high - width.value)
    odd = noise | {"far": np.array([[np.inf], [1.0], [-np.inf]])}
    assert at_the_papers_mean(odd, effects)["far"].word == "undecided"
    with pytest.raises(KeyError, match="near"):
        at_the_papers_mean(noise, {"far": 20.0, "none": 0.0})


@pytest.mark.parametrize(("effect", "sd", "seeds"), [(1.0, 1.0, 5), (0.5, 1.0, 20), (6.0, 3.0, 5), (0.0, 1.0, 4)])
def test_power_is_how_often_a_difference_is_found(effect, sd, seeds):
    """By the outcomes of 1000 simulated families of one, but for one case in a thousand of chance (at most 0.05)."""
    rng, n = np.random.default_rng(1), 1000
    found = sum(
        corrected_intervals({"a": rng.normal(effect, sd, (seeds, 1))})["a"].word == "holds" for _ in range(n)
    )  # fmt: skip
    low, high = stats.binom.interval(0.999, n, power(effect, sd, seeds))
    assert low <= found <= high


@pytest.mark.parametrize("seeds", [2, 3, 5, 10, 50])
@pytest.mark.parametrize("level", [0.05, 0.05 / 15])
def test_power_is_the_noncentral_t(seeds, level):
    """By scipy's, the upper tail; and where that has gaps by an integral over the mean."""
    edge = stats.t.isf(level / 2, seeds - 1)
    for effect in (0.0, 0.3, 1.0, 2.0, 4.0):
        wanted = stats.nct.sf(edge, seeds - 1, effect * np.sqrt(seeds))
        assert power(3 * effect, 3.0, seeds, level) == pytest.approx(wanted, rel=1e-9)
    for effect in (5.0, 6.260516572014815, 13.664483492953243, 20.0):

        def found(z, shift):
            return stats.norm.pdf(z) * stats.chi.cdf(np.sqrt(seeds - 1) * (z + shift) / edge, seeds - 1)

        wanted = integrate.quad(found, -8, 8, (effect * np.sqrt(seeds),), limit=200)[0]
        assert power(effect, 1.0, seeds, level) == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize(("effect", "seeds"), [(0.05, 3142), (0.5, 34), (1.0, 10), (2.0, 5), (100.0, 2)])
def test_seeds_needed_are_the_fewest(effect, seeds):
    """Textbook numbers for a power of 0.8, and one seed less has less; more seeds for more power or a lower level."""
    assert seeds_needed(3 * effect, 3.0) == seeds
    assert power(effect, 1.0, seeds) >= 0.8 and (seeds == 2 or power(effect, 1.0, seeds - 1) < 0.8)
    assert seeds_needed(effect, 1.0, 0.99) >= seeds <= seeds_needed(effect, 1.0, level=0.01)


def test_power_of_what_has_none():
    """One seed, no spread, no effect, no such power: each by its value."""
    with pytest.raises(ValueError, match=r"1 seeds of standard deviation 1.0: a t test needs two"):
        power(1.0, 1.0, 1)
    with pytest.raises(ValueError, match=r"standard deviation 0.0"):
        power(1.0, 0.0, 5)
    with pytest.raises(ValueError, match=r"an effect of -1.0"):
        seeds_needed(-1.0, 1.0)
    with pytest.raises(ValueError, match=r"a power of 1.0"):
        seeds_needed(1.0, 1.0, 1.0)
