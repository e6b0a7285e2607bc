"""fit: what a step is, exact resume, one training for two processes, and the run that comes of it."""

import dataclasses
import json
import signal
import time
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from tests import children
from tests.conftest import write_idx
from vimae_core import Run, RunConfig, fit, load_dataset
from vimae_core.objectives import distortion
from vimae_core.priors import make_prior
from vimae_core.store import load_tensors, run_path, runs_root, save_tensors
from vimae_core.training import Training, learning_rates


def weights_bytes(run: Run) -> bytes:
    return (run.path / "weights.safetensors").read_bytes()


def training_of(config: RunConfig, checkpoint_seconds: float = 0.0) -> str:
    """The program of a process of its own that trains `config`, with a checkpoint after every step by default."""
    return (
        "from vimae_core import RunConfig, fit\n"
        f"run = fit(RunConfig(**{dataclasses.asdict(config)!r}), checkpoint_seconds={checkpoint_seconds})\n"
        "print(run.path)"
    )


def test_training_lowers_the_loss(config):
    """30 epochs reconstruct the blobs better than 1, and far better than a constant."""
    run = fit(dataclasses.replace(config, epochs=30, schedule="constant"))
    loss = run.history["epochs"]["distortion"]
    images = load_dataset("tiny", config.data_root)["train"][0] / 255.0
    constant = distortion(images, torch.logit(images.mean(0, keepdim=True)).expand_as(images))
    assert loss[-1] < loss[0] - 5
    assert loss[-1] < constant.mean()


def test_a_step_is_adam_on_the_loss(config):
    """The first step is Kingma and Ba's, written out, on the loss terms that the history records."""
    data = load_dataset("tiny", config.data_root)
    training = Training(config, data["train"][0], torch.device("cpu"))
    before = {k: v.clone() for k, v in training.network.state_dict().items()}
    training.advance()
    for name, parameter in training.network.named_parameters():
        g = parameter.grad.double()  # with beta corrections the first step is lr g / (|g| + eps)
        expected = before[name].double() - config.learning_rate * g / (g.abs() + 1e-8)
        torch.testing.assert_close(parameter.detach().double(), expected, atol=1e-7, rtol=1e-4)
    loss, terms = training.log[0, 0], dict(zip(training.terms, training.log[0].tolist(), strict=True))
    assert loss.item() == pytest.approx(terms["distortion"] + 10 * terms["divergence"], rel=1e-5)


def test_history_is_the_mean_of_an_epoch_and_the_first_steps(config):
    """Three epochs of 16 steps: 48 recorded steps whose means are the epochs' terms."""
    history = fit(config).history
    steps = torch.tensor(history["steps"]["loss"], dtype=torch.float64)
    assert len(steps) == 48
    torch.testing.assert_close(
        steps.view(3, 16).mean(1), torch.tensor(history["epochs"]["loss"], dtype=torch.float64), rtol=1e-6, atol=0
    )


def test_same_seed_same_bits_other_seed_others(config, monkeypatch, tmp_path):
    """A run is determined by its configuration, bit by bit; the global random state is neither used nor changed."""
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = weights_bytes(fit(config))
    assert torch.equal(state, torch.get_rng_state())
    monkeypatch.setenv("VIMAE_RUNS", str(tmp_path / "again"))
    torch.manual_seed(2)
    assert weights_bytes(fit(config)) == first
    assert weights_bytes(fit(dataclasses.replace(config, seed=1))) != first


@pytest.mark.parametrize("schedule", ["wae", "exponential", "one-cycle", "constant"])
def test_learning_rate_schedules(schedule, config):
    """wae: lr, lr/2 from 30 %, lr/10 from 50 %; exponential: by equal factors to lr/100; one-cycle; constant."""
    c = dataclasses.replace(config, schedule=schedule, learning_rate=1.0)
    both = [learning_rates(c, step, 100) for step in range(100)]
    rates = [network for network, _ in both]
    assert [adversary for _, adversary in both] == pytest.approx([c.adversary_learning_rate * r for r in rates])
    if schedule == "wae":
        assert rates == [1.0] * 30 + [0.5] * 20 + [0.1] * 50
    elif schedule == "exponential":
        factors = [b / a for a, b in pairwise(rates)]
        assert factors == pytest.approx([100 ** (-1 / 100)] * 99) and rates[0] == 1.0
        assert rates[-1] * factors[0] == pytest.approx(0.01)
    elif schedule == "one-cycle":
        assert rates[0] == pytest.approx(0.1) and max(rates) == rates[10] == 1.0 and rates[-1] < 1e-3
        assert rates[10:] == sorted(rates[10:], reverse=True)
    else:
        assert set(rates) == {1.0}


