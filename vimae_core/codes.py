"""Codes of the first test digits, in results/codes: what a page shows of runs whose weights are not kept."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int

from vimae_core.config import RunConfig
from vimae_core.data import ROOT, Dataset
from vimae_core.evaluation.record import evaluate
from vimae_core.reference import find_reference, reference_record
from vimae_core.runs import Run, fit
from vimae_core.store import RunError, config_digest, make_folder, write_bytes

CODES = ROOT / "results" / "codes"
N = 1000  # test digits, the first
N_MEASURED = 10_000  # test digits that a run's own divergence and rate are of
PER_UNIT = 100  # codes are kept as whole hundredths: finer than a screen shows
WRITTEN_BY = "python -m vimae_core codes"


@dataclass(frozen=True)
class Codes:
    """One draw z ~ q(z|x) for each of the first test digits, and the numbers of the run that drew them."""

    environment: dict  # of that run
    trained_again: bool  # as the record's weights were not kept
    kl: float  # D(q(z)||p(z)), nats
    rate: float  # nats an image; infinite of a deterministic encoder
    hundredths: Int[np.ndarray, "n 2"]


def codes_path(config: RunConfig) -> Path:
    """The file of a configuration's codes."""
    return CODES / f"{config_digest(config)}.json"


def read_codes(config: RunConfig, data_digest: str) -> Codes:
    """A configuration's codes. Raises RunError naming a file that is missing, damaged, or of another run or data."""
    path = codes_path(config)
    again = f"Restore it from git, or remove it and run {WRITTEN_BY}."
    if not path.is_file():
        raise RunError(f"{path} is missing. {again}")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        of = {name: stored[name] for name in ("config", "data_digest")}
        kl, rate = (math.inf if stored[name] is None else float(stored[name]) for name in ("kl", "rate"))
        codes = np.array(stored["codes"], dtype=np.int64)
        if codes.shape != (N, 2) or codes.tolist() != stored["codes"]:
            raise ValueError(f"codes of shape {codes.shape}: must be {N} pairs of whole numbers")
        found = Codes(stored["environment"], bool(stored["trained_again"]), kl, rate, codes)
    except (OSError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(f"{path} is damaged: {type(error).__name__} {error}. {again}") from None
    if of != (wanted := _of(config, data_digest)):
        raise RunError(f"{path} holds the codes of {of}, not of {wanted}. {again}")
    return found


def write_codes(config: RunConfig, data_digest: str, codes: Codes) -> None:
    """Into the configuration's file, whole or not at all."""
    numbers = {name: getattr(codes, name) for name in ("kl", "rate")}
    stored = {
        **_of(config, data_digest),
        **{name: value if math.isfinite(value) else None for name, value in numbers.items()},
        "trained_again": codes.trained_again,
        "environment": codes.environment,
        "codes": codes.hundredths.tolist(),
    }
    make_folder(CODES)
    write_bytes(codes_path(config), (json.dumps(stored, allow_nan=False) + "\n").encode())


def complete_codes(configs: Iterable[RunConfig], data: Dataset) -> Iterator[RunConfig]:
    """Those whose codes were missing, each as soon as they are written: by its committed weights, else by a training.

    Killed at any moment, the next call goes on. Raises what `fit` and `evaluate` do.
    """
    for config in configs:
        if codes_path(config).is_file():
            continue
        run = find_reference(config)
        again = run is None or not (run.path / "weights.safetensors").is_file()
        if again:
            run = fit(config, data)
        record = evaluate(run, N_MEASURED, data) if again else reference_record(run)
        codes = Codes(run.environment, again, record["kl"], record["rate"], draw_codes(run, data))
        write_codes(config, data.digest, codes)
        yield config


def draw_codes(run: Run, data: Dataset) -> Int[np.ndarray, "n 2"]:
    """One draw a digit, by the run's own seed."""
    z = run.posterior(data["test"][0][:N]).sample(torch.Generator().manual_seed(run.config.seed))
    return np.rint(PER_UNIT * z.double().numpy()).astype(np.int64)


def _of(config: RunConfig, data_digest: str) -> dict:
    return {"config": config.scientific, "data_digest": data_digest}
