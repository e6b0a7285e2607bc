"""fit: trains the run that a configuration names, or finds it trained; resumes exactly where it was killed."""

import contextlib
import json
import math
import os
import platform
import shutil
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.datasets import ROOT, Dataset, load_dataset
from vimae_core.networks import build_network, pick_precision
from vimae_core.objectives import loss_terms
from vimae_core.priors import make_prior
from vimae_core.runs import (
    Run,
    RunError,
    as_pixels,
    free_space,
    is_whole,
    load_tensors,
    pick_device,
    run_path,
    save_tensors,
    write_json,
)

RECORDED_STEPS = 50  # kept one by one, so that `verify-reference` can replay them


def fit(config: RunConfig, data: Dataset | None = None, progress: bool = True, checkpoint_seconds: float = 10.0) -> Run:
    """The run of a configuration: from the store if it is there, else trained into it.

    `data` is the configuration's data set, where it has been read already.
    Killed at any moment, the next call goes on from the last checkpoint and ends in the same bits (same
    machine, device and thread count). Two processes that want one run share one training. Raises
    DataError, and RunError for a loss that is not finite, a damaged checkpoint, or a full disk.
    """
    device = pick_device(config.device)
    data = data or load_dataset(config.dataset, config.data_root)
    path = run_path(config, data.digest)
    where = {"device": config.device, "data_root": config.data_root}
    if is_whole(path):
        return Run.load(path, **where)
    with _lock(path, progress):
        if not is_whole(path):  # else another process has trained it meanwhile
            training = Training(config, data, device)
            partial = path.with_name(f"{path.name}.partial")
            _check_space(partial, training)
            checkpoint = partial / "checkpoint.safetensors"
            if checkpoint.is_file():
                training.restore(checkpoint)
            training.run(checkpoint, progress, checkpoint_seconds)
            training.store(partial / "whole", path)
            shutil.rmtree(partial)
    return Run.load(path, **where)


