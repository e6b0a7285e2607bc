"""verify-reference: of each committed measure, whether today's code made it, agrees with it, or does not."""

import json

import pytest

from vimae_core import RunConfig, evaluate, fit, load_dataset
from vimae_core.__main__ import main
from vimae_core.evaluation.record import MEASURES, as_measured
from vimae_core.reference import REFERENCE, find_reference, publish
from vimae_core.runs import Run
from vimae_core.store import read_json
from vimae_core.verify import NOT_ANEW, deviations, measured_again, verify_measures

MEASURED = ("latent_fit", "information", "probes")
OTHER, AGREES = "made by other code, today's agrees", "made by today's code"


@pytest.fixture
def published(tiny, monkeypatch, tmp_path) -> Run:
    """A run with three measures, as it stands in results/reference."""
    for place in ("reference", "verify"):
        monkeypatch.setattr(f"vimae_core.{place}.REFERENCE", tmp_path / "reference")
    monkeypatch.setenv("VIMAE_DATA", str(tiny))
    config = RunConfig(dataset="tiny", epochs=2, batch_size=16, width=0.1, precision="fp32")
    run = fit(config, progress=False)
    evaluate(run)
    evaluate(run, measure="information")
    evaluate(run, measure="probes", conditions=["clean", "mask 0.5"], n_labels=20, draws=[3, 4])
    publish(run, weights=True)
    return find_reference(config)


def change(run: Run, edit) -> None:
    record = read_json(run.path / "record.json")
    edit(record)
    (run.path / "record.json").write_text(json.dumps(record), encoding="utf-8")


def made_by_other_code(record: dict) -> None:
    for settings in record["determined_by"].values():
        settings["sources"] = "0" * 64


def test_a_record_of_todays_code_is_told_so(published):
    """By the digest of the code that measures; nothing is measured anew."""
    told, faults = verify_measures(published, load_dataset("tiny"))
    assert told == dict.fromkeys(MEASURED, AGREES) and faults == []


def test_a_record_of_other_code_is_measured_anew(published, capsys):
    """From its weights in half precision: it agrees, and each record's line says so."""
    change(published, made_by_other_code)
    told, faults = verify_measures(published, load_dataset("tiny"))
    assert told == dict.fromkeys(MEASURED, OTHER) and faults == []
    assert main(["verify-reference"]) == 0
    out = capsys.readouterr().out
    assert f"{published.path.name}  VIMAE-n seed 0: replayed to" in out
    assert f"latent_fit {OTHER}; information {OTHER}; probes {OTHER}" in out and f"3 measures {OTHER}" in out


@pytest.mark.parametrize("name", ["kl", "latent_std", "posterior_std", "rate", "distortion", "squared_error", "mmd2"])
def test_a_number_that_todays_code_does_not_give_is_found(published, capsys, name):
    """A tenth off, and more where it is near 0: by run, measure and number, with exit status 2."""

    def off(record):
        made_by_other_code(record)
        record["latent_fit"][name] = 1.1 * record["latent_fit"][name] + (0.02 if name in ("kl", "mmd2") else 0)

    change(published, off)
    assert main(["verify-reference"]) == 2
    told = capsys.readouterr()
    assert f"{published.path}: latent_fit, {name} is off by" in told.err
    assert "latent_fit made by other code, with which today's does not agree" in told.out


def test_an_accuracy_that_todays_code_does_not_give_is_found(published, capsys):
    """Of the first draw of labels, on clean images; half a point is too much."""

    def off(record):
        made_by_other_code(record)
        record["probes"]["accuracy"]["test"]["clean"]["knn"][0] += 0.5

    change(published, off)
    assert main(["verify-reference"]) == 2
    assert "probes, accuracy test clean knn is off by" in capsys.readouterr().err


def test_the_first_records_had_one_measure(published):
    """What determined it stood there without its name."""

    def flat(record):
        record["determined_by"] = {"sources": "0" * 64, "n_test": None}

    change(published, flat)
    assert verify_measures(published, load_dataset("tiny"))[0] == {"latent_fit": OTHER}


def test_without_weights_or_data_nothing_is_measured_anew(published):
    """And that is said."""
    change(published, made_by_other_code)
    not_anew = dict.fromkeys(MEASURED, "made by other code, not measured anew")
    assert verify_measures(published, None)[0] == not_anew
    (published.path / "weights.safetensors").unlink()
    assert verify_measures(published, load_dataset("tiny"))[0] == not_anew


def test_every_measure_is_measured_anew_or_said_not_to_be(published, monkeypatch):
    """None is taken for another; one that nobody thought of is refused."""
    asked = []
    for module in ("batches", "information", "probes"):
        monkeypatch.setattr(
            f"vimae_core.verify.{module}.{module}", lambda run, data, _m=module, **s: asked.append(_m) or {}
        )
    data, settings = load_dataset("tiny"), {"n_test": 5, "n_labels": 5, "draws": [0]}
    for measure in MEASURES:
        if measure in NOT_ANEW:
            assert measured_again(published, data, measure, {}, {}) == {}
        elif measure in ("batches", "information"):
            measured_again(published, data, measure, {"n": 5}, settings)
    assert asked == ["batches", "information"]
    assert set(MEASURES) == {*NOT_ANEW, *asked, "latent_fit", "probes", "generation", "faces"}
    with pytest.raises(ValueError, match="measure 'mood' is unknown here"):
        measured_again(published, data, "mood", {}, {})
    assert deviations("x", {"y": 0.1}, {"y": 0}) == {"y": float("inf")}


STORED = [p for p in sorted(REFERENCE.iterdir()) if (p / "weights.safetensors").is_file()]
SMALL = [p for p in STORED if read_json(p / "config.json")["architecture"] == "mlp"]
TIED = [p for p in STORED if "batches" in read_json(p / "record.json")]


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_the_committed_fits_are_todays(path):
    """Every committed network of section 5.1: far within what half precision explains."""
    run, stored = Run.load(path), as_measured(read_json(path / "record.json")["latent_fit"])
    found = measured_again(run, load_dataset(), "latent_fit", stored, {})
    assert set(found) >= {"kl", "mmd2", "rate", "distortion", "squared_error"}
    assert max(deviations("latent_fit", found, stored).values()) < 0.5


@pytest.mark.parametrize("path", TIED, ids=lambda path: path.name)
def test_what_batch_norm_ties_is_todays(path):
    """The same of every committed network whose batches were looked at."""
    run, record = Run.load(path), read_json(path / "record.json")
    settings = record["determined_by"]["batches"]
    found = measured_again(run, load_dataset(), "batches", record["batches"], settings)
    assert found.keys() == record["batches"].keys()
    assert max(deviations("batches", found, record["batches"]).values()) < 0.5
