"""complete: what the reference lacks is trained, measured and published, by one process or several, once."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from vimae_core import complete, reference
from vimae_core.store import config_digest, lock, runs_root


@pytest.fixture
def chapter(config, tmp_path, monkeypatch):
    """A chapter of two short runs, the first of which is drawn, and an empty reference."""
    configs = [replace(config, epochs=1, seed=seed) for seed in (3, 4)]
    module = SimpleNamespace(
        runs=lambda p: {"one": configs[:1], "both": configs},
        measures=lambda group, p: {"latent_fit": {"n_test": 20}},
        keeps=lambda c, p: c.seed == 3,
    )
    monkeypatch.setattr(complete, "load_chapter", lambda name: module)
    monkeypatch.setattr(complete, "parameters", lambda name, profile: SimpleNamespace(**vars(config)))
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "reference")
    return module, configs


def test_what_is_missing_is_published_in_order_and_once(chapter, tmp_path):
    """Each run with its record, weights where a figure draws them; the next call has nothing to do."""
    _, configs = chapter
    assert [run.config for run in complete.complete("any")] == configs
    for config in configs:
        folder = tmp_path / "reference" / config_digest(config)
        assert reference.reference_record(reference.find_reference(config))["n"] == 20
        assert (folder / "weights.safetensors").is_file() == (config.seed == 3)
    assert list(complete.complete("any")) == []


def test_what_another_process_works_at_is_left_to_it(chapter):
    """And is taken up when that one has gone."""
    _, configs = chapter
    with lock(runs_root() / f"{config_digest(configs[0])}.complete"):
        assert [run.config.seed for run in complete.complete("any")] == [4]
    assert [run.config.seed for run in complete.complete("any")] == [3]


def test_one_that_cannot_be_measured_stops_all_before_a_training(chapter):
    """The last run's fault is told before the first one is begun."""
    module, _ = chapter
    module.measures = lambda group, p: {"latent_fit": {"n_test": 3 if group == "both" else 20}}
    with pytest.raises(ValueError, match="n_test=3 is not possible"):
        list(complete.complete("any"))
    assert not runs_root().exists() or not any(runs_root().glob("*/config.json"))


def test_another_chapter_s_measures_are_kept(chapter):
    """Of the same training what was published stays beside what is new; a setting that has changed is measured anew."""
    module, configs = chapter
    list(complete.complete("any"))
    first = reference.find_reference(configs[0]).path / "record.json"
    record = json.loads(first.read_text())
    record["determined_by"] = record["determined_by"]["latent_fit"]  # as the first records had it
    first.write_text(json.dumps(record))
    module.measures, module.keeps = lambda group, p: {"information": {"n_test": 20}}, lambda c, p: False
    assert [run.config.seed for run in complete.complete("other")] == [3, 4]
    for config in configs:
        run = reference.find_reference(config)
        how = reference.reference_record(run, "determined_by")
        assert all(reference.reference_record(run, m)["n"] == 20 for m in ("latent_fit", "information"))
        assert set(how) == {"latent_fit", "information"} <= set(reference.reference_record(run, "took"))
        assert (run.path / "weights.safetensors").is_file() == (config.seed == 3)
    module.measures = lambda group, p: {"latent_fit": {"n_test": 25}}
    assert len(list(complete.complete("any"))) == 2 and list(complete.complete("any")) == []
    assert reference.reference_record(reference.find_reference(configs[0]))["n"] == 25


def test_nothing_stays_of_another_training(chapter, monkeypatch):
    """Neither its measures nor its weights; and what cannot be published leaves what was there."""
    _, configs = chapter
    (run, *_) = complete.complete("any")
    target = reference.find_reference(configs[0]).path
    history, record = target / "history.json", target / "record.json"
    history.write_text(history.read_text().replace("loss", "another"), encoding="utf-8")
    record.write_text(record.read_text().replace("latent_fit", "generation"), encoding="utf-8")
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    own = (run.path / "record.json").rename(run.path / "aside")
    with pytest.raises(FileNotFoundError):
        reference.publish(run, weights=False)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    own.rename(run.path / "record.json")
    rename = Path.rename

    def stopped(path, to):
        if path.name == "new":
            raise KeyboardInterrupt
        return rename(path, to)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", stopped)
        reference.publish(run, weights=False)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    reference.publish(run, weights=False)
    assert "weights.safetensors" not in [path.name for path in target.iterdir()]
    assert set(reference.reference_record(run)) and not reference.reference_record(run, "generation")
    assert [path.name for path in target.parent.parent.iterdir() if path.name.startswith(".")] == []
