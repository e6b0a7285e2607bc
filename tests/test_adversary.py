"""The adversarial divergence: its estimate and gradient against quadrature, the game in a training, what is refused."""

import dataclasses
import math
from functools import cache

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from torch import nn

from vimae_core import RunConfig, fit, load_dataset, make_prior, mmd2, paper_model
from vimae_core.adversary import UNITS, Adversary, jensen_shannon
from vimae_core.runs import _train
from vimae_core.store import RunError
from vimae_core.training import Training

CPU = torch.device("cpu")
AAE = RunConfig(divergence="adversarial", latent_dim=1)
PAIRS = [("normal", 1.5, 1.0), ("normal", 0.0, 0.4), ("normal", 0.0, 1.0), ("logistic", 0.5, 1.5)]  # p; q's mean, std


def draws(n: int, mean: float, std: float, generator: torch.Generator) -> torch.Tensor:
    return mean + std * torch.randn(n, 1, generator=generator)


@cache
def trained(family: str, mean: float, std: float) -> Adversary:
    """A small discriminator that 400 steps of Adam have told normal codes from draws of a prior of unit variance."""
    prior, generator = make_prior(family, 1), torch.Generator().manual_seed(0)
    adversary = Adversary(AAE, prior, units=64)
    optimiser = torch.optim.Adam(adversary.parameters(), 1e-3, betas=(0.5, 0.999), fused=True)
    for _ in range(400):
        terms = adversary(draws(500, mean, std, generator), prior.sample(500, generator))
        optimiser.zero_grad()
        terms["discriminator"].backward()
        optimiser.step()
    return adversary


def scipys(family: str):
    return stats.norm() if family == "normal" else stats.logistic(scale=math.sqrt(3) / math.pi)


def integral(of) -> float:
    return integrate.quad(of, -15, 15, limit=400)[0]


def jensen_shannon_by_quadrature(p, q) -> float:
    """(KL(p||m) + KL(q||m)) / 2, m the half-and-half mixture."""
    log_m = lambda z: np.logaddexp(p.logpdf(z), q.logpdf(z)) - math.log(2)  # noqa: E731
    return integral(lambda z: sum(d.pdf(z) * (d.logpdf(z) - log_m(z)) for d in (p, q)) / 2)


@pytest.mark.parametrize(("family", "mean", "std"), PAIRS)
def test_a_trained_discriminator_estimates_the_quadrature(family, mean, std):
    """Shifted, narrower, equal, and a logistic prior: of 200,000 new draws within 0.003 nats, and not above by more."""
    adversary, generator = trained(family, mean, std), torch.Generator().manual_seed(1)
    with torch.no_grad():
        z, z_prior = draws(200_000, mean, std, generator), make_prior(family, 1).sample(200_000, generator)
        found = adversary(z, z_prior)["divergence"].item()
    truth = jensen_shannon_by_quadrature(scipys(family), stats.norm(mean, std))
    assert found == pytest.approx(truth, abs=0.003)


def test_the_estimate_is_its_definition_and_never_above_log_2():
    """log 2 + (mean log D + mean log(1 - D)) / 2 by NumPy, for any logits; log 2 for those that tell all apart."""
    of_prior, of_codes = 3 * torch.randn(2, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    d = lambda logits: 1 / (1 + np.exp(-logits.numpy()))  # noqa: E731
    truth = math.log(2) + (np.log(d(of_prior)).mean() + np.log(1 - d(of_codes)).mean()) / 2
    assert jensen_shannon(of_prior, of_codes).item() == pytest.approx(truth, abs=1e-12)
    for size in (0.1, 1, 10, 1e30):
        assert jensen_shannon(size * of_prior, size * of_codes) <= math.log(2)
    told = jensen_shannon(torch.full((3,), 1e30), torch.full((3,), -1e30))
    assert told.item() == pytest.approx(math.log(2), abs=1e-7)


class Best(nn.Module):
    """The logit log p(z)/q(z) of the best discriminator between a standard normal p and a normal q."""

    def __init__(self, mean: float, std: float):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, z):
        return (((z - self.mean) / self.std).square() / 2 + math.log(self.std) - z.square() / 2).flatten()


@pytest.mark.parametrize(("mean", "std"), [(1.0, 0.7), (-0.5, 1.3)])
def test_the_gradient_under_the_best_discriminator_is_that_of_half_kl_less_js(mean, std):
    """In q's mean and standard deviation, by difference quotients of quadratures, within four standard errors."""
    adversary = Adversary(AAE, make_prior("normal", 1))
    adversary.layers = Best(mean, std)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(400_000, 1, generator=generator)
    z = (mean + std * noise).requires_grad_()
    adversary(z, torch.randn(400_000, 1, generator=generator))["divergence"].backward()
    p = stats.norm()

    def objective(m, s):
        q = stats.norm(m, s)
        kl = integral(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)))
        return kl / 2 - jensen_shannon_by_quadrature(p, q)

    pushes = len(z) * z.grad.double()  # each code's own; times dz/dmean = 1 and dz/dstd = noise
    for found, (dm, ds) in ((pushes, (1, 0)), (pushes * noise, (0, 1))):
        h = 1e-3
        truth = (objective(mean + h * dm, std + h * ds) - objective(mean - h * dm, std - h * ds)) / (2 * h)
        assert found.mean().item() == pytest.approx(truth, abs=4 * found.std().item() / math.sqrt(len(z)))


