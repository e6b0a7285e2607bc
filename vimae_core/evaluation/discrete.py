"""Equations (1) to (14) of the paper on discrete models, where both sides can be computed exactly; nats, float64.

A model is four tables: the data p(x) [x], the encoder q(z|x) [x, z], the prior p(z) [z] and the decoder
p_theta(x|z) [z, x]. Every function raises ValueError for a table that is negative or whose distributions
do not sum to 1.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from numpy import ndarray

Table = Float[ndarray, "*s"]
Data = Float[ndarray, "x"]
Encoder = Float[ndarray, "x z"]
Prior = Float[ndarray, "z"]
Decoder = Float[ndarray, "z x"]
Divergence = Callable[[ndarray, ndarray], float]


def joint(marginal: Float[ndarray, " a"], conditional: Float[ndarray, "a b"]) -> Float[ndarray, "a b"]:
    """p(a) p(b|a), [a, b]: q(x, z) from data and encoder, p_theta(z, x) from prior and decoder."""
    _check(marginal, "marginal")
    _check(conditional, "conditional", axis=-1)
    return marginal[:, None] * conditional


def reverse(p_ab: Float[ndarray, "a b"]) -> Float[ndarray, "b a"]:
    """p(a|b), [b, a], by Bayes' rule: q(x|z) or p_theta(z|x). Uniform where b has no mass."""
    _check(p_ab, "p_ab")
    mass = p_ab.sum(0)[:, None]
    return np.divide(p_ab.T, mass, out=np.full(p_ab.T.shape, 1 / len(p_ab)), where=mass > 0)


def f_divergence(p: Table, q: Table, f: Callable[[ndarray], ndarray]) -> float:
    """D(p||q) = sum f(p/q) q, Eq. (1), for a convex f with f(1) = 0. Raises ValueError where q is 0 but p is not."""
    _check(p, "p")
    _check(q, "q")
    if np.any((q == 0) & (p > 0)):
        raise ValueError("q is 0 where p is not: Eq. (1) needs a q that is positive wherever p is")
    return float(q[q > 0] @ f(p[q > 0] / q[q > 0]))


def kl(p: Table, q: Table) -> float:
    """D_KL(p||q) = E_p log(p/q) in nats, Eq. (1) with f(t) = t log t; infinite where q is 0 but p is not."""
    _check(p, "p")
    _check(q, "q")
    return _mean_log(p, np.divide(p, q, out=np.full(p.shape, np.inf), where=q > 0))


def entropy(p: Table) -> float:
    """h = -E_p log p of a table of any shape, nats."""
    _check(p, "p")
    return -_mean_log(p, p)


def conditional_entropy(p_xz: Float[ndarray, "x z"]) -> float:
    """h(X|Z) = -E log p(x|z) of a joint table, nats: the last term of Eq. (6)."""
    return -_mean_log(p_xz, reverse(p_xz).T)


def mutual_information(p_xz: Float[ndarray, "x z"]) -> float:
    """I(X, Z) = D_KL(p(x, z)||p(x) p(z)) of a joint table, nats: section 2.1."""
    return kl(p_xz, np.outer(p_xz.sum(1), p_xz.sum(0)))


def rate(p_x: Data, encoder: Encoder, prior: Prior) -> float:
    """E_p(x) D_KL(q(z|x)||p(z)), nats: the left side of Eq. (3)."""
    return kl(joint(p_x, encoder), np.outer(p_x, prior))


def distortion(p_x: Data, encoder: Encoder, decoder: Decoder) -> float:
    """E_p(x) E_q(z|x)[-log p_theta(x|z)], nats: the left side of Eq. (7), the loss of an autoencoder."""
    _check(decoder, "decoder", axis=-1)
    return -_mean_log(joint(p_x, encoder), decoder.T)


def elbo(p_x: Data, encoder: Encoder, prior: Prior, decoder: Decoder) -> float:
    """The ELBO, Eq. (2): minus rate minus distortion, nats."""
    return -rate(p_x, encoder, prior) - distortion(p_x, encoder, decoder)


def infovae_objective(
    p_x: Data, encoder: Encoder, prior: Prior, decoder: Decoder, alpha: float, lambda_: float
) -> float:
    """-alpha I_q(X, Z) - lambda D_KL(q(z)||p(z)) - distortion, nats: Eq. (4)."""
    q = joint(p_x, encoder)
    return -alpha * mutual_information(q) - lambda_ * kl(q.sum(0), prior) - distortion(p_x, encoder, decoder)


