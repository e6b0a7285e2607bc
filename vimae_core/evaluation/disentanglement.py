"""Claim 8 in numbers: how far the coordinates of a run's codes stand for the known factors of toy faces."""

from collections.abc import Callable

import torch
from jaxtyping import Bool
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.data import Dataset
from vimae_core.evaluation.disentanglement_scores import (
    BINS,
    VOTES,
    dci,
    equal_wide,
    factor_vae,
    information_gaps,
    mig,
    sap,
)
from vimae_core.networks import Posterior
from vimae_core.runs import Run
from vimae_core.toy_faces import FACTORS, draw_factors, render

FITTED = 5000  # training images, at most, from whose codes the factors are learned
IMAGES = 5 * BINS  # at least, in either split
COLLAPSED = 0.05  # of a coordinate's variance over codes: a mean that varies by less tells of no image

Encode = Callable[[Tensor], Tensor]  # images (n, c, h, w), bytes, to codes (n, d)


def check(config: RunConfig, data: Dataset, n_test: int | None = None, votes: int = VOTES) -> None:
    """Raises ValueError for images whose factors are not known, and for too few images, coordinates or votes."""
    if data.factors is None:
        raise ValueError(
            f"{data.name} has no known factors, against which disentanglement is measured: dataset='toy-faces' has them"
        )
    if config.latent_dim < 2:
        raise ValueError(f"latent_dim={config.latent_dim} is not possible: the scores compare 2 coordinates or more")
    if not votes >= 1:
        raise ValueError(f"votes={votes!r} is not possible: must be 1 or more of each factor")
    for name, n in (("n_train", len(data["train"][0][: config.n_train])), ("n_test", len(data["test"][0][:n_test]))):
        if n < IMAGES:
            raise ValueError(f"{name}={n} is not possible: {BINS} bins of a factor need {IMAGES} images or more")


@torch.no_grad()
def disentanglement(run: Run, data: Dataset, n_test: int | None = None, votes: int = VOTES) -> dict:
    """The scores of posterior means (Locatello et al. 2019), see `scores`; `live` is how many coordinates vote.

    In the FactorVAE score coordinates that have collapsed have no vote, as in Kim and Mnih 2018; the others see all.
    """
    alive = live(run.posterior(data["test"][0][:n_test]))
    return {"live": int(alive.sum()), **scores(run.encode, data, run.config, n_test, votes, alive)}


def live(posterior: Posterior) -> Bool[Tensor, " d"]:
    """Which coordinates have not collapsed: their means make up more than a twentieth of their codes' variance.

    Locatello et al. 2019 ask 0.05 of the means' variance, codes having unit variance; this asks it in any unit.
    """
    means = posterior.mean.double().var(0)
    return means > COLLAPSED * (means + posterior.log_variance.double().exp().mean(0))


def scores(
    encode: Encode,
    data: Dataset,
    config: RunConfig,
    n_test: int | None = None,
    votes: int = VOTES,
    alive: Bool[Tensor, " d"] | None = None,
) -> dict:
    """The scores of an encoder, a run's or a floor's: `mig` (and by equally wide bins), `sap`, DCI and `factor_vae`.

    On the test split (its first `n_test` images), but that DCI's forests are fitted to the first FITTED training
    images, and that the FactorVAE score's faces are drawn and painted anew, for `votes` votes a factor of the
    coordinates that are `alive` (None: all). Seeds are the configuration's. `gaps` and `explained` are MIG and
    informativeness of each factor.
    """
    train, test = data["train"][0][: config.n_train][:FITTED], data["test"][0][:n_test]
    train_factors, factors = (
        data.factors[data.split[part]][: len(images)] for part, images in (("train", train), ("test", test))
    )
    codes = encode(test)
    gaps, predicted = information_gaps(codes, factors), dci(encode(train), train_factors, codes, factors, config.seed)
    voting = slice(None) if alive is None else alive
    seed = config.seed + 1  # the data set's own faces are those of seed 0
    return {
        "n": len(test),
        "fitted": len(train),
        "mig": gaps.mean().item(),
        "mig_equal_wide": mig(codes, factors, equal_wide),
        "sap": sap(codes, factors),
        "disentanglement": predicted.disentanglement,
        "completeness": predicted.completeness,
        "informativeness": predicted.informativeness,
        "factor_vae": factor_vae(lambda v: encode(render(v))[:, voting], draw_factors, seed, votes),
        "gaps": dict(zip(FACTORS, gaps.tolist(), strict=True)),
        "explained": dict(zip(FACTORS, predicted.explained, strict=True)),
    }
