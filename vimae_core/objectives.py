"""The one objective of every model: -E log p(x|z) + alpha R + (lambda - alpha) D, from Eq. (3) and Eq. (4)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vimae_core.adversary import Adversary
from vimae_core.config import RunConfig
from vimae_core.mmd import kernel_of, mmd2, mmd2_beside
from vimae_core.networks import Posterior
from vimae_core.priors import Prior


def distortion(
    x: Float[Tensor, "n c h w"], logits: Float[Tensor, "n c h w"], likelihood: str = "bernoulli"
) -> Float[Tensor, " n"]:
    """-log p(x|z) of each image, nats, summed over its pixels in [0, 1]. Raises ValueError."""
    if likelihood not in LIKELIHOODS:
        raise ValueError(f"likelihood {likelihood!r} is unknown: must be one of {', '.join(LIKELIHOODS)}")
    return LIKELIHOODS[likelihood](x, logits)


def _bernoulli(x: Float[Tensor, "n c h w"], logits: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Cross-entropy."""
    return _CrossEntropy.apply(logits, x).flatten(1).sum(1)


def _gaussian(x: Float[Tensor, "n c h w"], logits: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """Of unit variance, with its constant."""
    return 0.5 * _squared_error(x, logits) + 0.5 * math.log(2 * math.pi) * x[0].numel()


def _wae(x: Float[Tensor, "n c h w"], logits: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """0.05 x squared error, the WAE code's reconstruction cost: a Gaussian of variance 10 without its constant."""
    return 0.05 * _squared_error(x, logits)


def _wae_symmetric(x: Float[Tensor, "n c h w"], logits: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    """The same cost of pixels in [-1, 1], as the WAE code has its faces: four times as much of ours."""
    return 0.2 * _squared_error(x, logits)


LIKELIHOODS = {"bernoulli": _bernoulli, "gaussian": _gaussian, "wae": _wae, "wae-symmetric": _wae_symmetric}


def _squared_error(x: Tensor, logits: Tensor) -> Float[Tensor, " n"]:
    return (x - torch.sigmoid(logits)).square().flatten(1).sum(1)


class _CrossEntropy(torch.autograd.Function):
    """Of each pixel, nats, from its logit: relu(l) - x l - log sigmoid(|l|), whose derivative is sigmoid(l) - x.

    The same to 1e-7 a pixel as PyTorch's own, which takes a log1p: on an Intel Xeon as fast, on an AMD EPYC five
    times as slow.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(logits, x):
        return logits.relu().addcmul_(x, logits, value=-1).sub_(logits.abs().sigmoid_().log_())

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, gradient):
        logits, x = ctx.saved_tensors
        return torch.sigmoid(logits).sub_(x).mul_(gradient), None


def gaussian_rate(posterior: Posterior, scale: float = 1.0) -> Float[Tensor, "n d"]:
    """KL(q(z_i|x) || N(0, scale^2)) of each coordinate, nats; Eq. (5) adds them up."""
    mean, log_variance = posterior
    log_ratio = log_variance - 2 * math.log(scale)
    return 0.5 * ((mean / scale).square() + log_ratio.exp() - 1 - log_ratio)


def laplace_rate(posterior: Posterior, scale: float) -> Float[Tensor, "n d"]:
    """KL(q(z_i|x) || Laplace(0, scale)) of each coordinate, nats: E|z| is a folded normal's mean."""
    mean, std = posterior.mean, torch.exp(posterior.log_variance / 2)
    folded = std * math.sqrt(2 / math.pi) * torch.exp(-0.5 * (mean / std).square()) + mean * torch.erf(
        mean / (std * math.sqrt(2))
    )
    return folded / scale + math.log(2 * scale) - _gaussian_entropy(posterior)


def rate(posterior: Posterior, z: Float[Tensor, "n d"], prior: Prior) -> Float[Tensor, " n"]:
    """KL(q(z|x) || p(z)) of each image, nats: the rate of Eq. (2) and (3).

    In closed form where RATES has one; else the posterior's entropy in closed form and E log p(z) by the
    one sample z ~ q(z|x).
    """
    if prior.name in RATES:
        return RATES[prior.name](posterior, prior.scale).sum(1)
    return -_gaussian_entropy(posterior).sum(1) - prior.log_prob(z)


def _infinite_rate(posterior: Posterior, scale: float) -> Float[Tensor, "n d"]:
    """A Gaussian leaves every bounded support."""
    return torch.full_like(posterior.mean, math.inf)


RATES = {"normal": gaussian_rate, "laplace": laplace_rate, "uniform": _infinite_rate}  # by prior


def _gaussian_entropy(posterior: Posterior) -> Float[Tensor, "n d"]:
    return 0.5 * (posterior.log_variance + math.log(2 * math.pi * math.e))


class MMD(nn.Module):
    """The squared MMD, Eq. (10), under the configuration's kernel; it has no weights."""

    def __init__(self, config: RunConfig, prior: Prior):
        super().__init__()
        self.kernel = kernel_of(config.kernel, prior)

    def forward(
        self, z: Float[Tensor, "n d"], z_prior: Float[Tensor, "nm d"], others: Float[Tensor, "m d"] | None = None
    ) -> dict[str, Float[Tensor, ""]]:
        """Its estimate from codes z ~ q(z) and z_prior ~ p(z); `others` are more codes, for a sharper one."""
        few = others is None or len(others) == 0
        return {"divergence": mmd2(z, z_prior, self.kernel) if few else mmd2_beside(z, others, z_prior, self.kernel)}


DIVERGENCES = {"mmd": MMD, "adversarial": Adversary}


def loss_terms(
    config: RunConfig,
    prior: Prior,
    x: Float[Tensor, "n c h w"],
    logits: Float[Tensor, "n c h w"],
    posterior: Posterior,
    z: Float[Tensor, "n d"],
    z_prior: Float[Tensor, "nm d"],
    weight: Float[Tensor, ""] | float | None = None,
    others: Float[Tensor, "m d"] | None = None,
    divergence: nn.Module | None = None,
) -> dict[str, Float[Tensor, ""]]:
    """The loss to minimise, and those of its terms whose weight is not zero; batch means, nats.

    Eq. (4) with Eq. (3): alpha weighs the rate, (lambda - alpha) the divergence D(q(z)||p(z)), estimated
    from z ~ q(z) and z_prior ~ p(z). alpha = lambda = 1 is Eq. (2), alpha = 0 is Eq. (9). `weight` stands for
    (lambda - alpha) where lambda is not constant; `others` are more codes, for a sharper MMD. `divergence` is the
    configuration's as it is by now (None: as it begins); where it is adversarial, "discriminator" is its own loss.
    """
    terms = {"distortion": distortion(x, logits, config.likelihood).mean()}
    loss = terms["distortion"]
    if config.alpha > 0:
        terms["rate"] = rate(posterior, z, prior).mean()
        loss = loss + config.alpha * terms["rate"]
    if config.lambda_ > config.alpha:
        if divergence is None:
            divergence = DIVERGENCES[config.divergence](config, prior)
        terms |= divergence(z, z_prior, others)
        loss = loss + (config.lambda_ - config.alpha if weight is None else weight) * terms["divergence"]
    return {"loss": loss, **terms}
