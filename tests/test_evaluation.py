"""The records that measures are kept in, and the committed reference."""

import contextlib
import dataclasses
import json
import math
import shutil

import pytest
import torch

from tests.conftest import write_idx
from vimae_core import RunConfig, evaluate, fit, load_dataset
from vimae_core.__main__ import main
from vimae_core.chapters import load_chapter
from vimae_core.mmd import KERNELS
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE, find_reference, publish, reference_record
from vimae_core.runs import RECORDED_STEPS, Run
from vimae_core.store import RunError, is_whole
from vimae_core.verify import verify


@pytest.fixture
def run(tiny) -> Run:
    config = RunConfig(dataset="tiny", data_root=str(tiny), epochs=2, batch_size=16, width=0.1, precision="fp32")
    return fit(config, progress=False)


def test_a_record_is_kept_until_its_measures_change(run, monkeypatch):
    """The second call reads the record; other measuring code or another n_test makes it anew."""
    first = evaluate(run)
    path = run.path / "record.json"
    stored = json.loads(path.read_text())
    stored["latent_fit"]["kl"] = -123.0
    path.write_text(json.dumps(stored))
    assert evaluate(run)["kl"] == -123.0
    assert evaluate(run, n_test=32)["n"] == 32
    assert evaluate(run) == first
    monkeypatch.setattr("vimae_core.evaluation.record.code_digest", lambda *_: "other measures")
    path.write_text(json.dumps(stored))
    assert evaluate(run) == first


def test_a_deterministic_encoder_has_a_record(tiny):
    """Its rate is infinite, its posterior a point; the other measures stand."""
    config = RunConfig(dataset="tiny", data_root=str(tiny), epochs=1, batch_size=16, width=0.1, encoder="deterministic")
    run = fit(config, progress=False)
    record, posterior = evaluate(run), run.posterior(load_dataset("tiny", tiny)["test"][0])
    assert torch.equal(posterior.sample(), posterior.mean)
    assert record["rate"] == math.inf and record["posterior_std"] == 0
    assert all(math.isfinite(v) for k, v in record.items() if k != "rate")


@pytest.fixture
def published(run, monkeypatch, tmp_path) -> Run:
    """The run as it stands in results/reference."""
    monkeypatch.setattr("vimae_core.reference.REFERENCE", tmp_path / "reference")
    monkeypatch.setattr("vimae_core.verify.REFERENCE", tmp_path / "reference")
    evaluate(run)
    publish(run, weights=True)
    return find_reference(run.config)


def test_a_reference_is_found_by_its_configuration(run, published, monkeypatch):
    """Whatever the code is now; not for another configuration, nor where a default has changed since."""
    assert published.config == run.config and published.history == run.history
    assert reference_record(published) == evaluate(run)
    assert find_reference(dataclasses.replace(run.config, seed=1)) is None
    stored = json.loads((published.path / "config.json").read_text())
    (published.path / "config.json").write_text(json.dumps(stored | {"kernel": "gaussian"}))
    assert find_reference(run.config) is None


def test_a_reference_draws_the_same_codes(run, published):
    """Weights kept in half precision move a code by less than a hundredth of the codes' spread."""
    images, _ = load_dataset("tiny", run.config.data_root)["test"]
    z = run.encode(images)
    assert (published.encode(images) - z).abs().max() < 0.01 * z.std()


def test_verify_replays_the_first_steps(published):
    """Today's code gives the recorded losses; a recorded loss that was changed by 1 % is found."""
    assert verify(published) < 1e-5
    for term in ("loss", "distortion", "divergence"):
        history = json.loads(json.dumps(published.history))
        history["steps"][term][20] *= 1.01
        with pytest.raises(RunError, match=f"{term} at step 20 was .* today's code"):
            verify(dataclasses.replace(published, history=history))


def test_runs_whose_data_are_not_here_are_not_replayed(published, tiny, monkeypatch, capsys, tmp_path):
    """They are counted and named; where nothing is left to replay, that is a failure."""
    shutil.copytree(published.path, tmp_path / "records" / "a")
    shutil.copytree(published.path, tmp_path / "records" / "b")
    other = json.loads((tmp_path / "records" / "b" / "environment.json").read_text()) | {"data_digest": "0" * 64}
    (tmp_path / "records" / "b" / "environment.json").write_text(json.dumps(other))
    monkeypatch.setattr("vimae_core.verify.REFERENCE", tmp_path / "records")
    monkeypatch.setenv("VIMAE_DATA", str(tiny))
    assert main(["verify-reference"]) == 0
    told = capsys.readouterr().out
    assert "1 recorded runs agree" in told and "1 were not replayed: their pictures (tiny) are not in" in told
    monkeypatch.setenv("VIMAE_DATA", str(tmp_path / "records"))
    assert main(["verify-reference"]) == 2
    assert "none of the 2 recorded runs was trained on data that are in" in capsys.readouterr().err