def test_codes_are_pushed_towards_the_prior():
    """A step down the trained discriminators' gradients moves shifted codes back, and narrow ones apart."""
    generator = torch.Generator().manual_seed(2)
    for (mean, std), along in (((1.5, 1.0), lambda z: torch.ones_like(z)), ((0.0, 0.4), lambda z: -z)):
        z = draws(2000, mean, std, generator).requires_grad_()
        trained("normal", mean, std)(z, torch.randn(2000, 1, generator=generator))["divergence"].backward()
        assert (z.grad * along(z.detach())).sum() > 0.05


def test_each_side_of_the_game_moves_its_own():
    """The divergence asks nothing of the weights, the discriminator's loss nothing of the codes; one value."""
    adversary, generator = Adversary(AAE, make_prior("normal", 1)), torch.Generator().manual_seed(0)
    z = draws(50, 1.0, 1.0, generator).requires_grad_()
    terms = adversary(z, torch.randn(50, 1, generator=generator))
    assert terms["divergence"].item() == -terms["discriminator"].item()
    terms["divergence"].backward()
    assert all(p.grad is None for p in adversary.parameters()) and z.grad.abs().sum() > 0
    z.grad = None
    terms["discriminator"].backward()
    assert z.grad is None and all(p.grad.abs().sum() > 0 for p in adversary.parameters())


def test_the_discriminator_is_the_wae_codes_and_drawn_by_the_seed():
    """Four hidden layers of 512: the number of weights by hand; another seed draws others."""
    one, again, other = (Adversary(dataclasses.replace(AAE, seed=s), make_prior("normal", 8)) for s in (0, 0, 1))
    assert sum(p.numel() for p in one.parameters()) == 8 * UNITS + 3 * UNITS**2 + 4 * UNITS + UNITS + 1
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    assert not torch.equal(one.layers[0].weight, other.layers[0].weight)


def test_the_divergence_has_no_unit():
    """Codes and prior ten times as small: the same estimate, to rounding."""
    generator = torch.Generator().manual_seed(0)
    z, z_prior = torch.randn(2, 100, 2, generator=generator)
    plain, small = (Adversary(AAE, make_prior("logistic", 2, scale)) for scale in (None, math.sqrt(3) / math.pi / 10))
    expected = plain(z + 1, z_prior)["divergence"].item()
    assert small((z + 1) / 10, z_prior / 10)["divergence"].item() == pytest.approx(expected, abs=1e-6)


@pytest.fixture
def adversarial(config):
    """A short adversarial training on the tiny data set."""
    return dataclasses.replace(config, divergence="adversarial")


@pytest.mark.parametrize("prior", ["normal", "logistic"])
def test_training_brings_codes_nearer_to_the_prior(adversarial, prior):
    """By the MMD, which it does not train on: less than a tenth of an autoencoder's."""
    asked = dataclasses.replace(adversarial, prior=prior, lambda_=100.0, epochs=10, schedule="constant")
    without = dataclasses.replace(asked, method="ae", lambda_=None, divergence="mmd")
    images = load_dataset("tiny", asked.data_root)["train"][0]
    found = []
    for c in (asked, without):
        run = fit(c, progress=False)
        generator = torch.Generator().manual_seed(0)
        found.append(mmd2(run.posterior(images).sample(generator), run.prior.sample(256, generator)).item())
    assert found[0] < found[1] / 10
    assert "divergence" in fit(asked).history["epochs"]


def test_a_step_is_adam_on_both_sides(adversarial):
    """The first step, written out: of each weight against its own gradient, with its own learning rate, halved as the
    other by the schedule; the loss as recorded is distortion + lambda times divergence."""
    asked = dataclasses.replace(adversarial, learning_rate=2e-3, adversary_learning_rate=3e-4)
    training = Training(asked, load_dataset("tiny", asked.data_root)["train"][0], CPU)
    before = {name: p.detach().clone() for name, p in training.weights.items()}
    training.advance()
    assert {name.split(".")[0] for name in training.weights} == {"network", "divergence"}
    for name, parameter in training.weights.items():
        g, rate = parameter.grad.double(), 2e-3 if name.startswith("network") else 3e-4
        expected = before[name].double() - rate * g / (g.abs() + 1e-8)
        torch.testing.assert_close(parameter.detach().double(), expected, atol=1e-7, rtol=1e-4)
    logged = dict(zip(training.terms, training.log[0].tolist(), strict=True))
    assert logged["loss"] == pytest.approx(logged["distortion"] + 10 * logged["divergence"], rel=1e-5)
    while training.step < 16:  # of 48; the learning rate is halved after 30 %
        training.advance()
    assert [group["lr"] for group in training.optimiser.param_groups] == [1e-3, 1.5e-4]


