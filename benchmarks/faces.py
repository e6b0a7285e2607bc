"""The measure `faces` of trained models, the plain way and the package's, in turn in one process of one thread.

    PYTHONPATH=. .venv/bin/python benchmarks/faces.py

Prints a line a model, writes benchmarks/faces.json. The real pictures' features are in the cache for both.
"""

import json
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import plain_faces
import torch

from vimae_core import Run, load_dataset
from vimae_core.evaluation import faces as measure
from vimae_core.evaluation import frechet
from vimae_core.reference import REFERENCE

N_TEST = 500  # as in the profile `quick`
MODELS = ("29436a047c587936", "51908ff1e8a506ce", "7651541c908e4897", "994bfcc8768835b1")  # of the chapter on faces


def plain(run: Run, data) -> dict:
    """The measure with the plain pieces in place of the package's."""
    with ExitStack() as stack:
        for name in ("feature_network", "described_once", "frechet_distance", "kernel_distance"):
            stack.enter_context(patch.object(measure, name, getattr(plain_faces, name)))
        stack.enter_context(patch.object(frechet, "frechet_distance", plain_faces.frechet_distance))
        return package(run, data)


def package(run: Run, data) -> dict:
    return measure.faces(run, data, N_TEST, "efficientnet-lite0")


def timed(way, run: Run, data) -> tuple[dict, float]:
    """The record, and the seconds of processor time that it took."""
    start = time.process_time()
    return way(run, data), time.process_time() - start


def numbers(record: dict, path: str = "") -> dict[str, float]:
    """Every number of a record by its name; a list's by their places."""
    found = {}
    for key, value in record.items():
        if isinstance(value, list):
            value = {str(place): part for place, part in enumerate(value)}
        if isinstance(value, dict):
            found |= numbers(value, f"{path}{key} ")
        elif not isinstance(value, str):
            found[f"{path}{key}"] = value
    return found


def differences(one: dict, other: dict) -> dict:
    """The largest relative one between numbers, and where. A deviation over equal subsets is rounding, so not that."""
    one, other = numbers(one), numbers(other)
    assert one.keys() == other.keys()
    off = {
        key: abs(one[key] - other[key]) / max(abs(one[key]), abs(other[key]), 1e-12)
        for key in one
        if not key.endswith("deviation")
    }
    distances = {key: value for key, value in off.items() if key.startswith("ladder") or key.endswith("distance")}
    largest = max(off, key=off.get)
    return {
        "largest difference": off[largest],
        "of": largest,
        "plain": one[largest],
        "package": other[largest],
        "largest of a distance": max(distances.values()),
    }


def main() -> None:
    torch.set_num_threads(1)
    data = load_dataset("toy-faces")
    runs = [Run.load(REFERENCE / name, device="cpu") for name in MODELS]
    runs.append(replace(runs[-1], config=replace(runs[-1].config, seed=1)))  # the same model, other samples
    with tempfile.TemporaryDirectory() as cache, patch.dict(os.environ, {"VIMAE_CACHE": cache}):
        for way in (plain, package):
            way(runs[0], data)  # fills the cache
        rows = []
        for turn, run in enumerate(runs):
            run.network  # noqa: B018 (loads the weights outside the clock)
            order = (plain, package) if turn % 2 == 0 else (package, plain)
            done = {way: timed(way, run, data) for way in order}
            (before, slow), (after, fast) = done[plain], done[package]
            rows.append({"model": f"{run.path.name} {run.config.method}", "seed": run.config.seed})
            rows[-1] |= {"plain seconds": slow, "package seconds": fast, "ratio": slow / fast}
            rows[-1] |= differences(before, after)
            print({k: float(f"{v:.3g}") if isinstance(v, float) else v for k, v in rows[-1].items()}, flush=True)
    ratio = statistics.median(row["ratio"] for row in rows)
    record = {"n_test": N_TEST, "threads": 1, "torch": torch.__version__, "median ratio": ratio, "models": rows}
    record["cpu capability"] = torch.backends.cpu.get_cpu_capability()
    Path(__file__).with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    print(f"the package takes 1/{ratio:.2f} of the plain way's processor time")


if __name__ == "__main__":
    main()
