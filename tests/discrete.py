"""Discrete models for the tests of the equations, and what is computed of them by plain loops."""

import math
from functools import partial
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vimae_core.evaluation import discrete as info

lambdas = st.floats(0, 20)


class Model:
    """A random discrete model: data p(x), encoder q(z|x), prior p(z), decoder p_theta(x|z)."""

    def __init__(self, seed, n_x, n_z):
        rng = np.random.default_rng(seed)
        self.p_x, self.prior = rng.dirichlet(np.ones(n_x)), rng.dirichlet(np.ones(n_z))
        self.encoder = rng.dirichlet(np.ones(n_z), size=n_x)
        self.decoder = rng.dirichlet(np.ones(n_x), size=n_z)

    @property
    def tables(self):
        return self.p_x, self.encoder, self.prior, self.decoder

    @property
    def q_z(self):
        return self.p_x @ self.encoder


def for_any(*strategies):
    """Run a test on 50 examples of the strategies."""
    return lambda test: settings(deadline=None, max_examples=50)(given(*strategies)(test))


models = st.builds(Model, st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(2, 6))


def loop_information(p_xz):
    """I(X, Z) by H(X) + H(Z) - H(X, Z) from scipy's entropies."""
    return stats.entropy(p_xz.sum(1)) + stats.entropy(p_xz.sum(0)) - stats.entropy(p_xz.ravel())


def loop_distortion(model):
    """E_p(x) E_q(z|x)[-log p_theta(x|z)] term by term."""
    return sum(
        model.p_x[x] * model.encoder[x, z] * -math.log(model.decoder[z, x])
        for x, z in product(range(len(model.p_x)), range(len(model.prior)))
    )


def symmetric_channel(error):
    """The binary symmetric channel, which turns its input over with probability `error`."""
    return np.array([[1 - error, error], [error, 1 - error]], dtype=float)


def binary_entropy(p):
    return stats.entropy([p, 1 - p])


FAIR = np.array([0.5, 0.5])
jensen_shannon = partial(info.f_divergence, f=lambda t: (t * np.log(2 * t / (1 + t)) + np.log(2 / (1 + t))) / 2)
