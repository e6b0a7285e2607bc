"""A prior's scale bounds nothing where the encoder's noise is learnt: every network has its equal at every scale."""

import dataclasses
import math

import pytest
import torch

from vimae_core import RunConfig
from vimae_core.networks import Posterior, build_network
from vimae_core.objectives import loss_terms, rate
from vimae_core.priors import PRIORS, make_prior

SHAPE = (1, 8, 8)


def terms(config: RunConfig, network, prior) -> dict[str, torch.Tensor]:
    """Of the same images and the same noise."""
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(32, *SHAPE, generator=generator)
    posterior = network.encode(x)
    z = posterior.sample(generator)
    return loss_terms(config, prior, x, network.decode(z), posterior, z, prior.sample(32, generator))


@pytest.mark.parametrize("kernel", ["imq", "gaussian", "wae"])
@pytest.mark.parametrize("name", PRIORS)
def test_what_is_scaled_with_the_prior_loses_the_same(name, kernel):
    """Means and noise of the codes times s, the decoder's first weights over s: the same loss in every term."""
    s, config = 0.25, RunConfig(method="vimae", prior=name, kernel=kernel, width=0.1, latent_dim=3)
    unit, scaled = build_network(config, SHAPE), build_network(config, SHAPE)
    last, first = scaled.encoder[-1], scaled.decoder[0]
    with torch.no_grad():
        last.weight[:3] *= s
        last.bias[:3] *= s
        last.bias[3:] += 2 * math.log(s)
        first.weight /= s
    prior = make_prior(name, 3)
    here = terms(config, unit, prior)
    narrow = make_prior(name, 3, s * prior.scale)
    there = terms(dataclasses.replace(config, prior_scale=narrow.scale), scaled, narrow)
    for term in ("loss", "distortion", "divergence"):
        torch.testing.assert_close(there[term], here[term], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in PRIORS if name != "uniform"])
def test_a_rate_has_no_scale(name):
    """What a VAE pays is the same for codes and a prior that are scaled together."""
    s, prior, generator = 4.0, make_prior(name, 3), torch.Generator().manual_seed(0)
    mean, log_variance, noise = (torch.randn(16, 3, generator=generator) for _ in range(3))
    unit, scaled = Posterior(mean, log_variance), Posterior(s * mean, log_variance + 2 * math.log(s))
    there = rate(scaled, scaled.at(noise), make_prior(name, 3, s * prior.scale))
    torch.testing.assert_close(there, rate(unit, unit.at(noise), prior))
