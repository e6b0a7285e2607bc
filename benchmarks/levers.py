"""What makes training fast, lever by lever: each function here takes one away from a training."""

import ctypes

import torch.nn.functional as F

from vimae_core import layers, objectives
from vimae_core.layers import Convolution, TransposedConvolution
from vimae_core.training import Training


def trained_biases(training: Training) -> None:
    """Adds the biases that batch norm cancels, and asks for their gradients, as PyTorch's layers do."""
    for layer in training.network.modules():
        if isinstance(layer, Convolution | TransposedConvolution):
            layer.bias.requires_grad_(True)
    Convolution.forward, TransposedConvolution.forward = _convolution, _transposed


def _convolution(layer, x):
    x = F.pad(x, (layer.before, layer.after) * 2)
    return F.conv2d(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype), 2)


def _transposed(layer, x):
    weight, bias, stride = layer.weight.to(x.dtype), layer.bias.to(x.dtype), layer.stride[0]
    side = stride * x.shape[2]
    return F.conv_transpose2d(x, weight, bias, stride, layer.before)[:, :, :side, :side]


def no_patches(training: Training) -> None:
    """Every convolution by PyTorch's own."""
    layers.patches = lambda large, weight, stride, padding: None


def channels_first(training: Training) -> None:
    """PyTorch's default layout of weights and images."""
    for layer in training.network.modules():
        if isinstance(layer, Convolution | TransposedConvolution):
            layer.weight.data = layer.weight.data.contiguous()
            layer.register_forward_pre_hook(lambda layer, inputs: inputs[0].contiguous())


def buffers_given_back(training: Training) -> None:
    """glibc's own thresholds."""
    for option in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
        ctypes.CDLL(None).mallopt(option, 128 * 1024)


def pytorchs_cross_entropy(training: Training) -> None:
    """binary_cross_entropy_with_logits."""

    class CrossEntropy:
        apply = staticmethod(lambda logits, x: F.binary_cross_entropy_with_logits(logits, x, reduction="none"))

    objectives._CrossEntropy = CrossEntropy


def single_precision(training: Training) -> None:
    """fp32 in the networks."""
    training.network.precision = "fp32"


LEVERS = {
    "bf16": single_precision,
    "channels-last": channels_first,
    "leaving out biases": trained_biases,
    "products with patches": no_patches,
    "kept buffers": buffers_given_back,
    "own cross-entropy": pytorchs_cross_entropy,
}
