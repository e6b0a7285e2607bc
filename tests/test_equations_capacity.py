"""Equations (10) to (15), on discrete models and on the line: divergences, channel capacity, the bottleneck.

Where the paper misprints one, a test shows the printed form false and another the mended form true.
The estimator of Eq. (15) is held against its double loop in test_mmd.
"""

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import strategies as st
from scipy import integrate, special, stats

from tests.discrete import (
    FAIR,
    binary_entropy,
    for_any,
    lambdas,
    loop_distortion,
    loop_information,
    models,
    symmetric_channel,
)
from vimae_core.evaluation import discrete as info
from vimae_core.mmd import imq_kernel, mmd2, mmd2_as_printed
from vimae_core.priors import make_prior


@for_any(models, st.integers(0, 2**32 - 1))
def test_eq_10_supremum(model, seed):
    """On a finite space no random f of the unit ball passes sqrt((p - q)' K (p - q)), which the witness attains."""
    rng = np.random.default_rng(seed)
    points, difference = torch.from_numpy(rng.normal(size=(len(model.prior), 2))), model.prior - model.q_z
    gram = imq_kernel(points, points).numpy()
    mmd = math.sqrt(difference @ gram @ difference)
    for weights in [*rng.normal(size=(20, len(points))), difference]:
        f = gram @ weights / math.sqrt(weights @ gram @ weights)  # of norm 1 in the RKHS
        assert difference @ f <= mmd + 1e-9
    assert difference @ f == pytest.approx(mmd)
    by_hand = sum(
        difference[i] * difference[j] * 4 / (4 + ((points[i] - points[j]) ** 2).sum().item())
        for i, j in np.ndindex(gram.shape)
    )
    assert mmd**2 == pytest.approx(by_hand, abs=1e-12)


def test_eq_10_does_not_approximate_the_kl():
    """As the prior's mass at a code tends to 0, KL(q||p) grows beyond all bounds, while the MMD does not."""
    codes, q = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64), FAIR
    gram = imq_kernel(codes, codes).numpy()
    priors = [np.array([p, 1 - p]) for p in (1e-2, 1e-20, 1e-200)]
    kls = [info.kl(q, p) for p in priors]
    assert kls[0] < 2 and kls[1] > 20 and kls[2] > 200
    mmds = [(p - q) @ gram @ (p - q) for p in priors]  # MMD^2, at most 2 for any kernel bounded by 1
    assert mmds == pytest.approx([2 * (0.5 - p[0]) ** 2 * (1 - 4 / 5) for p in priors]) and max(mmds) <= 0.1


@for_any(models, lambdas)
def test_eq_11_equals_eq_09_plus_the_data_entropy(model, lambda_):
    """The four terms of Eq. (11), posterior by Bayes' rule, sum to Eq. (9) with D = KL plus the constant h(X)."""
    terms = info.encoding_terms(*model.tables, lambda_)
    p_theta = model.prior @ model.decoder
    posterior = (model.prior[:, None] * model.decoder / p_theta).T
    expected = (
        -stats.entropy(model.p_x, p_theta),
        -(model.p_x @ [stats.entropy(q, p) for q, p in zip(model.encoder, posterior, strict=True)]),
        -(lambda_ - 1) * stats.entropy(model.q_z, model.prior),
        loop_information(info.joint(model.p_x, model.encoder)),
    )
    assert terms == pytest.approx(expected, abs=1e-12)
    eq_09 = -loop_distortion(model) - lambda_ * stats.entropy(model.q_z, model.prior)
    assert sum(expected) == pytest.approx(eq_09 + stats.entropy(model.p_x), abs=1e-9)


def test_eq_11_optimum_needs_a_prior_that_can_be_shared_out():
    """Two equal images: the optimum has q(z) = p(z) if p(z) is (0.5, 0.5), but not if it is (0.3, 0.7)."""

    def best_encoder(prior, lambda_=2.0):
        grid = np.linspace(0, 1, 21)
        encoders = [np.array([[1 - a, a], [b, 1 - b]]) for a, b in product(grid, grid)]
        # The best decoder of an encoder is its own reverse (Eq. 7, mended).
        values = [info.vimae_objective(FAIR, e, prior, info.reverse(info.joint(FAIR, e)), lambda_) for e in encoders]
        return encoders[np.argmax(values)]

    np.testing.assert_allclose(FAIR @ best_encoder(FAIR), FAIR)
    assert abs(FAIR @ best_encoder(np.array([0.3, 0.7])) - [0.3, 0.7]).max() > 0.05


