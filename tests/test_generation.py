"""Figure 2 in numbers: the digit network, and what is measured of reconstructions and samples."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from tests.conftest import write_idx
from vimae_core import RunConfig, evaluate, fit, load_dataset
from vimae_core.corruptions import corrupt
from vimae_core.evaluation import digit_network as module
from vimae_core.evaluation.digit_network import DIGEST, digit_network, store_digit_network
from vimae_core.evaluation.frechet import frechet_distance, precision_recall
from vimae_core.evaluation.generation import pca_error
from vimae_core.store import RunError


def test_pca_error_is_that_of_the_components():
    """By the singular vectors of the centred training images."""
    generator = torch.Generator().manual_seed(0)
    train, test = (torch.randn(n, 10, generator=generator) @ torch.diag(torch.arange(10.0)) for n in (200, 50))
    mean = train.numpy().mean(0)
    v = np.linalg.svd(train.numpy() - mean, full_matrices=False)[2][:3]
    left = test.numpy() - mean - (test.numpy() - mean) @ v.T @ v
    assert pca_error(train, test, 3) == pytest.approx(np.square(left).sum(1).mean(), rel=1e-4)
    assert PCA(3).fit(train.numpy()).n_components_ == 3


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


def test_generation_is_recomputed_by_hand(tmp_path):
    """Each number of the record from the run's encoder, decoder and prior, step by step."""
    write_idx(tmp_path / "data" / "squares", side=28, train=1000, test=200)
    config = RunConfig(dataset="squares", data_root=str(tmp_path / "data"), epochs=2, batch_size=50, latent_dim=3)
    run, data = fit(config, progress=False), load_dataset("squares", tmp_path / "data")
    record = evaluate(run, measure="generation", data=data, condition="mask 0.3", n_test=150)
    assert record == evaluate(run, measure="generation", data=data, condition="mask 0.3", n_test=150)
    images, labels = (part[:150] for part in data["test"])
    x, network, generator = images / 255.0, digit_network(data), torch.Generator().manual_seed(config.seed)
    corrupted = corrupt(images, "mask 0.3", seed=1)
    with torch.no_grad():
        rebuilt, mended = (torch.sigmoid(run.network.decode(run.network.encode(i).mean)) for i in (x, corrupted))
        train = data["train"][0][torch.randperm(1000, generator=generator)[:150]]
        prior = torch.sigmoid(run.network.decode(run.prior.sample(150, generator)))
        posterior = run.network.encode(train / 255.0)
        noise = torch.empty(150, 3).normal_(generator=generator)
        codes = torch.sigmoid(run.network.decode(posterior.mean + noise * torch.exp(posterior.log_variance / 2)))
    assert record["n"] == 150
    for name, one, other in (
        ("reconstruction_error", rebuilt, x), ("corrupted_input_error", corrupted, x), ("corrupted_error", mended, x),
    ):  # fmt: skip
        assert record[name] == pytest.approx((one - other).square().sum((1, 2, 3)).mean().item(), rel=1e-4)
    for name, image in (
        ("label_kept", rebuilt), ("original_label_kept", x), ("corrupted_label_kept", mended),
        ("corrupted_input_label_kept", corrupted),
    ):  # fmt: skip
        wanted = 100 * (network(image).argmax(1) == labels).float().mean().item()
        assert record[name] == pytest.approx(wanted, abs=0.7)
    real = network.describe(x)[0]
    for name, image in (("prior", prior), ("aggregate", codes), ("real", train / 255.0)):
        features = network.features(image)
        assert record[f"{name}_frechet"] == pytest.approx(frechet_distance(features, real), rel=1e-3)
        precision, recall = precision_recall(features, real)
        assert (record[f"{name}_precision"], record[f"{name}_recall"]) == pytest.approx((precision, recall), abs=0.02)
    assert record["real_frechet"] < record["prior_frechet"]
