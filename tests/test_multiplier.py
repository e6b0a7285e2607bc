"""lambda over a training: the ramp, the constraint's rule where the multiplier is known, and the larger sample."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from vimae_core import RunConfig, fit, load_dataset, make_prior
from vimae_core.mmd import KERNELS, mmd2, mmd2_beside, null_band
from vimae_core.multiplier import LAMBDA_SCHEDULES, tolerance, window
from vimae_core.training import Training

STEPS = 2000


def weights(schedule: str, estimate, enough: float = 0.0, end: float = 100.0, steps: int = STEPS) -> list[float]:
    """The weights of a training in which a weight is followed at once by its estimate."""
    settings = RunConfig(method="vimae", lambda_=end, lambda_schedule=schedule)
    multiplier = LAMBDA_SCHEDULES[schedule](settings, make_prior("normal", 2), steps)
    multiplier.tolerance = enough
    past, estimates = torch.zeros(steps), torch.zeros(steps)
    for step in range(steps):
        past[step] = multiplier(past[:step], estimates[:step])
        estimates[step] = estimate(past[step].item())
    return past.tolist()


def test_the_ramp_is_a_cube_and_then_held():
    """end (2 t / T)^3 up to the middle, then the end, whatever is estimated."""
    found = weights("ramp", lambda w: 0.0)
    expected = [100 * min(1.0, 2 * t / STEPS) ** 3 for t in range(STEPS)]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_the_multiplier_is_found(scale):
    """Minimise scale (s - 2)^2 / 2 + w g(s), g = (s - 1)^2 / 2: where g <= 0.02, w = scale (2 - s) / (s - 1) = 4 scale.

    The rule overshoots by no more than what the ramp rises in one window; so whatever the cost's scale, which is what
    the likelihoods differ by.
    """

    def constraint(w: float) -> float:
        s = (2 * scale + w) / (scale + w)
        return (s - 1) ** 2 / 2

    found = weights("constrained", constraint, enough=0.02, end=400.0)
    rise = ((4 * scale / 400) ** (1 / 3) + window(STEPS) / (STEPS / 2)) ** 3 * 400
    assert found == sorted(found) and found[-1] == found[STEPS // 2]
    assert 4 * scale <= found[-1] <= rise


def test_a_constraint_that_is_broken_again_raises_lambda_again():
    """It is held while the mean is low enough; it rises where it is not; it ends at `lambda_` where nothing helps."""
    assert weights("constrained", lambda w: 1.0, enough=0.5)[-1] == pytest.approx(100, rel=1e-5)
    calls = iter(range(STEPS))
    found = weights("constrained", lambda w: 1.0 if next(calls) > STEPS // 2 else 0.0, enough=0.5)
    first = window(STEPS)
    assert found[first] == found[STEPS // 2] < found[-1]


def test_noise_that_averages_out_lets_no_multiplier_run_away():
    """At q = p, with the noise of batches of 100, lambda stays where the first window left it, but for a few steps."""
    prior, generator = make_prior("normal", 2), torch.Generator().manual_seed(0)
    enough = tolerance(RunConfig(lambda_schedule="constrained"), prior, window(STEPS))
    draw = lambda: mmd2(prior.sample(100, generator), prior.sample(100, generator)).item()  # noqa: E731
    found = weights("constrained", lambda w: draw(), enough, end=10_000.0)
    assert found[-1] < 8 * found[window(STEPS)]


def test_the_tolerance_is_the_null_band_of_as_many_draws():
    """sqrt(w n (n + m)) of them; a memory of 1900 beside batches of 100 resolves sqrt(20) times as much."""
    prior = make_prior("normal", 2)
    plain, more = (tolerance(RunConfig(memory=m), prior, 450) for m in (0, 1900))
    assert tolerance(RunConfig(more_codes=1900), prior, 450) == more
    assert plain == null_band(prior, round(math.sqrt(450 * 100 * 100))).high
    assert tolerance(RunConfig(lambda_schedule="constrained", tolerance=30.0), prior, 450) == 30 * plain
    assert plain / more == pytest.approx(math.sqrt(20), rel=1e-3)


def test_a_window_is_as_sharp_as_the_tolerance_says():
    """The mean of 20 steps' estimates at q = p, of 10 codes and 40 earlier ones: spread as of sqrt(20 10 50)."""
    prior, generator = make_prior("logistic", 2), torch.Generator().manual_seed(1)
    means = []
    for _ in range(150):
        memory, found = prior.sample(40, generator), []
        for _ in range(20):
            z = prior.sample(10, generator)
            found.append(mmd2_beside(z, memory, prior.sample(50, generator)).item())
            memory = torch.cat([memory, z])[-40:]
        means.append(np.mean(found))
    alone = [mmd2(prior.sample(100, generator), prior.sample(100, generator)).item() for _ in range(600)]
    assert abs(np.mean(means)) < 4 * np.std(means) / math.sqrt(150)
    assert np.std(means) == pytest.approx(np.std(alone), rel=0.25)