# --- Eq. (12)

UNIT_LOGISTIC = stats.logistic(scale=math.sqrt(3) / math.pi)
# q by scipy, and p by scipy and by its name here.
PAIRS = {
    "normal under normal": (stats.norm(0.5, 0.8), stats.norm(), "normal"),
    "normal under logistic": (stats.norm(0.3, 0.9), UNIT_LOGISTIC, "logistic"),
    "logistic under normal": (stats.logistic(0.2, 0.3), stats.norm(), "normal"),
}
EDGES = np.linspace(-6, 6, 100_001)


def cdf_of(prior):
    """A prior's F, of and to NumPy's arrays."""
    return lambda z: prior.cdf(torch.from_numpy(z)).numpy()


def kl_by_quadrature(q, p):
    return integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -12, 12, points=[0], limit=500)[0]


@pytest.mark.parametrize("pair", PAIRS)
def test_eq_12_kl_is_minus_the_entropy_of_the_cdf(pair):
    """On the line KL(q||p), by quadrature of log q/p, is -h_q(F(Z)), by a histogram of F(Z) without densities."""
    q, p, name = PAIRS[pair]
    found = -info.entropy_of_cdf(q.cdf, cdf_of(make_prior(name, 1)), EDGES)
    assert found == pytest.approx(kl_by_quadrature(q, p), abs=1e-4)


def test_eq_12_normals_in_closed_form():
    """For two normals -h_q(F(Z)) is log(s_p/s_q) + (s_q^2 + m^2)/(2 s_p^2) - 1/2."""
    q, p, _ = PAIRS["normal under normal"]
    assert -info.entropy_of_cdf(q.cdf, p.cdf, EDGES) == pytest.approx(
        -math.log(0.8) + (0.64 + 0.25) / 2 - 0.5, abs=1e-6
    )
    with pytest.raises(ValueError, match="increase"):
        info.entropy_of_cdf(q.cdf, p.cdf, EDGES[::-1])


@pytest.mark.parametrize("pair", PAIRS)
def test_eq_12_last_equality_as_printed_is_false(pair):
    """E_q log F(Z) is negative, and -1 at q = p; the mean log density of F(Z) is the KL."""
    q, p, name = PAIRS[pair]
    printed = integrate.quad(lambda z: q.pdf(z) * p.logcdf(z), -12, 12, limit=500)[0]
    assert printed < 0 < kl_by_quadrature(q, p)
    at_equality = integrate.quad(lambda z: p.pdf(z) * p.logcdf(z), -12, 12, limit=500)[0]
    assert at_equality == pytest.approx(-1, abs=1e-3)
    # E log of the density of U = F(Z), over u: minus U's entropy, from its cdf G(F^-1(u)).
    u = np.linspace(0, 1, 200_001)
    mended = -info.entropy_of_cdf(lambda u: q.cdf(p.ppf(u)), lambda u: u, u)
    assert mended == pytest.approx(kl_by_quadrature(q, p), abs=2e-3)
    # Printed and mended, by draws of the logarithm of this package's F.
    z = torch.from_numpy(q.rvs(200_000, random_state=0))
    assert make_prior(name, 1).cdf(z).log().mean().item() == pytest.approx(printed, abs=0.02)


@pytest.mark.parametrize("name", ["normal", "logistic", "laplace", "uniform"])
def test_eq_12_fails_for_a_joint_cdf(name):
    """With the joint cdf of two independent coordinates, -h(F(Z)) at q = p is digamma(2) = 0.42, not 0."""
    prior = make_prior(name, 2)
    z = prior.sample(400_000, torch.Generator().manual_seed(0), dtype=torch.float64)
    edges = np.linspace(0, 1, 301) ** 3  # closer where the density, -log u of a product of two uniforms, has its pole

    def minus_entropy(u):
        law = np.sort(u.numpy())
        return -info.entropy_of_cdf(lambda at: np.searchsorted(law, at) / len(law), lambda at: at, edges)

    assert minus_entropy(prior.cdf(z).prod(1)) == pytest.approx(special.digamma(2), abs=0.01)
    assert minus_entropy(prior.cdf(z)[:, 0]) == pytest.approx(0, abs=0.01)


