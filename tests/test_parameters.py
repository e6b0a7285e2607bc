"""A notebook's parameters: what its cells hold now, in whatever form it comes, refused before anything is computed."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT, write_idx
from vimae_core import RunConfig
from vimae_core.chapters import CHAPTERS, all_runs, load_chapter
from vimae_core.config import PAPER_MODELS
from vimae_core.data import DataError
from vimae_core.profiles import parameters, profile_names
from vimae_core.report.paper import paper_values
from vimae_core.report.parameters import notebook_parameters, prepare
from vimae_core.report.results import build_results
from vimae_core.store import runs_root

CHAPTER = "latent_shape"
MLP = {"architecture": "mlp", "n_train": 200}


class Notebook:
    """A kernel's namespace, in which cells are run."""

    def __init__(self):
        self.namespace: dict = {"In": [""]}

    def run(self, cell: str) -> None:
        self.namespace["In"].append(cell)
        exec(cell, self.namespace)

    def read(self, chapter: str = CHAPTER):
        self.namespace["In"].append("p = notebook_parameters(...)")
        return notebook_parameters(chapter, self.namespace)


OWN = '# Parameters\nprofile = "quick"\nepochs = None\nseeds = None\n'


def test_a_corrected_name_counts_when_its_cell_is_run_again():
    """`seed = 3` is refused; corrected to `seeds = 3` in the same kernel it counts, though `seed` is still there."""
    notebook = Notebook()
    notebook.run(OWN + "seed = 3")
    with pytest.raises(ValueError, match=r"unknown parameter\(s\) seed: possible are profile, .*seeds"):
        notebook.read()
    notebook.run(OWN.replace("seeds = None", "seeds = 3"))
    assert notebook.read().seeds == [3]
    assert notebook.read().seeds == [3]  # run again without its parameters


def test_a_line_that_is_gone_counts_no_more():
    """The cell without `epochs = 7` has the profile's."""
    notebook = Notebook()
    notebook.run(OWN + "epochs = 7")
    assert notebook.read().epochs == 7
    notebook.run('# Parameters\nprofile = "quick"')
    assert notebook.read().epochs == parameters(CHAPTER, "quick").epochs


def test_papermills_cell_goes_over_the_notebooks_own():
    """Both were run before the first reading; what papermill says of itself is no parameter."""
    notebook = Notebook()
    notebook.run(OWN + "epochs = 2")
    notebook.run(
        '# Parameters\nPAPERMILL_INPUT_PATH = "in.ipynb"\nPAPERMILL_OUTPUT_PATH = "out.ipynb"\nseeds = "4,5"\n'
    )
    p = notebook.read()
    assert (p.epochs, p.seeds) == (2, [4, 5])


@pytest.mark.parametrize(
    "cell",
    [
        "seeds = [s for s in range(2)]",  # the comprehension's s is no parameter
        "seeds = sorted({1, 0})\ndef unused(epochs):\n    inner = epochs",
        "extra = 3\nseeds = [0, 1]\ndel extra",
        "if True:\n    seeds = [0, 1]",
        "seeds, epochs = [0, 1], None",
        "seeds: list = [0]\nseeds += [1]",
    ],
)
def test_only_what_the_cell_assigns_counts(cell):
    """Names of comprehensions, of functions, and deleted ones are no parameters."""
    notebook = Notebook()
    notebook.run(OWN + cell)
    assert notebook.read().seeds == [0, 1]


def test_a_magic_in_the_cell_is_no_assignment():
    """As JupyterLab's cells have them."""
    notebook = Notebook()
    notebook.namespace |= {"profile": "quick", "seeds": 3}
    notebook.namespace["In"].append('# Parameters\n%load_ext autoreload\nprofile = "quick"\nseeds = 3')
    assert notebook.read().seeds == [3]


@pytest.mark.parametrize(
    "seeds",
    [[1, 2], (1, 2), "1,2", " 1, 2", range(1, 3), np.array([1, 2]), {1: 0, 2: 0}.keys(), np.array([1.0, 2.0]), "1,2,1"],
)
def test_a_list_may_come_as_anything_that_lists(seeds):
    """Python's, NumPy's, or text with commas; what is named twice counts once."""
    assert parameters(CHAPTER, "quick", seeds=seeds).seeds == [1, 2]


