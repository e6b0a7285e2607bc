"""Do the published numbers still follow from this code? Recorded runs are replayed, and measured anew where cheap."""

import math
from dataclasses import replace

from vimae_core.data import Dataset, data_root
from vimae_core.datasets import load_dataset
from vimae_core.process import own_settings, pick_device
from vimae_core.reference import REFERENCE
from vimae_core.runs import RECORDED_STEPS, Run
from vimae_core.store import RunError, is_whole
from vimae_core.training import Training

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
    with own_settings():
        device = pick_device(run.config.device)
        training = Training(replace(run.config, precision=precision), data["train"][0], device)
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


def verify_all() -> int:
    """Replays every recorded run whose data are here, and says what was found. Raises RunError where one deviates."""
    paths = sorted(p for p in REFERENCE.iterdir() if is_whole(p)) if REFERENCE.is_dir() else []
    if not paths:
        raise RunError(f"{REFERENCE} holds no records")
    runs = [Run.load(path) for path in paths]
    names = {run.config.dataset for run in runs}
    data = {name: load_dataset(name) for name in sorted(names) if (data_root() / name).is_dir()}
    digests = {name: found.digest for name, found in data.items()}
    here = [run for run in runs if digests.get(run.config.dataset) == run.environment["data_digest"]]
    if not here:
        raise RunError(f"none of the {len(runs)} recorded runs was trained on data that are in {data_root()}")
    worst = max(verify(run, data[run.config.dataset]) for run in here)
    print(f"{len(here)} recorded runs agree with today's code; largest relative deviation of a loss term {worst:.1e}")
    if absent := len(runs) - len(here):
        others = ", ".join(sorted({run.config.dataset for run in runs if run not in here}))
        print(f"{absent} were not replayed: their pictures ({others}) are not in {data_root()}")
    return 0
