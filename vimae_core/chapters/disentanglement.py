"""Is a small capacity more disentangled? The third registered analysis on toy faces, whose factors are known."""

from types import SimpleNamespace

from vimae_core.chapters.doses import family
from vimae_core.config import RunConfig
from vimae_core.conventions import under_convention
from vimae_core.profiles import common_fields

FLOOR = "AE"  # the model beside whose runs the floors are measured: nothing of a training counts for them


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """`models`: the paper's, codes made to follow the prior. `doses`: other weights of the rate, and of VIMAE other
    priors and, its noise given, other scales. `floors`: one a seed, whose training counts for nothing."""
    models = [_constrained(p, m, s) for s in p.seeds for m in p.methods]
    doses = [
        config
        for s in p.seeds
        for config in (
            *(RunConfig(method="beta-vae", lambda_=beta, seed=s, **common_fields(p)) for beta in p.betas),
            *(_constrained(p, "VIMAE-n", s, **family(shape)) for shape in p.shapes),
            *(_constrained(p, "VIMAE-n", s, prior_scale=k, encoder_std=p.noise) for k in p.noisy_scales),
        )
    ]
    return {"models": models, "doses": doses, "floors": [config for config in models if config.label == FLOOR]}


def _constrained(p: SimpleNamespace, model: str, seed: int, **fields) -> RunConfig:
    return under_convention("constrained", "faces", model, seed=seed, **{**common_fields(p), **fields})


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior, what they tell, and how far each coordinate stands for one factor."""
    own = {"n_test": p.n_test}
    scores = {**own, "votes": p.votes}
    if group == "floors":
        return {"disentanglement_floors": scores}
    return {"latent_fit": own, "information": own, "disentanglement": scores}


def keeps(config: RunConfig, p: SimpleNamespace) -> bool:
    """Whether a figure draws it: the first seed."""
    return config.seed == p.seeds[0]
