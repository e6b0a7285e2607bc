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
from vimae_core.evaluation import information as info
from vimae_core.mmd import mmd2, mmd2_as_printed


@for_any(models, st.integers(0, 2**32 - 1))
def test_eq_10_supremum(model, seed):
    """On a finite space no random f of the unit ball passes sqrt((p - q)' K (p - q)), which the witness attains."""
    rng = np.random.default_rng(seed)
    points, difference = rng.normal(size=(len(model.prior), 2)), model.prior - model.q_z
    gram = 4 / (4 + ((points[:, None] - points) ** 2).sum(-1))
    mmd = math.sqrt(difference @ gram @ difference)
    for weights in [*rng.normal(size=(20, len(points))), difference]:
        f = gram @ weights / math.sqrt(weights @ gram @ weights)  # of norm 1 in the RKHS
        assert difference @ f <= mmd + 1e-9
    assert difference @ f == pytest.approx(mmd)


def test_eq_10_does_not_approximate_the_kl():
    """As the prior's mass at a code tends to 0, KL(q||p) grows beyond all bounds, while the MMD does not."""
    gram, q = np.array([[1, 0.8], [0.8, 1]]), FAIR
    priors = [np.array([p, 1 - p]) for p in (1e-2, 1e-20, 1e-200)]
    kls = [info.kl(q, p) for p in priors]
    assert kls[0] < 2 and kls[1] > 20 and kls[2] > 200
    assert max((p - q) @ gram @ (p - q) for p in priors) <= 0.1  # MMD^2, at most 2 for any kernel bounded by 1


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
PAIRS = {
    "normal under normal": (stats.norm(0.5, 0.8), stats.norm()),
    "normal under logistic": (stats.norm(0.3, 0.9), UNIT_LOGISTIC),
    "logistic under normal": (stats.logistic(0.2, 0.3), stats.norm()),
}
EDGES = np.linspace(-6, 6, 100_001)


def kl_by_quadrature(q, p):
    return integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), -12, 12, points=[0], limit=500)[0]


@pytest.mark.parametrize("pair", PAIRS)
def test_eq_12_kl_is_minus_the_entropy_of_the_cdf(pair):
    """On the line KL(q||p), by quadrature of log q/p, is -h_q(F(Z)), by a histogram of F(Z) without densities."""
    q, p = PAIRS[pair]
    assert -info.entropy_of_cdf(q.cdf, p.cdf, EDGES) == pytest.approx(kl_by_quadrature(q, p), abs=1e-4)


def test_eq_12_normals_in_closed_form():
    """For two normals -h_q(F(Z)) is log(s_p/s_q) + (s_q^2 + m^2)/(2 s_p^2) - 1/2."""
    q, p = PAIRS["normal under normal"]
    assert -info.entropy_of_cdf(q.cdf, p.cdf, EDGES) == pytest.approx(
        -math.log(0.8) + (0.64 + 0.25) / 2 - 0.5, abs=1e-6
    )
    with pytest.raises(ValueError, match="increase"):
        info.entropy_of_cdf(q.cdf, p.cdf, EDGES[::-1])


@pytest.mark.parametrize("pair", PAIRS)
def test_eq_12_last_equality_as_printed_is_false(pair):
    """E_q log F(Z) is negative, and -1 at q = p; the mean log density of F(Z) is the KL."""
    q, p = PAIRS[pair]
    printed = integrate.quad(lambda z: q.pdf(z) * p.logcdf(z), -12, 12, limit=500)[0]
    assert printed < 0 < kl_by_quadrature(q, p)
    at_equality = integrate.quad(lambda z: p.pdf(z) * p.logcdf(z), -12, 12, limit=500)[0]
    assert at_equality == pytest.approx(-1, abs=1e-3)
    # The density of F(Z) at u, by differences of its cdf G(F^-1(u)); then E log of it, over u.
    u = np.linspace(0, 1, 200_001)
    mass = np.diff(q.cdf(p.ppf(u)))
    mended = mass[mass > 0] @ np.log(mass[mass > 0] / np.diff(u)[mass > 0])
    assert mended == pytest.approx(kl_by_quadrature(q, p), abs=2e-3)


def test_eq_12_fails_for_a_joint_cdf():
    """With the joint cdf of two independent coordinates, -h(F(Z)) at q = p is digamma(2) = 0.42, not 0."""
    # F(Z) is a product of two uniforms, of density -log u.
    minus_entropy = integrate.quad(lambda u: -math.log(u) * math.log(-math.log(u)), 0, 1)[0]
    assert minus_entropy == pytest.approx(special.digamma(2), abs=1e-6)
    assert minus_entropy > 0.4


def test_eq_12_holds_for_the_vector_of_coordinate_cdfs():
    """For dependent normals the joint entropy of (F(Z_1), F(Z_2)) gives the KL; their separate entropies give 0."""
    r, edges = 0.6, np.linspace(-5, 5, 301)
    q = stats.multivariate_normal([0, 0], [[1, r], [r, 1]])
    centres, step = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    mass = q.pdf(np.stack(np.meshgrid(centres, centres), -1)) * np.outer(step, step)
    width = np.diff(stats.norm.cdf(edges))
    jointly = (mass * np.log(mass / np.outer(width, width))).sum()
    one_by_one = -2 * info.entropy_of_cdf(stats.norm.cdf, stats.norm.cdf, edges)
    assert jointly == pytest.approx(-math.log(1 - r**2) / 2, abs=1e-3)
    assert one_by_one == pytest.approx(0, abs=1e-9)


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
    prior_entropy, noise_entropy = stats.norm().entropy(), stats.norm(scale=noise).entropy()
    correlation_squared = 1 - noise**2
    assert -0.5 * math.log(1 - correlation_squared) == pytest.approx(prior_entropy - noise_entropy)


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