def test_a_list_that_a_profile_leaves_empty_keeps_its_kind():
    """By what the base lists: as text, numbers are numbers, and no other text is one."""
    p = parameters("disentanglement", "quick", noisy_scales="0.5,4", shapes="uniform,laplace", betas=2)
    assert parameters("disentanglement", "quick").noisy_scales == []
    assert (p.noisy_scales, p.shapes, p.betas) == ([0.5, 4.0], ["uniform", "laplace"], [2.0])
    with pytest.raises(ValueError, match=r"noisy_scales='wide' is not possible: must be float, such as 0\.5"):
        parameters("disentanglement", "quick", noisy_scales="wide")


@pytest.mark.parametrize("epochs", [7, 7.0, "7", np.int64(7), np.float64(7.0), np.array(7)])
def test_a_number_may_come_as_anything_that_counts(epochs):
    """NumPy's too."""
    assert parameters(CHAPTER, "quick", epochs=epochs).epochs == 7
    assert RunConfig(epochs=np.int64(7), lambda_=np.float32(3), width=np.float64(0.5)) == RunConfig(
        epochs=7, lambda_=3.0, width=0.5
    )


def test_a_folder_may_come_as_a_path(tmp_path):
    """pathlib's."""
    assert parameters(CHAPTER, "quick", data_root=tmp_path).data_root == str(tmp_path)
    assert RunConfig(data_root=Path("/a b")).data_root == "/a b"


@pytest.mark.parametrize(
    ("chapter", "given", "name", "once"),
    [
        ("latent_shape", {"seeds": "0,0,0"}, "seeds", [0]),
        ("latent_shape", {"methods": "VAE,vae,Vae"}, "methods", ["VAE"]),
        ("latent_shape", {"lambdas": [10, 10.0, "10"]}, "lambdas", [10.0]),
        ("latent_shape", {"likelihoods": "wae,wae"}, "likelihoods", ["wae"]),
        ("capacity", {"draws": [3, 3]}, "draws", [3]),
        ("capacity", {"conditions": "clean,mask 0.5,mask_0.50"}, "conditions", ["clean", "mask 0.5"]),
        ("capacity", {"rate_weights": "1,1.0"}, "rate_weights", [1.0]),
        ("faces", {"scale_methods": "VAE,vae"}, "scale_methods", ["VAE"]),
    ],
)
def test_what_is_named_twice_counts_once(chapter, given, name, once):
    """Seeds, models, weights, draws, conditions, however they are spelled: no repeat is an independent run."""
    assert getattr(parameters(chapter, "quick", **given), name) == once


@pytest.mark.parametrize(
    ("chapter", "given", "message"),
    [
        ("latent_shape", {"seed": 3}, r"unknown parameter\(s\) seed: possible are profile, dataset, methods, seeds"),
        (
            "latent_shape",
            {"profile": "fast"},
            "profile='fast' is unknown: must be one of paper, quick, reference, smoke",
        ),
        ("latent_shape", {"epochs": "many"}, "epochs='many' is not possible: must be int"),
        ("latent_shape", {"epochs": 1.5}, "epochs=1.5 is not possible: must be int"),
        ("latent_shape", {"epochs": True}, "epochs=True is not possible"),
        ("latent_shape", {"seeds": "0,x"}, "seeds='x' is not possible: must be int"),
        (
            "latent_shape",
            {"likelihoods": "bernouli"},
            "likelihood='bernouli' is not possible: must be one of bernoulli, gaussian, wae",
        ),
        ("latent_shape", {"lambdas": -1}, "lambda=-1.0 is not possible"),
        ("latent_shape", {"device": "gpu"}, "device='gpu' is not possible: must be auto, cpu, cuda"),
        ("latent_shape", {"n_test": -5}, "n_test=-5 is not possible: must be greater than 0"),
        ("latent_shape", {"n_test": 0}, "n_test=0 is not possible"),
        ("latent_shape", {"n_test": float("nan")}, "n_test=nan is not possible"),
        ("latent_shape", {"epochs": float("inf")}, "epochs=inf is not possible: must be int"),
        ("latent_shape", {"max_kl": -0.1}, "max_kl=-0.1 is not possible"),
        ("latent_shape", {"epochs": 0}, "epochs=0 is not possible: must be greater than 0"),
        ("latent_shape", {"seeds": []}, "seeds=.* must name at least one value"),
        ("latent_shape", {"seeds": "1,,2"}, "seeds='' is not possible: must be int"),
        ("latent_shape", {"methods": "GAN"}, "method 'GAN' is not one of the paper's"),
        ("capacity", {"n_labels": 0}, "n_labels=0 is not possible"),
        ("generation", {"condition": "masc 0.5"}, "condition 'masc 0.5' is not possible"),
        ("faces", {"n_test": -1}, "n_test=-1 is not possible"),
    ],
)
def test_what_cannot_be_is_refused_by_name(chapter, given, message):
    """Before any data are read."""
    notebook = Notebook()
    notebook.namespace |= given
    notebook.namespace["In"].append("# Parameters\n" + "\n".join(f"{name} = ..." for name in given))
    with pytest.raises(ValueError, match=message):
        notebook.read(chapter)


