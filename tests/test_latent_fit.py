"""How well the codes fit the prior: the divergence by closed forms, the record by NumPy, the bands by prior draws."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import special, stats
from scipy.spatial import distance

from tests.linear import Linear
from vimae_core import RunConfig, evaluate, make_prior, mmd2
from vimae_core.data import Dataset
from vimae_core.evaluation.latent_fit import kl_to_prior, latent_fit


@pytest.mark.parametrize("mean", [0.0, 0.7])
@pytest.mark.parametrize("std", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("dim", [1, 2])
def test_kl_to_prior_is_the_gaussian_closed_form(mean, std, dim):
    """Draws of N(mean, std^2) against N(0, 1): the closed form within four standard errors of E_q log p."""
    z = mean + std * torch.randn(10_000, dim, generator=torch.Generator().manual_seed(0))
    truth = dim * (0.5 * (mean**2 + std**2 - 1) - math.log(std))
    tolerance = 0.03 * dim * (1 + std**2 + abs(mean) * std)
    assert kl_to_prior(z, make_prior("normal", dim)) == pytest.approx(truth, abs=tolerance)


@pytest.mark.parametrize("name", ["logistic", "laplace"])
def test_kl_to_prior_is_the_integral(name):
    """Normal draws against a heavier-tailed prior: scipy's quadrature of q log(q/p), coordinate by coordinate."""
    prior = make_prior(name, 2)
    line = np.linspace(-8, 8, 20_001)
    q, log_p = stats.norm.pdf(line), prior.log_density(torch.from_numpy(line)).numpy()
    truth = 2 * np.trapezoid(q * (stats.norm.logpdf(line) - log_p), line)
    z = torch.randn(10_000, 2, generator=torch.Generator().manual_seed(1))
    assert kl_to_prior(z, prior) == pytest.approx(truth, abs=0.03)


@pytest.mark.parametrize(("d", "n", "off"), [(8, 10_000, (-0.3, -0.05)), (64, 2000, (-30, -20))])
def test_kl_to_prior_is_too_low_where_coordinates_are_many(d, n, off):
    """Half of them narrow, by the closed form: a twentieth of it at 8; at 64 no number to be told in nats."""
    std = torch.ones(d).index_fill(0, torch.arange(d // 2), 0.3)
    truth = d // 2 * (0.5 * (0.09 - 1) - math.log(0.3))
    z = std * torch.randn(n, d, generator=torch.Generator().manual_seed(0))
    assert off[0] < kl_to_prior(z, make_prior("normal", d)) - truth < off[1]


def test_kl_to_prior_at_its_limits():
    """More alike codes than neighbours, and codes outside a bounded prior, diverge infinitely; too few: refused."""
    assert kl_to_prior(torch.zeros(100, 2), make_prior("normal", 2)) == math.inf
    pairs = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)).repeat(2, 1)
    assert math.isfinite(kl_to_prior(pairs, make_prior("normal", 2)))
    assert kl_to_prior(torch.linspace(0, 9, 100)[:, None], make_prior("uniform", 1)) == math.inf
    with pytest.raises(ValueError, match="n=5 is not possible"):
        kl_to_prior(torch.randn(5, 2), make_prior("normal", 2))


N = 600  # test images that are measured


def linear_model() -> tuple[Linear, Dataset]:
    """Codes spread over the plane, those of training images and of test images that are not measured elsewhere."""
    rng = np.random.default_rng(7)
    pixels = rng.integers(0, 256, (2 * N + 200, 1, 8, 8))
    pixels[:N] //= 2  # training images are darker,
    pixels[-200:] = 255  # and the last test images are white
    encoder = rng.normal(size=(64, 2)) * [0.1, 0.5]
    shift = [1.5, -1.5] - pixels[N:-200].reshape(N, 64).mean(0) / 255 @ encoder
    model = Linear(encoder, shift, np.array([0.2, 2.5]), rng.normal(size=(2, 64)), rng.normal(size=64))
    split = {"train": slice(0, N), "test": slice(N, None)}
    return model, Dataset("made-up", torch.from_numpy(pixels).to(torch.uint8), None, split, "0")


def mmd2_by_numpy(z: np.ndarray, other: np.ndarray, scales: tuple[float, ...]) -> float:
    """Of a sum of inverse multiquadratics; the diagonals of the two samples' own matrices are left out."""

    def mean(a, b, diagonal):
        distances = distance.cdist(a, b, "sqeuclidean")
        return sum(c / (c + distances) for c in scales)[~diagonal].mean()

    off, all_ = np.eye(len(z), dtype=bool), np.zeros((len(z), len(other)), dtype=bool)
    return mean(z, z, off) + mean(other, other, off) - 2 * mean(z, other, all_)


def kl_by_numpy(z: np.ndarray, log_p: Callable[[np.ndarray], np.ndarray]) -> float:
    """Kozachenko and Leonenko's, in the plane, by all distances."""
    fifth = np.sort(distance.cdist(z, z), 1)[:, 5]
    entropy = special.psi(len(z)) - special.psi(5) + math.log(math.pi) + 2 * np.log(fifth).mean()
    return -entropy - log_p(z).sum(1).mean()