def test_eq_12_holds_for_the_vector_of_coordinate_cdfs():
    """For dependent normals the joint entropy of (F(Z_1), F(Z_2)) gives the KL; their separate entropies give 0."""
    r, edges, cdf = 0.6, np.linspace(-7, 7, 421), cdf_of(make_prior("normal", 1))
    q = stats.multivariate_normal([0, 0], [[1, r], [r, 1]])
    centres, step = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    mass = q.pdf(np.stack(np.meshgrid(centres, centres), -1)) * np.outer(step, step)
    width = np.diff(cdf(edges))
    jointly = info.kl(mass, np.outer(width, width))
    cdfs_of_q = [np.append(0, mass.sum(axis).cumsum()) for axis in (0, 1)]
    one_by_one = [-info.entropy_of_cdf(lambda _, values=values: values, cdf, edges) for values in cdfs_of_q]
    assert jointly == pytest.approx(-math.log(1 - r**2) / 2, abs=1e-3)
    assert one_by_one == pytest.approx([0, 0], abs=1e-4)


# --- Eq. (13), (14)


@pytest.mark.parametrize("error", [0.0, 0.1, 0.3, 0.5])
def test_eq_13_capacity_in_closed_form(error):
    """Capacities of the binary symmetric (log 2 - H(e)), erasure ((1 - e) log 2) and Z channel, each in closed form."""
    erasure = np.array([[1 - error, 0, error], [0, 1 - error, error]])
    z_channel = np.array([[1, 0], [error, 1 - error]], dtype=float)
    assert info.capacity(symmetric_channel(error))[0] == pytest.approx(math.log(2) - binary_entropy(error), abs=1e-8)
    assert info.capacity(erasure)[0] == pytest.approx((1 - error) * math.log(2), abs=1e-8)
    assert info.capacity(z_channel)[0] == pytest.approx(
        math.log1p((1 - error) * error ** (error / (1 - error))), abs=1e-8
    )


@for_any(models)
def test_eq_13_capacity_is_a_maximum(model):
    """No random p(x) passes more than the capacity, and the p(x) returned passes just that."""
    nats, best = info.capacity(model.encoder, tolerance=1e-6)
    assert loop_information(info.joint(best, model.encoder)) == pytest.approx(nats, abs=1e-6)
    for p_x in [model.p_x, *np.random.default_rng(0).dirichlet(np.ones(len(best)), size=20)]:
        assert loop_information(info.joint(p_x, model.encoder)) <= nats + 2e-6


def test_eq_13_capacity_says_when_it_is_not_reached():
    """A tolerance that the allowed steps do not meet is an error that states the bounds reached."""
    with pytest.raises(RuntimeError, match="capacity lies in"):
        info.capacity(np.array([[1.0, 0.0], [0.5, 0.5]]), max_steps=2)


@for_any(models, st.floats(1, 20))
def test_eq_13_prefers_no_information_at_lambda_above_one(model, lambda_):
    """For lambda of 1 or more, Eq. (13) is never above 0, the value of a channel that passes nothing."""
    nats, _ = info.capacity(model.encoder, tolerance=1e-6)
    assert loop_information(info.joint(model.p_x, model.encoder)) - lambda_ * nats <= 2e-6 * lambda_
    useless = np.tile(model.prior, (len(model.p_x), 1))
    assert info.capacity(useless)[0] == pytest.approx(0, abs=1e-12)


