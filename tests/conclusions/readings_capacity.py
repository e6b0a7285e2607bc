"""Chapter 3 under other conventions: what its sentences say, and what the second analysis's records must show."""

import numpy as np

from tests.conclusions.capacity import BESIDE_AE, BESIDE_VAE, OTHERS, PAGE, PAPER, TABLE
from tests.conclusions.latent_shape import error_of_the_mean_digit
from tests.conclusions.readings import apart, between_priors, free, gaussian, held, wae, wae_code
from tests.conclusions.records import Conclusion, accuracy_pairs, each, outcomes, reference_of
from vimae_core.chapters import capacity
from vimae_core.chapters.capacity import CLEAN, HEAVY, TABLE_1, VIMAE, accuracies
from vimae_core.profiles import parameters
from vimae_core.report.claims import difference

MORE = ("wae", "constrained")  # under which VIMAE-n and VIMAE-l have more seeds
EMPTY = ("VAE", "beta-VAE", "InfoVAE", "VAE-l")  # under the WAE code's cost


def mean_accuracy(of, model, condition):
    return np.mean(list(accuracies(of, model, condition).values()))


def above_the_beta_vae(of):
    """Every other model's mean accuracy less its own, by condition."""
    mean = {(m, c): mean_accuracy(of, m, c) for m in (*OTHERS, "beta-VAE") for c in TABLE_1}
    return {f"{m}, {c}": mean[m, c] - mean["beta-VAE", c] for m in OTHERS for c in TABLE_1}


def by_run(of, measure, models):
    """A measure of every run of some models."""
    return {f"{measure}, {m}, {i}": v for m in models for i, v in enumerate(of.values(m, measure))}


def empty(of):
    """Every model that pays for its rate has none, and what it decodes is no more than a guess."""
    return each(by_run(of, "rate", EMPTY), lambda v: 0 <= v < 1) | each(
        by_run(of, "label_kept", EMPTY), lambda v: 8 < v < 12
    )


def losses(r, free, held):
    """What both VIMAE lose under another convention, by condition, seed by seed."""
    return {f"{m}, {c}": difference(*(accuracies(of(r), m, c) for of in (free, held))) for m in VIMAE for c in TABLE_1}


def costs(r):
    """Where lambda rises to bring the codes to their prior."""
    return losses(r, free, held)


def masked_beyond_the_rest(of):
    """VIMAE's mean lead over the VAE on half-masked digits less its largest under another condition."""
    lead = {(m, c): mean_accuracy(of, m, c) - mean_accuracy(of, "VAE", c) for m in VIMAE for c in TABLE_1}
    return {m: lead[m, HEAVY[1]] - max(lead[m, c] for c in TABLE_1 if c != HEAVY[1]) for m in VIMAE}


def by_the_likelihood(r):
    """By how much models read noisy digits better under a Gaussian than under Bernoulli, seed by seed."""
    both = (gaussian, free)
    return {m: difference(*(accuracies(of(r), m, HEAVY[0]) for of in both)) for m in ("AE", "VAE", *VIMAE)}


def spread_at_noise(r):
    """How far the mean accuracies of models that are not empty lie apart on noisy digits under the Gaussian."""
    there = [mean_accuracy(gaussian(r), m, HEAVY[0]) for m in ("AE", "VAE", *VIMAE)]
    return max(there) - min(there)


