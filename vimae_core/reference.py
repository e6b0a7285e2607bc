"""The committed records of the long runs: found by their configuration alone, and held against today's code."""

import math
from dataclasses import asdict, replace
from pathlib import Path

from vimae_core.config import UNSCIENTIFIC, RunConfig
from vimae_core.datasets import ROOT, Dataset, load_dataset
from vimae_core.runs import (
    Run,
    RunError,
    config_digest,
    is_whole,
    load_tensors,
    pick_device,
    read_json,
    save_tensors,
    write_bytes,
)
from vimae_core.training import RECORDED_STEPS, Training

REFERENCE = ROOT / "results" / "reference"


def find_reference(config: RunConfig) -> Run | None:
    """The committed run of the same configuration, whatever the code was; None where there is none."""
    path = REFERENCE / config_digest(config)
    if not is_whole(path):
        return None
    run = Run.load(path, device=config.device, data_root=config.data_root)
    if any(getattr(config, k) != v for k, v in asdict(run.config).items() if k not in UNSCIENTIFIC):
        return None  # a default has changed since
    return run


def reference_runs(configs: list[RunConfig]) -> list[Run]:
    """The committed runs among those of these configurations."""
    return [run for run in map(find_reference, configs) if run]


def reference_record(run: Run, measure: str = "latent_fit") -> dict:
    """One measure of a committed run, as it was published; empty where it was not measured."""
    return read_json(run.path / "record.json").get(measure, {})


def publish(run: Run, weights: bool) -> Path:
    """Copies a run's records into results/reference, and its weights in half precision if asked for.

    Half precision is enough for a figure and halves the file; the numbers come from the record.
    """
    target = REFERENCE / config_digest(run.config)
    target.mkdir(parents=True, exist_ok=True)
    for name in ("history.json", "record.json", "environment.json"):
        write_bytes(target / name, (run.path / name).read_bytes())
    if weights:
        tensors, meta = load_tensors(run.path / "weights.safetensors")
        save_tensors(
            target / "weights.safetensors",
            {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()},
            meta,
        )
    write_bytes(target / "config.json", (run.path / "config.json").read_bytes())  # last: makes it whole
    return target


# How many recorded steps are replayed, which part of the loss a small term is held against, and by how much a term
# may deviate on another processor. Rounding grows fast in bf16 and through batch norm: between one thread and two, or
# with other instructions, a term of such a run was off by up to 0.02 after 10 steps, and by up to 0.3 after 50.
REPLAY = (RECORDED_STEPS, 1e-3, 2e-3)
REPLAY_ROUGHLY = (10, 1e-2, 0.1)  # bf16, or convolutional


def verify(run: Run, data: Dataset | None = None) -> float:
    """Replays the first steps of a recorded run with today's code; the largest relative deviation of a term.

    In the precision of the record, whatever this processor's own, and to the tolerance that it needs.
    Raises RunError where a term deviates by more.
    """
    precision = run.environment.get("precision", "fp32")  # the first records had no other
    rough = precision == "bf16" or run.config.architecture == "conv"
    steps, floor, tolerance = REPLAY_ROUGHLY if rough else REPLAY
    data = data or load_dataset(run.config.dataset, run.config.data_root)
    if data.digest != run.environment["data_digest"]:
        raise RunError(f"{run.path}: recorded with data {run.environment['data_digest'][:12]}, here {data.digest[:12]}")
    training = Training(replace(run.config, precision=precision), data, pick_device(run.config.device))
    steps = min(steps, training.total_steps)
    for _ in range(steps):
        training.advance()
    worst = 0.0
    for i, term in enumerate(training.terms):
        for step, recorded in enumerate(run.history["steps"][term][:steps]):
            found = training.log[step, i].item()
            deviation = abs(found - recorded) / max(abs(recorded), floor * abs(run.history["steps"]["loss"][step]))
            worst = max(worst, deviation)
            if not deviation <= tolerance or not math.isfinite(found):
                raise RunError(
                    f"{run.path}: {term} at step {step} was {recorded:.6g} when it was recorded and is {found:.6g} "
                    f"with today's code (tolerance {tolerance:g}): the published numbers are not this code's"
                )
    return worst
