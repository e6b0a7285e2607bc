"""A bit in a Gaussian code: where the optimum of every objective is known, and whether it ignores the code; claim 9.

Images of k pixels, all black or all white, equally often; q(z|x) = N(m, s^2) for white and N(-m, s^2) for black; p(z)
normal of unit variance; and the best decoder of such a code. An autoregressive one pays for the bit once, a plain one
for each pixel, whatever the others are.
"""

import math
from typing import NamedTuple

import numpy as np

BIT = math.log(2)  # nats: h(X)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(200)  # of the mean under N(0, 1), but for their sum
WEIGHTS = WEIGHTS / WEIGHTS.sum()


class Terms(NamedTuple):
    """Of Eq. (3) and Eq. (9), nats an image."""

    rate: float
    information: float  # I_q(X;Z)
    divergence: float  # D_KL(q(z)||p(z))


def terms(mean: float, std: float) -> Terms:
    """Those of a code: the rate in closed form, the information by quadrature, the divergence by Eq. (3)."""
    rate = 0.5 * (mean**2 + std**2 - 1) - math.log(std)
    log_odds = 2 * mean * (mean + std * NODES) / std**2  # of the right image to the other, z ~ q(z|x)
    information = BIT - float(WEIGHTS @ np.logaddexp(0, -log_odds))
    return Terms(rate, information, rate - information)


def loss(mean: float, std: float, alpha: float, lambda_: float, payments: int = 1) -> float:
    """Eq. (4) with D = KL: distortion + alpha R + (lambda - alpha) D; the ELBO, negative, at alpha = lambda = 1.

    `payments` for the bit: 1 by an autoregressive decoder, k by a plain one.
    """
    code = terms(mean, std)
    distortion = payments * (BIT - code.information)
    return distortion + alpha * code.rate + (lambda_ - alpha) * code.divergence
