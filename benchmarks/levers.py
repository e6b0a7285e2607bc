"""What makes training fast, lever by lever: each function here takes one away from a training."""

import torch.nn.functional as F

from vimae_core import layers, objectives
from vimae_core.layers import Convolution, TransposedConvolution
from vimae_core.training import Training


def pytorchs_layers(training: Training) -> None:
    """PyTorch's own convolutions: no product with patches, and the gradients of biases that batch norm cancels."""
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


def glibc_as_it_comes(training: Training) -> None:
    """Nothing is left to do: worker.py has not asked glibc for more."""


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
    "own layers: no biases, patches": pytorchs_layers,
    "of which patches": no_patches,
    "kept buffers": glibc_as_it_comes,
    "own cross-entropy": pytorchs_cross_entropy,
}
