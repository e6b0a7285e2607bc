"""What the store keeps, whatever the caller has set; and what ends with one line: files, readers, repositories."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import ROOT, write_idx
from vimae_core import RunConfig, evaluate, fit, load_dataset
from vimae_core.__main__ import main
from vimae_core.environment import commit
from vimae_core.evaluation import record
from vimae_core.runs import Run
from vimae_core.store import RunError, lock, read_json, run_path, runs_root


@pytest.fixture
def config(tiny) -> RunConfig:
    return RunConfig(dataset="tiny", data_root=str(tiny), epochs=2, batch_size=16, width=0.1, precision="fp32")


def flags(config: RunConfig) -> list[str]:
    given = {"dataset": "tiny", "data-root": config.data_root, "epochs": 2, "batch-size": 16, "width": 0.1}
    return [text for name, value in given.items() for text in (f"--{name}", str(value))] + ["--precision", "fp32"]


@contextlib.contextmanager
def setting(name: str, value):
    """torch.set_NAME, and back again."""
    before = getattr(torch, f"get_{name}")()
    getattr(torch, f"set_{name}")(value)
    try:
        yield
    finally:
        getattr(torch, f"set_{name}")(before)


STATES = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "bfloat16": lambda: setting("default_dtype", torch.bfloat16),
    "float64": lambda: setting("default_dtype", torch.float64),
    "no gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "the meta device": lambda: torch.device("meta"),
    "coarse products": lambda: setting("float32_matmul_precision", "medium"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_bits_of_a_run_do_not_depend_on_the_caller(config, state, monkeypatch, tmp_path):
    """Weights, codes, pixels and record are the same, the caller's state is there afterwards, and codes can be used."""
    data = load_dataset("tiny", config.data_root)
    images = data["test"][0]
    plain = fit(config, progress=False)
    weights, codes, measured = (plain.path / "weights.safetensors").read_bytes(), plain.encode(images), evaluate(plain)
    monkeypatch.setenv("VIMAE_RUNS", str(tmp_path / "again"))
    with STATES[state]():
        before = torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")
        run = fit(config, data, progress=False)
        z = run.encode(images)
        assert torch.equal(run.decode(z), plain.decode(codes))
        assert evaluate(run, data=data) == measured
        assert (torch.get_default_dtype(), torch.is_grad_enabled(), torch.is_autocast_enabled("cpu")) == before
    assert (run.path / "weights.safetensors").read_bytes() == weights
    assert torch.equal(z, codes) and not z.is_inference()
    assert not any(p.is_inference() for p in run.network.parameters())


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.int16, "torch.int64", "torch.float64"])
def test_images_of_any_whole_numbers_are_bytes(config, kind):
    """NumPy's and PyTorch's: the codes of the bytes."""
    run, images = fit(config, progress=False), load_dataset("tiny", config.data_root)["test"][0][:5]
    if kind == "torch.float64":
        given = images.double() / 255
    else:
        given = images.long() if kind == "torch.int64" else images.numpy().astype(kind)
    torch.testing.assert_close(run.encode(given), run.encode(images))
    assert run.decode(run.encode(given).numpy().astype(float)).shape == (5, 1, 8, 8)


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (torch.full((2, 1, 8, 8), 256), ValueError, "images of whole numbers from 256 to 256 are not possible"),
        (torch.full((2, 1, 8, 8), -1), ValueError, "bytes are 0 to 255"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.bool), TypeError, "images of torch.bool are not possible"),
        (torch.zeros(2, 8, 8), ValueError, r"images of shape \(2, 8, 8\) are not possible: must be \(n, 1, 8, 8\)"),
        (np.zeros((1, 8, 8), np.uint8), ValueError, r"must be \(n, 1, 8, 8\)"),
    ],
)
def test_images_that_are_none_are_refused(config, images, error, message):
    """Not encoded in silence."""
    with pytest.raises(error, match=message):
        fit(config, progress=False).encode(images)


def test_codes_of_another_size_are_refused(config):
    """With the size there is."""
    with pytest.raises(ValueError, match=r"codes of shape \(3, 5\) are not possible: must be \(n, 2\)"):
        fit(config, progress=False).decode(torch.zeros(3, 5))


