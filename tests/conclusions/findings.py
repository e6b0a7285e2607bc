"""The first page: what its paragraph says, and what the records must show."""

import numpy as np
from scipy import stats

from tests.conclusions.capacity import OTHERS, TABLE_1, VIMAE, left_out, values
from tests.conclusions.latent_shape import kl_fits
from tests.conclusions.records import Conclusion, accuracy_pairs, each, outcomes
from vimae_core.chapters import findings, statements
from vimae_core.chapters.capacity import CLEAN, HEAVY
from vimae_core.chapters.doses import doses
from vimae_core.chapters.statements_words import word
from vimae_core.report.results import reference_results

PAGE = "00_findings"


def generates_better(r):
    """Whether VIMAE's prior samples are nearer than the VAE's, by reading."""
    found = statements.of_the_reference()[0]
    names = [f"distance of VAE − distance of {m}" for m in VIMAE]
    wanted = {"gaussian": "holds", "bernoulli": "contradicted", "constrained": "holds"}
    return {f"{c}: {n}": (w := word(found[c][4][n]), w == wanted[c]) for c in wanted for n in names}


def no_reading(r):
    """In each reading that is asked everything something does not hold."""
    found = statements.of_the_reference()[0]
    n = findings.by_reading(found)
    failed = {c: [word(t) for of in claims.values() for t in of.values()] for c, claims in found.items()}
    return {c: (len(of), set(of) != {"holds"}) for c, of in failed.items()} | each(
        {"of several conventions": n.statements - len(n.always) - len(n.never)}, lambda v: v > 0
    )


def less_capacity(r):
    """Of each slope that is called decided, by scipy from each seed's runs: below zero, and shown to be so."""
    found = reference_results("doses", None)
    noisy, rate, at_fit = (doses(found[group]) for group in ("noisy", "rate", "rate_at_fit"))
    roads = {
        ("scale", -1): noisy[noisy["tails"] == "normal"].assign(dose=lambda t: t["scale"]),
        ("beta", 1): rate.assign(dose=lambda t: t["lambda"]),
        ("alpha", 1): at_fit.assign(dose=lambda t: t["alpha"]),
    }
    shown = {}
    for (name, sign), table in roads.items():
        for c in HEAVY:
            of = [sign * stats.linregress(np.log2(own["dose"]), own[c]).slope for _, own in table.groupby("seed")]
            below = stats.ttest_1samp(of, 0, alternative="less").pvalue < 0.025
            if (name, c) != ("scale", HEAVY[1]):
                shown[f"{name}, {c}"] = (np.mean(of), len(of) == 5 and below)
            else:
                shown["undecided"] = (np.mean(of), not below)
    return shown


CONCLUSIONS = [
    Conclusion(
        PAGE,
        "**On clean digits no model is on average above an autoencoder that has no prior at all**",
        lambda r: each(values(r, [("AE", m) for m in (*OTHERS[1:], "beta-VAE")], [CLEAN]), lambda v: v >= 0),
        "capacity",
    ),
    Conclusion(
        PAGE,
        "**Between normal and logistic the seeds decide nothing**",
        lambda r: (
            outcomes(accuracy_pairs(r["table"], [VIMAE], TABLE_1), "undecided")
            | each({CLEAN: left_out(r)[CLEAN]}, lambda v: v > 0)
        ),
        "capacity",
    ),
    Conclusion(
        PAGE,
        "And at the paper's λ VIMAE, the model that is to follow its prior, does not",
        lambda r: each(kl_fits(r, "VIMAE-n") | kl_fits(r, "VIMAE-l"), lambda v: v == 0),
        "latent_shape",
    ),
]
OF_READINGS = [  # made from the statements' outcomes, which tests of their own hold against the records
    Conclusion(PAGE, "and does where λ rises to 1,000; under a Gaussian of unit variance it does", generates_better),
    Conclusion(PAGE, "**There is no reading of the paper under which all of its claims hold**", no_reading),
    Conclusion(
        PAGE,
        "**The less capacity, the less accurate on corrupted digits**, in 5 of 6 slopes; 1 is undecided",
        less_capacity,
    ),
]
