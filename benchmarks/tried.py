"""What might make training faster still, each added to a training: measured beside it, and left out of the package."""

import torch
import torch.nn.functional as F

from vimae_core import layers
from vimae_core.layers import BatchNormReLU, Linear
from vimae_core.training import Training


def compiled_batch_norm(training: Training) -> None:
    """Batch norm and ReLU compiled into one function, forward and backward; it needs a C++ compiler."""

    @torch.compile
    def fused(x, mean, variance, weight, bias, decay, epsilon):
        return F.relu(F.batch_norm(x, mean, variance, weight, bias, True, decay, epsilon))

    BatchNormReLU.forward = lambda self, x: fused(
        x, self.running_mean, self.running_var, self.weight, self.bias, self.momentum, self.eps
    )


def fused_batch_norm(training: Training) -> None:
    """Batch norm and ReLU as loops of numba's in bf16: two passes over the data forward, two backward."""
    from fused import BatchNormReLU as Fused

    BatchNormReLU.forward = lambda self, x: Fused.apply(
        x, self.weight, self.bias, self.running_mean, self.running_var, self.momentum, self.eps
    )


def patches_of_the_first_layer(training: Training) -> None:
    """The encoder's first layer, of one channel, by products with patches."""
    plain = layers.patches

    def patches(large, weight, stride, padding):
        if weight.shape[1] > 1:
            return plain(large, weight, stride, padding)
        return F.unfold(large, weight.shape[2], padding=padding, stride=stride).transpose(1, 2).flatten(0, 1)

    layers.patches = patches


def kept_roundings(training: Training) -> None:
    """Weights rounded to bf16 all at once after a step of Adam, and not where each is used."""
    own = [layer for layer in training.network.modules() if type(layer) is Linear]
    weights = [p for layer in own for p in (layer.weight, layer.bias)]
    rounded = [p.detach().bfloat16().requires_grad_(True) for p in weights]
    gradients = [torch.empty_like(p) for p in weights]
    places = {id(layer): rounded[2 * i : 2 * i + 2] for i, layer in enumerate(own)}
    Linear.forward = lambda self, x: (
        F.linear(x, *places[id(self)]) if id(self) in places else F.linear(x, self.weight, self.bias)
    )
    step = training.optimiser.step

    def stepped():
        torch._foreach_copy_(gradients, [p.grad for p in rounded])
        for p, gradient, r in zip(weights, gradients, rounded, strict=True):
            p.grad, r.grad = gradient, None
        step()
        with torch.no_grad():
            torch._foreach_copy_(rounded, weights)

    training.optimiser.step = stepped


TRIED = {  # by network
    "conv 1/4": {
        "batch norm and ReLU compiled": compiled_batch_norm,
        "batch norm and ReLU by numba": fused_batch_norm,
        "first layer by patches": patches_of_the_first_layer,
    },
    "mlp 3x256": {"kept roundings": kept_roundings},
}
