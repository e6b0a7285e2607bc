"""The autoregressive decoder: what sees what, a likelihood by enumeration, samples that follow it, and its training."""

import dataclasses
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from vimae_core import RunConfig, evaluate, fit, load_dataset
from vimae_core.data import Dataset
from vimae_core.networks import Autoencoder, build_network
from vimae_core.objectives import distortion, rate
from vimae_core.runs import check_data
from vimae_core.training import Training, terms_used

CPU = torch.device("cpu")
SHAPE = 1, 2, 3
ALL = torch.tensor(list(product((0.0, 1.0), repeat=6))).view(-1, *SHAPE)  # every image of so many pixels


def network(shape=SHAPE, **fields):
    """With weights large enough for pixels that depend on each other and on z."""
    config = RunConfig(**{"decoder": "autoregressive", "latent_dim": 3, "width": 0.1, **fields})
    built = build_network(config, shape).eval().requires_grad_(False)
    for weight in built.decoder.parameters():
        weight.mul_(1.5)
    return built


def thresholds(n: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(n, *SHAPE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("architecture", ["mlp", "wae-mlp"])
def test_a_pixel_sees_z_and_the_pixels_before_it_alone(architecture):
    """By gradients: in the order of rows the Jacobian is zero from the diagonal on and nowhere else; in z, nowhere."""
    built, z = network(architecture=architecture), torch.randn(1, 3, generator=torch.Generator().manual_seed(0))
    x = torch.full((1, 6), 0.5)
    by_x, by_z = torch.autograd.functional.jacobian(lambda z, x: built.decoder(z, x)[0], (z, x))[::-1]
    seen = by_x[:, 0] != 0
    assert torch.equal(seen, torch.ones(6, 6, dtype=torch.bool).tril(-1))
    assert (by_z[:, 0] != 0).all()


def test_the_convolutional_one_is_masked_too():
    """Around any decoder: a pixel flipped changes the logits after it, and none before it or its own."""
    built = network((1, 28, 28), architecture="conv", width=1 / 64)
    x = torch.zeros(1, 1, 28, 28)
    z, flipped = torch.ones(1, 3), x.clone()
    flipped[0, 0, 10, 5] = 1
    half = torch.full_like(x, 0.5)
    changed = (built.decode(z, half, x) != built.decode(z, half, flipped)).flatten()
    at = 10 * 28 + 5
    assert not changed[: at + 1].any() and changed[at + 1 :].float().mean() > 0.9


def log_likelihood(built: Autoencoder, z: torch.Tensor, images: torch.Tensor = ALL) -> torch.Tensor:
    """log p(x|z) of images of black and white, for one z."""
    any_thresholds = thresholds(len(images))
    return -distortion(images, built.decode(z.expand(len(images), -1), any_thresholds, images)).double()


def independent_pixels(p: torch.Tensor) -> torch.Tensor:
    """What the probabilities of the images would be, were their pixels independent with the same means."""
    pixels = ALL.flatten(1).double()
    means = p @ pixels / p.sum()
    return (pixels * means + (1 - pixels) * (1 - means)).prod(1)


@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_a_likelihood(seed):
    """Over every image of 2 x 3 pixels the probabilities sum to 1, and are not those of independent pixels."""
    built, z = network(seed=seed), torch.randn(1, 3, generator=torch.Generator().manual_seed(seed))
    p = log_likelihood(built, z).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-6)
    assert (p - independent_pixels(p)).abs().sum() > 0.05


def test_a_grey_image_costs_what_its_draws_cost():
    """Grey levels as probabilities: the mean distortion over thresholds is -E log p(b|z), by enumeration of all b."""
    built, z = network(), torch.ones(1, 3)
    grey = torch.tensor([0.0, 0.2, 0.9, 0.5, 1.0, 0.7]).view(1, *SHAPE)
    of_b = (ALL * grey + (1 - ALL) * (1 - grey)).flatten(1).prod(1).double()
    expected = -(of_b * log_likelihood(built, z)).sum().item()
    n = 20_000
    found = distortion(
        grey.expand(n, -1, -1, -1), built.decode(z.expand(n, -1), thresholds(n), grey.expand(n, -1, -1, -1))
    )
    assert abs(found.mean().item() - expected) < 4 * found.std().item() / n**0.5


def test_samples_follow_it():
    """Of 20,000 images generated pixel by pixel, as many of each kind as it says, by chi-squared of Pearson."""
    built, n = network(), 20_000
    z, u = torch.ones(n, 3), thresholds(n, seed=1)
    drawn = (torch.sigmoid(built.decode(z, u)) > u).float()
    kinds = (drawn.flatten(1) @ 2.0 ** torch.arange(5, -1, -1)).long()  # in the order of ALL
    p = log_likelihood(built, torch.ones(1, 3)).exp()
    found, enough = np.bincount(kinds.numpy(), minlength=64), stats.chi2(63).ppf(0.9999)
    assert p.min() * n > 5
    assert stats.chisquare(found, n * (p / p.sum()).numpy()).statistic < enough
    assert stats.chisquare(found, n * independent_pixels(p).numpy()).statistic > 3 * enough


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_generated_is_what_a_pass_says_of_it(precision):
    """Each pixel's logit while it was generated, and by one pass over the image that came of it."""
    built, n = network((1, 5, 4)), 30
    built.precision = precision
    z = torch.randn(n, 3, generator=torch.Generator().manual_seed(0))
    u = torch.rand(n, 1, 5, 4, generator=torch.Generator().manual_seed(1))
    generated = built.decode(z, u)
    again = built.decode(z, u, (torch.sigmoid(generated) > u).float())
    room = 1e-5 if precision == "fp32" else 0.02 * generated.abs().max().item()
    torch.testing.assert_close(generated, again, atol=room, rtol=0)
    assert (generated.flatten(1).var(0) > 0).all() and generated.dtype == torch.float32


def test_without_thresholds_a_pixel_is_the_more_probable_value():
    """The same as thresholds of 1/2; so nothing is drawn."""
    built, z = network(), torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(built.decode(z), built.decode(z, torch.full((8, *SHAPE), 0.5)))


@pytest.fixture
def autoregressive(config):
    """A short training of a VAE on the tiny data set."""
    return dataclasses.replace(config, method="vae", alpha=None, lambda_=None, decoder="autoregressive")


def test_training_lowers_the_loss_below_the_plain_decoders(autoregressive):
    """Of blobs whose noise nothing tells; and the history has the rate of every epoch."""
    longer = dataclasses.replace(autoregressive, epochs=20, schedule="constant")
    losses = [fit(c, progress=False).history["epochs"] for c in (longer, dataclasses.replace(longer, decoder="plain"))]
    assert losses[0]["loss"][-1] < losses[0]["loss"][0] - 5
    assert losses[0]["loss"][-1] < losses[1]["loss"][-1]
    assert len(losses[0]["rate"]) == 20


def test_a_step_draws_the_pixels_that_it_conditions_on(autoregressive):
    """The distortion of a step is that of its images, by the same draws, under the network as it was."""
    images = load_dataset("tiny", autoregressive.data_root)["train"][0]
    training, again = (Training(autoregressive, images, CPU) for _ in range(2))
    training.advance()
    rows = again._epoch_order(0)[: autoregressive.batch_size]
    x = images[rows].float() / 255
    noise = torch.empty(len(x), 2).normal_(generator=again.generator)
    again.prior.sample(len(x), again.generator)
    u = torch.rand(x.shape, generator=again.generator)
    posterior = again.network.encode(x)
    logits = again.network.decode(posterior.at(noise), torch.full_like(x, 0.5), (x > u).float())
    expected = {
        "distortion": distortion(x, logits).mean().item(),
        "rate": rate(posterior, posterior.at(noise), again.prior).mean().item(),
    }
    found = dict(zip(training.terms, training.log[0].tolist(), strict=True))
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("method", ["vae", "vimae"])
@pytest.mark.parametrize("decoder", ["plain", "autoregressive"])
def test_a_shorter_run_is_the_longer_ones_beginning(config, method, decoder):
    """At a constant learning rate, bit by bit: so the run of e epochs has the rate and information after e of more."""
    fields = {"method": method, "alpha": None, "lambda_": None, "decoder": decoder, "schedule": "constant"}
    images = load_dataset("tiny", config.data_root)["train"][0]
    longer, shorter = (Training(dataclasses.replace(config, epochs=epochs, **fields), images, CPU) for epochs in (3, 1))
    for training in (longer, shorter):
        for _ in range(shorter.total_steps):
            training.advance()
    pairs = zip(longer.network.state_dict().values(), shorter.network.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_run_decodes_generates_and_measures(autoregressive):
    """Without a generator the same each time, with one its draws; the measures condition on the images themselves."""
    run, data = fit(autoregressive, progress=False), load_dataset("tiny", autoregressive.data_root)
    images, z = data["test"][0], run.encode(data["test"][0])
    assert torch.equal(run.decode(z), run.decode(z)) and run.decode(z).shape == images.shape
    samples = [run.sample(50, torch.Generator().manual_seed(s)) for s in (0, 0, 1)]
    assert torch.equal(samples[0], samples[1]) and not torch.equal(samples[0], samples[2])
    drawn = run.decode(z[:1].expand(50, -1), torch.Generator().manual_seed(0))
    assert drawn.var(0).max() > 0 and drawn.min() >= 0 and drawn.max() <= 1
    generator = torch.Generator().manual_seed(0)
    by_hand = run.network.decode(z, torch.rand(images.shape, generator=generator), images / 255)
    torch.testing.assert_close(run.logits(z, images, torch.Generator().manual_seed(0)), by_hand)
    found, told = evaluate(run), evaluate(run, measure="information")
    last = run.history["epochs"]["distortion"][-1]
    assert found["distortion"] == pytest.approx(last, rel=0.1) and told["distortion"] == pytest.approx(last, rel=0.1)
    with pytest.raises(ValueError, match=r"images of shape \(64, 1, 8, 8\) are not possible for 2 codes"):
        run.logits(z[:2], images)


def test_a_plain_decoder_looks_at_neither_images_nor_generator(config):
    """Its logits are z's, and no number is drawn."""
    run, generator = fit(config, progress=False), torch.Generator().manual_seed(0)
    images, before = load_dataset("tiny", config.data_root)["test"][0], generator.get_state()
    z = run.encode(images)
    assert torch.equal(run.logits(z), run.logits(z, images, generator))
    assert torch.equal(run.decode(z), run.decode(z, generator))
    assert torch.equal(generator.get_state(), before)


def test_colours_are_refused():
    """Before anything is trained, with what takes them."""
    images = torch.zeros(200, 3, 8, 8, dtype=torch.uint8)
    data = Dataset("colours", images, None, {"train": slice(0, 100), "test": slice(100, 200)}, "0" * 64)
    with pytest.raises(ValueError, match="images of 3 channels: must be grey, of one; decoder='plain' takes any"):
        check_data(RunConfig(dataset="colours", decoder="autoregressive"), data)


def test_names_tell_the_decoder_and_earlier_ones_do_not():
    """In the label and the scientific fields; and the terms of the loss are the same."""
    config = RunConfig(method="vae", decoder="autoregressive")
    assert config.label == "VAE, autoregressive decoder" and config.scientific["decoder"] == "autoregressive"
    assert "decoder" not in RunConfig().scientific and RunConfig(method="vae").label == "VAE"
    assert terms_used(config) == terms_used(RunConfig(method="vae"))
