"""What moved: in standard errors, of the same configurations and of other sizes; and which verdicts changed."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.made_up_doses import entropy_of, made_up
from vimae_core import fit
from vimae_core.asked import Asked
from vimae_core.chapters import CHAPTERS
from vimae_core.evaluation.record import evaluate
from vimae_core.profiles import profile_names
from vimae_core.report import moved as module
from vimae_core.report.moved import in_errors, moved, statements, stored, told, verdicts
from vimae_core.report.results import reference_results

VALUES = np.array([1.0, 2.0, 4.0, 5.0])


@pytest.fixture(scope="module")
def reference():
    return {chapter: reference_results(chapter, None) for chapter in CHAPTERS}


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (VALUES, 0.0),
        (VALUES + 3, 3 / math.sqrt(2 * VALUES.var(ddof=1) / 4)),  # two means of four seeds
        ([5.0], 2 / math.sqrt(VALUES.var(ddof=1) * (1 + 1 / 4))),  # one seed: by the reference's spread
        ([math.inf], math.inf),
    ],
)
def test_a_difference_is_told_in_standard_errors(build, expected):
    """Of the difference of two means over seeds."""
    assert in_errors(list(build), VALUES.tolist()) == pytest.approx(expected)


def test_one_seed_of_the_reference_has_no_standard_error():
    """And where nothing varies, any difference is infinitely many."""
    assert math.isnan(in_errors([1.0, 2.0], [1.0]))
    assert in_errors([3.0, 3.0], [2.0, 2.0]) == math.inf and in_errors([2.0, 2.0], [2.0, 2.0]) == 0
    assert in_errors([math.inf, math.inf], [math.inf, math.inf]) == 0


def shifted(results, model: str, measure: str, by: float):
    """The same results, a measure of one model other."""
    rows = results.table["model"] == model
    return replace(results, table=results.table.assign(**{measure: results.table[measure] + by * rows}))


def test_the_reference_beside_itself_has_not_moved(reference):
    """Every number of the same configuration and equal; a shifted one is the one that moved."""
    figure = reference["latent_shape"]["figure"]
    found = moved(figure, figure)
    assert found and all(one.same and one.build == one.reference for one in found)
    assert {one.errors for one in found} == {0.0}
    by = figure.table.query("model == 'VAE'")["kl"].std() * 10
    off = [one for one in moved(shifted(figure, "VAE", "kl", by), figure) if one.errors]
    assert [one.where for one in off] == ["VAE, lambda 1: KL"]
    assert off[0].errors == pytest.approx(10 / math.sqrt(2 / 5))


def test_runs_of_another_size_are_told_apart(reference):
    """One epoch and one seed have their like; another likelihood has none, nor have other data."""
    figure = reference["latent_shape"]["figure"]

    def as_if(**fields):
        runs = [replace(run, config=replace(run.config, **fields)) for run in figure.runs if run.config.seed == 0]
        return replace(figure, runs=runs, table=figure.table[figure.table["seed"] == 0])

    found = moved(as_if(epochs=1, n_train=1000), figure)
    assert {one.where.split(":")[1] for one in found} == {" KL", " squared error"}
    assert len(found) == 10 and not any(one.same for one in found)
    assert moved(as_if(likelihood="gaussian"), figure) == []
    other = [replace(run, environment={**run.environment, "data_digest": "0"}) for run in figure.runs]
    assert moved(replace(figure, runs=other), figure) == []


def test_verdicts_are_compared_word_by_word(reference):
    """The reference's are its own; with the VAE's codes at their prior claim 1 is another, of one seed in its words."""
    lines, compared = verdicts(reference, reference, "reference")
    assert (lines, compared) == ([], 6)
    figure = reference["latent_shape"]["figure"]
    off = shifted(figure, "VIMAE-n", "kl", -100.0)
    changed = {**reference, "latent_shape": {"figure": off}}
    (line,), _ = verdicts(changed, reference, "reference")
    assert "claim 1: reproduced (3 of 3" in line and "reference: partly reproduced (2 of 3" in line
    one_seed = replace(off, runs=off.runs, table=off.table[off.table["seed"] == 0])
    (line,), _ = verdicts({**reference, "latent_shape": {"figure": one_seed}}, reference, "reference")
    assert "claim 1: sign agrees (3 of 3" in line
    same = replace(figure, table=figure.table[figure.table["seed"] == 0])
    assert verdicts({**reference, "latent_shape": {"figure": same}}, reference, "reference") == ([], 6)


def test_statements_of_the_second_analysis_are_compared(reference):
    """Codes that are moved away from their prior contradict what held; no other claim changes."""
    lines, compared = statements(reference, reference, "reference")
    assert lines == [] and compared > 100
    plane = reference["conventions"]["plane"]
    off = {**reference["conventions"], "plane": shifted(plane, "VIMAE-n", "kl", 5.0)}
    lines, again = statements({**reference, "conventions": off}, reference, "reference")
    assert again == compared and lines
    assert all("claim 1, " in line for line in lines)
    assert any("claim 1, VIMAE-n fits under gaussian: contradicted; reference: undecided" in line for line in lines)


def test_statements_of_the_third_analysis_are_compared(reference):
    """A slope that was found the other way round is told, by its claim; what the same runs decide has not changed."""
    rises, falls = ({**reference, "doses": made_up(lambda c, k, s=s: s * entropy_of(c))} for s in (9, -9))
    lines, compared = statements(rises, rises, "reference")
    assert lines == [] and compared > statements(reference, reference, "reference")[1]
    lines, again = statements(rises, falls, "reference")
    assert again == compared
    assert "  claim 7, rises with entropy, clean: holds; reference: contradicted" in lines


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_has_a_report(profile):
    """Also of a store in which nothing is, and of a profile that leaves groups of runs out."""
    short, whole = told(profile)
    assert short.startswith("This build") and short == whole
    assert "statements of the registered analyses are the reference's" in short


def test_a_damaged_record_is_named_and_left_out(config, monkeypatch):
    """The others are there."""
    runs = [fit(replace(config, seed=s), progress=False) for s in (0, 1)]
    for run in runs:
        evaluate(run, n_test=50)
    asked = [Asked(run.config, run.path, {"latent_fit": {"n_test": 50}}, ["doses"]) for run in runs]
    monkeypatch.setattr(module, "asked_runs", lambda profile: asked)
    monkeypatch.setattr(module, "profiles_of", lambda profile: {"training": "smoke"})
    chapter = type("Chapter", (), {"runs": lambda p: {"training": [run.config for run in runs]},
                                   "measures": lambda group, p: asked[0].measures})  # fmt: skip
    monkeypatch.setattr(module, "load_chapter", lambda name: chapter)
    found, faults = stored("smoke")
    assert faults == [] and found["training"]["training"].table["seed"].to_list() == [0, 1]
    (runs[0].path / "record.json").write_text("{")
    found, (fault,) = stored("smoke")
    assert f"{runs[0].path / 'record.json'} is damaged" in fault
    assert found["training"]["training"].table["seed"].to_list() == [1]
