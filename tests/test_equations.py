"""Equations (1) to (9), both sides computed on discrete models.

Where the paper misprints one, a test shows the printed form false and another the mended form true.
"""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import jensenshannon

from tests.discrete import (
    FAIR,
    Model,
    binary_entropy,
    for_any,
    jensen_shannon,
    lambdas,
    loop_distortion,
    loop_information,
    models,
    symmetric_channel,
)
from vimae_core.evaluation import discrete as info

# --- Eq. (1)


@for_any(models)
def test_eq_01_f_divergence(model):
    """Eq. (1) gives scipy's KL and squared Jensen-Shannon distance, and the total variation, each with its own f."""
    q, p = model.q_z, model.prior
    assert info.f_divergence(q, p, lambda t: t * np.log(t)) == pytest.approx(stats.entropy(q, p))
    assert info.kl(q, p) == pytest.approx(stats.entropy(q, p))
    assert jensen_shannon(q, p) == pytest.approx(jensenshannon(q, p) ** 2)
    assert info.f_divergence(q, p, lambda t: np.abs(t - 1) / 2) == pytest.approx(np.maximum(q - p, 0).sum())
    # A place where neither has mass adds nothing.
    q_0, p_0 = np.append(q, 0), np.append(p, 0)
    for value in (info.kl(q_0, p_0), info.f_divergence(q_0, p_0, lambda t: t * np.log(t))):
        assert value == pytest.approx(stats.entropy(q, p))


