"""How long a training or a measure should take, by the recorded times of the nearest kind."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from pathlib import Path
from statistics import median
from typing import NamedTuple

from vimae_core.config import RunConfig
from vimae_core.datasets import TOY_FACES, TOY_SIZES
from vimae_core.environment import made_on_gpu
from vimae_core.store import RunError, is_whole, read_json

DIGITS = "mnist"
IMAGES = {DIGITS: 60_000, TOY_FACES: TOY_SIZES["train"]}  # where a run takes all of them
TESTS = 10_000  # of MNIST
PICTURES = 150_000  # of a folder of faces, about; CelebA has 162,770 to train on


class Timed(NamedTuple):
    """A recorded run and the seconds that it took, of each measure beside the settings it was made with."""

    config: RunConfig
    device: str
    seconds_an_image: float
    measures: dict[str, tuple[dict, float]]


class Estimate(NamedTuple):
    """Seconds of one process, from runs on `device`; `like`: whether these were of the same kind, not only the nearest;
    None and no device where nothing of the sort was recorded."""

    seconds: float | None
    device: str | None = None
    like: bool = False


def recorded(stores: Iterable[Path]) -> tuple[list[Timed], list[str]]:
    """The finished runs in several folders of runs; and of each that cannot be read, why."""
    found, faults = [], []
    for path in (p for store in stores if store.is_dir() for p in sorted(store.iterdir()) if is_whole(p)):
        try:
            found.append(_timed(path))
        except (RunError, ValueError, TypeError, KeyError, AttributeError) as error:
            told = str(error) if isinstance(error, RunError) else f"{path} is damaged ({error!r})"
            faults.append(told)
    return found, faults


def _timed(path: Path) -> Timed:
    known = {f.name for f in fields(RunConfig)}
    config = RunConfig(**{k: v for k, v in read_json(path / "config.json").items() if k in known})
    about = read_json(path / "environment.json")
    record = read_json(path / "record.json") if (path / "record.json").is_file() else {}
    took = {m: (record["determined_by"][m], float(t["seconds"])) for m, t in record.get("took", {}).items()}
    return Timed(config, about["device"], 1 / max(1, about["images_per_second"]), took)


def n_images(config: RunConfig) -> int:
    """How many images an epoch shows; of a folder of pictures, which are not counted now, about as many as CelebA's."""
    return config.n_train or IMAGES.get(config.dataset, PICTURES)


def training(config: RunConfig, runs: list[Timed], device: str) -> Estimate:
    """Of a training: that of one image, over epochs and images, in proportion to the square of the width.

    From the median of those runs of the same architecture and sort of images that are nearest: in width, in divergence,
    in the codes that an MMD takes, in where they ran (this `device`, else another; a CPU's for a GPU at last), in
    method.
    """
    of_sort = [t for t in runs if _sort(t.config) == _sort(config)]

    def distance(t: Timed) -> tuple:
        other = t.config
        divergence = [getattr(other, f) != getattr(config, f) for f in ("divergence", "more_codes", "memory")]
        width, method = _apart(other.width, config.width), other.method != config.method
        return _elsewhere(t, device), width, *divergence, t.device != device, method

    near = _nearest(of_sort, distance)
    if not near:
        return Estimate(None)
    scaled = [t.seconds_an_image * (config.width / t.config.width) ** 2 for t in near]
    seconds = median(scaled) * n_images(config) * config.epochs
    return Estimate(seconds, _where(near), not any(distance(near[0])[:5]))


def measure(name: str, settings: dict, config: RunConfig, runs: list[Timed], device: str) -> Estimate:
    """Of a measure: in proportion to its test images, draws and conditions.

    From the median of those runs of the same sort of images that are nearest: in where they ran, in architecture, in
    test images, draws and conditions, in width.
    """
    of_sort = [t for t in runs if name in t.measures and _sort(t.config)[1] == _sort(config)[1]]

    def distance(t: Timed) -> tuple:
        other = t.config
        size, width = _apart(_size(t.measures[name][0]), _size(settings)), _apart(other.width, config.width)
        return _elsewhere(t, device), other.architecture != config.architecture, size, width, t.device != device

    near = _nearest(of_sort, distance)
    if not near:
        return Estimate(None)
    seconds = median(t.measures[name][1] * _size(settings) / _size(t.measures[name][0]) for t in near)
    return Estimate(seconds, _where(near), not any(distance(near[0])[:3]))


def _elsewhere(timed: Timed, device: str) -> bool:
    """Whether one is a GPU and the other is none."""
    return _is_gpu(timed.device) != _is_gpu(device)


@cache
def _is_gpu(device: str) -> bool:
    return made_on_gpu({"device": device})


def _sort(config: RunConfig) -> tuple[str, bool, str]:
    """Digits, or pictures of faces, which all have one size; and the networks."""
    return config.architecture, config.dataset == DIGITS, config.decoder


def _size(settings: dict) -> int:
    """How many images a measure looks at, each as often as there are draws and conditions."""
    conditions = {*settings.get("conditions", []), *settings.get("curve", [])}
    return (settings.get("n_test") or TESTS) * max(1, len(settings.get("draws", []))) * max(1, len(conditions))


def _apart(one: int | float, other: int | float) -> float:
    return round(abs(math.log(one / other)), 6)


def _nearest(runs: list[Timed], distance) -> list[Timed]:
    """All that are as near as the nearest."""
    distances = [distance(t) for t in runs]
    least = min(distances, default=None)
    return [t for t, d in zip(runs, distances, strict=True) if d == least]


def _where(runs: list[Timed]) -> str:
    return Counter(t.device for t in runs).most_common(1)[0][0]
