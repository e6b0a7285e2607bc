"""Which runs one process takes, and what a cluster's job of them asks for: memory, minutes by the recorded times."""

import json
import math
from dataclasses import replace
from functools import cache

from vimae_core import durations
from vimae_core.asked import Asked
from vimae_core.config import RunConfig
from vimae_core.environment import CORES
from vimae_core.reference import REFERENCE

MEMORY = 6000  # MiB: MNIST, its codes, and 10,000 images beside 10,000
START = 2.0  # minutes in which a job's processes start and read the data
SPARE = 2.0  # so many times as long as recorded, as another machine may be slower; the next attempt has more
UNKNOWN = 600.0  # seconds of what is nowhere recorded
DEVICE = {True: "some GPU", False: f"some CPU, 2{CORES}"}  # which one nobody knows before


def evenly(runs: list, at_most: int) -> list[list]:
    """Parted into processes of this machine, which take about as long as each other."""
    processes = -(-len(runs) // at_most)
    return [runs[i::processes] for i in range(processes)]


def by_minutes(runs: dict[str, Asked], full: float, on_gpu: bool = False) -> list[list[str]]:
    """Parted into jobs of so many minutes, or of one run that takes longer: a queue has a price for each job."""
    parts: list[list[str]] = []
    taken = math.inf
    for name, run in runs.items():
        own = minutes([run], on_gpu)
        if taken + own > full:
            parts, taken = [*parts, []], 0.0
        parts[-1].append(name)
        taken += own
    return parts


def minutes(runs: list[Asked], on_gpu: bool = False) -> float:
    """How long runs take one after the other, by the committed times of the nearest kind, of a GPU or else of a CPU."""
    seconds = 0.0
    for run in runs:
        config = replace(run.config, seed=0)
        measures = (_measure(n, json.dumps(s), config, on_gpu) for n, s in run.measures.items())
        seconds += _training(config, on_gpu) + sum(measures)
    return seconds / 60


def limit(runs: list[Asked], attempt: int, on_gpu: bool = False) -> int:
    """Minutes after which a queue may end a job of these runs; another attempt goes on from where that one ended."""
    return math.ceil(attempt * (START + SPARE * minutes(runs, on_gpu)))


@cache
def _recorded() -> list[durations.Timed]:
    return durations.recorded([REFERENCE])[0]  # and not those of the store, which grows while the workflow runs


@cache
def _training(config: RunConfig, on_gpu: bool) -> float:
    return durations.training(config, _recorded(), DEVICE[on_gpu]).seconds or UNKNOWN


@cache
def _measure(name: str, settings: str, config: RunConfig, on_gpu: bool) -> float:
    return durations.measure(name, json.loads(settings), config, _recorded(), DEVICE[on_gpu]).seconds or UNKNOWN
