"""The information in a code against a linear Gaussian model, where all of Eq. (3) has a closed form."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from tests.linear import Linear
from vimae_core import RunConfig, make_prior
from vimae_core.data import Dataset
from vimae_core.evaluation.information import COMPONENTS, check, information, log_mixture, log_posterior
from vimae_core.networks import Posterior
from vimae_core.report.measures import MEANINGS

SIDE = 4


def posterior(n: int, d: int, seed: int) -> Posterior:
    rng = np.random.default_rng(seed)
    return Posterior(*(torch.from_numpy(rng.normal(size=(n, d))).float() for _ in range(2)))


def scipys(z: torch.Tensor, of: Posterior) -> np.ndarray:
    """log q(z_j|x_i), by scipy, [m, n]."""
    spread = np.exp(of.log_variance.double().numpy() / 2)
    return stats.norm.logpdf(z.double().numpy()[:, None], of.mean.double().numpy(), spread).sum(2)


@pytest.mark.parametrize("block", [1, 7, 100])
def test_the_mixture_is_scipys(block):
    """Over every posterior, whatever the block; and a code's own density."""
    of, z = posterior(13, 3, 0), posterior(20, 3, 1).mean
    densities = scipys(z, of)
    np.testing.assert_allclose(log_mixture(z, of, block), np.log(np.exp(densities).mean(1)), rtol=1e-10)
    np.testing.assert_allclose(log_posterior(z[:13], of), np.diag(densities[:13]), rtol=1e-10)


@pytest.mark.parametrize("spread", [1e-2, 1e-5])
def test_narrow_posteriors_keep_their_digits(spread):
    """Where z^2 over the variance has ten digits before the point, the density of the nearest has them after it."""
    mean = 3 + posterior(50, 8, 0).mean
    of = Posterior(mean, torch.full_like(mean, 2 * math.log(spread)))
    z = mean + spread * posterior(50, 8, 1).mean
    np.testing.assert_allclose(log_mixture(z, of) + math.log(50), log_posterior(z, of), atol=1e-3)
    np.testing.assert_allclose(log_posterior(z, of), np.diag(scipys(z, of)), rtol=1e-9)


def linear(d: int, std: float, config: RunConfig, tmp_path, n: int = 6_000):
    """A run whose codes of noise images are Gaussian; the data; and what Eq. (3) then says, by NumPy."""
    rng = np.random.default_rng(0)
    encoder = rng.normal(size=(SIDE**2, d))
    decoder = rng.normal(size=(d, SIDE**2))
    model = Linear(encoder, np.full(d, -encoder.sum(0) / 2), np.full(d, std), decoder, np.zeros(SIDE**2))
    images = torch.from_numpy(rng.integers(0, 256, (n, 1, SIDE, SIDE), dtype=np.uint8))
    data = Dataset("noise", images, None, {"train": slice(0, n // 2), "test": slice(n // 2, n)}, "0" * 64)
    pixels = (256**2 - 1) / 12 / 255**2  # the variance of a pixel; a sum of sixteen is as good as Gaussian
    covariance = pixels * encoder.T @ encoder + std**2 * np.eye(d)
    log_det = np.linalg.slogdet(covariance)[1]
    truth = {
        "information": 0.5 * (log_det - 2 * d * math.log(std)),
        "kl": 0.5 * (np.trace(covariance) - d - log_det),
        "entropy": 0.5 * (d * math.log(2 * math.pi * math.e) + log_det),
    }
    return model.run(tmp_path, SIDE, config), data, {**truth, "rate": truth["information"] + truth["kl"]}


def within(record: dict, low: str, high: str, truth: float) -> bool:
    """Four standard errors beyond either bound, and what so few images leave open."""
    return record[low] - 4 * record[f"{low}_error"] < truth < record[high] + 4 * record[f"{high}_error"]


@pytest.mark.parametrize("std", [1.0, 0.3])
def test_the_bounds_enclose_the_closed_forms_and_meet_them(std, tmp_path):
    """In two dimensions 3,000 images are enough: within 0.05 nats; and in eight the bounds hold."""
    for d, room in ((2, 0.05), (8, math.inf)):
        run, data, truth = linear(d, std, RunConfig(latent_dim=d), tmp_path)
        record = information(run, data)
        assert within(record, "rate", "rate", truth["rate"])
        assert within(record, "information", "information_above", truth["information"])
        assert within(record, "kl_below", "kl", truth["kl"])
        assert within(record, "entropy", "entropy_above", truth["entropy"])
        for name, value in truth.items():
            assert abs(record[name] - value) < room + 4 * record[f"{name}_error"], name
        assert record["active"] == d and record["n"] == record["images"] == 3000


def test_the_ceiling_is_seen_and_the_bound_from_above_is_not_stuck(tmp_path):
    """A rate of four ceilings: the mixture tells log(n + 1) and no more, a fitted density the truth to 0.1 nats."""
    run, data, truth = linear(8, 0.01, RunConfig(latent_dim=8), tmp_path)
    record = information(run, data)
    assert record["ceiling"] == pytest.approx(math.log(3001))
    assert truth["information"] > 3 * record["ceiling"]
    assert record["information"] == pytest.approx(record["ceiling"], abs=0.01)
    assert record["information_above"] == pytest.approx(truth["information"], abs=0.1 + 4 * record["rate_error"])
    assert record["kl_below"] == pytest.approx(truth["kl"], abs=0.1 + 4 * record["rate_error"])


def test_an_empty_code_tells_nothing(tmp_path):
    """Every posterior the prior: no rate, information, divergence or active coordinate, and the prior's entropy."""
    run, data, _ = linear(3, 1.0, RunConfig(latent_dim=3), tmp_path)
    empty = run.network.encoder[1]
    empty.weight.data.zero_()
    empty.bias.data.zero_()
    record = information(run, data, n_test=500)
    for name in ("rate", "information", "kl"):
        assert abs(record[name]) < 1e-6, name
    assert record["active"] == 0
    assert record["entropy"] == pytest.approx(make_prior("normal", 3).entropy(), abs=4 * record["entropy_error"])


def test_beside_a_uniform_prior_the_rate_and_the_divergence_are_infinite(tmp_path):
    """A Gaussian has mass where the prior has none; the information is the closed form, as beside any prior."""
    run, data, truth = linear(2, 1.0, RunConfig(latent_dim=2, prior="uniform"), tmp_path)
    record = information(run, data)
    for name in ("rate", "rate_error", "kl", "kl_error", "kl_below", "kl_below_error"):
        assert record[name] == math.inf, name
    assert within(record, "information", "information_above", truth["information"])
    assert record["information_error"] < 0.1


def test_too_few_images_are_refused():
    """With how many it needs."""
    images = torch.zeros(40, 1, SIDE, SIDE, dtype=torch.uint8)
    data = Dataset("few", images, None, {"train": slice(0, COMPONENTS), "test": slice(COMPONENTS, 40)}, "0" * 64)
    with pytest.raises(ValueError, match="n_test=1 is not possible: a standard error needs 2 or more images"):
        check(RunConfig(), data, n_test=1)
    with pytest.raises(ValueError, match="n_train=20 is not possible: the information needs more than 20 training"):
        check(RunConfig(), data)


def test_every_number_has_its_meaning(tmp_path):
    """On the page of a run's record."""
    run, data, _ = linear(2, 0.3, RunConfig(latent_dim=2), tmp_path, n=200)
    assert set(information(run, data)) == set(MEANINGS["information"])
