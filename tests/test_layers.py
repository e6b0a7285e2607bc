"""The layers against TensorFlow's padding and PyTorch's own gradients."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vimae_core.layers import (
    BatchNormReLU,
    Convolution,
    Float32Linear,
    Linear,
    TransposedConvolution,
    _Adjoint,
    _Convolve,
    patches,
    same_padding,
)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        (28, 4, 2, (1, 1)),
        (7, 4, 2, (1, 2)),
        (4, 4, 2, (1, 1)),
        (64, 5, 2, (1, 2)),
        (28, 4, 1, (1, 2)),
        (64, 5, 1, (2, 2)),
    ],
)
def test_same_padding(size, kernel, stride, padding):
    """Before and after, by TensorFlow's documentation: the odd one after."""
    assert same_padding(size, kernel, stride) == padding


def tensorflow_same(x: np.ndarray, weight: np.ndarray, stride: int) -> np.ndarray:
    """tf.nn.conv2d(padding="SAME") by its documentation, one output at a time. x [c, s, s], weight [d, c, k, k]."""
    side, k = x.shape[1], weight.shape[2]
    out = -(-side // stride)
    pad = max((out - 1) * stride + k - side, 0)
    padded = np.zeros((len(x), side + pad, side + pad))
    padded[:, pad // 2 : pad // 2 + side, pad // 2 : pad // 2 + side] = x
    y = np.empty((len(weight), out, out))
    for i in range(out):
        for j in range(out):
            y[:, i, j] = (weight * padded[:, i * stride : i * stride + k, j * stride : j * stride + k]).sum((1, 2, 3))
    return y


@pytest.mark.parametrize(("side", "kernel"), [(28, 4), (14, 4), (7, 4), (4, 4), (16, 5), (8, 5)])
def test_convolution_is_tensorflows(side, kernel):
    """One output at a time, in NumPy."""
    layer = Convolution(3, 5, kernel, side)
    torch.nn.init.zeros_(layer.bias)
    x = torch.randn(3, side, side)
    expected = tensorflow_same(x.numpy(), layer.weight.detach().numpy(), 2)
    np.testing.assert_allclose(layer(x[None])[0].detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(("side", "kernel", "stride"), [(7, 4, 2), (14, 4, 2), (28, 4, 1), (8, 5, 2), (9, 5, 1)])
def test_transposed_convolution_is_its_adjoint(side, kernel, stride):
    """<conv(x), y> = <x, transposed(y)> for every x and y: what tf.nn.conv2d_transpose is defined by."""
    layer = TransposedConvolution(4, 2, kernel, stride)
    torch.nn.init.zeros_(layer.bias)
    x, y = torch.randn(2, side * stride, side * stride), torch.randn(4, side, side)
    weight = layer.weight.detach()
    left = (tensorflow_same(x.numpy(), weight.numpy(), stride) * y.numpy()).sum()
    assert (x * layer(y[None])[0]).sum().item() == pytest.approx(left, rel=1e-4, abs=1e-3)


# (side of the larger image, kernel, stride, padding), and whether the smaller one is small enough for patches.
SIZES = [(6, 4, 2, 1, True), (17, 4, 2, 0, True), (20, 5, 2, 1, False), (5, 3, 1, 1, True), (18, 4, 2, 1, False)]


@pytest.mark.parametrize(("side", "kernel", "stride", "padding", "small"), SIZES)
def test_gradients_are_pytorchs(side, kernel, stride, padding, small):
    """Values and both gradients of a convolution and its adjoint, in float64, by either way, in any memory layout."""
    for layout in (torch.contiguous_format, torch.channels_last):
        large = torch.randn(3, 2, side, side, dtype=torch.float64).to(memory_format=layout).requires_grad_()
        weight = torch.randn(4, 2, kernel, kernel, dtype=torch.float64).to(memory_format=layout).requires_grad_()
        assert (patches(large, weight, stride, padding) is not None) == small
        expected = F.conv2d(large, weight, None, stride, padding)
        found = _Convolve.apply(large, weight, stride, padding)
        torch.testing.assert_close(found, expected)
        back = torch.randn_like(expected)
        for a, b in zip(*(torch.autograd.grad(y, [large, weight], back) for y in (found, expected)), strict=True):
            torch.testing.assert_close(a, b)

        y = back.to(memory_format=layout).requires_grad_()
        extra = side - ((y.shape[2] - 1) * stride + kernel - 2 * padding)
        expected = F.conv_transpose2d(y, weight, None, stride, padding, extra)
        found = _Adjoint.apply(y, weight, stride, padding, side)
        torch.testing.assert_close(found, expected)
        back = torch.randn_like(expected)
        for a, b in zip(*(torch.autograd.grad(x, [y, weight], back) for x in (found, expected)), strict=True):
            torch.testing.assert_close(a, b)


def test_batch_norm_and_relu():
    """By NumPy: of the batch in training, of the running mean and variance afterwards; nothing below 0."""
    layer, x = BatchNormReLU(3), 2 + 3 * torch.randn(8, 3, 5, 5)
    layer.weight.data, layer.bias.data = torch.tensor([0.5, 1.0, 2.0]), torch.tensor([-0.3, 0.0, 0.3])
    scale, shift = (p.detach().double().numpy()[:, None, None] for p in (layer.weight, layer.bias))
    pixels = x.double().numpy()
    mean, variance = pixels.mean((0, 2, 3)), pixels.var((0, 2, 3), ddof=1)
    by_batch = (pixels - mean[:, None, None]) / np.sqrt(pixels.var((0, 2, 3)) + 1e-5)[:, None, None]
    found = layer(x.clone()).detach().numpy()
    np.testing.assert_allclose(found, np.maximum(0, scale * by_batch + shift), atol=1e-5)
    mean, variance = 0.1 * mean, 0.9 + 0.1 * variance  # from 0 and 1, by a tenth
    by_run = (pixels - mean[:, None, None]) / np.sqrt(variance + 1e-5)[:, None, None]
    found = layer.eval()(x.clone()).detach().numpy()
    np.testing.assert_allclose(found, np.maximum(0, scale * by_run + shift), rtol=1e-5, atol=1e-5)


def test_the_layer_of_the_posterior_multiplies_in_fp32():
    """Of rounded inputs too, where another layer rounds its weights and its result."""
    x, layer = torch.randn(6, 50).bfloat16(), Float32Linear(50, 4)
    exact = x.double().numpy() @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
    assert layer(x).dtype == torch.float32 and Linear(50, 4)(x).dtype == torch.bfloat16
    np.testing.assert_allclose(layer(x).detach(), exact, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", [Convolution(3, 5, 4, 14), TransposedConvolution(3, 5, 5, 2)])
def test_a_bias_before_batch_norm_changes_nothing(layer):
    """Why it is neither added nor trained: in training the output is the same, and its gradient is zero."""
    bias = torch.randn(5, 1, 1, requires_grad=True)
    x, norm = torch.randn(8, 3, 14, 14), BatchNormReLU(5)
    preactivation = layer(x) + bias
    without, added = norm(layer(x)), norm(preactivation)
    torch.testing.assert_close(without, added, atol=1e-4, rtol=1e-4)
    at_each, gradient = torch.autograd.grad((added * torch.randn_like(added)).sum(), [preactivation, bias])
    # The gradient of the bias is the sum of those of its pixels, which cancel but for their rounding.
    assert (gradient.squeeze().abs() < 1e-4 * at_each.abs().sum((0, 2, 3))).all()
    assert not layer.bias.requires_grad


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_what_a_transposed_convolution_gives_lies_channels_last(kernel, stride):
    """Also where it was cut: PyTorch's batch norm of a view takes ten times as long."""
    x = torch.randn(2, 6, 8, 8).to(memory_format=torch.channels_last)
    layer = TransposedConvolution(6, 4, kernel, stride).to(memory_format=torch.channels_last)
    assert layer(x).is_contiguous(memory_format=torch.channels_last)
