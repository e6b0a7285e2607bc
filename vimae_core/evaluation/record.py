"""A run's record: what is measured of it, beside what determined each measure; made anew where that has changed."""

import importlib
import inspect
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

from vimae_core.config import RunConfig
from vimae_core.datasets import Dataset, load_dataset
from vimae_core.definitions import code_digest
from vimae_core.process import keep_buffers, own_settings
from vimae_core.runs import Run
from vimae_core.store import RunError, lock, read_json, write_json

# Each a module here, with a function of its name
MEASURES = (
    "latent_fit", "batches", "probes", "generation", "faces", "drawn_codes",
    "information", "disentanglement", "disentanglement_floors",
)  # fmt: skip


def measure_function(measure: str) -> Callable[..., dict]:
    """The function that measures: of a run, its data, `n_test`, and settings of its own. Raises ValueError."""
    _check_name(measure)
    return getattr(importlib.import_module(f"vimae_core.evaluation.{measure}"), measure)


def _check_name(measure: str) -> None:
    if measure not in MEASURES:
        raise ValueError(f"measure {measure!r} is unknown: must be one of {', '.join(MEASURES)}")


def measure_settings(measure: str) -> list[str]:
    """The names of its settings. Raises ValueError."""
    return list(inspect.signature(measure_function(measure)).parameters)[2:]


def check_measure(measure: str, config: RunConfig, data: Dataset, **settings) -> None:
    """Raises ValueError where such a run could not be measured so: before it is trained.

    By the measure's module, where that has a `check` of the configuration, the data and the settings.
    """
    function = measure_function(measure)
    settings = inspect.signature(function).bind(None, None, **settings).arguments
    n_test, n = settings.get("n_test"), len(data["test"][0])
    if n_test is not None and not (type(n_test) is int and n_test >= 1):
        raise ValueError(
            f"n_test={n_test!r} is not possible: must be a whole number from 1 on; {data.name} has {n} test images"
        )
    if check := getattr(importlib.import_module(function.__module__), "check", None):
        check(config, data, **{name: value for name, value in settings.items() if value is not None})


def evaluate(
    run: Run, n_test: int | None = None, data: Dataset | None = None, measure: str = "latent_fit", **settings
) -> dict:
    """One measure of a run, on the first `n_test` test images: as stored in its record, or measured and stored now.

    `data` is the run's data set, where it has been read already; `settings` are the measure's own. Raises ValueError
    for a measure that is unknown, and for one that these data and settings do not allow.
    """
    settings = json.loads(json.dumps({"n_test": n_test, **settings}))
    determined_by = {"sources": measure_digest(measure, run.config), **settings}
    path = run.path / "record.json"
    record = _read(path)
    if record["determined_by"].get(measure) != determined_by:
        data = data or load_dataset(run.config.dataset, run.config.data_root)
        check_measure(measure, run.config, data, **settings)
        begun = time.monotonic()
        with own_settings():
            keep_buffers()
            found = measure_function(measure)(run, data, **settings)
        found = _as_json(found, measure)
        took = {"seconds": round(time.monotonic() - begun, 1), "until": round(time.time())}
        with lock(run.path):  # another measure may have been stored meanwhile
            record = _read(path)
            record[measure] = found
            record["determined_by"][measure] = determined_by
            record.setdefault("took", {})[measure] = took
            write_json(path, record)
    return as_measured(record[measure])


def outdated(path: Path, config: RunConfig, asked: dict[str, dict]) -> list[str]:
    """The measures, each with its settings, that a record file does not hold as today's code makes them."""
    try:
        stored = _read(path)["determined_by"]
    except (RunError, KeyError, TypeError):  # damaged: made anew
        return list(asked)
    wanted = {m: {"sources": measure_digest(m, config), "n_test": None, **s} for m, s in asked.items()}
    return [m for m, w in wanted.items() if stored.get(m) != json.loads(json.dumps(w))]


def _read(path: Path) -> dict:
    return read_json(path) if path.is_file() else {"determined_by": {}}


def _as_json(value, measure: str):
    """JSON has no infinity: null stands for it. Raises ValueError for what is neither a number nor infinite."""
    if isinstance(value, dict):
        return {name: _as_json(part, f"{measure}, {name}") for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(part, measure) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        if value != math.inf:
            raise ValueError(f"{measure} is {value}: no number that a record can hold")
        return None
    return value


def as_measured(value):
    """What a record holds, null read back as the infinity that it means."""
    if isinstance(value, dict):
        return {name: as_measured(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_measured(part) for part in value]
    return math.inf if value is None else value


def measure_digest(measure: str, config: RunConfig) -> str:
    """The digest of the code that a measure of such a run executes. Raises ValueError for one that is unknown."""
    _check_name(measure)  # its module is not loaded: that can take seconds
    return code_digest((f"evaluation.{measure}.{measure}", "runs.Run"), config)
