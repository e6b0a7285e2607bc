"""fit: the run that a configuration names, found trained, resumed exactly where it was killed, or trained now."""

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.datasets import Dataset, load_dataset
from vimae_core.environment import environment
from vimae_core.networks import Autoencoder, Posterior, as_pixels, build_network
from vimae_core.priors import Prior, make_prior
from vimae_core.process import keep_buffers, own_settings, pick_device
from vimae_core.progress import Teller
from vimae_core.store import (
    RunError,
    free_space,
    is_whole,
    load_tensors,
    lock,
    make_folder,
    read_json,
    run_path,
    runs_root,
    save_tensors,
    write_json,
)
from vimae_core.training import Training, check_images

ROWS = 100  # encoded or decoded at a time: what a layer of so few images gives stays in the processor's cache
ASKED = "asked.json"  # beside a checkpoint: which run it is of
RECORDED_STEPS = 50  # kept one by one, so that `verify-reference` can replay them


@dataclass(frozen=True)
class Run:
    """A finished training: its configuration, losses and, where they were kept, weights."""

    config: RunConfig
    path: Path
    history: dict  # loss terms: per epoch, and per step for the first 50
    environment: dict  # versions, machine, time, commit

    @classmethod
    def load(cls, path: Path, **where) -> "Run":
        """Reads a run's JSON files; `where` sets `device` or `data_root`. Raises RunError naming the damaged file."""
        known = {f.name for f in fields(RunConfig)}
        stored = {k: v for k, v in read_json(path / "config.json").items() if k in known}
        return cls(
            config=RunConfig(**{**stored, **where}),
            path=path,
            history=read_json(path / "history.json"),
            environment=read_json(path / "environment.json"),
        )

    @cached_property
    def network(self) -> Autoencoder:
        """The trained network, on the configuration's device. Raises RunError where no weights were kept."""
        with own_settings():
            tensors, meta = load_tensors(self.path / "weights.safetensors")
            network = build_network(self.config, tuple(json.loads(meta["image_shape"])))
            network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
            return network.to(pick_device(self.config.device)).eval().requires_grad_(False)

    @cached_property
    def steps(self) -> dict[str, Float[Tensor, " steps"]]:
        """Every term of the loss, and a lambda that changes, at every step. Raises RunError for a published run."""
        tensors, meta = load_tensors(self.path / "steps.safetensors")
        return dict(zip(json.loads(meta["terms"]), tensors["log"].T, strict=True))

    @property
    def precision(self) -> str:
        """fp32 or bf16: what the processor that trained it multiplied in."""
        return self.environment.get("precision", "fp32")  # the first records had no other

    @property
    def prior(self) -> Prior:
        return make_prior(self.config.prior, self.config.latent_dim, self.config.prior_scale, self.config.prior_shape)

    def posterior(self, images: Tensor | np.ndarray) -> Posterior:
        """q(z|x) of images (n, channels, height, width), bytes or pixels in [0, 1]; on the CPU.

        Raises ValueError for another shape than the training images', and for whole numbers that are no bytes.
        """
        if tuple(images.shape[1:]) != self.network.image_shape:
            wanted = ", ".join(map(str, self.network.image_shape))
            raise ValueError(f"images of shape {tuple(images.shape)} are not possible: must be (n, {wanted})")
        with own_settings():
            device = next(self.network.parameters()).device
            parts = [self.network.encode(as_pixels(x).to(device)) for x in torch.as_tensor(images).split(ROWS)]
            return Posterior(*(torch.cat(column).cpu() for column in zip(*parts, strict=True)))

    def encode(self, images: Tensor | np.ndarray) -> Float[Tensor, "n d"]:
        """The posterior means: the features of an image."""
        return self.posterior(images).mean

    def logits(
        self,
        z: Tensor | np.ndarray,
        images: Tensor | np.ndarray | None = None,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "n c h w"]:
        """The decoder's output for codes (n, d), logits of the pixel means; on the CPU. Raises ValueError.

        The rest is for an autoregressive decoder, whose means are each given the pixels before: those of the `images`,
        or without them its own. The generator draws these pixels, 0 or 1; without one each is the more probable value.
        """
        if tuple(z.shape[1:]) != (self.config.latent_dim,):
            raise ValueError(f"codes of shape {tuple(z.shape)} are not possible: must be (n, {self.config.latent_dim})")
        with own_settings():
            device = next(self.network.parameters()).device
            given = self._given(len(z), images, generator)
            parts = zip(*(t.float().split(ROWS) for t in (torch.as_tensor(z), *given)), strict=True)
            return torch.cat([self.network.decode(*(t.to(device) for t in part)).cpu() for part in parts])

    def _given(self, n: int, images: Tensor | np.ndarray | None, generator: torch.Generator | None) -> list[Tensor]:
        """What the decoder takes beside n codes: nothing, or thresholds for the pixels, and images that set these."""
        if self.config.decoder == "plain":
            return []
        shape = n, *self.network.image_shape
        given = [torch.full(shape, 0.5) if generator is None else torch.rand(shape, generator=generator)]
        if images is not None and tuple(images.shape) != shape:
            raise ValueError(f"images of shape {tuple(images.shape)} are not possible for {n} codes: must be {shape}")
        return given if images is None else [*given, as_pixels(images)]

    def decode(self, z: Tensor | np.ndarray, generator: torch.Generator | None = None) -> Float[Tensor, "n c h w"]:
        """Pixel means in [0, 1]; an autoregressive decoder's are given its own pixels before, as of `logits`."""
        return torch.sigmoid(self.logits(z, None, generator))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Float[Tensor, "n c h w"]:
        """Images decoded from n draws of the prior; an autoregressive decoder draws their pixels too."""
        return self.decode(self.prior.sample(n, generator), generator or torch.default_generator)


