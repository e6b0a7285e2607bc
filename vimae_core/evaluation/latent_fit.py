"""How well the aggregate posterior q(z) fits the prior p(z), and what that costs in reconstruction."""

import math

import numpy as np
import torch
from jaxtyping import Float, UInt8
from scipy.spatial import cKDTree
from scipy.special import digamma, gammaln
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.data import Dataset
from vimae_core.mmd import kernel_of, mmd2, null_band
from vimae_core.networks import as_pixels
from vimae_core.objectives import distortion, rate
from vimae_core.priors import Prior
from vimae_core.runs import Run

NEIGHBOURS = 5
LEAF = 64  # points that a tree does not tell apart: in eight dimensions a third faster than 16, scipy's own


def check(config: RunConfig, data: Dataset, n_test: int | None = None) -> None:
    """Raises ValueError for fewer images than the divergence needs."""
    n = min(len(data["test"][0][:n_test]), len(data["train"][0][: config.n_train]))
    if n <= NEIGHBOURS:
        raise ValueError(f"n_test={n} is not possible: the divergence needs more than {NEIGHBOURS} images")


def kl_to_prior(z: Float[Tensor, "n d"], prior: Prior, neighbours: int = NEIGHBOURS) -> float:
    """Estimate of D_KL(q(z)||p(z)), nats, from draws z ~ q(z): -h(q) - E_q log p(z).

    h(q) by the distance to the k-th nearest neighbour (Kozachenko and Leonenko 1987), which asks nothing
    of q's shape; consistent, and at d = 2 and n = 10,000 good to about 0.02. With more coordinates it is too low, by
    a twentieth of 3 nats at d = 8, and at d = 64 it is no number of nats at all: -10 where q is p, 0 where 24 are right
    (2,000 draws). Infinite where more than `neighbours` draws coincide or one leaves the prior's support.
    """
    points = z.double().numpy()
    n, d = points.shape
    if n <= neighbours:
        raise ValueError(f"n={n} is not possible: {neighbours} neighbours need more than {neighbours} points")
    radius = cKDTree(points, LEAF).query(points, neighbours + 1)[0][:, -1]
    log_ball = 0.5 * d * math.log(math.pi) - gammaln(0.5 * d + 1)
    with np.errstate(divide="ignore"):
        entropy = digamma(n) - digamma(neighbours) + log_ball + d * np.log(radius).mean()
    return float(-entropy - prior.log_prob(z.double()).mean().item())


@torch.no_grad()
def latent_fit(run: Run, data: Dataset, n_test: int | None = None) -> dict[str, int | float]:
    """The fit of q(z) to p(z) on the test split (its first `n_test` images), one draw z ~ q(z|x) an image.

    mmd2 and kl stand with their 95 % band at q = p (n prior draws in z's place); kl_train is that of as many training
    images, or of all if they are fewer, for choices that must not look at the test. Where lambda was found,
    constraint_met. The others are those of `codes_and_images`.
    """
    images, trained = data["test"][0][:n_test], data["train"][0][: run.config.n_train]
    generator = torch.Generator().manual_seed(run.config.seed)
    measured, n = codes_and_images(run, images, generator), len(images)
    band = null_band(run.prior, n, kernel_of(run.config.kernel, run.prior))
    kl_null = np.quantile([kl_to_prior(run.prior.sample(n, generator), run.prior) for _ in range(40)], [0.025, 0.975])
    return {
        "n": n,
        **measured,
        "mmd2_null_low": band.low,
        "mmd2_null_high": band.high,
        "kl_train": kl_to_prior(run.posterior(trained[:n]).sample(generator), run.prior),
        "kl_null_low": float(kl_null[0]),
        "kl_null_high": float(kl_null[1]),
        **_constraint(run, measured["mmd2"], band.high),
    }


def _constraint(run: Run, mmd2: float, band: float) -> dict[str, bool]:
    """Where lambda was found: whether these images' codes meet its tolerance too, as far as so many can tell."""
    if run.config.lambda_schedule != "constrained":
        return {}
    return {"constraint_met": mmd2 <= max(run.history["constraint"]["tolerance"], band)}


@torch.no_grad()
def codes_and_images(run: Run, images: UInt8[Tensor, "n c h w"], generator: torch.Generator) -> dict[str, float]:
    """Of one draw z ~ q(z|x) an image: its distance from the prior and its scale, and what it costs and gives back.

    rate and distortion are nats an image, the latter under the run's own likelihood; squared_error is summed over an
    image's pixels in [0, 1], which compares likelihoods. An autoregressive decoder is given the pixels before each.
    """
    posterior = run.posterior(images)
    z = posterior.sample(generator)
    z_prior = run.prior.sample(len(z), generator)
    x, logits = as_pixels(images), run.logits(z, images, generator)
    deterministic = run.config.encoder == "deterministic"
    return {
        "mmd2": mmd2(z, z_prior, kernel_of(run.config.kernel, run.prior), block=250).item(),
        "kl": kl_to_prior(z, run.prior),
        "latent_std": z.std(0).square().mean().sqrt().item(),
        "posterior_std": 0.0 if deterministic else torch.exp(posterior.log_variance).mean().sqrt().item(),
        "rate": math.inf if deterministic else rate(posterior, z, run.prior).mean().item(),
        "distortion": distortion(x, logits, run.config.likelihood).mean().item(),
        "squared_error": (x - torch.sigmoid(logits)).square().flatten(1).sum(1).mean().item(),
    }
