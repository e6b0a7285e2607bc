"""Made-up runs of chapter 8: the reference's, with scores that rise from model to model."""

from collections.abc import Callable

import numpy as np

from tests.conftest import ROOT
from vimae_core import RunConfig
from vimae_core.chapters import disentanglement as chapter
from vimae_core.profiles import parameters
from vimae_core.report.results import Results
from vimae_core.runs import Run
from vimae_core.toy_faces import FACTORS

P = parameters("disentanglement", "reference")
FIRST, LAST = P.seeds[0], P.seeds[-1]
ENVIRONMENT = {"commit": "c", "time": "2026-11-27", "data_digest": "d" * 64, "torch": "t", "device": "d"}
NOISY = [f"VIMAE-n, σ = {scale}, noise 1/4" for scale in ("1/2", "4")]
MODELS = [
    "AE", "VAE", "VAE-l", "β-VAE, β = 10", "β-VAE, β = 100", "InfoVAE", "VIMAE-n", "VIMAE-l", "VIMAE, uniform prior",
    *NOISY,
]  # fmt: skip
NAMES = [f"{pair}, {score}" for pair in chapter.PAIRS for score in chapter.SCORES.values()]


def record(name: str, rng: np.random.Generator) -> dict:
    """Scores that rise with a model's place, those of VIMAE-l as VIMAE-n's; what it tells; and factors in order."""
    place = MODELS.index(name) - (name == "VIMAE-l")
    own = {
        "n": 2000,
        "rate": np.inf if "uniform" in name else 20.0,
        "mmd2": 1e-4,
        "squared_error": 300.0,
        "active": 10,
        "live": place,
    }
    told = {"information": min(8.95, 2.0 + place), "information_above": 2.0 + 2 * place, "ceiling": 9.0}
    scores = {
        score: 0.1 + 0.05 * place + float(rng.normal(0, 0.01))
        for score in (*chapter.SCORES, "mig_equal_wide", "completeness", "informativeness")
    }
    rising = {f: 0.05 * place + 0.04 * i for i, f in enumerate(FACTORS)}
    return {**own, **told, **scores, "gaps": rising, "explained": {f: 1 - v for f, v in rising.items()}}


def floors_record(seed: int) -> dict:
    """In MIG the independent components are best, in every other score the principal ones."""
    of = {"untrained": 0.05, "pca": 0.32, "ica": 0.2}
    best_in_mig = {"untrained": 0.05, "pca": 0.2, "ica": 0.32 + 0.01 * (seed - FIRST - 2)}
    others = (*chapter.SCORES, "mig_equal_wide", "completeness", "informativeness")
    return {"n": 2000, **dict.fromkeys(others, of), "mig": best_in_mig}


def groups(changed: dict[tuple[str, str], float] | None = None, keep: Callable = bool) -> dict[str, Results]:
    """The reference's runs by group, as if they had been measured; `changed` adds to a model's score."""
    rng = np.random.default_rng(0)

    def measured(run: Run) -> dict:
        name = chapter.model_name(run.config)
        found = record(name, rng)
        return found | {score: found[score] + by for (model, score), by in (changed or {}).items() if model == name}

    def of(group: str, configs: list[RunConfig]) -> Results:
        found = [Run(c, ROOT / f"{group}{i}", {}, ENVIRONMENT) for i, c in enumerate(configs) if keep(c)]
        measure = (lambda run: floors_record(run.config.seed)) if group == "floors" else measured
        return Results.of("reference", "08_disentanglement", "reference", found, measure)

    return {group: of(group, configs) for group, configs in chapter.runs(P).items()}


def nothing() -> dict[str, Results]:
    return groups(keep=lambda config: False)
