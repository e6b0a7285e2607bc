"""The third analysis's runs with responses made up: which are known, so that what is made of them can be checked."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from tests.conftest import ROOT
from vimae_core.chapters.doses import CONDITIONS, runs
from vimae_core.config import RunConfig
from vimae_core.priors import make_prior
from vimae_core.profiles import parameters
from vimae_core.report.results import Results
from vimae_core.runs import Run

P = parameters("doses", "reference")
LEVEL = dict(zip(CONDITIONS, (95.0, 82.0, 88.0), strict=True))
Accuracy = Callable[[RunConfig, str], float]  # of a run under a condition, but for the seed's part


def entropy_of(config: RunConfig) -> float:
    """Of a coordinate of the prior, nats."""
    return make_prior(config.prior, 1, config.prior_scale, config.prior_shape).entropy()


def made_up(accuracy: Accuracy = lambda config, condition: 0.0, spread: float = 0.1, p=P, keep=lambda c: True):
    """Every group's results: accuracy by a function, and a seed's part that it has under every dose alike, with a
    little of each run's own."""
    rng = np.random.default_rng(0)
    of_seed = {s: rng.normal(0, spread) for s in range(100)}
    groups = {}
    for group, configs in runs(p).items():
        configs = [c for c in configs if keep(c)]
        rows = [_row(c, accuracy, of_seed[c.seed], rng, spread) for c in configs]
        told = [Run(c, ROOT, {}, {"time": "2026-11-27T15:00:00+00:00"}) for c in configs]
        groups[group] = Results("reference", "07_capacity", "reference", told, pd.DataFrame(rows))
    return groups


def _row(c: RunConfig, accuracy: Accuracy, of_seed: float, rng, spread: float) -> dict:
    values = {
        k: {"tsvm": [LEVEL[k] + accuracy(c, k) + of_seed + spread * e for e in rng.normal(size=5) / 5]}
        for k in CONDITIONS
    }
    rate = 60.0 if c.alpha == 0 else 20 / (1 + c.alpha)
    return {
        "model": c.label, "likelihood": c.likelihood, "lambda": c.lambda_, "seed": c.seed, "n": 10_000,
        "accuracy": {"test": values}, "rate": rate, "distortion": 60 + 40 / (1 + rate), "squared_error": 12.0,
        "information": min(rate * 0.8, 10.5), "information_above": rate * 0.9, "ceiling": np.log(60_001),
        "kl": rate * 0.15, "kl_above": rate * 0.2, "kl_below": rate * 0.1, "mmd2": 1e-4,
        "posterior_std": c.encoder_std or 0.01 * (c.prior_scale or 1.0), "active": 8, "prior_frechet": 20.0,
        "entropy": 10.0, "entropy_above": 11.0, "rate_error": 0.1, "information_error": 0.1, "kl_error": 0.1,
    }  # fmt: skip
