"""Chapter 4: what its sentences say, and what the records must show."""

from scipy import stats

from tests.conclusions.records import Conclusion, each, means, measure_pairs, outcomes
from vimae_core.chapters.capacity import VIMAE
from vimae_core.chapters.generation import claim_4, claim_5
from vimae_core.report.claims import difference, measured

PAGE = "04_mnist_generation"
INFORMED = ("AE", "VAE", "InfoVAE", *VIMAE, "VAE-l")  # all but the β-VAE
MODELS = (*INFORMED, "beta-VAE")


def within(r, more, less, models=MODELS):
    """One measure less another of the same model."""
    return {m: difference(measured(r["table"], m, more), measured(r["table"], m, less)) for m in models}


def pairs(r, measure, models):
    return measure_pairs(r["table"], measure, models)


def gets_worse(r):
    """How much farther samples from the prior lie than those from the codes."""
    return {m: float(table.mean()) for m, table in within(r, "prior_frechet", "aggregate_frechet").items()}


def of_claim_4(r, other, wanted):
    return {
        name: (f"{c.difference:.1f}", c.outcome == wanted)
        for name, c in claim_4(r["table"])[1].items()
        if name.startswith(f"distance of {other}")
    }


def labels_kept(r, model, wanted):
    """Claim 5 (b) of a model."""
    c = claim_5(r["table"])[1][f"{model}: label kept, masked − 0.9 × clean"]
    return {model: (f"{c.difference:.2f}, p = {c.p:.3f}, {c.outcome}", c.outcome == wanted)}


def gains(r):
    """By how much each model's reconstructions are nearer than the principal components'."""
    return {m: float(table.mean()) for m, table in within(r, "pca_error", "reconstruction_error").items()}


CONCLUSIONS = [
    Conclusion(
        PAGE,
        "Bernoulli likelihood and λ = 10, worse than the VAE",
        lambda r: of_claim_4(r, "VAE", "contradicted") | of_claim_4(r, "beta-VAE", "holds"),
    ),
    Conclusion(
        PAGE,
        "decode to digits that lie close to real ones for every model but the β-VAE",
        lambda r: (
            outcomes(within(r, "aggregate_precision", "real_precision", INFORMED), "holds")
            | outcomes(within(r, "aggregate_precision", "real_precision", ["beta-VAE"]), "contradicted")
            | each(
                {f"distance, {m}": means(r["table"], "aggregate_frechet")[m] for m in INFORMED},
                lambda v: 0 < v < 0.1 * means(r["table"], "aggregate_frechet")["beta-VAE"],
            )
        ),
    ),
    Conclusion(
        PAGE,
        "From the prior every model gets worse",
        lambda r: outcomes(within(r, "prior_frechet", "aggregate_frechet"), "holds"),
    ),
    Conclusion(
        PAGE,
        "the AE by far the most",
        lambda r: each({m: gets_worse(r)["AE"] / gets_worse(r)[m] for m in MODELS if m != "AE"}, lambda v: v > 3),
    ),
    Conclusion(
        PAGE,
        "VIMAE, whose codes have the prior's scale but not its shape, more than the VAE",
        lambda r: (
            each({f"std, {m}": means(r["table"], "latent_std")[m] for m in VIMAE}, lambda v: abs(v - 1) < 0.1)
            | outcomes(within(r, "kl", "kl_null_high", VIMAE), "holds")
            | each({m: gets_worse(r)[m] - gets_worse(r)["VAE"] for m in VIMAE}, lambda v: v > 10)
        ),
    ),
    Conclusion(
        PAGE,
        "λ = 10 is too little to make $q(z)$ follow $p(z)$ under a summed Bernoulli likelihood",
        lambda r: each({m: min(r["table"].values(m, "kl")) for m in VIMAE}, lambda v: v > 2),
    ),
    Conclusion(
        PAGE,
        "orders the models as their distances from the prior do",
        lambda r: each(
            {
                "rank correlation": stats.spearmanr(
                    *([means(r["table"], measure)[m] for m in INFORMED] for measure in ("kl", "prior_frechet"))
                ).statistic
            },
            lambda v: v > 0.999,
        ),
    ),
    Conclusion(
        PAGE,
        "but for the β-VAE, which fits its prior best and has little to say",
        lambda r: (
            outcomes(pairs(r, "kl", [(m, "beta-VAE") for m in INFORMED]), "holds")
            | outcomes(pairs(r, "rate", [(m, "beta-VAE") for m in INFORMED]), "holds")
            | each({"farther, than": means(r["table"], "prior_frechet")["beta-VAE"]}, lambda v: 100 < v < 1000)
        ),
    ),
    Conclusion(
        PAGE,
        "**All four models reconstruct**",
        lambda r: outcomes(within(r, "pca_error", "reconstruction_error", ["VAE", "beta-VAE", *VIMAE]), "holds"),
    ),
    Conclusion(
        PAGE,
        "the β-VAE only a little better than as many principal components",
        lambda r: each({m: gains(r)["beta-VAE"] / gains(r)[m] for m in ("VAE", *VIMAE)}, lambda v: 0 < v < 0.25),
    ),
    Conclusion(
        PAGE,
        "a reader of digits recognises only part of what it gives back",
        lambda r: (
            outcomes(pairs(r, "label_kept", [(m, "beta-VAE") for m in INFORMED]), "holds")
            | each({"kept, %": means(r["table"], "label_kept")["beta-VAE"]}, lambda v: 50 < v < 80)
        ),
    ),
    Conclusion(
        PAGE,
        "**That VIMAE generates better than the VAE is contradicted in these runs**, for λ = 10 under Bernoulli",
        lambda r: of_claim_4(r, "VAE", "contradicted"),
    ),
    Conclusion(PAGE, "Against the β-VAE VIMAE wins clearly", lambda r: of_claim_4(r, "beta-VAE", "holds")),
    Conclusion(
        PAGE,
        "every model's reconstruction is nearer to the clean digit than the masked digit is",
        lambda r: outcomes(within(r, "corrupted_input_error", "corrupted_error"), "holds"),
    ),
    Conclusion(
        PAGE,
        "keeps, is undecided for VIMAE-n (",
        lambda r: labels_kept(r, "VIMAE-n", "undecided"),
    ),
    Conclusion(
        PAGE,
        "and missed by VIMAE-l (",
        lambda r: labels_kept(r, "VIMAE-l", "contradicted"),
    ),
    Conclusion(
        PAGE,
        "reads *more* labels correctly from the masked digits themselves than from any model's reconstructions",
        lambda r: each(
            {
                f"{m}, {i}": float(seed.mean())
                for m, table in within(r, "corrupted_input_label_kept", "corrupted_label_kept").items()
                for i, seed in enumerate(table)
            },
            lambda v: v > 0,
        ),
    ),
    Conclusion(
        PAGE,
        "differences that the seeds leave open",
        lambda r: outcomes(
            pairs(r, "corrupted_label_kept", [(m, other) for m in VIMAE for other in ("AE", "VAE")]), "undecided"
        ),
    ),
    Conclusion(
        PAGE,
        "the VAE's reconstructions are nearer to the clean digits than VIMAE's",
        lambda r: outcomes(pairs(r, "corrupted_error", [(m, "VAE") for m in VIMAE]), "holds"),
    ),
]
