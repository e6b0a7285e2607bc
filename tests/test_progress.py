"""Progress: whole lines, each with its run's name, however many trainings run side by side."""

import dataclasses
import re
import time
from types import SimpleNamespace

import pytest

from tests import children
from vimae_core import fit, progress
from vimae_core.__main__ import THEN, as_flags
from vimae_core.store import runs_root

LINE = re.compile(r"(?P<run>[0-9a-f]{16})  (?P<title>\S+ seed \d+): (?P<told>begins|done|goes on|epoch|measured)\b.*")


def lines_of(text: str) -> list[re.Match]:
    """Every line as one of progress. Fails for any other."""
    assert "\r" not in text and text.endswith("\n")
    found = [LINE.fullmatch(line) for line in text.splitlines()]
    assert all(found), text
    return found


def test_a_short_training_has_two_lines(config, capsys):
    """That it begins, and that it is done: epochs, terms, seconds. Found again, it has none."""
    run = fit(config)
    first, last = lines_of(capsys.readouterr().out)
    assert first["told"] == "begins" and "3 epochs of 16 steps" in first[0]
    assert last["told"] == "done" and re.search(r"3 epochs in \d+\.\d s; loss [\d.]+, distortion", last[0])
    assert {first["run"], last["run"]} == {run.path.name}
    fit(config)
    fit(dataclasses.replace(config, seed=1), progress=False)
    assert capsys.readouterr().out == ""


def test_a_long_training_tells_once_a_minute(config, monkeypatch, capsys):
    """With its epoch and when it should end: here a step takes 5 seconds of a clock that starts at noon."""
    seconds = iter(range(10**6))
    clock = SimpleNamespace(
        monotonic=lambda: next(seconds) * 5 / 3,
        time=lambda: time.mktime((2026, 1, 1, 12, 0, 0, 0, 1, 0)),
        localtime=time.localtime,
        strftime=time.strftime,
    )
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr("vimae_core.runs.time", clock)
    fit(config)
    told = lines_of(capsys.readouterr().out)
    minutes = [line for line in told if line["told"] == "epoch"]
    assert 2 <= len(minutes) <= len(told) - 2 <= 6
    ends = [re.search(r"epoch (\d) of 3; loss .*; done about 12:0(\d)$", line[0]) for line in minutes]
    assert all(ends)
    assert [int(end[1]) for end in ends] == sorted(int(end[1]) for end in ends)
    assert [int(end[2]) for end in ends] == sorted((int(end[2]) for end in ends), reverse=True)


def test_a_stopped_training_says_that_it_goes_on(config, monkeypatch, capsys):
    """From the epoch of its checkpoint, and counts the seconds before."""
    stopped = dataclasses.replace(config, epochs=4)
    advance = "vimae_core.training.Training.advance"
    from vimae_core.training import Training

    real = Training.advance

    def until(training):
        if training.step == 40:
            raise KeyboardInterrupt
        real(training)

    monkeypatch.setattr(advance, until)
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, checkpoint_seconds=0.0)
    monkeypatch.setattr(advance, real)
    fit(stopped)
    begun, again, done = lines_of(capsys.readouterr().out)
    assert (begun["told"], again["told"], done["told"]) == ("begins", "goes on", "done")
    assert "at epoch 3 of 4" in again[0]


def test_lines_of_trainings_side_by_side_stay_whole(config, tmp_path):
    """Two processes of three runs each, into one file, as a log has them: three lines a run, none mixed."""

    def command(seeds):
        parts = [[*as_flags(dataclasses.replace(config, seed=s)), "--quiet", "--n-test", "50"] for s in seeds]
        return ["evaluate", *[f for part in parts for f in (THEN, *part)][1:]]

    program = "import runpy; runpy.run_module('vimae_core', run_name='__main__')"
    both = [children.begin(program, *command(seeds), said=tmp_path / "log") for seeds in ([0, 1, 2], [3, 4, 5])]
    for process in both:
        process.join(timeout=300)
    assert [process.exitcode for process in both] == [0, 0]
    told = [(line["run"], line["told"]) for line in lines_of((tmp_path / "log").read_text())]
    runs = [path.name for path in runs_root().iterdir() if path.is_dir()]
    assert sorted(told) == sorted((run, word) for run in runs for word in ("begins", "done", "measured"))
    assert len(runs) == 6
