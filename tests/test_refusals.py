"""fit ends with a clear message where it cannot go on: a loss that breaks, damage, a full disk, what is missing."""

import dataclasses
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT
from tests.test_training import training_of
from vimae_core import Run, fit, load_dataset
from vimae_core.datasets import DataError
from vimae_core.runs import _train
from vimae_core.store import RunError, load_tensors, run_path, runs_root, save_tensors
from vimae_core.training import Training


def test_a_loss_that_is_not_finite_stops_the_run(config):
    """The message names step, terms, the last good checkpoint and what to do; no run is stored."""
    config = dataclasses.replace(config, learning_rate=1e18, likelihood="gaussian", epochs=20)
    with pytest.raises(RunError, match=r"not finite at step \d+ \(epoch \d+\): loss = .*distortion = .*learning_rate"):
        fit(config, progress=False, checkpoint_seconds=0.0)
    assert not run_path(config, load_dataset("tiny", config.data_root).digest).exists()


def test_nan_names_the_last_good_checkpoint(config):
    """A checkpoint that was made before the loss broke is named, and holds finite weights."""
    data = load_dataset("tiny", config.data_root)
    training = Training(config, data["train"][0], torch.device("cpu"))
    checkpoint = runs_root() / "x.partial" / "checkpoint.safetensors"
    checkpoint.parent.mkdir(parents=True)
    training.advance()
    save_tensors(checkpoint, training.state(), {"step": "1", "seconds": "0"})
    with torch.no_grad():
        training.network.decoder[0].weight.fill_(torch.nan)
    training.restore = lambda *_: None  # it is this broken network that goes on
    with pytest.raises(RunError, match=f"not finite at step 1 .*last good checkpoint is {checkpoint}"):
        _train(training, checkpoint, tell=None, checkpoint_seconds=0.0)
    assert all(t.isfinite().all() for k, t in load_tensors(checkpoint)[0].items() if k.startswith("network"))


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty"])
def test_a_damaged_checkpoint_is_refused_by_name(config, damage, monkeypatch):
    """Nothing is trained on from a damaged checkpoint; the message says which folder to remove."""
    data = load_dataset("tiny", config.data_root)
    path = run_path(config, data.digest)
    checkpoint = path.with_name(f"{path.name}.partial") / "checkpoint.safetensors"
    checkpoint.parent.mkdir(parents=True)
    training = Training(config, data["train"][0], torch.device("cpu"))
    training.advance()
    save_tensors(checkpoint, training.state(), {"step": "1", "seconds": "0"})
    damage_file(checkpoint, damage)
    with pytest.raises(RunError, match=f"{checkpoint} is damaged .*Remove {checkpoint.parent}"):
        fit(config, progress=False)


def damage_file(path: Path, damage: str) -> None:
    content = path.read_bytes()
    flipped = content[:-100] + bytes([content[-100] ^ 1]) + content[-99:]
    path.write_bytes({"truncated": content[: len(content) // 2], "altered": flipped, "empty": b""}[damage])


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty"])
@pytest.mark.parametrize("file", ["weights.safetensors", "history.json"])
def test_a_damaged_run_is_refused_by_name(config, file, damage):
    """A stored run whose files were damaged is not used; the message names the file."""
    run = fit(config, progress=False)
    if file.endswith("json") and damage == "altered":
        (run.path / file).write_bytes(b"\xff" + (run.path / file).read_bytes())
    else:
        damage_file(run.path / file, damage)
    with pytest.raises(RunError, match=f"{file} is damaged"):
        fit(config, progress=False).encode(load_dataset("tiny", config.data_root)["test"][0])


def test_loading_a_run_executes_nothing(config):
    """A run holds JSON and safetensors only, and a pickle in a file's place is refused."""
    run = fit(config, progress=False)
    assert {p.suffix for p in run.path.iterdir()} == {".json", ".safetensors"}
    torch.save({"weight": torch.zeros(2)}, run.path / "weights.safetensors")
    with pytest.raises(RunError, match="damaged"):
        _ = Run.load(run.path).network


def test_a_full_disk_ends_with_a_message_and_keeps_what_is_whole(config):
    """The system refuses to write past a limit: fit says so, and the run trains on once there is room."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))\n"
    command = [sys.executable, "-c", limit + training_of(config)]  # whose words go to no file, which the limit is for
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode != 0
    assert "cannot write" in done.stderr and "MiB are free there" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert fit(config, progress=False).history["epochs"]["loss"]


def test_no_room_is_said_before_training(config, monkeypatch):
    """Where a checkpoint would not fit, nothing is begun."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(RunError, match=r"needs \d+ MiB for a checkpoint"):
        fit(config, progress=False)


def test_missing_device_and_data_are_said_before_training(config):
    """A CUDA device that is not there, and a data set that is not there, end before anything is written."""
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(RunError, match=f"{missing}.*is not there"):
        fit(dataclasses.replace(config, device=missing))
    with pytest.raises(DataError, match="missing"):
        fit(dataclasses.replace(config, dataset="nowhere"))
    assert not runs_root().exists()


@pytest.mark.parametrize(("field", "value"), [("n_train", 300), ("batch_size", 1000)])
def test_more_images_than_there_are(config, field, value):
    """n_train and batch_size beyond the data set are refused with the number there is."""
    with pytest.raises(ValueError, match=f"{field}={value} is not possible.* 256 training images"):
        fit(dataclasses.replace(config, **{field: value}))