def fit(config: RunConfig, data: Dataset | None = None, progress: bool = True, checkpoint_seconds: float = 10.0) -> Run:
    """The run of a configuration: from the store if it is there, else trained into it.

    `data` is the configuration's data set, where it has been read already.
    Killed at any moment, the next call goes on from the last checkpoint and ends in the same bits (same
    machine, device and thread count, whatever the caller has set in PyTorch). Two processes that want one run share
    one training. Raises DataError; ValueError for the data of another name; and RunError for a loss or weights that
    are not finite, a damaged checkpoint, a store that cannot be used, or a full disk.
    """
    device = pick_device(config.device)
    data = data or load_dataset(config.dataset, config.data_root)
    check_data(config, data)
    path = run_path(config, data.digest)
    where = {"device": config.device, "data_root": config.data_root}
    if is_whole(path):
        return Run.load(path, **where)
    with lock(path, progress), own_settings():
        if not is_whole(path):  # else another process has trained it meanwhile
            keep_buffers()
            training = Training(config, data["train"][0], device)
            partial = path.with_name(f"{path.name}.partial")
            _check_space(make_folder(partial), training)
            write_json(partial / ASKED, {"config": asdict(config), "data_digest": data.digest})
            tell = Teller(path.name, training) if progress else None
            try:
                seconds = _train(training, partial / "checkpoint.safetensors", tell, checkpoint_seconds)
                about = {"data_digest": data.digest, "seconds": round(seconds, 1)}
                _store(training, about, partial / f"whole.{socket.gethostname()}.{os.getpid()}", path)
            except (RunError, OSError):
                if not is_whole(path):  # else another machine thought this one dead, and has ended its training
                    raise
            shutil.rmtree(partial, ignore_errors=True)  # NFS keeps what is open still; `prune` removes the rest
    return Run.load(path, **where)


def stored_runs() -> Iterator[tuple[Path, Run | RunError]]:
    """Every run in the store; in place of a damaged one the error that tells how."""
    root = runs_root()
    for path in sorted(p for p in root.iterdir() if is_whole(p)) if root.is_dir() else []:
        try:
            yield path, Run.load(path)
        except (RunError, ValueError, TypeError) as error:
            yield path, RunError(str(error))


def _train(training: Training, checkpoint: Path, tell: Teller | None, checkpoint_seconds: float) -> float:
    """All steps that are left, with a checkpoint and a line of progress now and then; the seconds of all of them."""
    before = 0.0
    if checkpoint.is_file():
        tensors, meta = load_tensors(checkpoint)
        training.restore(tensors, int(meta["step"]))
        before = float(meta["seconds"])
    begun = looked = saved = time.monotonic()
    if tell:
        tell.begins(before)
    while training.step < training.total_steps:
        training.advance()
        if training.device.type == "cuda" and training.step % training.steps_per_epoch:
            continue  # to look at a loss would make the GPU wait
        now, last = time.monotonic(), training.step == training.total_steps
        if last or now - looked >= 1 or now - saved >= checkpoint_seconds:
            _check_finite(training, checkpoint, last)
            now = looked = time.monotonic()
            if tell:
                tell.goes_on(before + now - begun)
            if not last and now - saved >= checkpoint_seconds:
                meta = {"step": str(training.step), "seconds": str(before + now - begun)}
                save_tensors(checkpoint, training.state(), meta)
                saved = time.monotonic()
    return before + time.monotonic() - begun