@pytest.mark.parametrize(
    ("chapter", "dataset", "given", "message"),
    [
        ("latent_shape", "toy-faces", {}, "dataset='toy-faces' is not possible: the figures colour grey images"),
        (
            "latent_shape",
            "tiny",
            {"n_test": 3, "n_train": 200},
            "n_test=3 is not possible: the divergence needs more than 5 images",
        ),
        ("training", "tiny", {"n_train": 200}, "architecture='conv' is not possible for images of 8x8 pixels"),
        (
            "generation",
            "tiny",
            {"architecture": "mlp", "n_train": 200},
            r"tiny has images of \(1, 8, 8\): the digit network takes",
        ),
        ("generation", "toy-faces", {}, r"toy-faces has images of \(3, 64, 64\) without labels"),
        ("generation", "mnist", {"n_test": 3}, "n_test=3 is not possible: the divergence needs more than 5 images"),
        ("capacity", "toy-faces", {}, "toy-faces has no labels"),
        (
            "capacity",
            "tiny",
            {"architecture": "mlp", "n_labels": 1000, "n_train": 200},
            "n_labels=1000 is not possible",
        ),
        ("faces", "mnist", {}, r"mnist has images of \(1, 28, 28\): faces have \(3, 64, 64\)"),
        ("faces", "toy-faces", {"n_test": 3}, "n_test=3 is not possible"),
    ],
)
def test_data_that_a_chapter_cannot_measure_are_refused_first(chapter, dataset, given, message, tmp_path):
    """By name, and before anything is trained."""
    write_idx(tmp_path / "data" / "tiny")
    if dataset == "tiny":
        given = {**given, "data_root": str(tmp_path / "data")}
    notebook = Notebook()
    given = {"profile": "smoke", "dataset": dataset, **given}
    notebook.run("# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in given.items()))
    with pytest.raises(ValueError, match=message):
        build_results(chapter, *prepare(chapter, notebook.namespace))
    assert not runs_root().exists()


def test_missing_data_are_said_first(tmp_path):
    """A data set that is not there."""
    notebook = Notebook()
    notebook.run(f'# Parameters\nprofile = "smoke"\ndata_root = {str(tmp_path)!r}')
    with pytest.raises(DataError, match="is missing"):
        prepare("training", notebook.namespace)


def test_every_profile_is_valid_and_sets_the_same_parameters():
    """The four profiles differ in values only; each names runs that are possible, of all of the paper's models among
    others; reference has five seeds."""
    assert profile_names() == ["paper", "quick", "reference", "smoke"]
    for chapter in CHAPTERS:
        keys = [set(vars(parameters(chapter, name))) for name in profile_names()]
        assert all(k == keys[0] for k in keys)
    for name in ("quick", "smoke"):
        runs = all_runs(name)
        assert len(set(runs)) == len(runs) and {run.label for run in runs} >= set(PAPER_MODELS)
    assert len(parameters("latent_shape", "reference").seeds) == 5
    assert parameters("latent_shape", "paper").n_train is None


def test_figure_runs_are_the_papers():
    """lambda = beta = 10 for the models that have one, in every profile."""
    for name in profile_names():
        figure = load_chapter("latent_shape").runs(parameters("latent_shape", name))["figure"]
        weights = {c.label: (c.alpha, c.lambda_) for c in figure}
        lam, beta = paper_values()["figure_1"]["lambda"], paper_values()["figure_1"]["beta"]
        assert weights == {
            "AE": (0, 0), "VAE": (1, 1), "beta-VAE": (beta, beta), "VIMAE-n": (0, lam), "VIMAE-l": (0, lam),
        }  # fmt: skip


@pytest.mark.parametrize(("chapter", "name"), CHAPTERS.items())
def test_the_notebook_declares_every_parameter_of_its_profile(chapter, name):
    """One cell tagged `parameters`, whose names are the profile's, all None but the profile."""
    notebook = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())
    tagged = [c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1
    declared: dict = {}
    exec("".join(tagged[0]["source"]), declared)
    declared.pop("__builtins__")
    assert declared.pop("profile") == "quick"
    assert set(declared) == set(vars(parameters(chapter, "quick"))) - {"profile"}
    assert set(declared.values()) <= {None}