def test_eq_13_is_not_bounded_by_the_divergence():
    """Encoders with KL(q(z)||p(z)) = 0 have any capacity from 0 to the prior's entropy log 2."""
    for error, expected in ((0.5, 0), (0.1, math.log(2) - binary_entropy(0.1)), (0, math.log(2))):
        encoder = symmetric_channel(error)
        assert info.kl(FAIR @ encoder, FAIR) == 0
        assert info.capacity(encoder)[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("noise", [0.1, 0.5, 0.9])
def test_eq_13_entropy_bounds_information_at_fixed_noise(noise):
    """For a normal channel at q(z) = p(z), I(X, Z) is the prior's entropy less that of the encoder's noise."""
    line = np.linspace(-7, 7, 801)
    encoder = stats.norm.pdf(line, line[:, None], noise)  # q(z|x) = N(x, noise^2)
    encoder[encoder < 1e-50] = 0
    encoder /= encoder.sum(1, keepdims=True)
    matched = math.sqrt(1 - noise**2)  # the standard deviation of x where z has unit variance

    def information(p_x):
        return info.mutual_information(info.joint(p_x / p_x.sum(), encoder))

    prior_entropy, noise_entropy = make_prior("normal", 1).entropy(), make_prior("normal", 1, noise).entropy()
    bound, p_x = prior_entropy - noise_entropy, stats.norm.pdf(line, scale=matched)
    assert information(p_x) == pytest.approx(bound, abs=1e-4)
    q_z = p_x / p_x.sum() @ encoder
    assert info.entropy(q_z) + math.log(line[1] - line[0]) == pytest.approx(prior_entropy, abs=1e-4)
    # Where z has another law of no larger variance, so less entropy, less gets through.
    two_points, uniform = (np.abs(np.abs(line) - matched + 0.01) < 0.01), np.abs(line) < 1.7 * matched
    for p_x in (stats.norm.pdf(line, scale=0.8 * matched), two_points, uniform):
        assert 0 < information(p_x) < bound


@for_any(models, st.integers(0, 2**32 - 1), lambdas)
def test_eq_14_bottleneck(model, seed, beta):
    """Eq. (14) holds against loops over p(t, x) q(z|x) and scipy's entropies; Z tells no more of T than X does."""
    p_tx = np.random.default_rng(seed).dirichlet(np.ones(3 * len(model.p_x))).reshape(3, -1)
    p_tz, p_xz = np.zeros((3, len(model.prior))), np.zeros(model.encoder.shape)
    for t, x, z in product(*map(range, (3, *model.encoder.shape))):
        mass = p_tx[t, x] * model.encoder[x, z]
        p_tz[t, z] += mass
        p_xz[x, z] += mass
    expected = loop_information(p_tz) - beta * loop_information(p_xz)
    assert info.bottleneck(p_tx, model.encoder, beta) == pytest.approx(expected, abs=1e-9)
    assert loop_information(p_tz) <= loop_information(p_tx) + 1e-12


def test_eq_14_does_not_coincide_with_eq_09_for_a_deterministic_encoder():
    """With T = X, Eq. (14) at beta = 10 prefers the code that merges images, Eq. (9) the one that keeps them apart."""
    p_x, lambda_, beta = np.full(4, 1 / 4), 10.0, 10.0
    keep, merge = np.eye(4), np.eye(4)[[0, 0, 2, 2]]

    def eq_09(encoder):
        return info.vimae_objective(p_x, encoder, p_x, info.reverse(info.joint(p_x, encoder)), lambda_)

    assert eq_09(keep) - eq_09(merge) == pytest.approx((1 + lambda_) * math.log(2))
    assert info.bottleneck(np.diag(p_x), keep, beta) - info.bottleneck(np.diag(p_x), merge, beta) == pytest.approx(
        (1 - beta) * math.log(2)
    )


@for_any(models)
def test_eq_14_information_of_a_deterministic_encoder(model):
    """A deterministic encoder has I(X, Z) = H(Z), at most its capacity, the log of the number of codes in use."""
    codes = model.encoder.argmax(1)
    encoder = np.eye(len(model.prior))[codes]
    nats, _ = info.capacity(encoder)
    entropy = stats.entropy(np.bincount(codes, weights=model.p_x))
    assert info.mutual_information(info.joint(model.p_x, encoder)) == pytest.approx(entropy, abs=1e-12)
    assert nats == pytest.approx(math.log(len(set(codes))), abs=1e-8)
    assert entropy <= nats + 1e-8


# --- Eq. (15)


def test_eq_15_as_printed_rewards_codes_that_leave_the_prior():
    """Half the codes moved far away from the prior and each other lower the printed form, and raise the mended one."""
    generator = torch.Generator().manual_seed(0)
    z_prior, fitting = torch.randn(2, 500, 2, generator=generator, dtype=torch.float64)
    leaving = fitting.clone()
    leaving[:250] = 1000.0 * torch.arange(1, 251)[:, None]
    assert mmd2_as_printed(leaving, z_prior) < 0.8 * mmd2_as_printed(fitting, z_prior)
    assert mmd2(leaving, z_prior) > mmd2(fitting, z_prior) + 0.1
