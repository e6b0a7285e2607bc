"""The one objective: its terms against torch.distributions, quadrature and NumPy, and its presets."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch.distributions import Bernoulli, Independent, Laplace, Normal, kl_divergence

from vimae_core import RunConfig, make_prior, mmd2, paper_model
from vimae_core.mmd import KERNELS
from vimae_core.networks import Posterior
from vimae_core.objectives import LIKELIHOODS, distortion, gaussian_rate, laplace_rate, loss_terms, rate


def some_posterior(n: int = 6, d: int = 3, seed: int = 0) -> Posterior:
    generator = torch.Generator().manual_seed(seed)
    mean, log_variance = torch.randn(2, n, d, generator=generator, dtype=torch.float64)
    return Posterior(mean.requires_grad_(), log_variance.requires_grad_())


@pytest.mark.parametrize("scale", [1.0, 0.3, 4.0])
def test_gaussian_rate_is_torchs(scale):
    """KL(N(m, s^2) || N(0, scale^2)) of each coordinate against torch.distributions."""
    posterior = some_posterior()
    truth = kl_divergence(Normal(posterior.mean, torch.exp(posterior.log_variance / 2)), Normal(0.0, scale))
    torch.testing.assert_close(gaussian_rate(posterior, scale), truth)


@pytest.mark.parametrize("scale", [1 / math.sqrt(2), 0.3, 4.0])
def test_laplace_rate_is_the_integral(scale):
    """KL(N(m, s^2) || Laplace(0, scale)) by scipy's quadrature of q log(q/p)."""
    posterior = some_posterior(3, 2)
    values = laplace_rate(posterior, scale).detach().numpy()
    for (i, j), value in np.ndenumerate(values):
        q = stats.norm(posterior.mean[i, j].item(), math.exp(posterior.log_variance[i, j].item() / 2))
        prior = stats.laplace(scale=scale)
        low, high = q.ppf(1e-14), q.ppf(1 - 1e-14)
        truth, _ = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - prior.logpdf(z)), low, high, points=[0.0])  # noqa: B023
        assert value == pytest.approx(truth, abs=1e-7)


def test_rate_adds_over_dimensions():
    """Eq. (5): the joint KL of torch's multivariate normals is the sum of the coordinates' rates."""
    posterior = some_posterior()
    q = torch.distributions.MultivariateNormal(posterior.mean, torch.diag_embed(posterior.log_variance.exp()))
    p = torch.distributions.MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
    torch.testing.assert_close(gaussian_rate(posterior).sum(1), kl_divergence(q, p))
    torch.testing.assert_close(rate(posterior, posterior.mean, make_prior("normal", 3)), kl_divergence(q, p))


def test_monte_carlo_rate_is_unbiased():
    """Against a logistic prior: the mean over 100,000 draws is scipy's integral, within four standard errors."""
    prior, s = make_prior("logistic", 1), 0.7
    posterior = Posterior(torch.full((100_000, 1), 1.2), torch.full((100_000, 1), 2 * math.log(s)))
    z = posterior.sample(torch.Generator().manual_seed(0))
    values = rate(posterior, z, prior).double()
    q, p = stats.norm(1.2, s), stats.logistic(scale=prior.scale)
    truth, _ = integrate.quad(lambda t: q.pdf(t) * (q.logpdf(t) - p.logpdf(t)), -8, 10)
    assert values.mean().item() == pytest.approx(truth, abs=4 * values.std().item() / math.sqrt(100_000))


def test_rate_against_a_uniform_is_infinite():
    """A Gaussian leaves every bounded support."""
    posterior = some_posterior()
    assert rate(posterior, posterior.mean, make_prior("uniform", 3)).tolist() == [math.inf] * 6


def test_rate_of_each_prior_dispatches():
    """The Laplace prior's own closed form, with the prior's scale."""
    posterior, prior = some_posterior(), make_prior("laplace", 3)
    torch.testing.assert_close(rate(posterior, posterior.mean, prior), laplace_rate(posterior, prior.scale).sum(1))
    torch_laplace = Laplace(0.0, prior.scale).log_prob(posterior.mean).sum(1)
    torch.testing.assert_close(prior.log_prob(posterior.mean), torch_laplace)


def images_and_logits() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(5, 1, 4, 6, generator=generator), 3 * torch.randn(5, 1, 4, 6, generator=generator)


def test_bernoulli_distortion():
    """Of binary images torch's Bernoulli, of grey ones the cross-entropy by NumPy; summed over pixels."""
    x, logits = images_and_logits()
    binary = (x > 0.5).float()
    truth = -Independent(Bernoulli(logits=logits), 3).log_prob(binary)
    torch.testing.assert_close(distortion(binary, logits), truth)
    p, grey = 1 / (1 + np.exp(-logits.double().numpy())), x.double().numpy()
    by_hand = -(grey * np.log(p) + (1 - grey) * np.log(1 - p)).sum((1, 2, 3))
    np.testing.assert_allclose(distortion(x, logits), by_hand, rtol=1e-5)


