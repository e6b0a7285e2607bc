"""Which runs one process takes, and what a cluster's job of them asks for: memory, minutes by the recorded times."""

import json
import math
from dataclasses import replace
from functools import cache

from vimae_core import durations
from vimae_core.asked import Asked
from vimae_core.config import RunConfig
from vimae_core.reference import REFERENCE

MEMORY = 6000  # MiB: MNIST, its codes, and 10,000 images beside 10,000
START = 2.0  # minutes in which a job's processes start and read the data
SPARE = 2.0  # so many times as long as recorded, as another machine may be slower; the next attempt has more
UNKNOWN = 600.0  # seconds of what is nowhere recorded


def evenly(runs: list, at_most: int) -> list[list]:
    """Parted into processes of this machine, which take about as long as each other."""
    processes = -(-len(runs) // at_most)
    return [runs[i::processes] for i in range(processes)]


def by_minutes(runs: dict[str, Asked], full: float) -> list[list[str]]:
    """Parted into jobs of so many minutes, or of one run that takes longer: a queue has a price for each job."""
    parts: list[list[str]] = []
    taken = math.inf
    for name, run in runs.items():
        own = minutes([run])
        if taken + own > full:
            parts, taken = [*parts, []], 0.0
        parts[-1].append(name)
        taken += own
    return parts


def minutes(runs: list[Asked]) -> float:
    """How long runs take one after the other, by the committed times of the nearest kind."""
    seconds = 0.0
    for run in runs:
        config = replace(run.config, seed=0)
        seconds += _training(config) + sum(_measure(n, json.dumps(s), config) for n, s in run.measures.items())
    return seconds / 60


def limit(runs: list[Asked], attempt: int) -> int:
    """Minutes after which a queue may end a job of these runs; another attempt goes on from where that one ended."""
    return math.ceil(attempt * (START + SPARE * minutes(runs)))


@cache
def _recorded() -> list[durations.Timed]:
    return durations.recorded([REFERENCE])[0]  # and not those of the store, which grows while the workflow runs


@cache
def _training(config: RunConfig) -> float:
    return durations.training(config, _recorded(), "").seconds or UNKNOWN


@cache
def _measure(name: str, settings: str, config: RunConfig) -> float:
    return durations.measure(name, json.loads(settings), config, _recorded(), "").seconds or UNKNOWN
