"""Chapters 1 and 2: what their sentences say, and what the records must show."""

from functools import cache

import numpy as np

from tests.conclusions.records import Conclusion, each, means, measure_pairs, outcomes
from vimae_core import load_dataset
from vimae_core.chapters import latent_shape
from vimae_core.chapters.capacity import VIMAE

MAX_KL = 0.1  # of the protocol


def kl_fits(r, model):
    """1: it fits by the protocol's criterion, 0: it does not, nan: undecided."""
    verdict = latent_shape.fits(r["figure"].values(model, "kl"), MAX_KL)
    return {f"{model} fits": np.nan if verdict is None else float(verdict)}


def by_weight(r, measure, lam, models=VIMAE, likelihood="bernoulli"):
    """A measure of the grid's runs at one lambda."""
    t = r["grid"].table
    t = t[(t["lambda"] == lam) & (t["likelihood"] == likelihood) & t["model"].isin(models)]
    return {
        f"{measure}, {m}, λ = {lam:g}, seed {s}": v for m, s, v in zip(t["model"], t["seed"], t[measure], strict=True)
    }


def smallest_empty(r, likelihood):
    """The smallest lambda at which every code of VIMAE-n is empty."""
    t = r["grid"].table.query("model == 'VIMAE-n' and likelihood == @likelihood")
    rates = t.groupby("lambda")["rate"].max()
    return min((lam for lam, rate in rates.items() if abs(rate) < 0.1), default=np.inf)


@cache
def error_of_the_mean_digit():
    data = load_dataset()
    mean = data["train"][0].float().mean(0) / 255
    return (data["test"][0] / 255 - mean).square().flatten(1).sum(1).mean().item()


PAGE, TRAINING = "01_latent_shape", "02_training"
CONCLUSIONS = [
    Conclusion(PAGE, "by the criterion it does not fit", lambda r: each(kl_fits(r, "VAE"), lambda v: v == 0)),
    Conclusion(
        PAGE,
        "**The β-VAE** closes them: a rate that costs ten times as much smears every code",
        lambda r: (
            each(kl_fits(r, "beta-VAE"), lambda v: v == 1)
            | outcomes(measure_pairs(r["figure"], "posterior_std", [("beta-VAE", "VAE")]), "holds")
        ),
    ),
    Conclusion(
        PAGE,
        "**VIMAE at λ = 10 does not fit.** Its codes spread far beyond the prior's contours",
        lambda r: (
            each(kl_fits(r, "VIMAE-n") | kl_fits(r, "VIMAE-l"), lambda v: v == 0)
            | each(
                {f"std, {m}, {i}": v for m in VIMAE for i, v in enumerate(r["figure"].values(m, "latent_std"))},
                lambda v: v > 2,
            )
        ),
    ),
    Conclusion(
        PAGE,
        "looks small for VIMAE beside the AE's, and yet lies far outside its band",
        lambda r: (
            each(
                {f"of the AE's, {m}": means(r["figure"], "mmd2")[m] / means(r["figure"], "mmd2")["AE"] for m in VIMAE},
                lambda v: 0 < v < 0.2,
            )
            | each(
                {
                    f"of the band, {m}": means(r["figure"], "mmd2")[m] - 100 * means(r["figure"], "mmd2_null_high")[m]
                    for m in VIMAE
                },
                lambda v: v > 0,
            )
        ),
    ),
    Conclusion(
        PAGE,
        "no run has codes that fit the prior and carry information",
        lambda r: each(
            {"most rate where it fits": r["grid"].table.query("kl <= @MAX_KL")["rate"].max()},
            lambda v: v < 0.1,
        ),
    ),
    Conclusion(
        PAGE,
        "As λ grows the codes draw closer to the prior without reaching it",
        lambda r: (
            each(
                {
                    m: np.mean(list(by_weight(r, "kl", 100, [m]).values()))
                    / np.mean(list(by_weight(r, "kl", 10, [m]).values()))
                    for m in VIMAE
                },
                lambda v: 0 < v < 0.5,
            )
            | each(by_weight(r, "kl", 100), lambda v: v > MAX_KL)
        ),
    ),
    Conclusion(
        PAGE,
        "a small part of the images gets a posterior many times wider than the prior, which the kernel hardly sees",
        lambda r: (
            each({m: max(by_weight(r, "posterior_std", 1000, [m]).values()) for m in VIMAE}, lambda v: v > 10)
            | each(
                {m + " least": min(by_weight(r, "posterior_std", 1000, [m]).values()) for m in ["VIMAE-n"]},
                lambda v: v < 1,
            )
            | each(by_weight(r, "mmd2", 1000), lambda v: v < 0.01)
            | each({"kl, " + m: max(by_weight(r, "kl", 1000, [m]).values()) for m in VIMAE}, lambda v: v > 10)
        ),
    ),
    Conclusion(
        PAGE,
        "the divergence is nearly zero and the rate is too: every image has the prior itself for its posterior",
        lambda r: (
            each(by_weight(r, "kl", 10000) | by_weight(r, "rate", 10000), lambda v: -0.01 < v < 0.05)
            | each(by_weight(r, "posterior_std", 10000), lambda v: abs(v - 1) < 0.1)
        ),
    ),
    Conclusion(
        PAGE,
        "what is decoded is the mean digit",
        lambda r: each(by_weight(r, "squared_error", 10000), lambda v: abs(v / error_of_the_mean_digit() - 1) < 0.001),
    ),
    Conclusion(
        PAGE,
        "The other two likelihoods shift the same picture towards smaller λ",
        lambda r: each(
            {name: smallest_empty(r, name) for name in ("gaussian", "wae")},
            lambda v: v < smallest_empty(r, "bernoulli") < np.inf,
        ),
    ),
    Conclusion(
        TRAINING,
        "VAE and β-VAE hold the rate down because they pay for it",
        lambda r: outcomes(
            measure_pairs(r["table"], "rate", [("AE", "VAE"), ("VIMAE-n", "VAE"), ("VAE", "beta-VAE")]), "holds"
        ),
        "generation",
    ),
    Conclusion(
        TRAINING,
        "end at several times as much",
        lambda r: each(
            {m: means(r["table"], "rate")[m] / means(r["table"], "rate")["VAE"] for m in ("AE", "VIMAE-n")},
            lambda v: v > 3,
        ),
        "generation",
    ),
]