def test_gaussian_and_wae_distortion():
    """torch's unit-variance normal with its constant; 0.05 x the squared error by NumPy."""
    x, logits = images_and_logits()
    truth = -Independent(Normal(torch.sigmoid(logits), 1.0), 3).log_prob(x)
    torch.testing.assert_close(distortion(x, logits, "gaussian"), truth)
    mean = 1 / (1 + np.exp(-logits.double().numpy()))
    np.testing.assert_allclose(distortion(x, logits, "wae"), 0.05 * ((x.numpy() - mean) ** 2).sum((1, 2, 3)), rtol=1e-5)
    in_symmetric_pixels = 0.05 * ((2 * x.numpy() - 1 - (2 * mean - 1)) ** 2).sum((1, 2, 3))
    np.testing.assert_allclose(distortion(x, logits, "wae-symmetric"), in_symmetric_pixels, rtol=1e-5)
    with pytest.raises(ValueError, match="likelihood 'poisson' is unknown: must be one of bernoulli, gaussian, wae"):
        distortion(x, logits, "poisson")


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_gradient_of_the_distortion_is_the_difference_quotient(likelihood):
    """torch.autograd.gradcheck in float64: the cross-entropy has a derivative of its own."""
    x, logits = (t.double() for t in images_and_logits())
    assert torch.autograd.gradcheck(lambda at: distortion(x, at, likelihood), logits.requires_grad_())


CONFIGS = [
    *(paper_model(name, latent_dim=3) for name in ("AE", "VAE", "beta-VAE", "InfoVAE", "VIMAE-n", "VIMAE-l")),
    RunConfig(method="vae", prior="logistic", latent_dim=3),
    RunConfig(method="vimae", kernel="wae", likelihood="gaussian", lambda_=3.0, latent_dim=3),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.label}-{c.kernel}")
def test_loss_is_the_one_of_the_protocol(config):
    """For every preset the loss is distortion + alpha x rate + (lambda - alpha) x divergence, each taken by itself."""
    x, logits = (t.double() for t in images_and_logits())
    posterior, prior = some_posterior(5), make_prior(config.prior, 3)
    z = posterior.sample(torch.Generator().manual_seed(2))
    z_prior = prior.sample(5, torch.Generator().manual_seed(3), dtype=torch.float64)
    terms = loss_terms(config, prior, x, logits, posterior, z, z_prior)
    expected = distortion(x, logits, config.likelihood).mean()
    expected = expected + config.alpha * rate(posterior, z, prior).mean()
    expected = expected + (config.lambda_ - config.alpha) * mmd2(z, z_prior, KERNELS[config.kernel])
    torch.testing.assert_close(terms["loss"], expected)
    assert ("rate" in terms) == (config.alpha > 0)
    assert ("divergence" in terms) == (config.lambda_ > config.alpha)


def loss_of(**fields) -> float:
    config = RunConfig(latent_dim=3, **fields)
    x, logits = (t.double() for t in images_and_logits())
    posterior, prior = some_posterior(5), make_prior(config.prior, 3)
    z = posterior.sample(torch.Generator().manual_seed(2))
    z_prior = prior.sample(5, torch.Generator().manual_seed(3), dtype=torch.float64)
    return loss_terms(config, prior, x, logits, posterior, z, z_prior)["loss"].item()


def test_the_methods_meet_where_their_weights_do():
    """beta-VAE at beta = 1 is the VAE; InfoVAE at alpha = 0 is VIMAE, at alpha = lambda the beta-VAE."""
    assert loss_of(method="beta-vae", lambda_=1.0) == loss_of(method="vae")
    assert loss_of(method="infovae", alpha=0.0, lambda_=7.0) == loss_of(method="vimae", lambda_=7.0)
    assert loss_of(method="infovae", alpha=7.0, lambda_=7.0) == loss_of(method="beta-vae", lambda_=7.0)
    assert loss_of(method="vimae", lambda_=0.0) == loss_of(method="ae")


@pytest.mark.parametrize("name", ["VAE", "VIMAE-l"])
def test_gradients_reach_the_posterior(name):
    """Mean and variance both learn, through the rate or through the divergence."""
    config = paper_model(name, latent_dim=3)
    x, logits = (t.double() for t in images_and_logits())
    posterior, prior = some_posterior(5), make_prior(config.prior, 3)
    z = posterior.sample(torch.Generator().manual_seed(2))
    z_prior = prior.sample(5, torch.Generator().manual_seed(3), dtype=torch.float64)
    loss_terms(config, prior, x, logits, posterior, z, z_prior)["loss"].backward()
    assert (posterior.mean.grad != 0).all() and (posterior.log_variance.grad != 0).all()
