"""The committed records of the long runs: found by their configuration alone, and held against today's code."""

from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from vimae_core.config import UNSCIENTIFIC, RunConfig
from vimae_core.datasets import ROOT
from vimae_core.evaluation.record import as_measured
from vimae_core.runs import Run
from vimae_core.store import config_digest, is_whole, load_tensors, read_json, save_tensors, write_bytes, write_json

REFERENCE = ROOT / "results" / "reference"


def find_reference(config: RunConfig) -> Run | None:
    """The committed run of the same configuration, whatever the code was; None where there is none."""
    path = REFERENCE / config_digest(config)
    if not is_whole(path):
        return None
    run = _run(path, (path / "config.json").stat().st_mtime_ns, config.device, config.data_root)
    if any(getattr(config, k) != v for k, v in asdict(run.config).items() if k not in UNSCIENTIFIC):
        return None  # a default has changed since
    return run


@cache
def _run(path: Path, written: int, device: str, data_root: str | None) -> Run:
    """Chapters and pages ask for the same runs many times over; one that is `written` anew is read anew."""
    return Run.load(path, device=device, data_root=data_root)


def reference_runs(configs: list[RunConfig]) -> list[Run]:
    """The committed runs among those of these configurations."""
    return [run for run in map(find_reference, configs) if run]


def reference_record(run: Run, measure: str = "latent_fit") -> dict:
    """One measure of a committed run, as it was published, to be read only; empty where it was not measured."""
    path = run.path / "record.json"
    return _record(path, path.stat().st_mtime_ns if path.is_file() else 0).get(measure, {})


@cache
def _record(path: Path, written: int) -> dict:
    """Kept likewise."""
    return as_measured(read_json(path))


def determined_by(record: dict) -> dict[str, dict]:
    """By measure of a record, what determined it; the first records had one measure, and did not name it."""
    how = record["determined_by"]
    return {"latent_fit": how} if "sources" in how else how


def publish(run: Run, weights: bool) -> Path:
    """Copies a run's records into results/reference, and its weights in half precision if asked for.

    Half precision is enough for a figure and halves the file; the numbers come from the record. What was published of
    the same training before keeps its other measures, and its weights; of another training nothing stays. The folder
    is there whole, or as it was.
    """
    target = REFERENCE / config_digest(run.config)
    REFERENCE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=REFERENCE.parent, prefix=".") as folder:
        draft = Path(folder) / "new"
        draft.mkdir()
        for name in ("history.json", "record.json", "environment.json"):
            write_bytes(draft / name, (run.path / name).read_bytes())
        if weights:
            tensors, meta = load_tensors(run.path / "weights.safetensors")
            halved = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
            save_tensors(draft / "weights.safetensors", halved, meta)
        if is_whole(target) and read_json(target / "history.json") == read_json(draft / "history.json"):
            _keep_the_rest(target, draft)
        write_bytes(draft / "config.json", (run.path / "config.json").read_bytes())
        before = Path(folder) / "old"
        if target.exists():
            target.rename(before)
        try:
            draft.rename(target)
        except BaseException:  # interrupted too: else what was there would go with the folder
            if before.exists():
                before.rename(target)
            raise
    return target


def _keep_the_rest(before: Path, now: Path) -> None:
    """What an earlier record of the same training has and this one has not."""
    old, new = (read_json(folder / "record.json") for folder in (before, now))
    how = {**determined_by(old), **determined_by(new)}
    took = {**old.get("took", {}), **new.get("took", {})}
    write_json(now / "record.json", {**old, **new, "determined_by": how, "took": took})
    weights = before / "weights.safetensors"
    if weights.is_file() and not (now / weights.name).exists():
        write_bytes(now / weights.name, weights.read_bytes())
