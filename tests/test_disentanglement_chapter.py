"""Chapter 8: its models' names, its sixteen comparisons and tables by hand, its figures and sentences of made-up runs."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot as plt
from scipy import stats

from tests.conftest import ROOT
from vimae_core import RunConfig
from vimae_core.chapters import disentanglement as chapter
from vimae_core.chapters import disentanglement_figures as figures
from vimae_core.chapters import disentanglement_words as words
from vimae_core.profiles import parameters
from vimae_core.report.results import Results
from vimae_core.runs import Run
from vimae_core.toy_faces import FACTORS

REFERENCE = parameters("disentanglement", "reference")
ENVIRONMENT = {"commit": "c", "time": "2026-11-27", "data_digest": "d" * 64, "torch": "t", "device": "d"}
NOISY = [f"VIMAE-n, σ = {scale}, noise 1/4" for scale in ("1/2", "4")]


def record(rng: np.random.Generator, rank: int) -> dict:
    """Scores that rise with a model's place, and what stands beside them."""
    score = lambda: float(0.05 + 0.03 * rank + rng.normal(0, 0.01))  # noqa: E731
    low = min(9.0, 2.0 + rank)
    own = {"n": 2000, "rate": 20.0, "mmd2": 1e-4, "squared_error": 300.0 - rank, "active": 10, "live": 9}
    told = {"information": low, "information_above": low + rank, "ceiling": 8.99}
    scores = {s: score() for s in (*chapter.SCORES, "mig_equal_wide", "completeness", "informativeness")}
    factors = {f: min(1.0, 0.02 * rank + 0.05 * i) for i, f in enumerate(FACTORS)}
    return {**own, **told, **scores, "gaps": factors, "explained": {f: 1 - v for f, v in factors.items()}}


def made_up(seed: int = 0, changed: dict[tuple[str, str], float] | None = None, **given) -> dict[str, Results]:
    """The reference's runs by group, as if they had been measured; `changed` adds to a model's score."""
    p, rng = parameters("disentanglement", "reference", **given), np.random.default_rng(seed)
    order = [chapter.model_name(c) for group in ("models", "doses") for c in chapter.runs(p)[group]]

    def measured(run: Run) -> dict:
        name = chapter.model_name(run.config)
        found = record(rng, list(dict.fromkeys(order)).index(name))
        for (model, score), by in (changed or {}).items():
            found[score] += by * (model == name)
        return found

    def bars(run: Run) -> dict:
        found = record(rng, 2)
        return {
            s: {f: v + 0.01 * i for i, f in enumerate(chapter.FLOORS)} for s, v in found.items() if type(v) is float
        }

    return {
        group: Results.of(
            "reference", "08_disentanglement", "reference",
            [Run(c, ROOT / f"{i}", {}, ENVIRONMENT) for i, c in enumerate(configs)],
            bars if group == "floors" else measured,
        )
        for group, configs in chapter.runs(p).items()
    }  # fmt: skip