def test_other_data_than_the_configurations_are_refused(config, tmp_path):
    """By both names; nothing is stored."""
    write_idx(tmp_path / "data" / "other", seed=1)
    with pytest.raises(ValueError, match="data of 'other' are not those of the configuration, whose dataset='tiny'"):
        fit(config, load_dataset("other", tmp_path / "data"))
    assert not runs_root().exists()


def test_weights_that_are_not_finite_are_not_stored(config):
    """A learning rate that breaks them in the very last step: the losses were finite to the end."""
    config = dataclasses.replace(config, learning_rate=1e38, epochs=1, batch_size=256, schedule="constant")
    with pytest.raises(RunError, match=r"not finite.*learning_rate than 1e\+38"):
        fit(config, progress=False)
    assert not run_path(config, load_dataset("tiny", config.data_root).digest).exists()


def test_an_infinite_rate_is_null_in_json_and_infinite_when_read(config):
    """A deterministic encoder's; every file of the run is JSON to a strict reader."""
    run = fit(dataclasses.replace(config, encoder="deterministic"), progress=False)
    assert evaluate(run)["rate"] == float("inf") and evaluate(run)["rate"] == float("inf")

    def refuse(text):
        raise AssertionError(text)

    for path in run.path.glob("*.json"):
        json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert read_json(run.path / "record.json")["latent_fit"]["rate"] is None


def test_a_number_that_is_none_is_no_record(config, monkeypatch):
    """NaN is refused with the measure's name."""
    run = fit(config, progress=False)
    monkeypatch.setattr(record, "measure_function", lambda _: lambda *_, **__: {"kl": float("nan")})
    with pytest.raises(ValueError, match="latent_fit, kl is nan"):
        evaluate(run)
    assert not (run.path / "record.json").exists()


def test_two_measures_at_once_are_both_kept(config, monkeypatch):
    """Measured side by side and stored one after the other; neither is lost, in forty tries."""
    run, data = fit(config, progress=False), load_dataset("tiny", config.data_root)
    monkeypatch.setattr(record, "measure_function", lambda name: lambda *_, **__: {"name": name})
    monkeypatch.setattr(record, "measure_digest", lambda *_: "x")
    names = [f"m{i}" for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: evaluate(run, data=data, measure=name), names))
    assert {n: read_json(run.path / "record.json")[n]["name"] for n in names} == {n: n for n in names}


def test_a_damaged_run_hides_no_other(config, capsys):
    """`show` lists the whole ones, and the damaged one by name on stderr."""
    whole, other = fit(config, progress=False), fit(dataclasses.replace(config, seed=1), progress=False)
    (other.path / "environment.json").unlink()
    assert main(["show"]) == 2
    told = capsys.readouterr()
    assert whole.path.name in told.out and other.path.name not in told.out
    assert f"{other.path.name}  damaged: {other.path / 'environment.json'} is missing" in told.err