@pytest.mark.parametrize("kernel", list(KERNELS))
def test_mmd2_beside_is_its_double_loop(kernel):
    """New codes with all other codes, new draws with all other draws, new ones of each with all of the other kind."""
    generator = torch.Generator().manual_seed(0)
    z, memory, p = (torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in (4, 5, 9))
    k = lambda a, b: KERNELS[kernel](a[None], b[None]).item()  # noqa: E731
    everyone = torch.cat([z, memory])
    within = np.mean([k(z[i], everyone[j]) for i in range(4) for j in range(9) if i != j])
    of_prior = np.mean([k(p[i], p[j]) for i in range(4) for j in range(9) if i != j])
    across = np.mean([k(a, b) for a in z for b in p]) + np.mean([k(a, b) for a in everyone for b in p[:4]])
    found = mmd2_beside(z, memory, p, KERNELS[kernel]).item()
    assert found == pytest.approx(within + of_prior - across, abs=1e-12)


def test_the_gradient_is_that_of_the_whole_sample():
    """Of a third of the codes, each gets three times what it gets where all of them ask for a gradient."""
    generator = torch.Generator().manual_seed(0)
    z, p = (torch.randn(30, 2, generator=generator, dtype=torch.float64) for _ in range(2))
    whole = z.clone().requires_grad_()
    mmd2(whole, p).backward()
    new = z[:10].clone().requires_grad_()
    mmd2_beside(new, z[10:], p).backward()
    torch.testing.assert_close(new.grad, whole.grad[:10] * 3, rtol=1e-9, atol=1e-12)


def test_a_constrained_training_keeps_lambda_and_says_whether_it_was_met(config):
    """lambda and the estimate stand in the history, every step of them in the store, and the tolerance beside."""
    asked = dataclasses.replace(config, lambda_=50.0, lambda_schedule="constrained", memory=32, epochs=4)
    run = fit(asked, progress=False)
    lambda_ = run.steps["lambda"]
    assert len(lambda_) == 64 and lambda_[0] == 0 and (lambda_.diff() >= 0).all()
    assert run.history["steps"]["lambda"] == pytest.approx(lambda_[:50].tolist())
    told = run.history["constraint"]
    mean = run.steps["divergence"][-window(64) :].mean().item()
    assert told["mean"] == pytest.approx(mean, rel=1e-5) and told["met"] == (mean <= told["tolerance"])
    assert told["tolerance"] == tolerance(asked, make_prior("normal", 2), window(64))


def test_the_weight_of_a_step_is_the_logged_lambda(config):
    """The loss of every step is distortion + lambda times divergence; an InfoVAE's alpha stays where it is."""
    for method in ("vimae", "infovae"):
        asked = dataclasses.replace(config, method=method, alpha=None, lambda_=50.0, lambda_schedule="ramp", epochs=2)
        training = Training(asked, load_dataset("tiny", config.data_root)["train"][0], torch.device("cpu"))
        for _ in range(32):
            training.advance()
        logged = dict(zip(training.terms, training.log.T.double(), strict=True))
        expected = logged["distortion"] + (logged["lambda"] - asked.alpha) * logged["divergence"]
        expected += asked.alpha * logged.get("rate", 0.0)
        torch.testing.assert_close(logged["loss"], expected, rtol=1e-5, atol=1e-5)
        assert logged["lambda"][0] == asked.alpha and logged["lambda"][-1] == pytest.approx(50, rel=1e-5)


@pytest.mark.parametrize("given", [{"lambda_schedule": "ramp"}, {"memory": 10}, {"more_codes": 10}])
def test_a_schedule_without_a_divergence_is_refused(given):
    """A VAE weighs none: the message names the field and the method."""
    with pytest.raises(ValueError, match=rf"{next(iter(given))}=.* vae weighs no divergence"):
        RunConfig(method="vae", **given)


def test_other_codes_are_of_other_images_by_the_encoder_as_it_is(config):
    """The estimate of a step is that of the batch beside them, by the same draws made again."""
    asked = dataclasses.replace(config, more_codes=40, epochs=2)
    images = load_dataset("tiny", config.data_root)["train"][0]
    training = Training(asked, images, torch.device("cpu"))
    for _ in range(20):
        training.advance()
    again, network = torch.Generator(), training.network
    again.set_state(training.generator.get_state())
    x = images[training.order[4 * 16 : 5 * 16]] / 255.0  # batch 20 is the fifth of the second epoch
    with torch.no_grad():
        noise = torch.empty(16, 2).normal_(generator=again)
        others = network.encode(images[torch.randint(256, (40,), generator=again)] / 255.0).sample(again)
        z = network.encode(x).at(noise)
        expected = mmd2_beside(z, others, training.prior.sample(16 + 40, again)).item()
    training.advance()
    logged = training.log[20, training.terms.index("divergence")].item()
    assert logged == pytest.approx(expected, abs=1e-6)
    assert len(training.state()["memory"]) == 0


def test_one_sample_beside_the_batch_is_enough():
    """A memory and codes of other images together are refused, and a number below 0."""
    with pytest.raises(ValueError, match=r"more_codes=5 is not possible: must be 0 beside memory=10: either"):
        RunConfig(memory=10, more_codes=5)
    with pytest.raises(ValueError, match=r"more_codes=-1 is not possible: must be 0, or 2 or more images"):
        RunConfig(more_codes=-1)
