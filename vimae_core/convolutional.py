"""The WAE code's convolutional autoencoder (section 5.2)."""

import torch
from torch import nn

from vimae_core.layers import BatchNormReLU, ChannelsLast, Convolution, Float32Linear, Linear, TransposedConvolution

FILTERS = (128, 256, 512, 1024)  # of the encoder, at width 1
KERNEL = {(28, 28): 4, (64, 64): 5}  # image size -> kernel size: the WAE code's MNIST and CelebA networks


def convolutional_autoencoder(
    image_shape: tuple[int, ...], width: float, latent_dim: int, outputs: int
) -> tuple[nn.Module, nn.Module]:
    """Encoder to `outputs` numbers and decoder to pixel logits, for 28x28 or 64x64 images of any channels.

    `width` scales every hidden layer. The weights are drawn as in the WAE code. Raises ValueError for
    another image size.
    """
    channels, *size = image_shape
    if (kernel := KERNEL.get(tuple(size))) is None:
        raise ValueError(
            f"architecture='conv' is not possible for images of {size[0]}x{size[1]} pixels: must be "
            f"{' or '.join(f'{h}x{w}' for h, w in KERNEL)}; architecture='mlp' takes any size"
        )
    filters = [max(1, round(f * width)) for f in FILTERS]
    side, encoder, inputs = size[0], [], channels
    for f in filters:
        encoder += [Convolution(inputs, f, kernel, side), BatchNormReLU(f)]
        side, inputs = -(-side // 2), f  # SAME: 28-14-7-4-2, 64-32-16-8-4
    encoder += [nn.Flatten(), Float32Linear(filters[-1] * side**2, outputs)]

    up = filters[:-1][::-1][: 2 if kernel == 4 else 3]  # 7-14-28 in two doublings, 8-16-32-64 in three
    side, inputs = size[0] >> len(up), filters[-1]
    decoder = [Linear(latent_dim, inputs * side**2), nn.ReLU(inplace=True), ChannelsLast(inputs, side)]
    for f in up:
        decoder += [TransposedConvolution(inputs, f, kernel, 2), BatchNormReLU(f)]
        inputs = f
    decoder += [TransposedConvolution(inputs, channels, kernel, 1), nn.Flatten()]
    networks = nn.Sequential(*encoder), nn.Sequential(*decoder)
    for network in networks:
        network.apply(wae_initialise).to(memory_format=torch.channels_last)
    return networks


def wae_initialise(layer: nn.Module) -> None:
    """The WAE code's: standard deviation 0.01, for convolutions cut off at two of them; biases 0."""
    if any(p.is_meta for p in layer.parameters(recurse=False)):
        return  # only described; there, normal_ would load PyTorch's compiler first: 1.5 s a process
    if isinstance(layer, Convolution):
        nn.init.trunc_normal_(layer.weight, std=0.01, a=-0.02, b=0.02)
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, TransposedConvolution | nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)
