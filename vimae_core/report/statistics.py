"""Means over seeds with their uncertainty, and verdicts by the tests that the protocol fixed beforehand."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats


class Mean(NamedTuple):
    """A mean over seeds and its 95 % interval by Student's t; one seed has none (nan)."""

    value: float
    low: float
    high: float
    n: int

    def __format__(self, spec: str) -> str:
        """`f"{mean:.3f}"` is "0.215 ± 0.012", and "0.215" where there is one seed."""
        if self.n == 1:
            return format(self.value, spec)
        return f"{self.value:{spec}} ± {(self.high - self.low) / 2:{spec}}"


def mean_over_seeds(values: Sequence[float]) -> Mean:
    """Raises ValueError where there is no value."""
    if len(values) == 0:
        raise ValueError("no values: a mean needs at least one seed")
    value, n = float(np.mean(values)), len(values)
    if n == 1:
        return Mean(value, np.nan, np.nan, 1)
    half = float(stats.t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Mean(value, value - half, value + half, n)


def fits(kl: Sequence[float], max_kl: float) -> bool | None:
    """Whether q(z) fits p(z) by the protocol's criterion on KL(q(z)||p(z)) over seeds; None: undecided."""
    mean = mean_over_seeds(kl)
    low, high = (mean.value, mean.value) if mean.n == 1 else (mean.low, mean.high)
    if high <= max_kl:
        return True
    return False if low > max_kl else None


def choose_lambda(kl_train: dict[float, Sequence[float]], max_kl: float) -> float:
    """The protocol's rule: the smallest lambda whose mean KL on training images is at most max_kl, else the best."""
    means = {lam: mean_over_seeds(kl).value for lam, kl in sorted(kl_train.items())}
    return next((lam for lam, kl in means.items() if kl <= max_kl), min(means, key=means.get))


def claim_1(kl: dict[str, Sequence[float]], max_kl: float) -> str:
    """The verdict on Figure 1: the VAE does not fit the prior, the beta-VAE and VIMAE-n do, at lambda = beta = 10."""
    wanted = {"VAE": False, "beta-VAE": True, "VIMAE-n": True}
    if missing := [name for name in wanted if not kl.get(name)]:
        return f"not tested: no run of {', '.join(missing)}"
    holding = sum(fits(kl[name], max_kl) is expected for name, expected in wanted.items())
    verdict = {3: "reproduced", 2: "partly reproduced"}.get(holding, "not reproduced")
    seeds = min(len(kl[name]) for name in wanted)
    return f"{verdict} ({holding} of 3 statements hold, {seeds} seed{'s' * (seeds > 1)})"
