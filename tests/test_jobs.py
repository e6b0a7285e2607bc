"""Which runs one process takes, and how long a queue lets it work."""

import re
import shutil
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from vimae_core import jobs
from vimae_core.asked import Asked
from vimae_core.config import RunConfig
from vimae_core.environment import made_on_gpu
from vimae_core.reference import REFERENCE, reference_record
from vimae_core.runs import Run

sys.path.insert(0, str(ROOT / "workflow"))
import run as workflow


def asked(run: Run) -> Asked:
    """A committed run, with the measures of its record as they were asked for."""
    settings = reference_record(run, "determined_by")
    measures = {name: {k: v for k, v in s.items() if k not in ("code", "seed")} for name, s in settings.items()}
    return Asked(run.config, run.path, measures, ["latent_shape"])


def test_here_processes_are_alike():
    """Each run once; none has more than it may, nor one more than another by two."""
    parts = jobs.evenly(list(range(10)), at_most=4)
    assert sorted(i for part in parts for i in part) == list(range(10)) and [len(p) for p in parts] == [4, 3, 3]
    assert jobs.evenly([], at_most=4) == []


def test_jobs_are_filled_up_to_their_minutes(monkeypatch):
    """In order, each run once; one that takes longer has a job of its own."""
    takes = {"a": 20, "b": 20, "c": 20, "d": 100, "e": 30, "f": 31}
    runs = {name: Asked(RunConfig(), ROOT / name, {}, []) for name in takes}
    monkeypatch.setattr(jobs, "minutes", lambda runs, on_gpu: sum(takes[run.path.name] for run in runs) * 1.0)
    assert jobs.by_minutes(runs, full=60.0) == [["a", "b", "c"], ["d"], ["e"], ["f"]]


@pytest.mark.parametrize("on_gpu", [False, True])
def test_minutes_are_about_the_recorded_ones(on_gpu):
    """Of committed runs, in the median, as some were paused: what training and measures took there by their records."""
    ratios = []
    for path in sorted(REFERENCE.iterdir())[::9]:
        run = Run.load(path)
        took = reference_record(run, "took")
        complete = len(took) == len(reference_record(run, "determined_by"))  # the first records did not tell
        if complete and made_on_gpu(run.environment) == on_gpu:
            seconds = run.environment["seconds"] + sum(one["seconds"] for one in took.values())
            ratios.append(60 * jobs.minutes([asked(run)], on_gpu) / seconds)
    assert len(ratios) > 10 and 0.5 < np.median(ratios) < 2


def test_each_attempt_has_more_time(monkeypatch):
    """More than recorded, at once, and so much again each time."""
    monkeypatch.setattr(jobs, "minutes", lambda runs, on_gpu: 30.0)
    assert [jobs.limit([], attempt) for attempt in (1, 2, 3)] == [62, 124, 186]


@pytest.mark.parametrize(
    ("where", "commands", "message"),
    [
        ("slum", None, "ON='slum' is unknown: must be one of kubernetes, slurm, or left out for this machine"),
        ("", None, "ON='' is unknown"),
        ("slurm", "bin", "ON=slurm: no sbatch here. Call it on a machine from which jobs are submitted there."),
        ("kubernetes", "bin", "ON=kubernetes: no kubectl here. Call it on a machine from which"),
    ],
)
def test_a_place_that_cannot_be_is_refused(where, commands, message, monkeypatch, tmp_path):
    """With the places there are, before anything is done."""
    if commands:  # which snakemake looks for; no others
        for name in ("bash", "which"):
            (tmp_path / name).symlink_to(shutil.which(name))
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=re.escape(message)):
        workflow.asked("smoke", "--on", where)