def test_runs_of_a_gpu_are_replayed_on_one_alone(published, tiny, monkeypatch, capsys, tmp_path):
    """Counted where there is none; a CPU, which a record names with its cores, replays its own."""
    shutil.copytree(published.path, tmp_path / "records" / "a")
    gpu = shutil.copytree(published.path, tmp_path / "records" / "b")
    own = json.loads((gpu / "environment.json").read_text())
    (gpu / "environment.json").write_text(json.dumps(own | {"device": "NVIDIA H100 80GB HBM3"}))
    monkeypatch.setattr("vimae_core.verify.REFERENCE", tmp_path / "records")
    monkeypatch.setenv("VIMAE_DATA", str(tiny))
    assert main(["verify-reference"]) == 0
    told = capsys.readouterr().out
    assert "1 recorded runs agree" in told and "1 were not replayed: a GPU's random numbers" in told
    monkeypatch.setattr("vimae_core.verify.pick_device", lambda name: torch.device("cuda"))
    monkeypatch.setattr("vimae_core.verify.verify", lambda run, data: 0.0)
    assert main(["verify-reference"]) == 0
    told = capsys.readouterr().out
    assert "2 recorded runs agree" in told and "not replayed" not in told


def test_verify_replays_in_the_precision_of_the_record(run, monkeypatch, tmp_path):
    """A bf16 record in bf16, to the tolerance that its rounding needs; a term that is off by a fifth is found."""
    monkeypatch.setattr("vimae_core.reference.REFERENCE", tmp_path / "reference")
    bf16 = fit(dataclasses.replace(run.config, precision="bf16"), progress=False)
    assert bf16.history != run.history
    bf16 = dataclasses.replace(bf16, config=dataclasses.replace(bf16.config, precision="auto"))
    assert verify(bf16) < 1e-5
    for term in ("loss", "distortion"):
        history = json.loads(json.dumps(bf16.history))
        history["steps"][term][5] *= 1.2
        with pytest.raises(RunError, match=f"{term} at step 5 was"):
            verify(dataclasses.replace(bf16, history=history))
    del run.environment["precision"]  # as the first records were
    assert verify(run) < 1e-5


def test_verify_replays_a_convolutional_run(tmp_path, monkeypatch):
    """Ten steps of it, after which batch norm has made much of little."""
    write_idx(tmp_path / "data" / "squares", side=28)
    config = RunConfig(dataset="squares", data_root=str(tmp_path / "data"), architecture="conv", width=1 / 64)
    run = fit(dataclasses.replace(config, batch_size=16, epochs=2, precision="fp32"), progress=False)
    assert verify(run) < 1e-5
    for step, found in ((5, True), (15, False)):
        history = json.loads(json.dumps(run.history))
        history["steps"]["distortion"][step] *= 1.2
        with pytest.raises(RunError) if found else contextlib.nullcontext():
            verify(dataclasses.replace(run, history=history))


def test_verify_finds_a_changed_objective(published, monkeypatch):
    """A kernel with another scale is not the code that the records come from."""
    monkeypatch.setitem(KERNELS, "imq", lambda x, y, scale=None: 1 / (1 + torch.cdist(x, y)))
    with pytest.raises(RunError, match="today's code"):
        verify(published)


def test_verify_refuses_other_data(published):
    """Records of other data are named as such."""
    other = dataclasses.replace(published, environment=published.environment | {"data_digest": "0" * 64})
    with pytest.raises(RunError, match="recorded with data 000000000000"):
        verify(other)


def test_verify_command(published, capsys, monkeypatch, tiny):
    """`verify-reference` replays every record, and fails where there is none."""
    monkeypatch.setenv("VIMAE_DATA", str(tiny))
    assert main(["verify-reference"]) == 0
    assert "1 recorded runs agree" in capsys.readouterr().out
    (published.path / "config.json").unlink()
    assert main(["verify-reference"]) == 2
    assert "holds no records" in capsys.readouterr().err


def test_committed_references_are_whole():
    """Every record is found by its configuration, has its losses, and numbers; all of section 5.1's are there."""
    runs = [Run.load(p) for p in REFERENCE.iterdir() if is_whole(p)]
    groups = load_chapter("latent_shape").runs(parameters("latent_shape", "reference")).values()
    asked = {config for group in groups for config in group}
    assert {find_reference(config).path for config in asked} <= {run.path for run in runs}
    for run in runs:
        assert find_reference(run.config).path == run.path
        assert len(run.history["steps"]["loss"]) == RECORDED_STEPS
        infinite = {name for name, value in reference_record(run).items() if not math.isfinite(value)}
        beside_uniform = {"rate", "kl", "kl_train"} if run.config.prior == "uniform" else set()  # codes outside of it
        assert infinite - beside_uniform == ({"rate"} if run.config.encoder == "deterministic" else set())
        assert len(run.history["epochs"]["loss"]) == run.config.epochs


def test_command_line_trains_and_shows(tiny, capsys):
    """train prints the run's folder, evaluate its record, show a line a run; wrong input one line and status 2."""
    flags = ["--dataset", "tiny", "--data-root", str(tiny), "--epochs", "1", "--batch-size", "16", "--width", "0.1"]
    assert main(["train", *flags]) == 0
    path = capsys.readouterr().out.splitlines()[-1]
    assert main(["evaluate", *flags, "--n-test", "32"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == path and out[0].split() == ["n", "32"]
    assert main(["show"]) == 0
    assert path.rsplit("/", 1)[1] in capsys.readouterr().out
    assert main(["train", *flags, "--lambda", "-1"]) == 2
    assert "lambda=-1.0 is not possible" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["train", "--methd", "vae"])
    assert "--methd" in capsys.readouterr().err
