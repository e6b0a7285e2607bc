"""The notebooks under papermill: parameters as it passes them, and what stops one before anything is trained."""

import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from PIL import Image

from tests import children
from tests.cells import CELLS
from tests.conftest import ROOT
from vimae_core import toy_faces
from vimae_core.chapters import CHAPTERS

NOTEBOOK = "notebooks/01_latent_shape.ipynb"


def papermill(folder: Path, notebook: str, *parameters: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "papermill", str(ROOT / notebook), "out.ipynb", "--no-progress-bar", *parameters]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def shown(folder: Path, notebook: str, **given: str) -> None:
    """Executes a notebook with parameters as papermill passes them, without its kernel and without painting."""
    asked = parameterize_notebook(load_notebook_node(str(ROOT / notebook)), {"profile": "smoke", **given})
    nbformat.write(asked, folder / "asked.ipynb")
    status, said = children.ended(CELLS, str(folder / "asked.ipynb"), str(folder / "out.ipynb"), folder=folder)
    assert status == 0, said[-3000:]


def refusal(folder: Path, monkeypatch, notebook: str, parameter: str, value: str | int) -> str:
    """Why a notebook stops at this parameter: papermill's cells, executed here, where all is imported already.

    Nothing is trained before it stops.
    """
    given = {"profile": "smoke", parameter: value}
    asked = parameterize_notebook(load_notebook_node(str(ROOT / notebook)), given)
    monkeypatch.chdir(folder)
    names = {"__name__": "__main__", "In": [""]}  # the cells that ran, which IPython keeps and `prepare` reads
    with pytest.raises(Exception) as stopped:
        for cell in (cell for cell in asked.cells if cell.cell_type == "code"):
            names["In"].append(cell.source)
            exec(cell.source, names)
    assert not (folder / "runs").exists()
    return str(stopped.value)


def test_the_notebook_runs_from_any_directory(tmp_path):
    """With parameters as papermill passes them, into the run store that the environment names."""
    done = papermill(tmp_path, NOTEBOOK, "-p", "profile", "smoke", "-p", "seeds", "3", "-p", "methods", "VAE,VIMAE-n")
    assert done.returncode == 0, done.stderr[-3000:]
    configs = [json.loads(p.read_text()) for p in (tmp_path / "runs").glob("*/config.json")]
    assert {c["seed"] for c in configs if c["likelihood"] == "bernoulli"} == {3}
    assert {c["method"] for c in configs} == {"vae", "vimae"}


def test_papermill_may_say_where_its_output_lies(tmp_path):
    """--inject-output-path adds a parameter that is papermill's own."""
    done = papermill(tmp_path, "notebooks/speed.ipynb", "-p", "profile", "smoke", "--inject-output-path")
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_training_notebook_takes_its_parameters(tmp_path):
    """The other network, in fp32, two seeds of two models."""
    given = {"architecture": "mlp", "width": "0.1", "precision": "fp32", "seeds": "1,2", "methods": "AE,VIMAE-l"}
    shown(tmp_path, "notebooks/02_training.ipynb", **given)
    configs = [json.loads(p.read_text()) for p in (tmp_path / "runs").glob("*/config.json")]
    assert {(c["method"], c["seed"]) for c in configs} == {(m, s) for m in ("ae", "vimae") for s in (1, 2)}
    assert {(c["architecture"], c["width"], c["precision"]) for c in configs} == {("mlp", 0.1, "fp32")}


def test_the_chapters_of_section_5_2_take_their_parameters(tmp_path):
    """Noise levels, draws, labels and a condition of one's own; what was asked for is what is recorded."""
    given = {"conditions": "clean,mask 0.35", "curve": "gaussian 0.15", "draws": "17,18", "n_labels": "50"}
    given |= {"methods": "VAE,VIMAE-l", "rate_weights": "1", "sweep_likelihoods": "bernoulli"}
    chapters = {"03_capacity_semi_supervised": given, "04_mnist_generation": {"condition": "mask 0.7"}}
    for notebook, values in chapters.items():
        shown(tmp_path, f"notebooks/{notebook}.ipynb", **{"methods": "VAE,VIMAE-l", **values})
    records = [json.loads(p.read_text()) for p in (tmp_path / "runs").glob("*/record.json")]
    assert len(records) == 2
    for record in records:
        assert record["probes"]["draws"] == [17, 18]
        assert list(record["probes"]["accuracy"]["test"]) == ["clean", "mask 0.35", "gaussian 0.15"]
        assert record["determined_by"]["generation"]["condition"] == "mask 0.7"


