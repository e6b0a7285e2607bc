"""The first page: what its paragraph says, and what the records must show."""

from tests.conclusions.capacity import OTHERS, TABLE_1, VIMAE, left_out, values
from tests.conclusions.latent_shape import kl_fits
from tests.conclusions.records import Conclusion, accuracy_pairs, each, outcomes
from vimae_core.chapters import findings, statements
from vimae_core.chapters.capacity import CLEAN
from vimae_core.chapters.statements_words import word

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
]
