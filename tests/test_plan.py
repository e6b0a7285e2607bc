"""make plan: what is to be done, what is there, how long it should take; and that it changes nothing."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests import children
from tests.conftest import ROOT, clean_environment, copy_tree
from vimae_core import RunConfig, fit
from vimae_core.asked import asked_runs
from vimae_core.chapters import CHAPTERS
from vimae_core.durations import Timed, measure, n_images, recorded, training
from vimae_core.evaluation.record import evaluate
from vimae_core.reference import REFERENCE
from vimae_core.store import runs_root

HERE = "A processor, 2 cores"


def plan(tree: Path, profile: str) -> str:
    status, told = children.script(tree, clean_environment(), "plan.py", profile)
    assert status == 0, told
    return told


def counts(told: str, part: str) -> tuple[int, int]:
    """What is to do and what is there of a part, over its kinds."""
    (rows,) = re.findall(rf"^{part}\n((?:  .*\n)+)", told, re.MULTILINE)
    found = re.findall(r"^  .*?(\d+) +(\d+)(?: +[\d.]+| +)$", rows, re.MULTILINE)
    assert len(found) == len(rows.splitlines())
    return sum(int(to_do) for to_do, _ in found), sum(int(there) for _, there in found)


def files(tree: Path) -> dict[Path, int]:
    own = (".snakemake", "__pycache__")
    return {p: p.stat().st_mtime_ns for p in tree.rglob("*") if p.is_file() and not {*own} & set(p.parts)}


def test_a_fresh_clone_is_to_do_everything_and_is_left_as_it_was(tmp_path):
    """Under `reference` too, whose faces are toys where CelebA is not here; with the machines of the records."""
    tree = copy_tree(tmp_path / "copy")
    before = files(tree)
    told = plan(tree, "reference")
    asked = asked_runs("reference")
    assert counts(told, "trainings") == (len(asked), 0)
    assert counts(told, "measures") == (sum(len(one.measures) for one in asked), 0)
    assert counts(told, "pages") == (len(CHAPTERS) + 1, 0)
    assert "faces: the data set celeba of profile reference is not here: profile quick, on toy-faces" in told
    assert re.search(r"^About [\d.]+ (hours|days) on the \d+ cores of this machine \(.+\)", told, re.MULTILINE)
    assert re.search(r"recorded times of like work: \d+ on AMD EPYC, 2 cores", told)
    assert re.search(r"\d+ have no like record: taken from the nearest", told)
    assert f"Nothing is recorded of {len(CHAPTERS) + 1} pages" in told
    assert files(tree) == before


def test_a_built_book_is_there_and_a_half_of_it_half(built_tree, tmp_path):
    """A run without its record is measured and not trained, one that is gone trained; a damaged one is named."""
    assert "Nothing is to be done." in plan(built_tree, "smoke")
    tree = tmp_path / "copy"
    shutil.copytree(built_tree, tree, symlinks=True)
    records = sorted((tree / "runs").glob("*/record.json"))
    shutil.rmtree(records[0].parent)
    records[1].unlink()
    records[2].write_text("{")
    told = plan(tree, "smoke")
    assert counts(told, "trainings") == (1, len(records) - 1)
    assert counts(told, "measures")[0] >= 3 and counts(told, "pages")[0] >= 2
    assert f"{records[2]} is damaged" in told


def test_an_unknown_profile_is_refused():
    """As `make book` does."""
    status, told = children.script(ROOT, clean_environment(), "plan.py", "fast")
    assert status == 1 and told == "profile 'fast' is unknown: must be one of paper, quick, reference, smoke\n"


def timed(seconds: float = 1e-3, device: str = HERE, measures: dict | None = None, **fields) -> Timed:
    return Timed(RunConfig(**fields), device, seconds, measures or {})


@pytest.mark.parametrize(
    ("fields", "factor", "like"),
    [
        ({"epochs": 3}, 3 * 60_000, True),
        ({"epochs": 2, "n_train": 500, "seed": 7, "likelihood": "wae"}, 1000, True),
        ({"epochs": 1, "n_train": 500, "width": 0.5}, 125, False),  # the nearest width, in proportion to its square
        ({"epochs": 1, "n_train": 500, "more_codes": 100}, 500, False),
        ({"epochs": 1, "n_train": 500, "divergence": "adversarial"}, 500, False),
    ],
)
def test_a_training_is_estimated_from_its_nearest(fields, factor, like):
    """By images and epochs; another architecture, another machine and another sort of images are no nearest."""
    others = [timed(9.0, architecture="conv"), timed(9.0, "Another, 2 cores"), timed(9.0, dataset="toy-faces")]
    estimate = training(RunConfig(**fields), [*others, timed(), timed(9.0, "NVIDIA H100")], HERE)
    assert estimate.seconds == pytest.approx(1e-3 * factor)
    assert (estimate.device, estimate.like) == (HERE, like)


def test_what_has_no_record_is_told_as_that():
    """Nothing of its sort: no time. A GPU's alone: its time, and that it is unlike."""
    assert training(RunConfig(), [timed(architecture="conv")], HERE).seconds is None
    assert measure("probes", {}, RunConfig(), [timed()], HERE).seconds is None
    on_gpu = training(RunConfig(epochs=1), [timed(2.0, "NVIDIA H100")], HERE)
    assert (on_gpu.seconds, on_gpu.like) == (120_000, False)
    assert n_images(RunConfig(dataset="celeba")) > 100_000 > n_images(RunConfig(dataset="toy-faces"))


def test_a_measure_is_estimated_by_what_it_looks_at():
    """Test images, draws and conditions; a condition of both lists counts once."""
    own = {"n_test": 1000, "draws": [0], "conditions": ["clean"]}
    runs = [timed(measures={"probes": (own, 2.0)})]
    asked = {"n_test": 500, "draws": [0, 1], "conditions": ["clean", "mask 0.5"], "curve": ["mask 0.5"]}
    assert measure("probes", asked, RunConfig(), runs, HERE).seconds == pytest.approx(4.0)
    assert not measure("probes", asked, RunConfig(), runs, HERE).like
    assert measure("probes", own, RunConfig(), runs, HERE).like


def test_a_damaged_run_is_named_and_left_out(config):
    """Whatever is damaged; the others count, with what their record took."""
    runs = [fit(replace(config, seed=s), progress=False) for s in range(4)]
    evaluate(runs[0], n_test=50)
    (runs[1].path / "record.json").write_text("{")
    (runs[2].path / "environment.json").write_text("[]")
    (runs[3].path / "config.json").write_text(json.dumps({"epochs": "many"}))
    (only,), faults = recorded([runs_root(), runs_root() / "nowhere"])
    assert only.config.seed == 0 and set(only.measures) == {"latent_fit"}
    assert len(faults) == 3 and all(any(str(run.path) in fault for fault in faults) for run in runs[1:])


def test_the_references_own_times_are_estimated_to_a_factor_of_three():
    """Four of five of its trainings, each from the others."""
    found, faults = recorded([REFERENCE])
    assert faults == [] and len(found) > 600
    right = 0
    for i, one in enumerate(chosen := found[::20]):
        took = one.seconds_an_image * n_images(one.config) * one.config.epochs
        others = [t for t in found if t is not chosen[i]]
        right += 1 / 3 < training(one.config, others, one.device).seconds / took < 3
    assert right >= 0.8 * len(chosen)