def variational_information(p_x: Data, encoder: Encoder, decoder: Decoder) -> float:
    """I_theta,phi(X, Z) = h(X) - distortion, nats: Eq. (8), a lower bound of I_q(X, Z)."""
    return entropy(p_x) - distortion(p_x, encoder, decoder)


def vimae_objective(
    p_x: Data, encoder: Encoder, prior: Prior, decoder: Decoder, lambda_: float, divergence: Divergence = kl
) -> float:
    """-distortion - lambda D(q(z)||p(z)), nats: Eq. (9)."""
    return -distortion(p_x, encoder, decoder) - lambda_ * divergence(joint(p_x, encoder).sum(0), prior)


def encoding_terms(
    p_x: Data, encoder: Encoder, prior: Prior, decoder: Decoder, lambda_: float
) -> tuple[float, float, float, float]:
    """The four terms of Eq. (11), nats, signs and weight included: data, posterior and aggregate fit, and I_q(X, Z).

    They sum to Eq. (9) plus h(X).
    """
    q, p_theta = joint(p_x, encoder), joint(prior, decoder)
    posterior_fit = -kl(q, joint(p_x, reverse(p_theta)))
    return -kl(p_x, p_theta.sum(0)), posterior_fit, -(lambda_ - 1) * kl(q.sum(0), prior), mutual_information(q)


def entropy_of_cdf(
    q_cdf: Callable[[ndarray], ndarray], prior_cdf: Callable[[ndarray], ndarray], edges: Float[ndarray, " n"]
) -> float:
    """h_q(F(Z)) of Eq. (12) for Z ~ q on the line and F the prior's cdf, nats, by a histogram of F(Z).

    The bins lie between `edges`, which should hold q's mass and stop where F ceases to grow in float64; as
    they shrink, the result falls to the entropy. Raises ValueError for edges that do not increase.
    """
    if not np.all(np.diff(edges) > 0):
        raise ValueError("edges must increase")
    mass, width = np.diff(q_cdf(edges)), np.diff(prior_cdf(edges))
    return _mean_log(mass, np.divide(width, mass, out=np.ones_like(mass), where=mass > 0))


def capacity(channel: Encoder, tolerance: float = 1e-9, max_steps: int = 10**6) -> tuple[float, Data]:
    """C_X,Z = max_p(x) I(X, Z) of Eq. (13), nats, and the p(x) that attains it, by Blahut and Arimoto.

    log sum p(x) exp D(x) <= C <= max D(x), with D(x) = D_KL(q(z|x)||q(z)), holds at every step: it stops
    when the two lie within `tolerance`, and raises RuntimeError if they do not after `max_steps`.
    """
    _check(channel, "channel", axis=-1)
    log_channel = np.log(channel, out=np.zeros_like(channel), where=channel > 0)
    p_x = np.full(len(channel), 1 / len(channel))
    for _ in range(max_steps):
        q_z = p_x @ channel
        log_q_z = np.log(q_z, out=np.zeros_like(q_z), where=q_z > 0)
        gain = (channel * (log_channel - log_q_z)).sum(1)
        lower, upper = np.log(p_x @ np.exp(gain)), gain.max()
        if upper - lower <= tolerance:
            return float(lower), p_x
        p_x = p_x * np.exp(gain - lower)
    raise RuntimeError(f"capacity lies in [{lower}, {upper}] after {max_steps} steps: tolerance={tolerance} is not met")


def bottleneck(p_tx: Float[ndarray, "t x"], encoder: Encoder, beta: float) -> float:
    """I(Z, T) - beta I(X, Z), nats: Eq. (14), for a joint table of task and data, and Z from X alone."""
    _check(p_tx, "p_tx")
    return mutual_information(p_tx @ encoder) - beta * mutual_information(joint(p_tx.sum(0), encoder))


def _mean_log(weight: Table, value: Table) -> float:
    """sum weight log value, with 0 log 0 = 0."""
    with np.errstate(divide="ignore"):
        return float(weight[weight > 0] @ np.log(value[weight > 0]))


def _check(table: Table, name: str, axis: int | None = None) -> None:
    """Refuse what is not one distribution, or one along `axis`."""
    total = np.sum(table, axis=axis)
    if np.any(table < 0) or not np.allclose(total, 1, rtol=0, atol=1e-9):
        raise ValueError(
            f"{name}: smallest entry {np.min(table)}, sums {total}; a distribution has no negative entry and sums to 1"
        )