def test_the_faces_of_a_folder(tmp_path):
    """The chapter on pictures of one's own, of another size: trained on, held out, and measured by name."""
    folder = tmp_path / "data" / "celeba" / "img_align_celeba"
    folder.mkdir(parents=True)
    faces = toy_faces.render(toy_faces.draw_factors(150, seed=1))
    for i, face in enumerate(faces):
        Image.fromarray(face.permute(1, 2, 0).numpy()).resize((89, 109)).save(folder / f"{i:06}.jpg")
    given = {"dataset": "celeba", "data_root": str(tmp_path / "data"), "methods": "VAE,VIMAE-l", "n_train": "100"}
    given |= {"scale_methods": "VIMAE-l", "scale_likelihoods": "gaussian", "n_test": "10", "lambda_": "50"}
    shown(tmp_path, "notebooks/05_celeba_generation.ipynb", **given)
    runs = [path.parent for path in (tmp_path / "runs").glob("*/record.json")]
    configs = [json.loads((run / "config.json").read_text()) for run in runs]
    found = {(c["dataset"], c["method"], c["lambda_"], c["likelihood"]) for c in configs}
    vimae = {("celeba", "vimae", 50.0, likelihood) for likelihood in ("bernoulli", "gaussian")}
    assert found == {("celeba", "vae", 1.0, "bernoulli"), *vimae}
    assert all(json.loads((run / "record.json").read_text())["faces"]["n"] == 10 for run in runs)


@pytest.mark.parametrize(
    ("notebook", "parameter", "value", "message"),
    [
        ("05_celeba_generation", "features", "inception", "Inception's weights for the FID, sha256 6726825d"),
        ("05_celeba_generation", "features", "fid", "features 'fid' are unknown"),
        ("05_celeba_generation", "dataset", "celeba", "non-commercial"),
        ("03_capacity_semi_supervised", "conditions", "fog 0.2", "condition 'fog 0.2' is not possible: must be one of"),
        ("03_capacity_semi_supervised", "n_labels", 5000, "n_labels=5000 is not possible"),
        ("04_mnist_generation", "condition", "mask 2", "condition 'mask 2' is not possible"),
    ],
)
def test_what_is_impossible_or_missing_stops_a_notebook(tmp_path, monkeypatch, notebook, parameter, value, message):
    """By name, with what is possible, before anything is trained."""
    if notebook.startswith("05"):
        monkeypatch.setenv("VIMAE_DATA", str(tmp_path))  # somebody may have CelebA in data/
    assert message in refusal(tmp_path, monkeypatch, f"notebooks/{notebook}.ipynb", parameter, value)


@pytest.mark.parametrize("notebook", [f"notebooks/{name}.ipynb" for name in CHAPTERS.values() if name != "speed"])
def test_a_misspelt_parameter_stops_the_notebook_before_training(tmp_path, monkeypatch, notebook):
    """papermill only warns; the notebook refuses, and names what there is."""
    told = refusal(tmp_path, monkeypatch, notebook, "seed", 3)
    assert told.startswith("unknown parameter(s) seed: possible are profile")


def test_a_refusal_ends_papermill_with_the_notebooks_words(tmp_path):
    """Not only the cells: the process fails, and shows why."""
    done = papermill(tmp_path, NOTEBOOK, "-p", "profile", "smoke", "-p", "seed", "3")
    assert done.returncode != 0 and "unknown parameter(s) seed: possible are profile" in done.stderr
    assert not (tmp_path / "runs").exists()
