"""Before the first step: an encoder whose codes have the prior's mean and covariance, as in the WAE code."""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.networks import Autoencoder, as_pixels
from vimae_core.priors import Prior

STEPS, ENOUGH = 200, 0.1  # at most so many, until the loss is below; the WAE code's


def moment_loss(z: Float[Tensor, "n d"], z_prior: Float[Tensor, "m d"]) -> Float[Tensor, ""]:
    """Mean squared difference of the means, and of the covariances' d x d entries."""
    of_means = (z.mean(0) - z_prior.mean(0)).square().mean()
    return of_means + (_covariance(z) - _covariance(z_prior)).square().mean()


def _covariance(z: Float[Tensor, "n d"]) -> Float[Tensor, "d d"]:
    centred = z - z.mean(0)
    return centred.T @ centred / (len(z) - 1)


def pretrain(
    config: RunConfig,
    network: Autoencoder,
    images: UInt8[Tensor, "n c h w"],
    prior: Prior,
    generator: torch.Generator,
) -> Float[Tensor, " steps"]:
    """Trains the encoder alone, on `config.pretraining` images a step; the losses, the last one that of the end."""
    weights = [p for p in network.encoder.parameters() if p.requires_grad]
    optimiser = torch.optim.Adam(weights, config.learning_rate, betas=(config.adam_beta1, 0.999), fused=True)
    losses = []
    while len(losses) < STEPS and not (losses and losses[-1] < ENOUGH):
        rows = torch.randperm(len(images), generator=generator, device=images.device)[: config.pretraining]
        x = perturbed(as_pixels(images.index_select(0, rows)), config.input_noise, generator)
        z = network.encode(x).sample(generator)
        loss = moment_loss(z, prior.sample(len(z), generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def perturbed(x: Float[Tensor, "n c h w"], std: float, generator: torch.Generator) -> Float[Tensor, "n c h w"]:
    """x with normal noise that is cut off at two standard deviations; x itself where there is none."""
    if std == 0:
        return x
    noise = torch.nn.init.trunc_normal_(torch.empty_like(x), std=std, a=-2 * std, b=2 * std, generator=generator)
    return x + noise