def test_eq_01_refuses_what_is_no_distribution():
    """A table that is negative, does not sum to 1, or gives Eq. (1) a ratio p/0 is refused with its name."""
    for bad in ([0.5, 0.6], [0.5, 0.50001], [1.5, -0.5], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="q: smallest entry"):
            info.kl(FAIR, np.array(bad))
    wrong, right = np.ones((2, 2)), np.eye(2)
    for name, call in (
        ("marginal", lambda: info.joint(np.ones(2), right)), ("conditional", lambda: info.joint(FAIR, wrong)),
        ("p_ab", lambda: info.reverse(wrong)), ("p", lambda: info.entropy(wrong)),
        ("p_ab", lambda: info.conditional_entropy(wrong)), ("decoder", lambda: info.distortion(FAIR, right, wrong)),
        ("channel", lambda: info.capacity(wrong)), ("p_tx", lambda: info.bottleneck(wrong, right, 1.0)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"^{name}: smallest entry"):
            call()
    with pytest.raises(ValueError, match="q is 0 where p is not"):
        info.f_divergence(FAIR, np.array([1.0, 0.0]), np.abs)
    assert info.kl(FAIR, np.array([1.0, 0.0])) == math.inf


@for_any(models)
def test_mutual_information(model):
    """The two forms of I(X, Z) in section 2.1 agree with H(X) + H(Z) - H(X, Z) of scipy's entropies."""
    p_xz = info.joint(model.p_x, model.encoder)
    mean_kl = model.p_x @ [stats.entropy(row, model.q_z) for row in model.encoder]
    assert info.mutual_information(p_xz) == pytest.approx(loop_information(p_xz), abs=1e-12)
    assert info.mutual_information(p_xz) == pytest.approx(mean_kl, abs=1e-12)


# --- Eq. (2)


@for_any(models)
def test_eq_02_elbo_bounds_the_likelihood(model):
    """The ELBO is E log p_theta(x) less E KL(q(z|x)||p_theta(z|x)), so never above the log likelihood."""
    p_theta = model.prior @ model.decoder
    posterior = (model.prior[:, None] * model.decoder / p_theta).T
    log_likelihood = model.p_x @ np.log(p_theta)
    gap = model.p_x @ [stats.entropy(q, p) for q, p in zip(model.encoder, posterior, strict=True)]
    assert info.elbo(*model.tables) == pytest.approx(log_likelihood - gap)
    assert info.elbo(*model.tables) <= log_likelihood


@for_any(models)
def test_eq_02_elbo_is_optimal_at_any_rate(model):
    """The ELBO's maximum, -h(X), is reached by every encoder that its decoder and prior invert, whatever the rate."""
    maximum = -stats.entropy(model.p_x)
    informative = model.p_x, model.encoder, model.q_z, info.reverse(info.joint(model.p_x, model.encoder))
    n_x, n_z = model.encoder.shape
    uninformative = model.p_x, np.tile(model.prior, (n_x, 1)), model.prior, np.tile(model.p_x, (n_z, 1))
    assert info.elbo(*model.tables) <= maximum + 1e-12
    assert info.elbo(*informative) == pytest.approx(maximum)
    assert info.elbo(*uninformative) == pytest.approx(maximum)
    assert info.rate(*informative[:3]) > 0
    assert info.rate(*uninformative[:3]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("error", [0.01, 0.1, 0.4])
def test_eq_02_null_rate_is_not_optimal_for_a_weak_decoder(error):
    """For a decoder that is a fixed noisy channel, the ELBO's maximum has a positive rate, and rate 0 is worse."""
    decoder = symmetric_channel(error)
    elbos = {e: info.elbo(FAIR, symmetric_channel(e), FAIR, decoder) for e in np.linspace(0, 1, 101).round(2)}
    best = max(elbos, key=elbos.get)
    assert best == error
    assert elbos[best] == pytest.approx(-math.log(2))
    assert info.rate(FAIR, symmetric_channel(best), FAIR) == pytest.approx(math.log(2) - binary_entropy(error))
    assert elbos[0.5] < -math.log(2)  # the only encoder of rate 0


# --- Eq. (3), (4), (5)


@for_any(models)
def test_eq_03_rate_decomposition(model):
    """The rate, averaged row by row with scipy's KL, equals I_q(X, Z) + KL(q(z)||p(z))."""
    rows = model.p_x @ [stats.entropy(row, model.prior) for row in model.encoder]
    parts = loop_information(info.joint(model.p_x, model.encoder)) + stats.entropy(model.q_z, model.prior)
    assert info.rate(*model.tables[:3]) == pytest.approx(rows)
    assert info.rate(*model.tables[:3]) == pytest.approx(parts)


@for_any(models, lambdas, lambdas)
def test_eq_04_is_the_objective_of_the_protocol(model, alpha, lambda_):
    """Eq. (4) is minus the loss of all models here: distortion + alpha rate + (lambda - alpha) KL(q(z)||p(z))."""
    rows = model.p_x @ [stats.entropy(row, model.prior) for row in model.encoder]
    loss = loop_distortion(model) + alpha * rows + (lambda_ - alpha) * stats.entropy(model.q_z, model.prior)
    assert info.infovae_objective(*model.tables, alpha, lambda_) == pytest.approx(-loss)


@for_any(models)
def test_eq_04_contains_vae_and_vimae(model):
    """Eq. (4) is the ELBO at alpha = lambda = 1, and Eq. (9) with the KL at alpha = 0."""
    assert info.infovae_objective(*model.tables, 1.0, 1.0) == pytest.approx(info.elbo(*model.tables))
    assert info.infovae_objective(*model.tables, 0.0, 10.0) == pytest.approx(info.vimae_objective(*model.tables, 10.0))


@for_any(models, models)
def test_eq_05_additivity(first, second):
    """For independent codes under independent priors the joint KL is the sum of the coordinates' KLs."""
    q, p = np.outer(first.q_z, second.q_z), np.outer(first.prior, second.prior)
    assert info.kl(q, p) == pytest.approx(
        stats.entropy(first.q_z, first.prior) + stats.entropy(second.q_z, second.prior)
    )


@for_any(models)
def test_eq_05_needs_an_independent_encoder(model):
    """For dependent codes Eq. (5) misses their total correlation: the joint KL is that much larger than the sum."""
    q = info.joint(model.p_x, model.encoder)  # the law of two dependent codes, at one fixed image
    p = np.outer(np.full(len(q), 1 / len(q)), model.prior)
    coordinates = stats.entropy(q.sum(1), p.sum(1)) + stats.entropy(q.sum(0), p.sum(0))
    assert info.kl(q, p) == pytest.approx(coordinates + loop_information(q))
    assert info.kl(q, p) > coordinates


# --- Eq. (6), (7), (8)


@for_any(models)
def test_eq_06_information_is_entropy_less_conditional_entropy(model):
    """I(X, Z), from scipy's entropies, equals h(X) - h(X|Z), the latter a double loop over -p(x, z) log p(x|z)."""
    p_xz = info.joint(model.prior, model.decoder).T
    loss = sum(-p_xz[x, z] * math.log(p_xz[x, z] / p_xz[:, z].sum()) for x, z in np.ndindex(p_xz.shape))
    assert info.conditional_entropy(p_xz) == pytest.approx(loss)
    assert loop_information(p_xz) == pytest.approx(info.entropy(p_xz.sum(1)) - loss, abs=1e-12)
    assert info.mutual_information(p_xz) == pytest.approx(info.entropy(p_xz.sum(1)) - loss, abs=1e-12)


@for_any(models)
def test_eq_07_mended(model):
    """The distortion equals h_q(X|Z) + E_q(z) KL(q(x|z)||p_theta(x|z)), with q(x, z) = p(x) q(z|x) throughout."""
    q_xz = model.p_x[:, None] * model.encoder
    gap = model.q_z @ [stats.entropy(q_xz[:, z] / model.q_z[z], model.decoder[z]) for z in range(len(model.q_z))]
    q_conditional = stats.entropy(q_xz.ravel()) - stats.entropy(model.q_z)
    assert info.distortion(*model.tables[:2], model.decoder) == pytest.approx(loop_distortion(model))
    assert info.distortion(*model.tables[:2], model.decoder) == pytest.approx(q_conditional + gap)
    assert info.conditional_entropy(q_xz) == pytest.approx(q_conditional)


def test_eq_07_as_printed_is_false():
    """The printed equality fails on random tables, whether z is averaged over p(z) or over q(z)."""
    model = Model(seed=0, n_x=4, n_z=3)
    q_x_given_z = (model.p_x[:, None] * model.encoder / model.q_z).T
    kls = np.array([stats.entropy(p, q) for p, q in zip(model.decoder, q_x_given_z, strict=True)])
    h_theta = info.conditional_entropy(info.joint(model.prior, model.decoder).T)
    distortion = loop_distortion(model)
    for weights in (model.prior, model.q_z):
        assert abs(h_theta + weights @ kls - distortion) > 0.1


@pytest.mark.parametrize("error", [0.05, 0.1, 0.3])
def test_eq_07_inequality_as_printed_is_false(error):
    """A noisy decoder read by a noiseless encoder has a distortion below h_theta(X|Z), with all marginals matched."""
    decoder, encoder = symmetric_channel(error), np.eye(2)
    p_theta = info.joint(FAIR, decoder)
    np.testing.assert_allclose(
        [p_theta.sum(0), p_theta.sum(1), FAIR @ encoder], 0.5
    )  # p_theta is in P_theta, q(z) = p(z)
    distortion = info.distortion(FAIR, encoder, decoder)
    assert distortion == pytest.approx(-math.log(1 - error))
    assert distortion < info.conditional_entropy(p_theta.T) == pytest.approx(binary_entropy(error))
    assert distortion > info.conditional_entropy(info.joint(FAIR, encoder))  # h_q(X|Z) is the bound


def exchanged(model):
    """E_p_theta(x, z)[-log q(x|z)] term by term: the left side of Eq. (7) with the two joints exchanged."""
    return sum(
        model.prior[z] * model.decoder[z, x] * -math.log(model.p_x[x] * model.encoder[x, z] / model.q_z[z])
        for x, z in np.ndindex(model.encoder.shape)
    )


def with_joints_exchanged(model):
    """The model's images and codes in the data's and the encoder's place, and q(x|z) in the decoder's."""
    p_theta = info.joint(model.prior, model.decoder)
    return p_theta.sum(0), info.reverse(p_theta), info.reverse(info.joint(model.p_x, model.encoder))


@for_any(models)
def test_eq_07_with_the_joints_exchanged(model):
    """E_p_theta(x, z)[-log q(x|z)] is h_theta(X|Z) + E_p(z) KL(p_theta(x|z)||q(x|z)), the printed right side."""
    q_x_given_z = (model.p_x[:, None] * model.encoder / model.q_z).T
    h_theta = model.prior @ [stats.entropy(row) for row in model.decoder]
    gap = model.prior @ [stats.entropy(p, q) for p, q in zip(model.decoder, q_x_given_z, strict=True)]
    assert exchanged(model) == pytest.approx(h_theta + gap)
    assert info.distortion(*with_joints_exchanged(model)) == pytest.approx(exchanged(model))
    assert info.conditional_entropy(info.joint(model.prior, model.decoder).T) == pytest.approx(h_theta)
    assert exchanged(model) > h_theta


@for_any(models)
def test_eq_08_bounds_the_encoders_information(model):
    """Eq. (8) never exceeds I_q(X, Z), and reaches it at p_theta(x|z) = q(x|z)."""
    q_xz = model.p_x[:, None] * model.encoder
    exact = loop_information(q_xz)
    assert info.variational_information(*model.tables[:2], model.decoder) <= exact + 1e-12
    assert info.variational_information(*model.tables[:2], (q_xz / model.q_z).T) == pytest.approx(exact, abs=1e-12)


def test_eq_08_is_no_bound_of_the_models_information():
    """Eq. (8) can exceed I_theta(X, Z), which section 3.1 sets out to maximise, within P_theta and at q(z) = p(z)."""
    decoder = symmetric_channel(0.1)
    model_information = loop_information(info.joint(FAIR, decoder))
    variational = info.variational_information(FAIR, np.eye(2), decoder)
    assert variational == pytest.approx(math.log(2) + math.log(0.9))
    assert model_information == pytest.approx(math.log(2) - binary_entropy(0.1))
    assert variational > model_information + 0.2


@for_any(models)
def test_eq_08_with_the_joints_exchanged_bounds_the_models_information(model):
    """Less E_p_theta(x, z)[-log q(x|z)], h_theta(X) never exceeds I_theta(X, Z); it reaches it at q(x|z) = p_theta."""
    p_theta = model.prior[:, None] * model.decoder
    exact, h_theta = loop_information(p_theta), stats.entropy(p_theta.sum(0))
    images, codes, q_x_given_z = with_joints_exchanged(model)
    assert info.variational_information(images, codes, q_x_given_z) == pytest.approx(h_theta - exchanged(model))
    assert h_theta - exchanged(model) <= exact + 1e-12
    assert info.variational_information(images, codes, model.decoder) == pytest.approx(exact, abs=1e-12)


# --- Eq. (9), (10), (11)


@for_any(models, lambdas)
def test_eq_09_objective(model, lambda_):
    """Eq. (9) is minus a double loop for the distortion, less lambda times scipy's KL or JS divergence."""
    with_kl = -loop_distortion(model) - lambda_ * stats.entropy(model.q_z, model.prior)
    with_js = -loop_distortion(model) - lambda_ * jensenshannon(model.q_z, model.prior) ** 2
    assert info.vimae_objective(*model.tables, lambda_) == pytest.approx(with_kl)
    assert info.vimae_objective(*model.tables, lambda_, jensen_shannon) == pytest.approx(with_js)


@for_any(models, lambdas)
def test_eq_09_relaxes_both_constraints(model, lambda_):
    """At q(z) = p(z) the best decoder puts p_theta(x, z) in P_theta, and Eq. (9) is there I_q(X, Z) - h(X)."""
    q_xz = info.joint(model.p_x, model.encoder)
    best = info.reverse(q_xz)
    p_theta = info.joint(model.q_z, best)
    np.testing.assert_allclose(p_theta.sum(0), model.p_x)
    value = info.vimae_objective(model.p_x, model.encoder, model.q_z, best, lambda_)
    assert value == pytest.approx(loop_information(q_xz) - stats.entropy(model.p_x), abs=1e-12)
    assert value >= info.vimae_objective(model.p_x, model.encoder, model.q_z, model.decoder, lambda_)
