"""What is measured of generated faces: against independent computations, and with a model that is perfect."""

import numpy as np
import pytest
import torch
from scipy import linalg, ndimage

from vimae_core import RunConfig, fit, toy_faces
from vimae_core.chapters.faces import measures
from vimae_core.chapters.faces import runs as faces_runs
from vimae_core.data import Dataset
from vimae_core.datasets import data_digest, load_dataset
from vimae_core.evaluation.faces import LADDER, SHOWN, faces, sharpness
from vimae_core.evaluation.features import feature_network
from vimae_core.networks import as_pixels
from vimae_core.profiles import parameters, profile_at_hand
from vimae_core.store import RunError

N = 24


@pytest.fixture(scope="module")
def few() -> Dataset:
    """Toy faces, 200 to train on and 40 held out."""
    factors = toy_faces.draw_factors(240)
    split = {"train": slice(0, 200), "test": slice(200, 240)}
    return Dataset("toy-faces", toy_faces.render(factors), None, split, "few", factors)


@pytest.fixture
def run(few):
    """A model that has hardly seen anything."""
    config = RunConfig(dataset="toy-faces", architecture="conv", width=0.03, latent_dim=64, epochs=1, batch_size=50)
    return fit(config, few, progress=False)


def test_toy_faces_are_a_data_set_that_needs_no_files(tmp_path):
    """8,000 and 2,000 of them, the first as drawn alone, with their factors, from any data root."""
    data = load_dataset("toy-faces", tmp_path)
    assert data.split == {"train": slice(0, 8000), "test": slice(8000, 10_000)}
    assert data.images.shape == (10_000, 3, 64, 64) and data["test"][1] is None
    assert data.factors.shape == (10_000, len(toy_faces.FACTORS))
    assert torch.equal(toy_faces.render(data.factors[[0, 9999]]), data.images[[0, 9999]])
    assert data.digest == data_digest("toy-faces")


def test_sharpness_is_scipys_laplacian(few):
    """Of the grey picture (ITU-R 601), variance over the pixels that have all neighbours."""
    x = as_pixels(few["test"][0][:5])
    grey = np.tensordot([0.2989, 0.587, 0.114], x.numpy(), (0, 1))
    expected = np.mean([ndimage.laplace(g)[1:-1, 1:-1].var(ddof=1) for g in grey])
    assert sharpness(x) == pytest.approx(expected, rel=1e-4)
    assert sharpness(LADDER["blurred by 1 pixel"](x)) < 0.5 * expected < expected < sharpness(LADDER["noise of 0.2"](x))


def test_the_ladder_does_what_it_says(few):
    """Blocks are constant, no colour means equal channels, a tenth means a tenth; all keep shape and range."""
    x = as_pixels(few["train"][0][:40])
    worse = {name: change(x) for name, change in LADDER.items()}
    for found in worse.values():
        assert found.shape == x.shape and found.min() >= 0 and found.max() <= 1 and not torch.equal(found, x)
    blocks = worse["blocks of 4 pixels"].unfold(2, 4, 4).unfold(3, 4, 4)
    assert torch.allclose(blocks.amax((-1, -2)), blocks.amin((-1, -2)))
    assert torch.allclose(blocks[..., 0, 0], x.unfold(2, 4, 4).unfold(3, 4, 4).mean((-1, -2)), atol=1e-6)
    assert torch.equal(worse["without colour"][:, 0], worse["without colour"][:, 2])
    assert len(worse["a tenth of them, ten times"].flatten(1).unique(dim=0)) == 4
    spread = (worse["noise of 0.05"] - x)[(x > 0.3) & (x < 0.7)].std().item()
    assert spread == pytest.approx(0.05, rel=0.03)


def test_the_record_follows_from_the_run(run, few):
    """Distances of the samples that the run draws, by scipy; its codes; real against real below every rung."""
    record = faces(run, few, N, "efficientnet-lite0")
    assert record["n"] == N and record["title"] == "Fréchet distance on EfficientNet-Lite0 features"
    network = feature_network("efficientnet-lite0")
    samples = run.sample(N, torch.Generator().manual_seed(0))
    a, b = (network.describe(images).double().numpy() for images in (samples, few["test"][0][:N]))
    cross = linalg.sqrtm(np.cov(a.T) @ np.cov(b.T) + 1e-9 * np.eye(a.shape[1])).real
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T) + np.cov(b.T) - 2 * cross)
    assert record["prior_distance"] == pytest.approx(expected, rel=1e-2)
    codes = run.encode(few["test"][0][:SHOWN])
    assert torch.allclose(torch.tensor(record["codes"]), codes, atol=1e-4)
    error = (run.decode(run.encode(few["test"][0][:N])) - as_pixels(few["test"][0][:N])).square().sum((1, 2, 3)).mean()
    assert record["reconstruction_error"] == pytest.approx(error.item(), rel=1e-4)
    assert record["real_distance"] < min(record["ladder"].values()) and list(record["ladder"]) == list(LADDER)
    assert record["real_distance"] < record["prior_distance"]


def test_other_weights_than_asked_for_are_refused(run, few):
    """The record would be another."""
    with pytest.raises(RunError, match="weights 579344248a93 are here, 000000000000 were asked for"):
        faces(run, few, N, "efficientnet-lite0", digest="0" * 12)


def test_the_digest_of_the_features_determines_the_record():
    """It stands among the settings, so that other weights measure anew."""
    p = parameters("faces", "smoke")
    asked = measures("table", p)["faces"]
    assert asked == {"n_test": 40, "features": "efficientnet-lite0", "weights": None, "digest": "579344248a93"}


def test_the_runs_of_the_chapter():
    """Table 2's models and the AE under Bernoulli, VIMAE at its lambda; three of them under other likelihoods."""
    groups = faces_runs(parameters("faces", "reference"))
    assert len(groups["table"]) == 12 and len(groups["scale"]) == 6
    assert {c.lambda_ for c in groups["table"] if c.method == "vimae"} == {100.0}
    assert {c.lambda_ for c in groups["table"] if c.method == "vae"} == {1.0}
    assert {c.likelihood for c in groups["scale"]} == {"gaussian", "wae"}
    paper = faces_runs(parameters("faces", "paper"))["table"][0]
    assert (paper.width, paper.epochs, paper.learning_rate, paper.schedule) == (1.0, 50, 5e-4, "exponential")


def test_without_celeba_the_chapter_has_toy_faces(tmp_path, monkeypatch):
    """Whatever the profile; with the folder it has CelebA."""
    monkeypatch.setenv("VIMAE_DATA", str(tmp_path))
    assert profile_at_hand("faces", "reference") == profile_at_hand("faces", "paper") == "quick"
    assert profile_at_hand("capacity", "reference") == "reference"
    (tmp_path / "celeba").mkdir()
    assert profile_at_hand("faces", "reference") == "reference"


def test_a_deterministic_encoder_is_an_option(few):
    """For VIMAE; a VAE with one is refused."""
    given = {"encoder": "deterministic", "methods": "AE,VIMAE-n", "scale_methods": "VIMAE-n"}
    runs = faces_runs(parameters("faces", "smoke", **given))
    assert {c.encoder for c in runs["table"] + runs["scale"]} == {"deterministic"}
    with pytest.raises(ValueError, match="encoder='deterministic' is not possible"):
        faces_runs(parameters("faces", "smoke", encoder="deterministic"))
