"""The autoencoders: q(z|x), a diagonal Gaussian, and p(x|z), a mean for every pixel."""

from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vimae_core.config import RunConfig
from vimae_core.convolutional import convolutional_autoencoder
from vimae_core.layers import Float32Linear, Linear

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Posterior(NamedTuple):
    """q(z|x) = N(mean, diag(exp(log_variance))); log_variance -inf is a deterministic encoder."""

    mean: Float[Tensor, "n d"]
    log_variance: Float[Tensor, "n d"]

    def at(self, noise: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """The reparameterised draw that standard normal noise stands for."""
        return self.mean + noise * torch.exp(self.log_variance / 2)

    def sample(self, generator: torch.Generator | None = None) -> Float[Tensor, "n d"]:
        """One draw for each row."""
        return self.at(torch.empty_like(self.mean).normal_(generator=generator))


class Autoencoder(nn.Module):
    """An encoder from images to the posterior's parameters and a decoder from latents to pixel logits.

    `precision` is that of the matrix products, fp32 or bf16; what goes in and comes out is fp32.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, image_shape: tuple[int, ...], deterministic: bool):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.image_shape, self.deterministic = tuple(image_shape), deterministic
        self.precision = "fp32"

    def encode(self, x: Float[Tensor, "n c h w"]) -> Posterior:
        """q(z|x) for pixels in [0, 1]."""
        parameters = self._through(self.encoder, x)
        if self.deterministic:
            return Posterior(parameters, torch.full_like(parameters, -torch.inf))
        return Posterior(*parameters.chunk(2, dim=1))

    def decode(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Logits of the pixel means."""
        return self._through(self.decoder, z).unflatten(1, self.image_shape)

    def _through(self, layers: nn.Module, inputs: Tensor) -> Tensor:
        return layers(inputs.to(DTYPES[self.precision])).float()


def build_network(config: RunConfig, image_shape: tuple[int, ...]) -> Autoencoder:
    """The network of a configuration for images of shape (channels, height, width), initialised by its seed.

    Raises ValueError for a size that the architecture does not take.
    """
    outputs = config.latent_dim * (1 if config.encoder == "deterministic" else 2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        if config.architecture == "conv":
            encoder, decoder = convolutional_autoencoder(image_shape, config.width, config.latent_dim, outputs)
        else:
            pixels = torch.Size(image_shape).numel()
            hidden = max(1, round(256 * config.width))
            encoder = nn.Sequential(nn.Flatten(), *_mlp(pixels, hidden), Float32Linear(hidden, outputs))
            decoder = nn.Sequential(*_mlp(config.latent_dim, hidden), Linear(hidden, pixels))
    return Autoencoder(encoder, decoder, image_shape, config.encoder == "deterministic")


def pick_precision(name: str, device: torch.device) -> str:
    """fp32 or bf16; auto: bf16 where the processor multiplies it natively, else fp32."""
    if name != "auto":
        return name
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = any(torch.cpu.get_capabilities().get(unit) for unit in ("amx_bf16", "avx512_bf16"))
    return "bf16" if native else "fp32"


def _mlp(inputs: int, hidden: int) -> list[nn.Module]:
    """Three hidden layers (section 5.1: 256 units each; the activation is not said)."""
    sizes = pairwise([inputs, hidden, hidden, hidden])
    return [layer for a, b in sizes for layer in (Linear(a, b), nn.ReLU(inplace=True))]
