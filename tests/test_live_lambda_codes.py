"""The codes that the page of lambda draws: the encoders' of the first test digits, refused where they are spoiled."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

import vimae_core.codes as codes
from tests.live import places, unwrapped
from vimae_core.datasets import load_dataset
from vimae_core.reference import find_reference
from vimae_core.report.live_lambda import drawn_configs, read_paths, script
from vimae_core.store import RunError


@pytest.fixture(scope="module")
def data():
    return load_dataset()


@pytest.fixture(scope="module")
def paths():
    return read_paths()


@pytest.fixture(scope="module")
def shown(paths, data):
    """The page's data, read back from its script."""
    return unwrapped(script(paths, data))


def test_the_codes_are_the_encoders_of_the_first_digits(data, shown):
    """Those of committed weights are drawn again here; all files are whole, of their own run, with finite numbers."""
    drawn = [config for config in drawn_configs() if codes.codes_path(config).is_file()]
    kept = [config for config in drawn if (find_reference(config).path / "weights.safetensors").is_file()]
    assert len(kept) >= 13
    for config in drawn:
        found = codes.read_codes(config, data.digest)
        assert found.trained_again is (config not in kept)
    for config in kept:
        run, found = find_reference(config), codes.read_codes(config, data.digest)
        posterior = run.posterior(data["test"][0][:1000])
        again = posterior.sample(torch.Generator().manual_seed(config.seed)).numpy()
        off = np.abs(found.hundredths / 100 - again)
        assert np.quantile(off, 0.99) < 0.01 + 0.02 * again.std()  # other processors round otherwise
        record = json.loads((run.path / "record.json").read_text(encoding="utf-8"))["latent_fit"]
        assert [found.kl, found.rate] == [np.inf if record[m] is None else record[m] for m in ("kl", "rate")]
    assert shown["labels"] == data["test"][1][:1000].tolist()


def test_every_file_of_codes_belongs_to_a_place_of_the_page():
    """None is left over from another time."""
    names = {codes.codes_path(config).name for config in drawn_configs()}
    assert {path.name for path in codes.CODES.iterdir()} <= names


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The first run that has codes, with a copy of the folder of codes that may be spoiled."""
    config = next(config for config in drawn_configs() if codes.codes_path(config).is_file())
    shutil.copytree(codes.CODES, tmp_path / "codes")
    monkeypatch.setattr(codes, "CODES", tmp_path / "codes")
    return config


def spoil(path: Path, change) -> None:
    stored = json.loads(path.read_text(encoding="utf-8"))
    change(stored)
    path.write_text(json.dumps(stored), encoding="utf-8")


SPOILED = {
    "one digit less": (lambda s: s["codes"].pop(), "1000 pairs"),
    "a broken pair": (lambda s: s["codes"][3].pop(), "damaged"),
    "half a hundredth": (lambda s: s["codes"][3].__setitem__(0, 0.5), "whole numbers"),
    "no divergence": (lambda s: s.pop("kl"), "'kl'"),
    "a word for a rate": (lambda s: s.__setitem__("rate", "much"), "much"),
    "other data": (lambda s: s.__setitem__("data_digest", "0" * 64), "00000"),
    "another run": (lambda s: s["config"].__setitem__("seed", 77), "'seed': 77"),
    "no object": (None, "damaged"),
    "cut off": (None, "damaged"),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_spoiled_codes_are_refused_by_name(copied, data, paths, fault):
    """With the file, the fault and what to do; nothing is drawn of them."""
    path, (change, told) = codes.codes_path(copied), SPOILED[fault]
    if change:
        spoil(path, change)
    else:
        path.write_text("[1, 2]" if fault == "no object" else path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    with pytest.raises(RunError, match=re.escape(path.name)) as caught:
        script(paths, data)
    assert told in str(caught.value) and "Restore it from git" in str(caught.value)


def test_codes_that_are_missing_leave_a_place_without_a_drawing(copied, data, paths, shown):
    """Its numbers stay; `read_codes` by itself names the file and the command."""
    codes.codes_path(copied).unlink()
    (*_, first), (*_, before) = places(unwrapped(script(paths, data)))[0], places(shown)[0]
    assert first == {**before, "drawn": None}
    with pytest.raises(RunError, match=r"is missing.*python -m vimae_core codes"):
        codes.read_codes(copied, data.digest)


def test_missing_codes_are_made_once(config, monkeypatch):
    """By a training where no weights are committed, with that run's own numbers; the next call has nothing to do."""
    tiny = load_dataset("tiny", config.data_root)
    monkeypatch.setattr(codes, "CODES", Path(config.data_root) / "codes")
    monkeypatch.setattr(codes, "N", 64)
    monkeypatch.setattr(codes, "N_MEASURED", 64)
    assert list(codes.complete_codes([config], tiny)) == [config]
    assert list(codes.complete_codes([config], tiny)) == []
    run, found = codes.fit(config, tiny), codes.read_codes(config, tiny.digest)
    z = run.posterior(tiny["test"][0]).sample(torch.Generator().manual_seed(config.seed)).double().numpy()
    assert found.trained_again and found.hundredths.tolist() == np.rint(100 * z).tolist()
    assert found.kl == codes.evaluate(run, 64, tiny)["kl"]
    assert [path.name for path in codes.CODES.iterdir()] == [codes.codes_path(config).name]
