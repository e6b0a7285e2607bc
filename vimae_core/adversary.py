"""The Jensen-Shannon divergence of q(z) and p(z), by a discriminator: the adversarial autoencoder of section 4."""

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import softplus

from vimae_core.config import RunConfig
from vimae_core.layers import Linear
from vimae_core.priors import Prior

LAYERS, UNITS = 4, 512  # hidden, each with a ReLU: the WAE code's for MNIST


def jensen_shannon(of_prior: Float[Tensor, " m"], of_codes: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """log 2 + (E_p log D + E_q log(1 - D)) / 2, nats, from the logits of D for draws of p and of q.

    At most log 2. In the mean at most the Jensen-Shannon divergence, which the best of all D attains
    (Goodfellow et al. 2014, Theorem 1); so an estimate may be negative.
    """
    return math.log(2) - (softplus(-of_prior).mean() + softplus(of_codes).mean()) / 2


class Adversary(nn.Module):
    """The Jensen-Shannon divergence. Its weights are those of a discriminator D(z): whether z is of p, and no code.

    The network is that of the WAE code for MNIST (Tolstikhin et al. 2018), its weights drawn as PyTorch draws them.
    It sees z in standard deviations of the prior: the divergence has no unit. Trained beside the autoencoder, one
    step each, as in that code; Makhzani et al. (2015) have two layers of 1000, and reconstruct and match in turn.
    """

    def __init__(self, config: RunConfig, prior: Prior, units: int = UNITS):
        super().__init__()
        self.std = prior.std
        sizes = pairwise([prior.dim, *LAYERS * [units]])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(2**31 + config.seed)  # no network of any run has this one
            hidden = [layer for a, b in sizes for layer in (Linear(a, b), nn.ReLU(inplace=True))]
            self.layers = nn.Sequential(*hidden, Linear(units, 1), nn.Flatten(0))

    def forward(
        self, z: Float[Tensor, "n d"], z_prior: Float[Tensor, "m d"], others: Float[Tensor, "k d"] | None = None
    ) -> dict[str, Float[Tensor, ""]]:
        """The divergence, nats, to descend in z, and the discriminator's own loss, to descend in its weights.

        Both have the value of `jensen_shannon`, the second with its sign turned. The gradient in z is the
        non-saturating one of the adversarial autoencoder (Makhzani et al. 2015), of -E_q log D in place of
        E_q log(1 - D): under the best D that of KL(q||p) / 2 - JS (Arjovsky and Bottou 2017, Theorem 2.5), near
        q = p that of JS. Half of what the WAE code weighs with its lambda. `others` is for an MMD.
        """
        estimate = jensen_shannon(self.layers(z_prior / self.std), self.layers(z.detach() / self.std))
        as_it_is = {name: weight.detach() for name, weight in self.layers.named_parameters()}
        pull = softplus(-functional_call(self.layers, as_it_is, (z / self.std,))).mean() / 2
        return {"divergence": estimate.detach() + pull - pull.detach(), "discriminator": -estimate}
