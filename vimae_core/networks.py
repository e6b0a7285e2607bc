"""The autoencoders: q(z|x), a diagonal Gaussian, and p(x|z), a mean for every pixel."""

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vimae_core.autoregressive import Autoregressive
from vimae_core.config import RunConfig
from vimae_core.convolutional import convolutional_autoencoder, wae_initialise
from vimae_core.layers import BatchNorm, Float32Linear, Linear

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

    `std` is that of every coordinate of q(z|x), 0 for a deterministic encoder; None: the encoder tells it too.
    `precision` is that of the matrix products, fp32 or bf16; what goes in and comes out is fp32.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, image_shape: tuple[int, ...], std: float | None):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.image_shape, self.std = tuple(image_shape), std
        self.precision = "fp32"

    def encode(self, x: Float[Tensor, "n c h w"]) -> Posterior:
        """q(z|x) for pixels in [0, 1]."""
        parameters = self._through(self.encoder, x)
        if self.std is None:
            return Posterior(*parameters.chunk(2, dim=1))
        return Posterior(parameters, torch.full_like(parameters, 2 * math.log(self.std) if self.std else -math.inf))

    def decode(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Logits of the pixel means."""
        return self._through(self.decoder, z).unflatten(1, self.image_shape)

    def _through(self, layers: nn.Module, inputs: Tensor) -> Tensor:
        return layers(inputs.to(DTYPES[self.precision])).float()


class AutoregressiveAutoencoder(Autoencoder):
    """One whose pixels depend on each other beside z: an autoregressive decoder around the plain one."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, image_shape: tuple[int, ...], std: float | None):
        super().__init__(encoder, Autoregressive(decoder, image_shape), image_shape, std)

    def decode(
        self,
        z: Float[Tensor, "n d"],
        thresholds: Float[Tensor, "n c h w"] | None = None,
        x: Float[Tensor, "n c h w"] | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """Logits of the pixel means, each given z and the pixels before it.

        Of these each is 1 where its level in `x`, or without x its own mean, is above its threshold, else 0. Uniform
        thresholds draw it, a grey level being the probability of a 1; without any it is the more probable value.
        """
        z = z.to(DTYPES[self.precision])
        thresholds = (torch.full((len(z), *self.image_shape), 0.5) if thresholds is None else thresholds).to(z.device)
        if x is None:
            logits = self.decoder.generate(z, thresholds.flatten(1))
        else:
            logits = self.decoder(z, (x > thresholds).flatten(1).to(z.dtype))
        return logits.unflatten(1, self.image_shape)


DECODERS = {"plain": Autoencoder, "autoregressive": AutoregressiveAutoencoder}


def build_network(config: RunConfig, image_shape: tuple[int, ...]) -> Autoencoder:
    """The network of a configuration for images of shape (channels, height, width), initialised by its seed.

    Raises ValueError for a size that the architecture does not take, and for colours that the decoder does not.
    """
    std = 0.0 if config.encoder == "deterministic" else config.encoder_std
    outputs = config.latent_dim * (2 if std is None else 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        build = ARCHITECTURES[config.architecture]
        encoder, decoder = build(tuple(image_shape), config.width, config.latent_dim, outputs)
        return DECODERS[config.decoder](encoder, decoder, image_shape, std)


def mlp_autoencoder(
    image_shape: tuple[int, ...], width: float, latent_dim: int, outputs: int
) -> tuple[nn.Module, nn.Module]:
    """Encoder to `outputs` numbers and decoder to pixel logits, of section 5.1: three hidden layers of 256 units."""
    pixels, hidden = torch.Size(image_shape).numel(), max(1, round(256 * width))
    encoder = nn.Sequential(nn.Flatten(), *_mlp(pixels, hidden), Float32Linear(hidden, outputs))
    return encoder, nn.Sequential(*_mlp(latent_dim, hidden), Linear(hidden, pixels))


def _mlp(inputs: int, hidden: int) -> list[nn.Module]:
    """The hidden layers; the paper does not say their activation."""
    sizes = pairwise([inputs, hidden, hidden, hidden])
    return [layer for a, b in sizes for layer in (Linear(a, b), nn.ReLU(inplace=True))]


def wae_mlp_autoencoder(
    image_shape: tuple[int, ...], width: float, latent_dim: int, outputs: int
) -> tuple[nn.Module, nn.Module]:
    """The same layers with batch norm as in the WAE code: before the encoder's ReLUs, after the decoder's."""
    pixels, hidden = torch.Size(image_shape).numel(), max(1, round(256 * width))
    encoder, decoder = [nn.Flatten()], []
    for a, b in pairwise([pixels, hidden, hidden, hidden]):
        encoder += [Linear(a, b), BatchNorm(b), nn.ReLU(inplace=True)]
    for a, b in pairwise([latent_dim, hidden, hidden, hidden]):
        decoder += [Linear(a, b), nn.ReLU(inplace=True), BatchNorm(b)]
    networks = nn.Sequential(*encoder, Float32Linear(hidden, outputs)), nn.Sequential(*decoder, Linear(hidden, pixels))
    for network in networks:
        network.apply(wae_initialise)
    return networks


ARCHITECTURES = {"mlp": mlp_autoencoder, "wae-mlp": wae_mlp_autoencoder, "conv": convolutional_autoencoder}


def as_pixels(images: Tensor | np.ndarray) -> Float[Tensor, "n c h w"]:
    """Pixels in [0, 1]: of whole numbers as bytes; numbers with a point as they are, in fp32.

    Raises ValueError for whole numbers that are no bytes, TypeError for what is neither.
    """
    images = torch.as_tensor(images)
    if images.dtype == torch.uint8:
        return images.float().div_(255)
    if images.is_floating_point():
        return images.float()
    if images.is_complex() or images.dtype == torch.bool:
        raise TypeError(f"images of {images.dtype} are not possible: must be bytes (uint8) or pixels in [0, 1] (float)")
    if len(images) and not 0 <= images.min() <= images.max() <= 255:
        low, high = images.min(), images.max()
        raise ValueError(f"images of whole numbers from {low} to {high} are not possible: bytes are 0 to 255")
    return images.float().div_(255)


def pick_precision(name: str, device: torch.device) -> str:
    """fp32 or bf16; auto: bf16 where the processor multiplies it natively, else fp32."""
    if name != "auto":
        return name
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = any(torch.cpu.get_capabilities().get(unit) for unit in ("amx_bf16", "avx512_bf16"))
    return "bf16" if native else "fp32"
