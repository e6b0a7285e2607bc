"""The autoencoders: q(z|x), a diagonal Gaussian, and p(x|z), a mean for every pixel."""

from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vimae_core.config import RunConfig


class Posterior(NamedTuple):
    """q(z|x) = N(mean, diag(exp(log_variance))); log_variance -inf is a deterministic encoder."""

    mean: Float[Tensor, "n d"]
    log_variance: Float[Tensor, "n d"]

    def sample(self, generator: torch.Generator | None = None) -> Float[Tensor, "n d"]:
        """One reparameterised draw for each row."""
        noise = torch.empty_like(self.mean).normal_(generator=generator)
        return self.mean + noise * torch.exp(self.log_variance / 2)


class Autoencoder(nn.Module):
    """An encoder from images to the posterior's parameters and a decoder from latents to pixel logits."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, image_shape: tuple[int, ...], deterministic: bool):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.image_shape, self.deterministic = tuple(image_shape), deterministic

    def encode(self, x: Float[Tensor, "n c h w"]) -> Posterior:
        """q(z|x) for pixels in [0, 1]."""
        parameters = self.encoder(x)
        if self.deterministic:
            return Posterior(parameters, torch.full_like(parameters, -torch.inf))
        return Posterior(*parameters.chunk(2, dim=1))

    def decode(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Logits of the pixel means."""
        return self.decoder(z).unflatten(1, self.image_shape)


def build_network(config: RunConfig, image_shape: tuple[int, ...]) -> Autoencoder:
    """The network of a configuration for images of shape (channels, height, width), initialised by its seed."""
    outputs = config.latent_dim * (1 if config.encoder == "deterministic" else 2)
    pixels = torch.Size(image_shape).numel()
    hidden = max(1, round(256 * config.width))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        encoder = nn.Sequential(nn.Flatten(), *_mlp(pixels, hidden, outputs))
        decoder = _mlp(config.latent_dim, hidden, pixels)
    return Autoencoder(encoder, decoder, image_shape, config.encoder == "deterministic")


def _mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Three hidden layers (section 5.1: 256 units each; the activation is not said)."""
    sizes = [inputs, hidden, hidden, hidden]
    layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU(inplace=True))]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))