CONCLUSIONS = [
    Conclusion(
        PAGE,
        "every model that pays for its rate is empty",
        lambda r: empty(wae(r)),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "and each gives back the mean digit",
        lambda r: each(
            by_run(wae(r), "reconstruction_error", EMPTY), lambda v: abs(v - error_of_the_mean_digit()) < 0.5
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "It is better than the VAE under every condition, as the paper says",
        lambda r: (
            outcomes(accuracy_pairs(wae(r), BESIDE_VAE, TABLE_1), "holds")
            | each(
                {f"printed, {m}, {c}": TABLE[m][c] - TABLE["VAE"][c] for m in VIMAE for c in TABLE_1}, lambda v: v > 0
            )
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "of the paper's rows. The β-VAE, which the paper has among the best",
        lambda r: (
            each({"farthest": capacity.off_the_paper(wae(r), VIMAE, PAPER)}, lambda v: v < 5)
            | each({f"printed, {c}": TABLE["beta-VAE"][c] - TABLE["VAE"][c] for c in TABLE_1}, lambda v: v > 5)
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "is on average the worst model under every condition",
        lambda r: each(above_the_beta_vae(wae(r)), lambda v: v > 0),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "**An empty code still classifies.** The VAE's posteriors are all but the prior",
        lambda r: (
            each(by_run(wae(r), "rate", ["VAE"]), lambda v: 0 <= v < 1e-3)
            | each({"clean": mean_accuracy(wae(r), "VAE", CLEAN)}, lambda v: 50 < v < 65)
            | each({"printed": TABLE["VAE"][CLEAN]}, lambda v: v > 70)
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "whoever pays for a rate is empty as well, and the AE is the best of all.**",
        lambda r: (
            empty(wae_code(r))
            | outcomes(accuracy_pairs(wae_code(r), [("AE", "VAE"), ("AE", "beta-VAE")], TABLE_1), "holds")
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "VIMAE, here with a deterministic encoder, lies",
        lambda r: (
            each(by_run(wae_code(r), "rate", VIMAE), lambda v: v == np.inf)
            | outcomes(accuracy_pairs(wae_code(r), BESIDE_VAE, TABLE_1), "holds")
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "lies above either VIMAE under every condition",
        lambda r: outcomes(accuracy_pairs(wae_code(r), BESIDE_AE, TABLE_1), "contradicted"),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "**Nearer to the prior, it classifies worse.**",
        lambda r: outcomes(losses(r, wae, wae_code), "holds") | outcomes(apart(r, wae, wae_code, "kl"), "holds"),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "the VAE falls behind as the paper says, and the β-VAE is empty.**",
        lambda r: (
            each(by_run(gaussian(r), "rate", ["beta-VAE"]), lambda v: 0 <= v < 1e-3)
            | each({n: t.mean() for n, t in accuracy_pairs(gaussian(r), BESIDE_VAE, TABLE_1).items()}, lambda v: v > 0)
            | outcomes(accuracy_pairs(gaussian(r), [("beta-VAE", "VAE")], TABLE_1), "contradicted")
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "Beside this likelihood the same weight of the rate is a higher price",
        lambda r: outcomes(apart(r, free, gaussian, "rate", "VAE"), "holds"),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "and largest where half of the pixels are missing",
        lambda r: each(masked_beyond_the_rest(gaussian(r)), lambda v: v > 5),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "**For noisy digits the likelihood matters more than which of the other models is trained.**",
        lambda r: (
            outcomes(by_the_likelihood(r), "holds")
            | each({n: t.mean() for n, t in by_the_likelihood(r).items()}, lambda v: v > 2 * spread_at_noise(r))
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "nothing is decided between VIMAE and the VAE.** All ten comparisons are undecided",
        lambda r: (
            outcomes(accuracy_pairs(held(r), BESIDE_VAE, TABLE_1), "undecided")
            | each({n: t.mean() for n, t in accuracy_pairs(held(r), BESIDE_VAE, TABLE_1).items()}, lambda v: v > 0)
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "The β-VAE lies on average below both under every condition",
        lambda r: each(above_the_beta_vae(held(r)), lambda v: v > 0),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "**The AE, which follows no prior, is better than either VIMAE.**",
        lambda r: {
            name: told
            for name, told in outcomes(accuracy_pairs(held(r), BESIDE_AE, TABLE_1), "contradicted").items()
            if HEAVY[0] not in name
        },
        "conventions",
    ),
    Conclusion(
        PAGE,
        "at σ = 0.4 it is undecided. All but that stand",
        lambda r: outcomes(accuracy_pairs(held(r), BESIDE_AE, HEAVY[:1]), "undecided"),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "VIMAE-n's MMD² is still",
        lambda r: each(
            {
                f"{i}": mmd2 / high
                for i, (mmd2, high) in enumerate(
                    zip(*(held(r).values("VIMAE-n", m) for m in ("mmd2", "mmd2_null_high")), strict=True)
                )
            },
            lambda v: v > 3,
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "comparisons of claims 2 and 3 have the word that they had",
        lambda r: each(
            {"same": np.mean(capacity.same_words(reference_of("capacity")["table"], free(r)))},
            lambda v: v > 0.9,
        ),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "**And to follow the prior costs accuracy.**",
        lambda r: {
            name: told
            for name, told in outcomes(costs(r), "holds").items()
            if name in ("VIMAE-n, clean", "VIMAE-l, clean", "VIMAE-l, mask 0.5")
        },
        "conventions",
    ),
    Conclusion(
        PAGE,
        "and all ten means have this sign",
        lambda r: each({name: table.mean() for name, table in costs(r).items()}, lambda v: 0 < v < 5),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "and its rate is higher, by",
        lambda r: outcomes(apart(r, held, free, "rate"), "holds") | outcomes(apart(r, free, held, "kl"), "holds"),
        "conventions",
    ),
    Conclusion(
        PAGE,
        "**Between VIMAE-n and VIMAE-l nothing is decided with",
        lambda r: {
            f"{c}, {i}": (t.outcome.word, t.outcome.word == "undecided" and t.outcome.seeds == 12)
            for c in MORE
            for i, t in enumerate(between_priors(r, c))
        },
        "conventions",
    ),
    Conclusion(
        PAGE,
        "and the paper's lead of VIMAE-n on clean digits is excluded.**",
        lambda r: {c: (t.outcome.difference, t.excludes) for c in MORE for t in between_priors(r, c)[:1]},
        "conventions",
    ),
    Conclusion(
        PAGE,
        "digits the other way round",
        lambda r: {
            f"{c}, {i}": (t.outcome.difference, t.excludes == excluded)
            for c, of in (("wae", (True, False)), ("constrained", (False, True)))
            for i, (t, excluded) in enumerate(zip(between_priors(r, c)[1:3], of, strict=True))
        },
        "conventions",
    ),
    Conclusion(
        PAGE,
        "Where it is not excluded, it could not have been seen",
        lambda r: {
            f"{c}, {i}": (t.could_hold, t.could_hold == t.excludes)
            for c in MORE
            for i, t in enumerate(between_priors(r, c)[:3])
        },
        "conventions",
    ),
    Conclusion(
        PAGE,
        "no convention shows the order of the two that claim 3 is about, and none excludes all of it",
        lambda r: {
            c: (of, all(t.outcome.word != "holds" for t in of) and not all(t.excludes for t in of))
            for c in parameters("conventions", "reference").conventions
            for of in [between_priors(r, c)]
        },
        "conventions",
    ),
]