@pytest.mark.parametrize(
    ("fields", "prior", "scales"),
    [
        ({"prior": "normal", "kernel": "imq", "likelihood": "bernoulli"}, stats.norm(), (4,)),
        (
            {"prior": "logistic", "kernel": "wae", "likelihood": "gaussian", "method": "vimae"},
            stats.logistic(scale=math.sqrt(3) / math.pi),
            tuple(4 * s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10)),
        ),
    ],
    ids=["normal", "logistic"],
)
def test_record_is_recomputed_by_hand(tmp_path, fields, prior, scales):
    """Each number of a linear network's record lies among those that NumPy gives for 40 other draws of its codes."""
    model, data = linear_model()
    record = evaluate(model.run(tmp_path, 8, RunConfig(dataset="made-up", **fields)), data=data, n_test=N)
    train, x = ((data[part][0][:N] / 255.0).double().numpy().reshape(N, 64) for part in ("train", "test"))
    rng, std = np.random.default_rng(8), model.std

    def measures():
        z, z_train = model.draw(x, rng), model.draw(train, rng)
        z_prior, other = prior.rvs((N, 2), rng), prior.rvs((N, 2), rng)
        logits = model.logits(z)
        squared_error = np.square(x - special.expit(logits)).sum(1).mean()
        if fields["likelihood"] == "bernoulli":
            nats = (np.logaddexp(0, logits) - x * logits).sum(1).mean()
        else:
            nats = squared_error / 2 + 32 * math.log(2 * math.pi)
        if fields["prior"] == "normal":
            rate = 0.5 * (model.mean(x) ** 2 + std**2 - 1 - 2 * np.log(std)).sum(1).mean()
        else:
            rate = -(np.log(std) + 0.5 * math.log(2 * math.pi * math.e)).sum() - prior.logpdf(z).sum(1).mean()
        return {
            "mmd2": mmd2_by_numpy(z, z_prior, scales), "kl": kl_by_numpy(z, prior.logpdf),
            "kl_train": kl_by_numpy(z_train, prior.logpdf), "latent_std": math.sqrt(z.var(0).mean()),
            "rate": rate, "distortion": nats, "squared_error": squared_error,
            "mmd2_null": mmd2_by_numpy(z_prior, other, scales), "kl_null": kl_by_numpy(other, prior.logpdf),
        }  # fmt: skip

    drawn = pd.DataFrame([measures() for _ in range(40)])
    null = {name: drawn.pop(f"{name}_null") for name in ("mmd2", "kl")}
    for name, values in drawn.items():
        assert record[name] == pytest.approx(values.mean(), abs=4.5 * values.std(), rel=1e-5), name
    for name, values in null.items():
        for end, quantile in (("low", 0.025), ("high", 0.975)):
            wanted = pytest.approx(values.quantile(quantile), abs=2.5 * values.std())
            assert record[f"{name}_null_{end}"] == wanted, name
    assert record["posterior_std"] == pytest.approx(math.sqrt(np.square(std).mean()), rel=1e-6)
    assert record["n"] == N
    ends = {f"{name}_null_{end}" for name in null for end in ("low", "high")}
    assert set(record) == {*drawn, *ends, "posterior_std", "n"}


def test_null_bands_cover_a_perfect_fit(tmp_path):
    """Codes that are prior draws lie within both bands in about 19 of 20 cases."""
    model, data = linear_model()
    run = model.run(tmp_path, 8, RunConfig(dataset="made-up"))
    record = latent_fit(run, data, n_test=64)
    generator = torch.Generator().manual_seed(99)
    draws = [(run.prior.sample(64, generator), run.prior.sample(64, generator)) for _ in range(200)]
    mmd = [record["mmd2_null_low"] <= mmd2(a, b).item() <= record["mmd2_null_high"] for a, b in draws]
    kl = [record["kl_null_low"] <= kl_to_prior(a, run.prior) <= record["kl_null_high"] for a, _ in draws]
    assert 0.88 <= np.mean(mmd) <= 0.995
    assert 0.80 <= np.mean(kl) <= 0.995  # its quantiles come from 40 draws


@pytest.mark.parametrize(("enough", "met"), [(1.0, True), (1e-9, False)])
def test_a_found_lambda_says_whether_other_images_meet_its_constraint(tmp_path, enough, met):
    """By the tolerance that the run's history names, where that is above the band of so many; else by the band."""
    model, data = linear_model()
    config = RunConfig(dataset="made-up", method="vimae", lambda_schedule="constrained")
    run = model.run(tmp_path, 8, config)
    run.history["constraint"] = {"tolerance": enough}
    record = latent_fit(run, data, n_test=N)
    assert record["mmd2"] > record["mmd2_null_high"], "a code that the band would let through tests nothing here"
    assert record["constraint_met"] is met
    assert "constraint_met" not in latent_fit(model.run(tmp_path, 8, RunConfig(dataset="made-up")), data, n_test=N)
