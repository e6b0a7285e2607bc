"""The outcome of a statement: whether a difference over seeds is above 0, or within a margin, and what could be found.

In words: "holds", "contradicted", "undecided"; of one seed, whose sign is all it has, "sign agrees", "sign disagrees".
"""

import sys
from bisect import bisect_left
from typing import NamedTuple

import numpy as np

from vimae_core.report.statistics import Mean, crossed_mean, effect_size, holm, two_sided_p


class Outcome(NamedTuple):
    """What is shown of a statement; one seed or an infinite mean has no interval, alpha or p (nan)."""

    difference: Mean  # with its interval of 1 - alpha
    alpha: float
    p: float
    effect_size: float  # mean over standard deviation of the seeds' differences
    word: str

    @property
    def seeds(self) -> int:
        return self.difference.n


def corrected_intervals(
    tables: dict[str, np.ndarray], level: float = 0.05, tests: int | None = None
) -> dict[str, Outcome]:
    """Tests a family of differences (seeds by draws), each claimed to be above 0; p is corrected by Holm's method.

    The family has so many `tests`, if more than those in `tables`: the others count as p = 1, and what is rejected
    beside these stays so, whatever they turn out to be.

    Of m tests the i-th smallest p is held against alpha = level / (m - i + 1) until one is not below it; that one's
    alpha is every later one's. An interval of 1 - alpha thus leaves out 0 where Holm rejects, and there alone. Equal
    p stand in the order given. Each interval is of one difference: together they cover less often than 1 - level.
    Raises ValueError where a table has no value.
    """
    p = [two_sided_p(values) for values in tables.values()]
    n = np.count_nonzero(np.isfinite(p))
    m = max(n, tests or 0)
    corrected = np.array(holm([*p, *[1.0] * (m - n)]))[: len(p)]
    rejected = np.count_nonzero(corrected < level)
    alpha = np.full(len(p), np.nan)
    alpha[np.argsort(p, kind="stable")[:n]] = level / (m - np.minimum(np.arange(n), rejected))
    return {
        name: _outcome(values, float(a), float(q))
        for (name, values), a, q in zip(tables.items(), alpha, corrected, strict=True)
    }


def _outcome(values: np.ndarray, alpha: float, p: float) -> Outcome:
    mean = crossed_mean(values, alpha)
    agrees, disagrees, low, high = "holds", "contradicted", mean.low, mean.high
    if mean.n == 1 and np.isfinite(mean.value):
        agrees, disagrees, low, high = "sign agrees", "sign disagrees", mean.value, mean.value
    word = agrees if low > 0 else disagrees if high < 0 else "undecided"
    return Outcome(mean, alpha, p, effect_size(values), word)


def equivalent(values: np.ndarray, margin: float, level: float = 0.05) -> Outcome:
    """Whether the seeds' differences are within ± `margin` in the mean: two one-sided t tests (TOST), p the larger.

    Contradicted where the interval of 1 - level, which is the one shown, lies beyond the margin on one side. One seed
    or a value that is not finite leaves it undecided. Raises ValueError where the margin is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"a margin of {margin}: give one above 0, in the differences' unit")
    from statsmodels.stats.weightstats import DescrStatsW  # loads scipy.stats: a second

    mean, p, word = crossed_mean(values[:, None], level), np.nan, "undecided"
    if not np.isnan(mean.high):
        with np.errstate(divide="ignore", invalid="ignore"):  # no spread: t is infinite, and nan at the margin itself
            p = float(DescrStatsW(values).ttost_mean(-margin, margin)[0])
        beyond = mean.low > margin or mean.high < -margin
        word = "holds" if p < level else "contradicted" if beyond else word
    return Outcome(mean, level, p, effect_size(values[:, None]), word)


def at_the_papers_mean(
    tables: dict[str, np.ndarray], effects: dict[str, float], level: float = 0.05, tests: int | None = None
) -> dict[str, Outcome]:
    """The family's outcomes if every mean were the paper's and the spread as measured: could this test say "holds"?

    Raises KeyError where the paper's effect of a table is not given.
    """
    with np.errstate(invalid="ignore"):  # an infinite mean
        shifted = {name: values - values.mean() + effects[name] for name, values in tables.items()}
    return corrected_intervals(shifted, level, tests)


def power(effect: float, sd: float, seeds: int, level: float = 0.05) -> float:
    """How often the two-sided t test over seeds finds a true difference `effect`, with its sign, at the level; `sd` is
    the standard deviation of the seeds' differences, in the same unit. Raises ValueError for one seed, or no spread.
    """
    if seeds < 2 or not sd > 0:
        raise ValueError(f"{seeds} seeds of standard deviation {sd}: a t test needs two or more, and a spread above 0")
    from statsmodels.stats.power import TTestPower  # loads scipy.stats: a second

    found = TTestPower().power(effect / sd, seeds, level / 2, alternative="larger")
    return 1.0 if np.isnan(found) else float(found)  # scipy's noncentral t has gaps where the power is 1


def seeds_needed(effect: float, sd: float, target: float = 0.8, level: float = 0.05) -> int:
    """The fewest seeds whose `power` is the target's. Raises ValueError for an effect that is not above 0."""
    if not effect > 0 or not 0 < target < 1:
        raise ValueError(f"a power of {target} for an effect of {effect}: give one between 0 and 1, and one above 0")
    return bisect_left(range(sys.maxsize), target, lo=2, key=lambda seeds: power(effect, sd, seeds, level))
