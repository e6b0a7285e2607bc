"""The MMD against double loops, closed forms and its definition."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import distance

from vimae_core import gaussian_kernel, imq_kernel, make_prior, mmd2, null_band
from vimae_core.mmd import KERNELS, kernel_of, mmd2_as_printed, squared_distances, wae_kernel
from vimae_core.priors import PRIORS


def kernel_of_two_points(name: str, x: np.ndarray, y: np.ndarray) -> float:
    """The kernels as they are written down, for one pair of points."""
    distance, c = float(np.sum((x - y) ** 2)), 2 * len(x)
    if name == "imq":
        return c / (c + distance)
    if name == "gaussian":
        return math.exp(-distance / c)
    return sum(c * s / (c * s + distance) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10))  # the WAE code


def draws(n: int, d: int, seed: int, mean: float = 0.0) -> torch.Tensor:
    return mean + torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", list(KERNELS))
@settings(deadline=None, max_examples=15)
@given(n=st.integers(2, 9), m=st.integers(2, 9), d=st.integers(1, 5), seed=st.integers(0, 2**20))
def test_mmd2_is_the_double_loop(name, n, m, d, seed):
    """Eq. (15), its cross term mended, against loops over all pairs in NumPy, for samples of unequal size."""
    x, y = draws(n, d, seed), draws(m, d, seed + 1, mean=0.5)
    a, b = x.numpy(), y.numpy()
    k = lambda u, v: kernel_of_two_points(name, u, v)  # noqa: E731 (a name for the formula)
    within_x = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    within_y = sum(k(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    across = sum(k(u, v) for u in a for v in b) * 2 / (n * m)
    assert mmd2(x, y, KERNELS[name]).item() == pytest.approx(within_x + within_y - across, abs=1e-12)


def test_printed_form_is_not_zero_at_q_equal_p():
    """At q = p the mended estimate is 0 in the mean; the printed one is E k(z, z'), about 0.6 for a plane's normal."""
    prior, generator = make_prior("normal", 2), torch.Generator().manual_seed(0)
    pairs = [(prior.sample(50, generator), prior.sample(50, generator)) for _ in range(300)]
    mended = np.array([mmd2(*pair).item() for pair in pairs])
    printed = np.array([mmd2_as_printed(*pair).item() for pair in pairs])
    assert abs(mended.mean()) < 4 * mended.std() / math.sqrt(300)
    expected = imq_kernel(prior.sample(3000, generator), prior.sample(3000, generator)).mean().item()
    assert printed.mean() == pytest.approx(expected, abs=0.01) and expected > 0.5


def test_mmd2_is_the_supremum_over_the_unit_ball():
    """Eq. (10) on two point sets: the witness function sees the root of the biased MMD^2, no other sees more."""
    x, y = draws(12, 2, 0), draws(9, 2, 1, mean=1.0)
    points = torch.cat([x, y])
    gram = imq_kernel(points, points)
    difference = torch.tensor([1 / 12] * 12 + [-1 / 9] * 9, dtype=torch.float64)
    biased = difference @ gram @ difference

    def seen(weights):
        """E_x f - E_y f of f = sum_i w_i k(., point_i), scaled to unit norm in the kernel's space."""
        return (difference @ gram @ weights) / (weights @ gram @ weights).sqrt()

    assert seen(difference).item() == pytest.approx(biased.sqrt().item(), rel=1e-10)
    generator = torch.Generator().manual_seed(2)
    others = torch.randn(2000, 21, generator=generator, dtype=torch.float64)
    assert max(seen(w).item() for w in others) < biased.sqrt().item()
    # The unbiased statistic leaves the pairs of a point with itself (k = 1) out of both means.
    n, m, means = 12, 9, (gram[:12, :12].mean(), gram[12:, 12:].mean())
    unbiased = biased + (means[0] - 1) / (n - 1) + (means[1] - 1) / (m - 1)
    assert mmd2(x, y).item() == pytest.approx(unbiased.item(), abs=1e-12)


def test_mean_is_the_closed_form():
    """N(mu, 1) against N(0, 1) on the line with a Gaussian kernel: the population's MMD^2 by its integral."""
    mu, c, generator = 0.8, 2.0, torch.Generator().manual_seed(3)
    overlap = lambda shift: math.sqrt(c / (c + 4)) * math.exp(-(shift**2) / (c + 4))  # noqa: E731 (a formula)
    truth = 2 * overlap(0) - 2 * overlap(mu)
    normal = make_prior("normal", 1)
    values = [
        mmd2(mu + normal.sample(40, generator), normal.sample(60, generator), gaussian_kernel) for _ in range(500)
    ]
    values = torch.stack(values).numpy()
    assert values.mean() == pytest.approx(truth, abs=4 * float(values.std()) / math.sqrt(500))


@pytest.mark.parametrize("name", list(KERNELS))
def test_gradient_is_the_difference_quotient(name):
    """torch.autograd.gradcheck in float64, with and without blocks; finite where two points coincide."""
    x, y = draws(6, 3, 0).requires_grad_(), draws(5, 3, 1)
    assert torch.autograd.gradcheck(lambda z: mmd2(z, y, KERNELS[name]), x)
    assert torch.autograd.gradcheck(lambda z: mmd2(z, y, KERNELS[name], block=4), x)
    same = torch.ones(4, 3, requires_grad=True)
    mmd2(same, torch.ones(4, 3), KERNELS[name]).backward()
    assert same.grad.isfinite().all()


@pytest.mark.parametrize("block", [1, 7, 100, 300, 1000])
def test_a_block_leaves_the_value(block):
    """To 1e-12 in float64 and 1e-6 in float32, also where it does not divide n or is larger."""
    x, y = draws(300, 8, 0), draws(211, 8, 1)
    assert mmd2(x, y, block=block).item() == pytest.approx(mmd2(x, y).item(), abs=1e-12)
    assert mmd2(x.float(), y.float(), block=block).item() == pytest.approx(mmd2(x, y).item(), abs=1e-6)


def test_a_block_bounds_the_memory():
    """10,000 against 10,000 at d = 64 raises a process's peak by less than 100 MB; its matrix alone would take 400."""
    code = """
import resource, torch
from vimae_core.mmd import mmd2
torch.set_num_threads(1)
z, z_prior = torch.randn(10_000, 64), torch.randn(10_000, 64)
mmd2(z[:500], z_prior[:500])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
with torch.no_grad():
    print(mmd2(z, z_prior, block=250).item())
print((peak() - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    value, megabytes = map(float, done.stdout.split())
    assert megabytes < 100 and abs(value) < 1e-3


def test_float32_far_from_the_origin():
    """A shift of both samples by 1000 changes a float32 estimate by no more than the shift rounds the points."""
    x, y = draws(200, 4, 0).float(), draws(200, 4, 1, mean=0.3).float()
    assert mmd2(x + 1000, y + 1000).item() == pytest.approx(mmd2(x, y).item(), abs=1e-4)


def test_kernels_have_their_scales():
    """C = 2 dim by default, another where it is given; 1 for a point with itself."""
    x, y = draws(3, 5, 0), draws(4, 5, 1)
    torch.testing.assert_close(imq_kernel(x, y), imq_kernel(x, y, scale=10.0))
    assert imq_kernel(x, y, scale=3.0)[1, 2].item() == pytest.approx(3 / (3 + float((x[1] - y[2]).square().sum())))
    torch.testing.assert_close(imq_kernel(x, x).diagonal(), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(wae_kernel(x, x).diagonal(), torch.full((3,), 7.0, dtype=torch.float64))


@pytest.mark.parametrize("name", list(KERNELS))
@pytest.mark.parametrize("prior", list(PRIORS))
def test_a_priors_kernel_follows_its_variance(name, prior):
    """Codes and prior scaled together lie as near as before; at unit variance it is the kernel itself, to the bit."""
    x, y = draws(6, 5, 0), draws(7, 5, 1)
    unit = make_prior(prior, 5)
    assert torch.equal(kernel_of(name, unit)(x, y), KERNELS[name](x, y))
    scaled = kernel_of(name, make_prior(prior, 5, 3 * unit.scale))
    torch.testing.assert_close(scaled(3 * x, 3 * y), KERNELS[name](x, y))


def test_squared_distances_are_scipys_and_never_negative():
    """In float32, of points with themselves too, far apart from each other."""
    x, y = (1000 * draws(n, 4, seed).float() for n, seed in ((200, 0), (150, 1)))
    np.testing.assert_allclose(squared_distances(x, y), distance.cdist(x, y, "sqeuclidean"), rtol=1e-4)
    assert squared_distances(x, x).min() >= 0


def test_null_band_holds_what_it_says():
    """About 95 % of fresh estimates at q = p lie within the band of their size."""
    prior, generator = make_prior("logistic", 2), torch.Generator().manual_seed(5)
    band = null_band(prior, 150, seed=1)
    fresh = [mmd2(prior.sample(150, generator), prior.sample(150, generator)).item() for _ in range(400)]
    assert 0.90 <= np.mean([band.low <= v <= band.high for v in fresh]) <= 0.985


def test_null_band_shrinks_as_one_over_n():
    """The band of n = 2000 from draws of 250 is that of direct draws, to a fifth of its width."""
    prior = make_prior("normal", 2)
    scaled = null_band(prior, 2000, n_simulated=250, repeats=400)
    direct = null_band(prior, 2000, n_simulated=2000, repeats=400, seed=1)
    width = direct.high - direct.low
    assert scaled.low == pytest.approx(direct.low, abs=0.2 * width)
    assert scaled.high == pytest.approx(direct.high, abs=0.2 * width)


def test_impossible_calls_are_refused():
    """A sample of one, a block below one, no repeats."""
    with pytest.raises(ValueError, match=r"n=1, m=3: .* need 2 or more"):
        mmd2(draws(1, 2, 0), draws(3, 2, 1))
    with pytest.raises(ValueError, match="block=0 is not possible"):
        mmd2(draws(3, 2, 0), draws(3, 2, 1), block=0)
    with pytest.raises(ValueError, match="repeats=1"):
        null_band(make_prior("normal", 2), 100, repeats=1)