@pytest.mark.parametrize("method", ["vae", "conv", "constrained", "adversarial", "autoregressive"])
def test_killed_at_several_moments_ends_in_the_same_bits(config, method, monkeypatch, tmp_path):
    """kill -9 of a training process, again and again, then a run to the end: the bits of the uninterrupted run."""
    if method == "conv":  # batch norm's moving averages, and bf16
        write_idx(Path(config.data_root) / "squares", side=28)
        config = dataclasses.replace(
            config, dataset="squares", architecture="conv", width=1 / 64, precision="bf16", epochs=25
        )
    elif method == "constrained":  # and the WAE code's start, noise, points and batch norm
        config = dataclasses.replace(
            config, architecture="wae-mlp", encoder="deterministic", input_noise=0.01, pretraining=64, epochs=50,
            lambda_=100.0, lambda_schedule="constrained", memory=200,
        )  # fmt: skip
    elif method == "adversarial":  # the discriminator's weights and moments
        config = dataclasses.replace(config, divergence="adversarial", prior="logistic", epochs=25)
    elif method == "autoregressive":  # and the draws of its pixels
        config = dataclasses.replace(config, decoder=method, epochs=50)
    else:
        config = dataclasses.replace(config, method=method, alpha=None, lambda_=None, epochs=50)
    whole = fit(config, progress=False)
    monkeypatch.setenv("VIMAE_RUNS", str(tmp_path / "killed"))
    partial = runs_root() / f"{whole.path.name}.partial" / "checkpoint.safetensors"
    steps = []
    for _ in range(3 if method == "vae" else 2):
        process = children.begin(training_of(config), said=tmp_path / "said")
        try:
            wait_until(lambda p=process: step_of(partial) > max(steps, default=0) + 40 or p.exitcode is not None)
        finally:
            process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL, "the training ended before it could be killed"
        steps.append(step_of(partial))
    assert steps[0] > 0 and steps == sorted(set(steps)) and steps[-1] < config.epochs * 16
    assert not (runs_root() / whole.path.name).exists()
    resumed = fit(config, progress=False)
    assert weights_bytes(resumed) == weights_bytes(whole)
    assert resumed.history == whole.history
    assert not partial.parent.exists()


def step_of(checkpoint: Path) -> int:
    """The step that a checkpoint was made after, from its header alone: its writer may be replacing it."""
    if not checkpoint.is_file():
        return 0
    with safe_open(checkpoint, "pt") as file:
        return int(json.loads(file.metadata()["vimae"])["step"])


def wait_until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def test_two_processes_share_one_training(config, tmp_path):
    """Both end with the run, one of them says that it waited, and it was trained once."""
    config = dataclasses.replace(config, epochs=100)
    said = [tmp_path / "one", tmp_path / "other"]
    both = [children.begin(training_of(config, checkpoint_seconds=60.0), said=file) for file in said]
    for process in both:
        process.join(timeout=120)
    assert [process.exitcode for process in both] == [0, 0]
    outputs = [file.read_text() for file in said]
    assert outputs[0].splitlines()[-1] == outputs[1].splitlines()[-1]
    assert sum(": begins" in text for text in outputs) == 1
    assert len([p for p in runs_root().iterdir() if p.is_dir()]) == 1


def test_a_run_is_named_by_what_determines_it(config, monkeypatch, tmp_path):
    """Fields, data and training code change the directory; device, data root and other modules do not."""
    digest = "0" * 64
    path = run_path(config, digest)
    assert run_path(dataclasses.replace(config, device="cpu", data_root="elsewhere"), digest) == path
    others = [run_path(dataclasses.replace(config, **change), digest) for change in ({"seed": 1}, {"lambda_": 11.0})]
    others += [run_path(config, "1" * 64)]
    monkeypatch.setattr("vimae_core.store.code_digest", lambda *_: "other code")
    others += [run_path(config, digest)]
    assert len({path, *others}) == 5


def test_run_encodes_decodes_and_samples(config):
    """Shapes and ranges of what a run gives; bytes and pixels in [0, 1] encode alike."""
    run = fit(config, progress=False)
    images, _ = load_dataset("tiny", config.data_root)["test"]
    z = run.encode(images)
    torch.testing.assert_close(z, run.encode(images / 255.0))
    assert z.shape == (64, 2) and run.decode(z).shape == images.shape
    samples = run.sample(7, torch.Generator().manual_seed(0))
    assert samples.shape == (7, 1, 8, 8) and samples.min() >= 0 and samples.max() <= 1
    torch.testing.assert_close(samples, run.decode(make_prior("normal", 2).sample(7, torch.Generator().manual_seed(0))))


def test_deterministic_encoder_is_a_point(config):
    """Its draws are its means, and it has half the outputs."""
    run = fit(dataclasses.replace(config, encoder="deterministic"), progress=False)
    posterior = run.posterior(load_dataset("tiny", config.data_root)["test"][0])
    assert torch.equal(posterior.sample(), posterior.mean)
    assert run.network.encoder[-1].out_features == 2


def test_tensors_survive_the_disk(tmp_path):
    """What save_tensors writes is what load_tensors reads, scalars and bytes too."""
    tensors = {"a": torch.randn(3, 4), "b": torch.tensor(2.0), "c": torch.arange(5, dtype=torch.uint8)}
    save_tensors(tmp_path / "x.safetensors", tensors, {"step": "3"})
    loaded, meta = load_tensors(tmp_path / "x.safetensors")
    assert meta == {"step": "3"} and all(torch.equal(loaded[k], v) for k, v in tensors.items())


def test_environment_tells_where_it_came_from(config):
    """Versions, machine, time, commit and data of a run, in JSON."""
    stored = json.loads((fit(config, progress=False).path / "environment.json").read_text())
    assert stored["torch"] == torch.__version__ and stored["threads"] == 1
    assert stored["data_digest"] == load_dataset("tiny", config.data_root).digest
    assert {"commit", "time", "python", "device", "precision", "seconds", "images_per_second"} <= set(stored)
