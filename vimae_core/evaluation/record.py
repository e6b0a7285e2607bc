"""A run's record: what is measured of it, beside what determined each measure; made anew where that has changed."""

import inspect
import json

from vimae_core.datasets import Dataset, load_dataset
from vimae_core.evaluation.faces import faces
from vimae_core.evaluation.generation import generation
from vimae_core.evaluation.latent_fit import latent_fit
from vimae_core.evaluation.probes import probes
from vimae_core.runs import Run, read_json, write_json
from vimae_core.sources import source_digest

MEASURES = {"latent_fit": latent_fit, "probes": probes, "generation": generation, "faces": faces}


def evaluate(
    run: Run, n_test: int | None = None, data: Dataset | None = None, measure: str = "latent_fit", **settings
) -> dict:
    """One measure of a run, on the first `n_test` test images: as stored in its record, or measured and stored now.

    `data` is the run's data set, where it has been read already; `settings` are the measure's own. Raises ValueError
    for a measure that is unknown.
    """
    settings = json.loads(json.dumps({"n_test": n_test, **settings}))
    determined_by = {"sources": measure_digest(measure), **settings}
    path = run.path / "record.json"
    record = read_json(path) if path.is_file() else {"determined_by": {}}
    if record["determined_by"].get(measure) != determined_by:
        data = data or load_dataset(run.config.dataset, run.config.data_root)
        record[measure] = MEASURES[measure](run, data, **settings)
        record["determined_by"][measure] = determined_by
        write_json(path, record)
    return record[measure]


def measure_digest(measure: str) -> str:
    """The digest of the code that a measure executes. Raises ValueError for one that is unknown."""
    if measure not in MEASURES:
        raise ValueError(f"measure {measure!r} is unknown: must be one of {', '.join(MEASURES)}")
    return source_digest(inspect.getsourcefile(inspect.unwrap(MEASURES[measure])))
