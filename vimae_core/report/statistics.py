"""Means over seeds with their uncertainty, and verdicts by the tests that the protocol fixed beforehand."""

import gc
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit  # Student's t, as scipy.stats has it, which takes a second to load


class Mean(NamedTuple):
    """A mean over seeds and its interval by Student's t, of 95 % unless said otherwise; one seed or an infinite mean
    has none (nan)."""

    value: float
    low: float
    high: float
    n: int

    def __format__(self, spec: str) -> str:
        """`f"{mean:.3f}"` is "0.215 ± 0.012", and "0.215" where there is no interval."""
        if np.isnan(self.high):
            return signed(self.value, spec)
        return f"{signed(self.value, spec)} ± {(self.high - self.low) / 2:{spec}}"

    def with_ends(self, spec: str, beside: str = "") -> str:
        """As "0.215 (0.203 to 0.227)", and in the brackets what is to stand beside the interval."""
        value, low, high = (signed(v, spec) for v in self[:3])
        return f"{value} ({low} to {high}{beside})"

    def interval(self, spec: str) -> str:
        """As "[0.203, 0.227]"."""
        return f"[{signed(self.low, spec)}, {signed(self.high, spec)}]"


def signed(value: float, spec: str) -> str:
    """As a page prints it: "−0.3" with a minus and no hyphen, "0.0" for what rounds to it from below, and "∞"."""
    return format(value, f"z{spec}").replace("-", "−").replace("inf", "∞")


def mean_over_seeds(values: Sequence[float]) -> Mean:
    """Raises ValueError where there is no value."""
    return crossed_mean(np.array(values, dtype=float)[:, None])


def crossed_mean(values: np.ndarray, level: float = 0.05) -> Mean:
    """The mean of a table of seeds by draws, both random, and its interval of 1 - `level`.

    With M the mean squares, the squared standard error is max(M_seeds, M_draws, M_seeds + M_draws - M_rest)
    over the number of values, with Satterthwaite's degrees of freedom. One draw: Student's t over seeds.
    A mixed model (statsmodels' MixedLM, REML) has the same mean and error where all components are positive, but no
    degrees of freedom, and takes a hundred times as long. Raises ValueError where there is no value.
    """
    value, error, freedom = _crossed(values)
    half = float(-stdtrit(freedom, level / 2) * error) if freedom else np.nan
    return Mean(value, value - half, value + half, len(values))


def two_sided_p(values: np.ndarray) -> float:
    """Of a mean of 0, by `crossed_mean`'s error and degrees of freedom; nan where it has no interval."""
    mean, error, freedom = _crossed(values)
    if not freedom:
        return np.nan
    return float(2 * stdtr(freedom, -abs(mean) / error)) if error else float(mean == 0)


@np.errstate(invalid="ignore")  # inf and -inf: their mean is nan, and has no interval
def _crossed(values: np.ndarray) -> tuple[float, float, float]:
    """Mean, standard error and degrees of freedom of a table of seeds by draws; 0 of them: one seed, or not finite."""
    if values.size == 0:
        raise ValueError("no values: a mean needs at least one seed")
    (s, r), mean = values.shape, float(values.mean())
    if s == 1 or not np.isfinite(mean):
        return mean, np.nan, 0.0
    by_seed, by_draw = values.mean(1), values.mean(0)
    m_seed, n_seed = r * float(by_seed.var(ddof=1)), float(s - 1)
    if r == 1:
        return mean, float(np.sqrt(m_seed / s)), n_seed
    m_draw, n_draw = s * float(by_draw.var(ddof=1)), float(r - 1)
    m_rest = float(np.square(values - by_seed[:, None] - by_draw + mean).sum()) / (n_seed * n_draw)
    both = m_seed + m_draw - m_rest
    satterthwaite = both**2 / max(m_seed**2 / n_seed + m_draw**2 / n_draw + m_rest**2 / (n_seed * n_draw), 1e-300)
    m, freedom = max((both, satterthwaite), (m_seed, n_seed), (m_draw, n_draw))
    return mean, float(np.sqrt(m / (s * r))), freedom


class Comparison(NamedTuple):
    """A claimed difference: claimed to be above 0. `outcome` is by its corrected p, or by its sign where one seed."""

    difference: Mean
    effect: float  # mean over standard deviation of the seeds' differences
    p: float  # two-sided
    outcome: str  # "holds", "contradicted", "undecided"


def compare_pairs(
    differences: dict[str, np.ndarray], corrected: bool = True, level: float = 0.05
) -> dict[str, Comparison]:
    """Tests each table of differences (seeds by draws) against 0; `corrected` corrects all p by Holm's method."""
    p = [two_sided_p(values) for values in differences.values()]
    means = {name: crossed_mean(values) for name, values in differences.items()}
    return {
        name: Comparison(means[name], effect_size(values), q, _outcome(means[name], q, level))
        for (name, values), q in zip(differences.items(), holm(p) if corrected else p, strict=True)
    }


@np.errstate(invalid="ignore")
def effect_size(values: np.ndarray) -> float:
    """Mean over standard deviation of the seeds, each by the mean of its draws; nan where there is no spread."""
    by_seed = values.mean(1)
    if not np.isfinite(by_seed).all():
        return np.nan
    spread = by_seed.std(ddof=1) if len(by_seed) > 1 else 0.0
    return float(by_seed.mean() / spread) if spread else np.nan


def _outcome(mean: Mean, p: float, level: float) -> str:
    decided = np.isfinite(mean.value) and mean.value != 0 and (p < level or mean.n == 1)  # one seed by its sign
    return "undecided" if not decided else "holds" if mean.value > 0 else "contradicted"


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected by Holm's method, in the order given; nan stays nan and counts as none."""
    corrected = np.array(p, dtype=float)
    tested = ~np.isnan(corrected)
    if tested.any():
        from statsmodels.stats.multitest import multipletests  # loads scipy.stats: a second, which a plan spares

        gc.freeze()  # multipletests collects garbage at every call: 0.1 s where PyTorch is loaded
        corrected[tested] = multipletests(corrected[tested], method="holm")[1]
        gc.unfreeze()
    return corrected.tolist()
