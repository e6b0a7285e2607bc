"""The priors against scipy.stats."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vimae_core import make_prior
from vimae_core.priors import PRIORS, Prior

FAMILY = {f"generalised-normal {shape:g}": partial(stats.gennorm, shape) for shape in (0.7, 1, 2, 4, 30)}
SCALED = {"normal": stats.norm, "logistic": stats.logistic, "laplace": stats.laplace, **FAMILY}
NAMES = (*SCALED, "uniform")


def make(name: str, dim: int, scale: float | None = None) -> Prior:
    """A prior by its name, and its shape behind it."""
    name, *shape = name.split()
    return make_prior(name, dim, scale, *map(float, shape))


def test_every_prior_is_held():
    """None of the package's without its tests."""
    assert {name.split()[0] for name in NAMES} == set(PRIORS)


def scipys(name: str, scale: float):
    """The same distribution of one coordinate, by scipy; the uniform is on [-scale, scale]."""
    return stats.uniform(-scale, 2 * scale) if name == "uniform" else SCALED[name](scale=scale)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=30)
@given(
    dim=st.sampled_from([1, 2, 8, 64]),
    scale=st.one_of(st.none(), st.floats(0.01, 100)),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 2**20),
)
def test_density_and_cdf_are_scipys(name, dim, scale, dtype, seed):
    """Log density and cdf of 20 points within six scales of 0, over dimensions, scales and number types."""
    prior = make(name, dim, scale)
    reference = scipys(name, prior.scale)
    z = torch.from_numpy(np.random.default_rng(seed).uniform(-6, 6, (20, dim)) * prior.scale).to(dtype)
    # uniform: a point within rounding of the edge may fall on either side
    z = torch.where((z.abs() / prior.scale - 1).abs() < 1e-5, 0, z) if name == "uniform" else z
    exact = z.double().numpy()
    tolerance = 2e-5 if dtype == torch.float32 else 1e-11
    np.testing.assert_allclose(prior.log_density(z), reference.logpdf(exact), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(prior.log_prob(z), reference.logpdf(exact).sum(1), rtol=tolerance, atol=tolerance * dim)
    # uniform: just inside the edge, u + 1 has the rounding of 1
    edge = float(torch.finfo(dtype).eps) if name == "uniform" else 1e-12
    np.testing.assert_allclose(prior.cdf(z), reference.cdf(exact), rtol=10 * tolerance, atol=edge)
    assert prior.log_prob(z).dtype == dtype


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [None, 0.3, 5.0])
@pytest.mark.parametrize("dim", [1, 2, 8, 64])
def test_entropy_is_scipys(name, scale, dim):
    """The entropy of all coordinates, in nats, is dim times scipy's."""
    prior = make(name, dim, scale)
    assert prior.entropy() == pytest.approx(dim * float(scipys(name, prior.scale).entropy()), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_unit_variance_unless_a_scale_is_given(name):
    """By scipy's variance of the default scale; `std` is scipy's for any scale."""
    assert scipys(name, make(name, 1).scale).var() == pytest.approx(1, rel=1e-12)
    assert make(name, 1, 2.5).std == pytest.approx(scipys(name, 2.5).std(), rel=1e-12)


def test_logistic_has_less_entropy_than_normal():
    """Section 3.2: at unit variance by 1/2 log(2 pi e) - 2 - log(sqrt(3)/pi), about 0.0144 nats a coordinate."""
    difference = make_prior("normal", 1).entropy() - make_prior("logistic", 1).entropy()
    assert difference == pytest.approx(0.5 * math.log(2 * math.pi * math.e) - 2 - math.log(math.sqrt(3) / math.pi))
    assert round(difference, 4) == 0.0144


@pytest.mark.parametrize("name", list(SCALED))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_far_tails_are_finite_where_the_truth_is(name, dtype):
    """Log densities out to 1e15 scales (1e30 nats for the normal) agree with scipy's and are finite."""
    prior = make(name, 1)
    farthest = 30 / max(2, getattr(prior, "shape", 0))  # its power is 1e30
    z = torch.logspace(min(1, farthest), farthest, 5, dtype=dtype) * prior.scale
    z = torch.cat([-z, z])
    exact = z.double().numpy()
    truth = scipys(name, prior.scale).logpdf(exact)
    if name == "laplace":  # scipy takes the logarithm of a density that has vanished; its exponential's is exact
        truth = stats.expon(scale=prior.scale).logpdf(np.abs(exact)) - math.log(2)
    assert prior.log_density(z).isfinite().all()
    np.testing.assert_allclose(prior.log_density(z), truth, rtol=1e-5 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize("name", list(SCALED))
def test_the_cdfs_lower_tail_keeps_its_digits(name):
    """Down to 30 scales below 0, in float64, to a relative error of 1e-9."""
    prior = make(name, 1)
    z = torch.linspace(-30, -1, 59, dtype=torch.float64) * prior.scale
    np.testing.assert_allclose(prior.cdf(z), scipys(name, prior.scale).cdf(z.numpy()), rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [None, 3.0])
def test_samples_follow_the_distribution(name, scale):
    """20,000 draws in two coordinates: Kolmogorov and Smirnov's test, unit variance, and no correlation."""
    prior = make(name, 2, scale)
    z = prior.sample(20_000, torch.Generator().manual_seed(7)).numpy()
    for coordinate in z.T:
        assert stats.kstest(coordinate, scipys(name, prior.scale).cdf).pvalue > 1e-3
    np.testing.assert_allclose(z.std(0), prior.std, rtol=0.03)
    assert abs(np.corrcoef(z.T)[0, 1]) < 0.03
    assert abs(np.corrcoef(z[:-1, 0], z[1:, 0])[0, 1]) < 0.03


@pytest.mark.parametrize("name", NAMES)
def test_a_generator_determines_the_sample(name):
    """The same seed the same draws, of the dtype asked for; all finite over a million draws."""
    prior = make(name, 3)
    one, two = (prior.sample(5, torch.Generator().manual_seed(1), dtype=torch.float64) for _ in range(2))
    assert torch.equal(one, two) and one.dtype == torch.float64 and one.shape == (5, 3)
    assert make(name, 1).sample(1_000_000, torch.Generator().manual_seed(0)).isfinite().all()


def test_the_uniform_has_no_density_outside():
    """Minus infinity beyond its half width, and a cdf of 0 and 1 there."""
    prior = make_prior("uniform", 1, 2.0)
    z = torch.tensor([-2.1, -1.9, 1.9, 2.1])
    assert prior.log_density(z).isfinite().tolist() == [False, True, True, False]
    assert prior.cdf(z)[[0, 3]].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cauchy", 2), "prior 'cauchy' is unknown: must be one of normal, logistic, laplace, uniform"),
        (("normal", 0), "dim=0 is not possible"),
        (("normal", 2, 0.0), "scale=0.0 is not possible"),
        (("normal", 2, -1.0), "scale=-1.0 is not possible"),
        (("normal", 2, math.inf), "scale=inf is not possible"),
        (("normal", 2, math.nan), "scale=nan is not possible"),
        (("normal", 2, None, 2.0), "shape=2.0 is not possible: the normal prior has none; generalised-normal has"),
        (("generalised-normal", 2, None, 0.0), "shape=0.0 is not possible: must be positive and finite"),
        (("generalised-normal", 2, None, math.inf), "shape=inf is not possible"),
    ],
)
def test_impossible_priors_are_refused(arguments, message):
    """Each with the value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        make_prior(*arguments)