@pytest.mark.parametrize(
    ("store", "message"),
    [("file/below", "cannot make the folder"), ("~nobody-here/runs", "names no folder"), ("file", "cannot make")],
)
def test_a_store_that_cannot_be_is_one_line(config, store, message, monkeypatch, tmp_path, capsys):
    """Below a file, in nobody's home: exit status 2, the path, the reason."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    place = store if store.startswith("~") else str(tmp_path / store)
    monkeypatch.setenv("VIMAE_RUNS", place)
    assert main(["train", *flags(config)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line and place in line


@pytest.mark.parametrize("refused", ["lock", "config.json", "weights.safetensors"])
def test_what_may_not_be_opened_is_one_line(config, refused, monkeypatch, capsys):
    """Another user's lock, or a file of a run without read permission (root may read it all the same: so simulated)."""
    from vimae_core import store

    def denied(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    run = fit(config, progress=False)
    if refused == "lock":
        monkeypatch.setattr(store.FileLock, "acquire", lambda self, **_: denied(self.lock_file))
        config = dataclasses.replace(config, seed=1)
        assert main(["train", *flags(config), "--seed", "1"]) == 2
    elif refused == "config.json":
        monkeypatch.setattr(Path, "read_text", denied)
        assert main(["train", *flags(config)]) == 2
    else:
        monkeypatch.setattr(store, "safe_open", denied)
        with pytest.raises(RunError, match=f"{run.path / refused} cannot be read: .*Permission denied"):
            _ = Run.load(run.path).network
        return
    (line,) = capsys.readouterr().err.splitlines()
    assert "Permission denied" in line


def test_a_reader_that_stops_is_quiet(config):
    """`show | head -1` and `train ... | true`: no traceback, and the training goes on to its end."""
    command = f"{sys.executable} -m vimae_core"
    shell = {"shell": True, "capture_output": True, "text": True, "cwd": ROOT, "executable": "/bin/bash"}
    given = " ".join(flags(config))
    train = f"{command} train {given} --epochs 30 --then {given} --seed 1"
    done = subprocess.run(f"set -o pipefail; {train} | true; echo $?", **shell)
    assert done.stderr == "" and done.stdout.strip() == "0"
    runs = [p for p in runs_root().iterdir() if (p / "config.json").is_file()]
    assert len(runs) == 2
    done = subprocess.run(f"set -o pipefail; {command} show | head -0; echo $?", **shell)
    assert done.stderr == "" and done.stdout.strip() == "0"


def test_the_commit_is_this_repositorys_or_unknown(monkeypatch, tmp_path):
    """Not that of a repository around an unpacked archive, nor of the one that GIT_DIR names."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    named = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
    commit_it = ["git", "-C", str(tmp_path), "commit", "-q", "--allow-empty", "-m", "other"]
    subprocess.run(commit_it, check=True, env={**os.environ, **named})
    asked = ["git", "-C", str(tmp_path), "describe", "--always"]
    other = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    (tmp_path / "unpacked").mkdir()
    monkeypatch.setattr("vimae_core.environment.ROOT", tmp_path / "unpacked")
    assert commit() == "unknown"
    monkeypatch.setattr("vimae_core.environment.ROOT", tmp_path)
    assert commit() == other
    monkeypatch.undo()
    here = commit()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / ".git"))
    assert commit() == here != other


def test_prune_removes_what_no_present_code_finds(config, capsys, monkeypatch):
    """Asked first: a run of other code, a stopped training of it, a damaged one; what today's code finds stays."""
    kept, damaged = fit(config, progress=False), fit(dataclasses.replace(config, seed=1), progress=False)
    (damaged.path / "history.json").write_text("{", encoding="utf-8")
    with monkeypatch.context() as earlier:
        earlier.setattr("vimae_core.store.code_digest", lambda *_: "earlier code")
        old = fit(config, progress=False)
        stopped = dataclasses.replace(config, learning_rate=1e30, seed=2)
        with pytest.raises(RunError, match="not finite"):
            fit(stopped, progress=False)
    (partial,) = runs_root().glob("*.partial")
    capsys.readouterr()
    monkeypatch.setattr("builtins.input", lambda question: print(question) or "n")
    assert main(["prune"]) == 0
    told = capsys.readouterr().out
    assert all(str(path) in told for path in (damaged.path, old.path, partial)) and str(kept.path) + "  " not in told
    assert "Remove these 3 folders? [y/N]" in told and "nothing removed" in told
    with lock(partial.with_suffix("")):
        assert main(["prune", "--yes"]) == 0
    told = capsys.readouterr().out
    assert "2 removed" in told and f"{partial} is left: another process is at it" in told and partial.is_dir()
    assert main(["prune", "--yes"]) == 0
    assert [p.name for p in runs_root().iterdir() if p.is_dir()] == [kept.path.name]
    assert main(["prune"]) == 0 and "nothing to remove" in capsys.readouterr().out


def test_several_runs_in_one_process(config, capsys):
    """`evaluate A --then B`: each stored and printed; a wrong one between them stops no other, and the status tells."""
    base, wrong = flags(config), [*flags(config), "--lambda", "-1"]
    assert main(["evaluate", *base, "--then", *wrong, "--then", *base, "--seed", "1"]) == 2
    told = capsys.readouterr()
    assert "lambda=-1.0 is not possible" in told.err
    stored = [Run.load(p.parent) for p in runs_root().glob("*/record.json")]
    assert sorted(run.config.seed for run in stored) == [0, 1]
    assert all(str(run.path) in told.out for run in stored)
