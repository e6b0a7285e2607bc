"""Chapter 3, the weight of the rate: what its sentences say, and what the records must show."""

import numpy as np
import pandas as pd

from tests.conclusions.capacity import OTHERS, PAGE, TABLE, values
from tests.conclusions.records import Conclusion, each
from vimae_core.chapters import capacity
from vimae_core.chapters.capacity import CLEAN, TABLE_1
from vimae_core.chapters.capacity_figures import crossing

SWEPT = (CLEAN, "mask 0.5")


def line(r, likelihood, condition=CLEAN):
    """Of the VAEs under a likelihood: weight of the rate -> accuracies of its runs, averaged over draws."""
    runs = pd.concat([r["table"].table, r["sweep"].table])
    runs = runs[runs["model"].isin(["VAE", "beta-VAE"]) & (runs["likelihood"] == likelihood)]
    accuracy = [float(np.mean(record["test"][condition]["tsvm"])) for record in runs["accuracy"]]
    return {w: part.to_list() for w, part in pd.Series(accuracy).groupby(runs["lambda"].to_numpy())}


def rings(r, likelihood):
    """By condition, the weight of the rate at which ours has the accuracy of the paper's VAE."""
    found = {}
    for condition in SWEPT:
        means = {w: np.mean(v) for w, v in line(r, likelihood, condition).items()}
        found[condition] = crossing(list(means), list(means.values()), float(TABLE["VAE"][condition])) or np.nan
    return found


def at_weight(r, weight, condition=CLEAN):
    """The mean accuracy at a weight of the rate under a Gaussian of unit variance."""
    return np.mean(line(r, "gaussian", condition)[weight])


def two_seeds(r):
    """The part of the weights that were run with two seeds."""
    runs = [v for likelihood in ("bernoulli", "gaussian") for v in line(r, likelihood).values()]
    return {"of two seeds": sum(len(v) == 2 for v in runs) / len(runs)}


def best_from_the_ring_on(r, likelihood):
    """The best clean accuracy at weights from that on at which ours has the paper's VAE."""
    beyond = [np.mean(v) for w, v in line(r, likelihood).items() if w >= rings(r, likelihood)[CLEAN]]
    return max(beyond, default=np.nan)


CONCLUSIONS = [
    Conclusion(
        PAGE,
        "the VAE lies far below all other models, and half-masked digits cost it a third of what it knew",
        lambda r: (
            each(
                {f"printed, {m}, {c}": TABLE[m][c] - TABLE["VAE"][c] for m in TABLE for c in TABLE_1 if m != "VAE"},
                lambda v: v > 8,
            )
            | each(
                {"printed, cost": 1 - TABLE["VAE"]["mask 0.5"] / TABLE["VAE"][CLEAN]}, lambda v: abs(v - 1 / 3) < 0.03
            )
        ),
    ),
    Conclusion(
        PAGE,
        "Ours does neither",
        lambda r: (
            each(values(r, [(m, "VAE") for m in OTHERS if m != "VAE"], [CLEAN]), lambda v: abs(v) < 2)
            | each({"cost": capacity.lost(r["table"], "VAE", "mask 0.5")}, lambda v: 0 < v < 20)
        ),
    ),
    Conclusion(
        PAGE,
        "With the summed Bernoulli likelihood a rate of weight 1 costs the code little",
        lambda r: each(values(r, [("AE", "VAE")], [CLEAN]), lambda v: 0 < v < 2),
    ),
    Conclusion(
        PAGE,
        "Under the Bernoulli likelihood that takes a rate weighted more than ten times",
        lambda r: each(rings(r, "bernoulli"), lambda v: v > 10),
    ),
    Conclusion(
        PAGE,
        "Under a Gaussian of unit variance it takes about two times on clean digits and three on half-masked ones",
        lambda r: each(
            {c: v - n for (c, v), n in zip(rings(r, "gaussian").items(), (2, 3), strict=True)}, lambda v: abs(v) < 0.3
        ),
    ),
    Conclusion(
        PAGE,
        "with that scale a plain VAE knows much less than the paper's",
        lambda r: each({c: TABLE["VAE"][c] - at_weight(r, 10, c) for c in SWEPT}, lambda v: 20 < v < 100),
    ),
    Conclusion(
        PAGE,
        "a likelihood *between* these two scales would give the paper's row",
        lambda r: each({c: at_weight(r, 1, c) - TABLE["VAE"][c] for c in SWEPT}, lambda v: 0 < v < 100),
    ),
    Conclusion(PAGE, "8 of our 10 weights were run with two seeds", lambda r: each(two_seeds(r), lambda v: v == 0.8)),
    Conclusion(
        PAGE,
        "a β-VAE, with ten times the weight, would lie far lower still, where the paper's stands among the best",
        lambda r: each(
            {f"weight {w}": TABLE["beta-VAE"][CLEAN] - at_weight(r, w) for w in (10, 30)}, lambda v: 20 < v < 100
        ),
    ),
    Conclusion(
        PAGE,
        "**No scale that we ran gives both of the paper's rows.**",
        lambda r: each(
            {name: TABLE["beta-VAE"][CLEAN] - best_from_the_ring_on(r, name) for name in ("bernoulli", "gaussian")},
            lambda v: v > 20,
        ),
    ),
]
