"""Figure 2 in numbers: the digit network, and what is measured of reconstructions and samples."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import special
from scipy.spatial import distance

from tests.conftest import write_idx
from tests.linear import Linear
from vimae_core import RunConfig, evaluate, load_dataset
from vimae_core.corruptions import corrupt
from vimae_core.data import Dataset
from vimae_core.evaluation import digit_network as module
from vimae_core.evaluation.digit_network import DIGEST, digit_network, store_digit_network
from vimae_core.evaluation.generation import pca_errors
from vimae_core.store import RunError


def test_pca_errors_are_those_of_the_components():
    """By the singular vectors of the centred training images; of other images, against the first ones."""
    generator = torch.Generator().manual_seed(0)
    train, test = (torch.randn(n, 10, generator=generator) @ torch.diag(torch.arange(10.0)) for n in (200, 50))
    mean = train.numpy().mean(0)
    v = np.linalg.svd(train.numpy() - mean, full_matrices=False)[2][:3]
    corrupted = test * (torch.rand(50, 10, generator=generator) < 0.5)
    expected = [np.square(test.numpy() - mean - (x.numpy() - mean) @ v.T @ v).sum(1).mean() for x in (test, corrupted)]
    assert pca_errors(train, test, corrupted, 3) == pytest.approx(expected, rel=1e-4)
    assert expected[1] > expected[0]


def test_the_committed_digit_network_knows_digits():
    """More than 98.5 % of the test digits, and less of corrupted ones: its features are about digits."""
    data = load_dataset()
    network = digit_network(data)
    assert network.digest == DIGEST
    images, labels = data["test"]
    features, found = network.describe(images)
    assert features.shape == (10_000, 64) and (features.std(0) > 0).all()
    clean = (found == labels).float().mean()
    noisy = (network.describe(corrupt(images, "gaussian 0.8"))[1] == labels).float().mean()
    assert clean > 0.985 and noisy < clean - 0.05


def test_altered_weights_of_the_digit_network_are_refused(monkeypatch, tmp_path):
    """Damaged ones, and whole ones that are others than the code names."""
    data = load_dataset()
    path = tmp_path / "digit_network.safetensors"
    path.write_bytes(module.WEIGHTS.read_bytes()[:-100])
    monkeypatch.setattr(module, "WEIGHTS", path)
    module._networks.clear()
    with pytest.raises(RunError, match="is damaged"):
        digit_network(data)
    path.write_bytes(module.__dict__["ROOT"].joinpath("results", "digit_network.safetensors").read_bytes())
    monkeypatch.setattr(module, "DIGEST", "0" * 12)
    with pytest.raises(RunError, match="expected 000000000000: restore it"):
        digit_network(data)
    module._networks.clear()


def test_other_digits_get_a_network_of_their_own(tmp_path, monkeypatch):
    """Trained on their labels, the same each time; stored it is found again; images of another size are refused."""
    write_idx(tmp_path / "squares", side=28, train=1000)
    data = load_dataset("squares", tmp_path)
    network = digit_network(data)
    images, labels = data["test"]
    assert (network.describe(images)[1] == labels).float().mean() > 0.9
    assert digit_network(data).digest == network.digest != DIGEST
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "network.safetensors")
    assert store_digit_network(data).digest == network.digest
    monkeypatch.setattr(module, "DIGEST", network.digest)
    module._networks.clear()
    assert digit_network(data).digest == network.digest
    module._networks.clear()
    write_idx(tmp_path / "small")
    with pytest.raises(ValueError, match=r"small has images of \(1, 8, 8\): the digit network takes \(1, 28, 28\)"):
        digit_network(load_dataset("small", tmp_path))


N, N_TRAIN = 400, 600  # images that are measured, and that the run was trained on


@pytest.fixture
def squares(tmp_path, monkeypatch) -> Dataset:
    """Training images in the order of their class, none of class 3; those that are not to be seen are negatives.

    The digit network's features are the means of an image's quarters, the brightest of which is its class.
    """
    write_idx(tmp_path / "squares", side=28, train=1000, test=450)
    data = load_dataset("squares", tmp_path)
    images, labels = data.images.clone(), data.labels.clone()
    rows = (labels[:1000] < 3).nonzero()[:N_TRAIN, 0]
    rows = rows[labels[rows].argsort()]
    images[:N_TRAIN], labels[:N_TRAIN] = images[rows], labels[rows]
    for rows in (images[N_TRAIN:1000], images[1000 + N :]):
        rows[:] = 255 - rows
    network = module.DigitNetwork(4)
    network.features = torch.nn.Sequential(torch.nn.AvgPool2d(14), torch.nn.Flatten())
    network.classify.weight.data, network.classify.bias.data = torch.eye(4), torch.zeros(4)
    monkeypatch.setitem(module._networks, "another order", network)
    return dataclasses.replace(data, images=images, labels=labels, digest="another order")


def pixels(images: torch.Tensor) -> np.ndarray:
    return images.double().numpy().reshape(len(images), -1) / 255


def frechet_by_numpy(a: np.ndarray, b: np.ndarray) -> float:
    one, other = np.cov(a.T), np.cov(b.T)
    root = np.sqrt(np.linalg.eigvals(one @ other).real.clip(0)).sum()
    return np.square(a.mean(0) - b.mean(0)).sum() + np.trace(one) + np.trace(other) - 2 * root


def among(a: np.ndarray, b: np.ndarray) -> float:
    """The part of a that lies within the distance of some b to its third neighbour in b."""
    radius = np.sort(distance.cdist(b, b), 1)[:, 3]
    return (distance.cdist(a, b) <= radius).any(1).mean()


def test_generation_is_recomputed_by_hand(tmp_path, squares):
    """Each number of a linear network's record lies among those that NumPy gives for 20 other draws and masks."""
    train, x = pixels(squares["train"][0][:N_TRAIN]), pixels(squares["test"][0][:N])
    mean, labels = train.mean(0), squares["test"][1][:N].numpy()
    components = np.linalg.svd(train - mean, full_matrices=False)[2][:2]
    model = Linear(
        encoder=components.T / 3, shift=[0.4, -0.3] - mean @ components.T / 3, std=np.array([0.5, 1.3]),
        decoder=6 * components, offset=2 * (mean - 0.5),
    )  # fmt: skip
    run = model.run(tmp_path, 28, RunConfig(dataset="squares", n_train=N_TRAIN))
    record = evaluate(run, measure="generation", data=squares, condition="mask 0.9", n_test=N)
    rng = np.random.default_rng(9)

    def described(images: np.ndarray) -> tuple[np.ndarray, float]:
        """Means of the quarters, and how often, in percent, the brightest is the class of that row's test image."""
        quarters = images.reshape(N, 2, 14, 2, 14).mean((2, 4)).reshape(N, 4)
        return quarters, 100 * (quarters.argmax(1) == labels).mean()

    def decoded(z: np.ndarray) -> np.ndarray:
        return special.expit(model.logits(z))

    def error(images: np.ndarray) -> float:
        return np.square(images - x).sum(1).mean()

    real, kept = described(x)
    rebuilt = decoded(model.mean(x))
    left = x - mean - (x - mean) @ components.T @ components

    def measures() -> dict[str, float]:
        masked = x * (rng.random(x.shape) >= 0.9)
        mended, chosen = decoded(model.mean(masked)), train[rng.choice(N_TRAIN, N, replace=False)]
        found = {
            "reconstruction_error": error(rebuilt), "label_kept": described(rebuilt)[1], "original_label_kept": kept,
            "pca_error": np.square(left).sum(1).mean(),
            "corrupted_pca_error": error(mean + (masked - mean) @ components.T @ components),
            "corrupted_input_error": error(masked),
            "corrupted_error": error(mended), "corrupted_label_kept": described(mended)[1],
            "corrupted_input_label_kept": described(masked)[1],
        }  # fmt: skip
        samples = {"prior": decoded(rng.normal(size=(N, 2))), "aggregate": decoded(model.draw(chosen, rng))}
        for name, images in {**samples, "real": chosen}.items():
            features = described(images)[0]
            found[f"{name}_frechet"] = frechet_by_numpy(features, real)
            found[f"{name}_precision"], found[f"{name}_recall"] = among(features, real), among(real, features)
        return found

    drawn = pd.DataFrame([measures() for _ in range(20)])
    for name, values in drawn.items():
        rounding = 0.7 if name.endswith("kept") else 0.0  # one image may be taken for another class
        wanted = pytest.approx(values.mean(), abs=max(5 * values.std(), rounding), rel=1e-4)
        assert record[name] == wanted, name
    assert record["n"] == N and set(record) == {*drawn, "n"}