def test_under_a_ramp_the_discriminator_learns_from_the_start(adversarial):
    """The weight of the divergence, 0 at first, is the encoder's alone; the recorded lambda is that of the loss."""
    asked = dataclasses.replace(adversarial, lambda_schedule="ramp", lambda_=50.0, epochs=2)
    training = Training(asked, load_dataset("tiny", asked.data_root)["train"][0], CPU)
    training.advance()
    assert training.weights["divergence.layers.0.weight"].grad.abs().sum() > 0
    while training.step < 32:
        training.advance()
    logged = dict(zip(training.terms, training.log.T.double(), strict=True))
    expected = logged["distortion"] + logged["lambda"] * logged["divergence"]
    torch.testing.assert_close(logged["loss"], expected, rtol=1e-5, atol=1e-5)
    assert logged["lambda"][0] == 0 and logged["lambda"][-1] == pytest.approx(50, rel=1e-5)


def test_restored_it_goes_on_in_the_same_bits(adversarial):
    """Both sides' weights and moments come back: ten steps from a state are those that followed it."""
    images = load_dataset("tiny", adversarial.data_root)["train"][0]
    whole, resumed = Training(adversarial, images, CPU), Training(adversarial, images, CPU)
    for _ in range(10):
        whole.advance()
    resumed.restore({name: tensor.clone() for name, tensor in whole.state().items()}, 10)
    for training in (whole, resumed):
        for _ in range(10):
            training.advance()
    for (name, one), other in zip(whole.state().items(), resumed.state().values(), strict=True):
        assert torch.equal(one, other), name
    assert any(name.startswith("adam.divergence") for name in whole.state())


@pytest.mark.parametrize(
    ("steps", "message"), [(0, "loss is not finite at step 0"), (48, "divergence.layers.0.weight")]
)
def test_a_discriminator_that_is_not_finite_ends_the_run(adversarial, tmp_path, steps, message):
    """By the loss of the next step, or after the last by its weights; the message names its learning rate."""
    training = Training(adversarial, load_dataset("tiny", adversarial.data_root)["train"][0], CPU)
    advance = training.advance

    def breaks():
        if training.step == steps:
            training.weights["divergence.layers.0.weight"].data.fill_(math.nan)
        advance()
        if training.step == steps:
            training.weights["divergence.layers.0.weight"].data.fill_(math.nan)

    training.advance = breaks
    with pytest.raises(RunError, match=f"{message}.*a smaller adversary_learning_rate than 0.0005"):
        _train(training, tmp_path / "checkpoint", tell=None, checkpoint_seconds=1e9)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"divergence": "wasserstein"}, "divergence='wasserstein' is not possible: must be one of mmd, adversarial"),
        ({"memory": 10}, "memory=10 is not possible: must be 0: only an MMD has that, no discriminator"),
        ({"more_codes": 10}, "more_codes=10 is not possible: must be 0: only an MMD has that, no discriminator"),
        ({"kernel": "wae"}, "kernel='wae' is not possible: must be 'imq': only an MMD has that, no discriminator"),
        ({"lambda_schedule": "constrained"}, "lambda_schedule='constrained' .* must be constant or ramp: "),
        ({"method": "ae"}, "divergence='adversarial' is not possible: must be 'mmd': ae weighs no divergence"),
        ({"method": "vae"}, "divergence='adversarial' is not possible: must be 'mmd': vae weighs no divergence"),
        ({"divergence": "mmd", "adversary_learning_rate": 1e-3},
         "adversary_learning_rate=0.001 is not possible: must be 0.0005, its default: only divergence='adversarial'"),
        ({"adversary_learning_rate": 0.0}, "adversary_learning_rate=0.0 is not possible: must be greater than 0"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_with_it_is_refused(fields, message):
    """Each with the field, its value, and what is allowed."""
    with pytest.raises(ValueError, match=message):
        RunConfig(**{"divergence": "adversarial", **fields})


def test_names_tell_the_divergence_and_no_earlier_name_changes():
    """In label and scientific fields where it is adversarial; the defaults are in no name."""
    assert not {"divergence", "adversary_learning_rate"} & set(RunConfig().scientific)
    assert paper_model("VIMAE-l", divergence="adversarial").label == "VIMAE-l, adversarial"
    scaled = RunConfig(divergence="adversarial", prior_scale=0.5, adversary_learning_rate=1e-3)
    assert scaled.label == "VIMAE-n, adversarial, scale 0.5"
    assert scaled.scientific == {"divergence": "adversarial", "prior_scale": 0.5, "adversary_learning_rate": 1e-3}
