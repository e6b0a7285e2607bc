"""The WAE code's start and its small network: moments, noise on the input, batch norm."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from vimae_core import RunConfig, fit, load_dataset, make_prior
from vimae_core.networks import as_pixels, build_network
from vimae_core.pretraining import ENOUGH, STEPS, moment_loss, perturbed, pretrain
from vimae_core.training import Training


def test_moment_loss_is_numpys():
    """Mean squared difference of np.mean, and of all entries of np.cov."""
    generator = torch.Generator().manual_seed(0)
    z, p = (torch.randn(20, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    a, b = z.numpy(), p.numpy()
    expected = np.mean((a.mean(0) - b.mean(0)) ** 2) + np.mean((np.cov(a.T) - np.cov(b.T)) ** 2)
    assert moment_loss(z, p).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("architecture", ["mlp", "wae-mlp"])
@pytest.mark.parametrize("encoder", ["gaussian", "deterministic"])
def test_pretraining_reaches_the_moments(config, architecture, encoder):
    """It stops at its threshold, and then codes have about the prior's moments; the decoder is untouched."""
    asked = dataclasses.replace(
        config, prior="logistic", architecture=architecture, encoder=encoder, width=0.5, pretraining=128
    )
    images = load_dataset("tiny", config.data_root)["train"][0]
    network, prior = build_network(asked, images.shape[1:]), make_prior("logistic", 2)
    decoder = {k: v.clone() for k, v in network.decoder.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    losses = pretrain(asked, network, images, prior, generator)
    assert losses[-1] < ENOUGH and (losses[:-1] >= ENOUGH).all() and len(losses) < STEPS
    with torch.no_grad():
        z = network.encode(as_pixels(images)).sample(generator)
    assert moment_loss(z, prior.sample(4000, generator)) < 3 * ENOUGH
    assert all(torch.equal(v, decoder[k]) for k, v in network.decoder.state_dict().items())


def test_pretraining_ends_after_its_steps(config, monkeypatch):
    """Where the threshold is out of reach."""
    monkeypatch.setattr("vimae_core.pretraining.STEPS", 3)
    monkeypatch.setattr("vimae_core.pretraining.ENOUGH", 0.0)
    run = fit(dataclasses.replace(config, pretraining=16, epochs=1), progress=False)
    assert len(run.history["pretraining"]) == 3


def test_more_images_than_there_are_are_refused(config):
    """Before anything is trained."""
    with pytest.raises(ValueError, match="pretraining=1000 is not possible: only 256 training images"):
        fit(dataclasses.replace(config, pretraining=1000), progress=False)


def test_input_noise_is_a_truncated_normal():
    """Of the given deviation, cut off at two of them, against scipy's distribution; none where it is 0."""
    x, generator = torch.full((50, 1, 20, 20), 0.5), torch.Generator().manual_seed(0)
    noise = (perturbed(x, 0.01, generator) - x).flatten().numpy()
    assert np.abs(noise).max() <= 0.02 + 1e-7
    assert stats.kstest(noise, stats.truncnorm(-2, 2, scale=0.01).cdf).pvalue > 0.001
    assert perturbed(x, 0.0, generator) is x


def test_the_encoder_sees_noise_and_the_loss_does_not(config, monkeypatch):
    """The reconstruction is held against the image itself."""
    images = load_dataset("tiny", config.data_root)["train"][0]
    training = Training(dataclasses.replace(config, input_noise=0.3), images, torch.device("cpu"))
    seen, held = [], []
    losses, encode = training.losses, training.network.encode
    training.losses = lambda x, *rest: held.append(x) or losses(x, *rest)
    monkeypatch.setattr(training.network, "encode", lambda x: seen.append(x) or encode(x))
    training.advance()
    rows = training.order[: config.batch_size]
    assert torch.equal(held[0], as_pixels(images[rows]))
    assert 0.2 < (seen[0] - held[0]).std() < 0.3


def test_the_small_network_is_the_wae_codes():
    """Encoder: linear, batch norm, ReLU; decoder: linear, ReLU, batch norm; weights N(0, 0.01^2), biases 0."""
    network = build_network(RunConfig(architecture="wae-mlp"), (1, 28, 28))
    names = lambda layers: [type(layer).__name__ for layer in layers]  # noqa: E731
    assert names(network.encoder) == ["Flatten", *["Linear", "BatchNorm", "ReLU"] * 3, "Float32Linear"]
    assert names(network.decoder) == [*["Linear", "ReLU", "BatchNorm"] * 3, "Linear"]
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [256, 256, 256, 4, 256, 256, 256, 784]
    assert all(not layer.bias.any() for layer in linear)
    assert torch.cat([layer.weight.flatten() for layer in linear]).std().item() == pytest.approx(0.01, rel=0.02)
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm1d)]
    assert all(layer.eps == 1e-5 and math.isclose(layer.momentum, 0.1) for layer in norms)


def test_batch_norm_is_the_same_in_bf16(config):
    """A step in bf16 gives nearly the loss of one in fp32."""
    images = load_dataset("tiny", config.data_root)["train"][0]
    found = []
    for precision in ("fp32", "bf16"):
        asked = dataclasses.replace(config, architecture="wae-mlp", precision=precision)
        training = Training(asked, images, torch.device("cpu"))
        training.advance()
        found.append(training.log[0, 0].item())
    assert found[0] == pytest.approx(found[1], rel=0.01)