class Training:
    """A training in progress: what a checkpoint holds, and the step that changes it."""

    def __init__(self, config: RunConfig, data: Dataset, device: torch.device):
        images, _ = data["train"]
        if config.n_train is not None and config.n_train > len(images):
            raise ValueError(f"n_train={config.n_train} is not possible: {data.name} has {len(images)} training images")
        self.config, self.data_digest, self.device = config, data.digest, device
        self.images = images[: config.n_train].to(device)
        self.steps_per_epoch = len(self.images) // config.batch_size  # an incomplete batch is left out
        if self.steps_per_epoch == 0:
            raise ValueError(f"batch_size={config.batch_size} is not possible: only {len(self.images)} training images")
        self.total_steps = config.epochs * self.steps_per_epoch
        self.prior = make_prior(config.prior, config.latent_dim)
        self.network = build_network(config, images.shape[1:]).to(device)
        self.network.precision = pick_precision(config.precision, device)
        self.weights = {name: p for name, p in self.network.named_parameters() if p.requires_grad}
        self.optimiser = torch.optim.Adam(
            self.weights.values(), config.learning_rate, betas=(config.adam_beta1, 0.999), fused=True
        )
        self.generator = torch.Generator(device).manual_seed(config.seed)  # posterior and prior samples
        # On a GPU one compiled graph a step; on a CPU compiling costs more than it saves (benchmarks/README.md).
        self.losses = torch.compile(self._losses, mode="reduce-overhead") if device.type == "cuda" else self._losses
        self.terms = [t for t, used in _terms_used(config).items() if used]
        self.log = torch.full((self.total_steps, len(self.terms)), torch.nan, device=device)  # read seldom: no sync
        self.order: Tensor | None = None  # of this epoch's images
        self.step, self.seconds = 0, 0.0

    def advance(self) -> None:
        """One step of Adam on the next batch."""
        epoch, batch = divmod(self.step, self.steps_per_epoch)
        if batch == 0 or self.order is None:
            self.order = self._epoch_order(epoch)
        rows = self.order[batch * self.config.batch_size : (batch + 1) * self.config.batch_size]
        x = as_pixels(self.images.index_select(0, rows))
        noise = torch.empty(len(x), self.config.latent_dim, device=self.device).normal_(generator=self.generator)
        z_prior = self.prior.sample(len(x), self.generator)
        terms = self.losses(x, noise, z_prior)
        self.optimiser.zero_grad()
        terms["loss"].backward()
        self.optimiser.param_groups[0]["lr"] = learning_rate(self.config, self.step, self.total_steps)
        self.optimiser.step()
        self.log[self.step] = torch.stack([terms[t].detach() for t in self.terms])
        self.step += 1

    def _losses(self, x: Tensor, noise: Tensor, z_prior: Tensor) -> dict[str, Tensor]:
        """The loss and its terms; no draw of a random number, and nothing that waits for the device."""
        posterior = self.network.encode(x)
        z = posterior.at(noise)
        return loss_terms(self.config, self.prior, x, self.network.decode(z), posterior, z, z_prior)

    def _epoch_order(self, epoch: int) -> Tensor:
        """A permutation of the training images that seed and epoch determine, on any device."""
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + epoch)
        return torch.randperm(len(self.images), generator=generator).to(self.device)

    def run(self, checkpoint: Path, progress: bool, checkpoint_seconds: float) -> None:
        """All steps that are left, with a checkpoint and a progress line from time to time."""
        begun = shown = saved = time.monotonic()
        before, first = self.seconds, self.step
        while self.step < self.total_steps:
            self.advance()
            if self.device.type == "cuda" and self.step % self.steps_per_epoch:
                continue  # to look at a loss would make the GPU wait
            now, last = time.monotonic(), self.step == self.total_steps
            if last or now - shown >= 1 or now - saved >= checkpoint_seconds:
                self._check_finite(checkpoint)
                now = time.monotonic()
                self.seconds = before + now - begun
                if progress and (last or now - shown >= 1):
                    self._show(now - begun, self.step - first)
                    shown = now
                if not last and now - saved >= checkpoint_seconds:
                    self.save(checkpoint)
                    saved = time.monotonic()

    def _check_finite(self, checkpoint: Path) -> None:
        bad = (~self.log[: self.step].isfinite()).any(1).nonzero()
        if len(bad) == 0:
            return
        step = bad[0].item()
        terms = ", ".join(f"{t} = {v:g}" for t, v in zip(self.terms, self.log[step].tolist(), strict=True))
        kept = (
            f"The last good checkpoint is {checkpoint}." if checkpoint.is_file() else "No checkpoint was made before."
        )
        raise RunError(
            f"the loss is not finite at step {step} (epoch {step // self.steps_per_epoch + 1}): {terms}. {kept} "
            f"Try a smaller learning_rate than {self.config.learning_rate:g} or a smaller lambda_."
        )

    def _show(self, seconds: float, steps: int) -> None:
        recent = self.log[max(0, self.step - self.steps_per_epoch) : self.step].mean(0).tolist()
        terms = "  ".join(f"{t} {v:.4g}" for t, v in zip(self.terms, recent, strict=True))
        speed = steps * self.config.batch_size / seconds
        left = (self.total_steps - self.step) * self.config.batch_size / speed
        epoch = -(-self.step // self.steps_per_epoch)
        print(
            f"\r{self.config.label} seed {self.config.seed}  epoch {epoch}/{self.config.epochs}  {terms}  "
            f"{speed:,.0f} images/s  {left:.0f} s left  ",
            end="\n" if self.step == self.total_steps else "",
            flush=True,
        )

    def save(self, checkpoint: Path) -> None:
        """Everything that the next step depends on, in one file."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        for name, parameter in self.weights.items():
            tensors |= {f"adam.{name}.{k}": v for k, v in self.optimiser.state[parameter].items()}
        tensors["generator"] = self.generator.get_state()
        tensors["log"] = self.log[: self.step]
        save_tensors(checkpoint, tensors, {"step": str(self.step), "seconds": str(self.seconds)})

    def restore(self, checkpoint: Path) -> None:
        """Goes back to a checkpoint. Raises RunError where it is damaged."""
        tensors, meta = load_tensors(checkpoint)
        self.step = int(meta["step"])
        self.seconds = float(meta["seconds"])
        self.network.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("network.")})
        for name, parameter in self.weights.items():
            state = {k: tensors[f"adam.{name}.{k}"] for k in ("step", "exp_avg", "exp_avg_sq")}
            for k in ("exp_avg", "exp_avg_sq"):  # in the parameter's own layout, which fused Adam takes for granted
                state[k] = torch.empty_like(parameter).copy_(state[k])
            self.optimiser.state[parameter] = {k: v.to(self.device) for k, v in state.items()}
        self.generator.set_state(tensors["generator"])
        self.log[: self.step] = tensors["log"].to(self.device)

    def store(self, whole: Path, path: Path) -> None:
        """The finished run, under its final name at once or not at all."""
        shutil.rmtree(whole, ignore_errors=True)
        whole.mkdir(parents=True)
        log = self.log.double().cpu()
        epochs = log.view(self.config.epochs, self.steps_per_epoch, -1).mean(1)
        parts = log.tensor_split(min(100, self.total_steps))  # of the training
        history = {
            "epochs": {t: epochs[:, i].tolist() for i, t in enumerate(self.terms)},
            "hundredths": {t: [part[:, i].mean().item() for part in parts] for i, t in enumerate(self.terms)},
            "steps": {t: log[:RECORDED_STEPS, i].tolist() for i, t in enumerate(self.terms)},
        }
        shape = json.dumps(list(self.images.shape[1:]))
        save_tensors(whole / "weights.safetensors", self.network.state_dict(), {"image_shape": shape})
        write_json(whole / "history.json", history)
        write_json(whole / "environment.json", self._environment())
        write_json(whole / "config.json", {k: v for k, v in asdict(self.config).items() if k != "data_root"})
        os.replace(whole, path)  # onto nothing, or onto the empty folder that a workflow made

    def _environment(self) -> dict:
        return {
            "data_digest": self.data_digest,
            "seconds": round(self.seconds, 1),
            "images_per_second": round(self.total_steps * self.config.batch_size / max(self.seconds, 1e-9)),
            "precision": self.network.precision,
            **environment(self.device),
        }


def learning_rate(config: RunConfig, step: int, total_steps: int) -> float:
    """The learning rate of a step.

    wae: halved after 30 % of the steps and divided by 5 after 50 %, the WAE code's rule for 100 epochs.
    exponential: by a constant factor, in all divided by 100; the WAE code's smooth rule.
    one-cycle: up in a line for 10 % of the steps, then down to 0 along a cosine.
    """
    done = step / total_steps
    if config.schedule == "wae":
        return config.learning_rate / (1 if done < 0.3 else 2 if done < 0.5 else 10)
    if config.schedule == "exponential":
        return config.learning_rate * 100**-done
    if config.schedule == "one-cycle":
        if done < 0.1:
            return config.learning_rate * min(1.0, (step + 1) / (0.1 * total_steps))
        return config.learning_rate * 0.5 * (1 + math.cos(math.pi * (done - 0.1) / 0.9))
    return config.learning_rate


def environment(device: torch.device) -> dict:
    """Versions, machine and commit: what a number's provenance needs."""
    return {
        "commit": _commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else _processor(),
        "threads": torch.get_num_threads(),
    }


def _commit() -> str:
    with contextlib.suppress(OSError):  # no git here
        asked = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
        return asked.stdout.strip() or "unknown"
    return "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, {os.cpu_count()} cores"


def _terms_used(config: RunConfig) -> dict[str, bool]:
    return {"loss": True, "distortion": True, "rate": config.alpha > 0, "divergence": config.lambda_ > config.alpha}


def _check_space(folder: Path, training: Training) -> None:
    """Refuses to begin where the checkpoint (weights, two moments) and the result would not fit."""
    folder.mkdir(parents=True, exist_ok=True)
    needed = 8 * sum(p.numel() * p.element_size() for p in training.network.parameters())
    if shutil.disk_usage(folder).free < needed:
        raise RunError(f"{folder} needs {needed / 2**20:,.0f} MiB for a checkpoint. {free_space(folder)}")


@contextlib.contextmanager
def _lock(path: Path, progress: bool):
    """Held while a run is trained; the system lets it go when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if progress:
            print(f"another process trains {path.name}: waiting for its result", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
