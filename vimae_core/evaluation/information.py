"""How much a code tells, Eq. (3): rate, information and divergence, by the exact mixture over the data."""

import math
import warnings

import torch
from jaxtyping import Float, Float64
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.data import Dataset
from vimae_core.networks import Posterior, as_pixels
from vimae_core.objectives import distortion, rate
from vimae_core.priors import Prior
from vimae_core.runs import Run

ACTIVE = 0.01  # of the prior's variance: what a coordinate's mean varies by over images (Burda et al. 2016)
COMPONENTS, FITTED = 20, 10_000  # of the Gaussian mixture: a density that no number of images bounds, and its draws


def check(config: RunConfig, data: Dataset, n_test: int | None = None) -> None:
    """Raises ValueError for fewer images than a standard error or a Gaussian mixture needs."""
    n, m = len(data["train"][0][: config.n_train]), len(data["test"][0][:n_test])
    if m < 2:
        raise ValueError(f"n_test={m} is not possible: a standard error needs 2 or more images")
    if n <= COMPONENTS:
        raise ValueError(f"n_train={n} is not possible: the information needs more than {COMPONENTS} training images")


def log_mixture(z: Float[Tensor, "m d"], posterior: Posterior, block: int = 500) -> Float64[Tensor, " m"]:
    """log 1/n sum_i q(z|x_i) of each z, nats: the aggregate posterior of n images, exactly.

    Matrix products: log q(z|x_i) is linear in (z^2, z, 1). In float64, since z^2 / variance loses digits. Of `block`
    codes beside as many images at a time, which stay in the processor's cache.
    """
    mean, log_variance = posterior.mean.double(), posterior.log_variance.double()
    precision = torch.exp(-log_variance)
    constant = -0.5 * (mean.square() * precision + log_variance + math.log(2 * math.pi)).sum(1, keepdim=True)
    densities = torch.cat([-0.5 * precision, mean * precision, constant - math.log(len(mean))], 1)
    points = torch.cat([z.double().square(), z.double(), torch.ones(len(z), 1, dtype=torch.float64)], 1)
    parts = [[(rows @ some.T).logsumexp(1) for some in densities.split(block)] for rows in points.split(block)]
    return torch.cat([torch.stack(of_rows).logsumexp(0) for of_rows in parts])


def log_posterior(z: Float[Tensor, "n d"], posterior: Posterior) -> Float64[Tensor, " n"]:
    """log q(z_i|x_i) of each code under its own image's posterior, nats."""
    log_variance = posterior.log_variance.double()
    squared = (z.double() - posterior.mean.double()).square() * torch.exp(-log_variance)
    return -0.5 * (squared + log_variance + math.log(2 * math.pi)).sum(1)


def informed(
    posterior: Posterior, others: Posterior, prior: Prior, generator: torch.Generator
) -> dict[str, Float64[Tensor, " n"]]:
    """Of one draw z ~ q(z|x) an image, terms in nats whose means are the two sides of Eq. (3) and their bounds.

    `others` are the posteriors of n other images. With the image's own among them, log q(z|x) - log q(z) is in the
    mean at most I_q(X;Z), and at most log(n + 1); without it, at least. So is it with any other density for q(z), as
    a Gaussian mixture fitted to the others' codes, or the prior, which gives the rate. (Poole et al. 2019.)
    """
    z, n = posterior.sample(generator), len(others.mean)
    own, without = log_posterior(z, posterior), log_mixture(z, others)
    aggregate = torch.logaddexp(without + math.log(n), own) - math.log(n + 1)
    fitted = _fitted(others, generator).score_samples(z.double().numpy())
    return {
        "rate": rate(posterior, z, prior).double(),
        "information": own - aggregate,
        "above_without": own - without,
        "above_fitted": own - torch.from_numpy(fitted),
        "kl": aggregate - prior.log_prob(z.double()),
        "noise": -own,
    }


def _fitted(others: Posterior, generator: torch.Generator) -> GaussianMixture:
    codes = Posterior(*(part[:FITTED] for part in others)).sample(generator).double().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # any density bounds
        return GaussianMixture(COMPONENTS, max_iter=50, random_state=0).fit(codes)


@torch.no_grad()
def information(run: Run, data: Dataset, n_test: int | None = None) -> dict[str, int | float]:
    """Eq. (3) on the test split (its first `n_test` images) beside the training images, nats, with standard errors.

    `information` is at most I_q(X;Z) and at most `ceiling`, `information_above` the smallest of the bounds from above.
    So between them lie the aggregate posterior's `entropy` and `entropy_above`, h(q(z|x)) more; and by Eq. (3)
    D_KL(q(z)||p(z)) between `kl_below`, what is left of the rate, and `kl`. `active` counts the coordinates whose
    means vary over images. Infinite for a deterministic encoder, whose codes are points; beside a uniform prior the
    rate and the divergence are, as soon as one code lies outside.
    """
    generator = torch.Generator().manual_seed(run.config.seed)
    images, trained = data["test"][0][:n_test], data["train"][0][: run.config.n_train]
    posterior = run.posterior(images)
    logits = run.logits(posterior.sample(generator), images, generator)
    terms = {"distortion": distortion(as_pixels(images), logits, run.config.likelihood).double()}
    counts = {"n": len(images), "images": len(trained), "active": _active(posterior, run.prior)}
    if run.config.encoder == "deterministic":
        infinite = dict.fromkeys(("rate", "information", "information_above"), math.inf)
        return {**counts, **_with_errors(terms), **infinite}
    terms |= informed(posterior, run.posterior(trained), run.prior, generator)
    bounds = [terms.pop("above_without"), terms.pop("above_fitted"), terms["rate"]]
    terms["information_above"] = above = min(bounds, key=lambda bound: bound.mean().item())
    noise = terms.pop("noise")
    terms |= {"entropy": terms["information"] + noise, "entropy_above": above + noise}
    terms["kl_below"] = terms["rate"] - above
    return {**counts, "ceiling": math.log(len(trained) + 1), **_with_errors(terms)}


def _active(posterior: Posterior, prior: Prior) -> int:
    return int((posterior.mean.var(0) > ACTIVE * prior.std**2).sum())


def _with_errors(terms: dict[str, Float64[Tensor, " n"]]) -> dict[str, float]:
    """A mean that is infinite, as of a rate beside a uniform prior, has no error: infinite, too."""
    means = {name: values.mean().item() for name, values in terms.items()}
    errors = {
        f"{name}_error": values.std().item() / math.sqrt(len(values)) if math.isfinite(means[name]) else math.inf
        for name, values in terms.items()
    }
    return means | errors
