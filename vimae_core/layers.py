"""Layers that compute in the precision of their input, with TensorFlow's SAME padding, as fast as a CPU allows.

Weights are fp32 and are rounded where they are used. Images are laid out channels-last.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.grad import conv2d_input, conv2d_weight


class Linear(nn.Linear):
    """A linear layer."""

    def forward(self, x: Float[Tensor, "n a"]) -> Float[Tensor, "n b"]:
        return F.linear(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


class Float32Linear(Linear):
    """A linear layer in fp32 always: a posterior's mean is to keep its digits."""

    def forward(self, x: Float[Tensor, "n a"]) -> Float[Tensor, "n b"]:
        return super().forward(x.float())


class ChannelsLast(nn.Module):
    """[n, side * side * c] as images of c channels, those of a pixel side by side in memory."""

    def __init__(self, channels: int, side: int):
        super().__init__()
        self.shape = (side, side, channels)

    def forward(self, x: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        return x.unflatten(1, self.shape).permute(0, 3, 1, 2)


class BatchNorm(nn.BatchNorm1d):
    """Batch norm of a layer's units; epsilon 1e-5 and decay 0.9, the WAE code's."""

    def forward(self, x: Float[Tensor, "n a"]) -> Float[Tensor, "n a"]:
        return super().forward(x.float()).to(x.dtype)  # PyTorch takes no mixed precision where there are no places


class BatchNormReLU(nn.BatchNorm2d):
    """Batch norm (epsilon 1e-5 and decay 0.9, the WAE code's) and ReLU, in place."""

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return F.relu_(super().forward(x))


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding, before and after: the output has ceil(size / stride) places."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


class Convolution(nn.Conv2d):
    """A convolution of stride 2 with SAME padding, for a batch norm to follow.

    Its bias is there as in the original, but neither added nor trained: batch norm cancels it, and its
    gradient, which is zero, costs a large part of a training step.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, side: int):
        super().__init__(inputs, outputs, kernel, 2)
        self.before, self.after = same_padding(side, kernel, 2)
        self.bias.requires_grad_(False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h2 w2"]:
        padding = self.before
        if self.before != self.after:  # PyTorch pads both sides alike
            x, padding = F.pad(x, (self.before, self.after) * 2), 0
        return _Convolve.apply(x, self.weight.to(x.dtype), 2, padding)


class TransposedConvolution(nn.ConvTranspose2d):
    """The adjoint of a SAME convolution: `stride` times as many rows and columns.

    Of stride 2 it is followed by a batch norm, and its bias is as that of `Convolution`.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int):
        super().__init__(inputs, outputs, kernel, stride)
        self.before, self.after = same_padding(stride * 100, kernel, stride)  # the same for every multiple of stride
        self.bias.requires_grad_(stride == 1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d h2 w2"]:
        weight, stride = self.weight.to(x.dtype), self.stride[0]
        if stride == 1:
            y = F.conv_transpose2d(x, weight, self.bias.to(x.dtype), 1, self.before)
        else:
            side = (x.shape[2] - 1) * stride + self.kernel_size[0] - 2 * self.before
            y = _Adjoint.apply(x, weight, stride, self.before, side)
        if (
            self.before != self.after
        ):  # PyTorch cuts both sides alike. A copy: batch norm of a view takes ten times as long
            y = y[:, :, : stride * x.shape[2], : stride * x.shape[2]].contiguous(memory_format=torch.channels_last)
        return y


# A convolution and its adjoint, each product by whichever way is faster. Where the smaller image has few places, a CPU
# takes two to six times as long for PyTorch's convolution as for one matrix product with the patches of the larger
# image; elsewhere PyTorch's is the faster (`make bench`, "patches").


class _Convolve(torch.autograd.Function):
    """small = F.conv2d(large, weight)."""

    @staticmethod
    def forward(ctx, large, weight, stride, padding):
        ctx.save_for_backward(large, weight)
        ctx.how = stride, padding
        return convolve(large, weight, patches(large, weight, *ctx.how), *ctx.how)

    @staticmethod
    def backward(ctx, gradient):
        large, weight = ctx.saved_tensors
        to_large = conv2d_input(large.shape, weight, gradient, *ctx.how) if ctx.needs_input_grad[0] else None
        rows = patches(large, weight, *ctx.how)
        return to_large, weight_gradient(large, weight, gradient, rows, *ctx.how), None, None


class _Adjoint(torch.autograd.Function):
    """large = F.conv_transpose2d(small, weight), which by that name is slower for kernels of 5."""

    @staticmethod
    def forward(ctx, small, weight, stride, padding, side):
        ctx.save_for_backward(small, weight)
        ctx.how = stride, padding
        return conv2d_input((len(small), weight.shape[1], side, side), weight, small, stride, padding)

    @staticmethod
    def backward(ctx, gradient):
        small, weight = ctx.saved_tensors
        rows = patches(gradient, weight, *ctx.how)
        to_small = convolve(gradient, weight, rows, *ctx.how)
        return to_small, weight_gradient(gradient, weight, small, rows, *ctx.how), None, None, None


def patches(
    large: Float[Tensor, "n c h w"], weight: Float[Tensor, "d c k k"], stride: int, padding: int
) -> Float[Tensor, "places kkc"] | None:
    """A row for each place of the smaller image: what the kernel covers there. None where F.conv2d is faster."""
    kernel = weight.shape[2]
    side = (large.shape[2] + 2 * padding - kernel) // stride + 1
    if side > 8 or large.is_cuda:
        return None
    large = F.pad(large, (padding,) * 4).permute(0, 2, 3, 1)
    image, row, column, channel = large.stride()
    strides = image, stride * row, stride * column, row, column, channel
    shape = len(large), side, side, kernel, kernel, large.shape[3]
    return large.as_strided(shape, strides).reshape(len(large) * side**2, -1)


def convolve(
    large: Float[Tensor, "n c h w"],
    weight: Float[Tensor, "d c k k"],
    rows: Float[Tensor, "places kkc"] | None,
    stride: int,
    padding: int,
) -> Float[Tensor, "n d h2 w2"]:
    """F.conv2d, by the patches of `large` where there are some."""
    if rows is None:
        return F.conv2d(large, weight, None, stride, padding)
    side = math.isqrt(len(rows) // len(large))
    small = rows @ weight.permute(0, 2, 3, 1).flatten(1).T
    return small.view(len(large), side, side, -1).permute(0, 3, 1, 2)


def weight_gradient(
    large: Float[Tensor, "n c h w"],
    weight: Float[Tensor, "d c k k"],
    small: Float[Tensor, "n d h2 w2"],
    rows: Float[Tensor, "places kkc"] | None,
    stride: int,
    padding: int,
) -> Float[Tensor, "d c k k"]:
    """The gradient of <F.conv2d(large, weight), small> in the weight."""
    if rows is None:
        return conv2d_weight(large, weight.shape, small, stride, padding)
    d, c, k, _ = weight.shape
    return (small.permute(0, 2, 3, 1).reshape(-1, d).T @ rows).view(d, k, k, c).permute(0, 3, 1, 2)