def check_data(config: RunConfig, data: Dataset) -> None:
    """Raises ValueError for other data than the configuration's, and for such as cannot be trained on."""
    if data.name != config.dataset:
        raise ValueError(f"data of {data.name!r} are not those of the configuration, whose dataset={config.dataset!r}")
    check_images(config, data["train"][0])


def _check_finite(training: Training, checkpoint: Path, last: bool) -> None:
    """Raises RunError where a loss term so far is not finite, or a weight, or at last what the network computes."""
    log = training.log[: training.step]
    bad = (~log.isfinite()).any(1).nonzero()
    if len(bad):
        step = bad[0].item()
        terms = ", ".join(f"{t} = {v:g}" for t, v in zip(training.terms, log[step].tolist(), strict=True))
        fault = f"the loss is not finite at step {step} (epoch {step // training.steps_per_epoch + 1}): {terms}"
    elif broken := [n for n, t in training.learners.state_dict().items() if not t.isfinite().all()]:
        fault = f"weights are not finite after step {training.step - 1}: {', '.join(broken[:3])}"
    elif last and not _computes(training):
        fault = f"codes or pixels are not finite after the last step, {training.step - 1}"
    else:
        return
    kept = f"The last good checkpoint is {checkpoint}." if checkpoint.is_file() else "No checkpoint was made before."
    rates = ["learning_rate"] + ["adversary_learning_rate"] * (training.config.divergence == "adversarial")
    smaller = " or ".join(f"a smaller {name} than {getattr(training.config, name):g}" for name in rates)
    raise RunError(f"{fault}. {kept} Try {smaller} or a smaller lambda_.")


@torch.no_grad()
def _computes(training: Training) -> bool:
    """Whether the trained network gives finite numbers for the first images."""
    network = training.network.eval()
    codes = network.encode(as_pixels(training.images[: training.config.batch_size])).mean
    return bool(codes.isfinite().all() and network.decode(codes).isfinite().all())


def _store(training: Training, about: dict, whole: Path, path: Path) -> None:
    """The finished run, under its final name at once or not at all."""
    shutil.rmtree(whole, ignore_errors=True)
    whole.mkdir(parents=True)
    config, terms = training.config, training.terms
    log = training.log.double().cpu()
    epochs = log.view(config.epochs, training.steps_per_epoch, -1).mean(1)
    parts = log.tensor_split(min(100, training.total_steps))  # of the training
    history = {
        "epochs": {t: epochs[:, i].tolist() for i, t in enumerate(terms)},
        "hundredths": {t: [part[:, i].mean().item() for part in parts] for i, t in enumerate(terms)},
        "steps": {t: log[:RECORDED_STEPS, i].tolist() for i, t in enumerate(terms)},
    }
    if config.pretraining:
        history["pretraining"] = training.pretraining.tolist()
    if config.lambda_schedule == "constrained":
        enough, last = training.multiplier.tolerance, log[-training.multiplier.window :, terms.index("divergence")]
        mean = last.mean().item()
        history["constraint"] = {"tolerance": enough, "mean": mean, "met": mean <= enough}
    speed = training.total_steps * config.batch_size / max(about["seconds"], 1e-9)
    about = {**about, "images_per_second": round(speed), "precision": training.network.precision}
    shape = json.dumps(list(training.images.shape[1:]))
    save_tensors(whole / "weights.safetensors", training.network.state_dict(), {"image_shape": shape})
    save_tensors(whole / "steps.safetensors", {"log": log.float()}, {"terms": json.dumps(terms)})
    write_json(whole / "history.json", history)
    write_json(whole / "environment.json", {**about, **environment(training.device)})
    write_json(whole / "config.json", {k: v for k, v in asdict(config).items() if k != "data_root"})
    os.replace(whole, path)  # onto nothing, or onto the empty folder that a workflow made


def _check_space(folder: Path, training: Training) -> None:
    """Refuses to begin where the checkpoint (weights, two moments) and the result would not fit."""
    needed = 8 * sum(p.numel() * p.element_size() for p in training.learners.parameters())
    if shutil.disk_usage(folder).free < needed:
        raise RunError(f"{folder} needs {needed / 2**20:,.0f} MiB for a checkpoint. {free_space(folder)}")
