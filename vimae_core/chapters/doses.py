"""Does capacity explain it? The third registered analysis: priors, their scales, and the weights as doses."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from vimae_core.chapters.capacity import CLEAN, HEAVY
from vimae_core.config import RunConfig, paper_model
from vimae_core.conventions import under_convention
from vimae_core.priors import make_prior
from vimae_core.profiles import common_fields
from vimae_core.report.results import Results

KEPT = ("shape", "noisy")  # of the first seed, whose samples are drawn
DECODED = (*KEPT, "scale")  # what their priors draw is a response
CONDITIONS = (CLEAN, *HEAVY)


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """By what is varied, in the order of the registered page.

    `shape`: priors of unit variance. `noisy`: the prior's scale and shape, the encoder's noise given. `scale`: the
    prior's, the noise learnt, that of equal entropy first. `rate_at_fit`: InfoVAE. `rate`: beta-VAE. `fit`: VIMAE-n's
    lambda, and its constraint's tolerance. `rows`: the paper's models as they stand. `adversary`: Jensen-Shannon in
    the MMD's place. `collapse`: with a decoder that sees other pixels, and after how many epochs.
    """
    noisy = [{"prior_scale": scale} for scale in p.noisy_scales] + [family(shape) for shape in p.noisy_shapes]
    fits = [{"lambda_": lambda_} for lambda_ in p.lambdas]
    fits += [{"lambda_schedule": "constrained", "tolerance": t} for t in p.tolerances]
    adversaries = [
        {**family(shape), "divergence": "adversarial", "lambda_": lambda_}
        for lambda_ in p.adversarial_lambdas
        for shape in p.adversarial_shapes
    ]
    rows = [paper_model(m, seed=s, **common_fields(p)) for s in p.seeds for m in p.methods]
    return {
        "shape": _vimae(p, p.shape_seeds, map(family, p.shapes)),
        "noisy": _vimae(p, p.seeds, [{**prior, "encoder_std": p.noise} for prior in noisy]),
        "scale": [
            *_vimae(p, p.shape_seeds, [{"prior_scale": scale} for scale in p.equal_scales]),
            *_vimae(p, p.seeds, [{"prior_scale": scale} for scale in p.scales]),
        ],
        "rate_at_fit": _vimae(p, p.seeds, [{"method": "infovae", "alpha": alpha} for alpha in p.alphas]),
        "rate": [
            RunConfig(method="beta-vae", lambda_=beta, seed=s, **common_fields(p)) for s in p.seeds for beta in p.betas
        ],
        "fit": _vimae(p, p.seeds, fits),
        "rows": rows,
        "adversary": _vimae(p, p.seeds, adversaries),
        "collapse": _collapse(p),
    }


def _vimae(p: SimpleNamespace, seeds: list[int], doses) -> list[RunConfig]:
    """One a seed and dose, lambda rising over the first half of training, as the convention `constrained` has it."""
    rising = {"method": "vimae", "lambda_": p.lambda_, "lambda_schedule": "ramp", **common_fields(p)}
    doses = list(doses)
    return [RunConfig(**{**rising, **dose, "seed": seed}) for seed in seeds for dose in doses]


def _collapse(p: SimpleNamespace) -> list[RunConfig]:
    """Each of so many epochs is a training of its own, at a constant learning rate: none is the end of another."""
    fields = {**common_fields(p), "schedule": "constant"}
    return [
        under_convention("constrained", "plane", m, seed=s, decoder=decoder, **{**fields, "epochs": n})
        for s in p.seeds
        for m in p.collapse_models
        for decoder in p.decoders
        for n in p.collapse_epochs
    ]


def family(text: str) -> dict:
    """The fields of a prior of unit variance, by its name and, of a generalised normal, its shape: "laplace",
    "generalised-normal 4". Raises ValueError."""
    name, _, shape = text.partition(" ")
    try:
        return {"prior": name, "prior_shape": float(shape) if shape else None}
    except ValueError:
        told = "must be a prior's name and at most a shape, such as 'generalised-normal 4'"
        raise ValueError(f"shapes: {text!r} is not possible: {told}") from None


def doses(results: Results) -> pd.DataFrame:
    """The results' table with each run's dose beside it, and its responses.

    `prior`; `prior_entropy`, nats a coordinate; `tails`, whether these are heavier or lighter than the normal's;
    `scale`, its standard deviation; `noise`, that of q(z|x) where it is given; `tolerance`, of the constraint where it
    is enforced; alpha; method, decoder and epochs. By condition, M1+TSVM's accuracy in percent, the mean over draws of
    labels.
    """
    rows = []
    for run, record in zip(results.runs, results.table.to_dict("records"), strict=True):
        c = run.config
        prior = make_prior(c.prior, 1, c.prior_scale, c.prior_shape)
        dose = {
            **{name: getattr(c, name) for name in ("method", "prior", "alpha", "decoder", "epochs")},
            "prior_entropy": prior.entropy(),
            "tails": tails(c),
            "scale": prior.std,
            "noise": c.encoder_std or np.nan,
            "tolerance": c.tolerance if c.lambda_schedule == "constrained" else np.nan,
        }
        found = record.get("accuracy", {}).get("test", {})
        rows.append({**dose, **{k: np.mean(v["tsvm"]) for k, v in found.items() if k in CONDITIONS}})
    return results.table.reset_index(drop=True).join(pd.DataFrame(rows))


def tails(config: RunConfig) -> str:
    """Of the prior, beside a normal one's: heavy, light or normal."""
    if config.prior_shape is None:
        return {"logistic": "heavy", "laplace": "heavy", "uniform": "light"}.get(config.prior, "normal")
    return "heavy" if config.prior_shape < 2 else "light" if config.prior_shape > 2 else "normal"


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior, what they tell, what a classifier makes of them; of priors what is drawn."""
    settings = {name: getattr(p, name) for name in ("conditions", "curve", "n_labels", "draws", "fractions")}
    own = {"n_test": p.n_test}
    beside = {"latent_fit": own, "information": own}
    if group == "collapse":
        return beside
    decoded = {"generation": {**own, "condition": p.condition}} if group in DECODED else {}
    return {**beside, "probes": {**own, **settings}, **decoded}


def keeps(config: RunConfig, p: SimpleNamespace) -> bool:
    """Whether a figure draws it: of the first seed the priors and the scales."""
    return config.seed == p.seeds[0] and any(config in runs(p)[group] for group in KEPT)
