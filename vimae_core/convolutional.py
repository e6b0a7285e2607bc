"""The WAE code's convolutional autoencoder (section 5.2), laid out as processors multiply it fastest."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

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
    decoder = [nn.Linear(latent_dim, inputs * side**2), nn.ReLU(inplace=True), ChannelsLast(inputs, side)]
    for f in up:
        decoder += [TransposedConvolution(inputs, f, kernel, 2), BatchNormReLU(f)]
        inputs = f
    decoder += [TransposedConvolution(inputs, channels, kernel, 1), nn.Flatten()]
    networks = nn.Sequential(*encoder), nn.Sequential(*decoder)
    for network in networks:
        network.apply(_initialise).to(memory_format=torch.channels_last)
    return networks


def _initialise(layer: nn.Module) -> None:
    """The WAE code's: standard deviation 0.01, for convolutions cut off at two of them; biases 0."""
    if isinstance(layer, Convolution):
        nn.init.trunc_normal_(layer.weight, std=0.01, a=-0.02, b=0.02)
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, TransposedConvolution | nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding, before and after: the output has ceil(size / stride) places."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


class Convolution(nn.Conv2d):
    """A convolution of stride 2 with SAME padding."""

    def __init__(self, inputs: int, outputs: int, kernel: int, side: int):
        super().__init__(inputs, outputs, kernel, 2)
        self.before, self.after = same_padding(side, kernel, 2)
        if self.before == self.after:
            self.padding = (self.before, self.before)  # PyTorch pads both sides alike, in the same pass

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h2 w2"]:
        if self.before != self.after:
            x = F.pad(x, (self.before, self.after) * 2)
        return super().forward(x)


class TransposedConvolution(nn.ConvTranspose2d):
    """The adjoint of a SAME convolution: `stride` times as many rows and columns."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int):
        before, after = same_padding(stride * 100, kernel, stride)  # the same for every multiple of the stride
        super().__init__(inputs, outputs, kernel, stride, padding=before)
        self.surplus = after - before  # rows and columns at the end, where PyTorch cuts both ends alike

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h2 w2"]:
        y = super().forward(x)
        return y[:, :, : y.shape[2] - self.surplus, : y.shape[3] - self.surplus]


class BatchNormReLU(nn.BatchNorm2d):
    """Batch norm (epsilon 1e-5 and decay 0.9, the WAE code's) and ReLU, in place."""

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return F.relu_(super().forward(x))


class Float32Linear(nn.Linear):
    """A linear layer in fp32 under autocast too: a posterior's mean is to keep its digits."""

    def forward(self, x: Float[Tensor, "n a"]) -> Float[Tensor, "n b"]:
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class ChannelsLast(nn.Module):
    """[n, side * side * c] as images of c channels, those of a pixel side by side in memory."""

    def __init__(self, channels: int, side: int):
        super().__init__()
        self.shape = (side, side, channels)

    def forward(self, x: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        return x.unflatten(1, self.shape).permute(0, 3, 1, 2)
