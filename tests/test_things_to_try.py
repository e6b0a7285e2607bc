"""Every notebook ends with three things to try: each line is run as it is printed, and shows what it is to show."""

import ast
import json
import re
import shutil

import nbformat
import pytest

from tests import children
from tests.cells import CELLS
from tests.conftest import ROOT

LINE = re.compile(r"^- \*\*[^*]+:\*\* `([^`]+)`\. \S", re.MULTILINE)
BETWEEN = r"(?:\s+\"\w+\": \S+)*?\s+"  # other fields of a configuration
SHOWS = {  # each line, and what then stands in an output, or in the runs that were read, as it does not without
    "01_latent_shape": {
        "max_kl = 0.5": r"fits up to 0\.5",
        "lambdas = [10, 100000]": "λ = 100000",
        'methods = ["VAE", "VIMAE-l"]': "not tested: no run of beta-VAE, VIMAE-n",
    },
    "02_training": {
        "seeds = [0, 1]": "seeds 0, 1;",
        'architecture = "mlp"': "architecture mlp",
        'methods = ["VAE", "VIMAE-n"]': r"profile smoke; \[4 runs\]",
    },
    "03_capacity_semi_supervised": {
        "draws = [17]": r'"draws": \[\s*17\s*\]',
        "n_labels = 50": "50 labels in this build",
        'conditions = ["clean", "mask 0.35"]': r"\bmask 0\.35",
    },
    "04_mnist_generation": {
        'condition = "mask 0.8"': r"\bmask 0\.8",
        "latent_dim = 2": r"principal components: 43\.",
        'methods = ["AE", "VAE", "VIMAE-n"]': r"profile smoke; \[3 runs\]",
    },
    "05_celeba_generation": {
        "lambda_ = 1000": rf'"dataset": "toy-faces",{BETWEEN}"lambda_": 1000\.0',
        "n_test = 100": r"\b100 samples against 100 held-out",
        'methods = ["VAE", "VIMAE-n"]': r"profile smoke; \[2 runs\]",
    },
    "06_conventions_and_scale": {
        'conventions = ["gaussian", "wae-code"]': '"kernel": "wae"',
        "memories = [0, 400]": '"memory": 400',
        'plane_methods = ["AE", "VIMAE-n"]': rf'"method": "ae",{BETWEEN}"likelihood": "gaussian"',
    },
    "07_capacity": {
        'shapes = ["normal", "generalised-normal 1.5"]': r'"prior_shape": 1\.5',
        "noisy_scales = [0.7, 3.0]": r'"prior_scale": 0\.7',
        "betas = [0.5, 20.0]": r'"lambda_": 20\.0',
    },
    "08_disentanglement": {
        "noisy_scales = [0.5, 4]": "VIMAE-n, σ = 4, noise 1/4",
        'shapes = ["laplace"]': "VIMAE, laplace prior",
        "betas = [1000]": "β = 1000",
    },
}


def things_to_try(name: str) -> list[str]:
    """The lines of a notebook's last cell."""
    last = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"][-1]
    assert last["cell_type"] == "markdown" and "## Three things to try" in "".join(last["source"])
    return LINE.findall("".join(last["source"]))


def told(path) -> str:
    """What a notebook's outputs say, without pictures."""
    outputs = [o for c in nbformat.read(path, 4).cells if c.cell_type == "code" for o in c.outputs]
    kinds = ("text/plain", "text/markdown")
    texts = [o.get("text", "") or "\n".join(["", *(o.get("data", {}).get(k, "") for k in kinds), ""]) for o in outputs]
    return re.sub(r"data:image\S+", "", "".join(texts))


def recorded(store) -> str:
    """The configurations and records of a run store."""
    files = sorted([*store.glob("*/config.json"), *store.glob("*/record.json")])
    return "".join(file.read_text(encoding="utf-8") for file in files)


def tried(folder, name: str, parameters: list[str], cells: list[str]):
    """The outputs of a copy of a notebook with these lines at the end of its parameters' cell, and these cells."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4)
    (cell,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    cell.source = "\n".join([cell.source, *parameters])
    notebook.cells += [nbformat.v4.new_code_cell(line) for line in cells]
    nbformat.write(notebook, folder / f"{name}.ipynb")
    status, said = children.ended(CELLS, str(folder / f"{name}.ipynb"), str(folder / "out.ipynb"))
    assert status == 0, said[-3000:]
    return nbformat.read(folder / "out.ipynb", 4)


@pytest.mark.parametrize("name", SHOWS)
def test_lines_of_the_parameters(name, built_tree, tmp_path, monkeypatch):
    """All three at once, beside the smoke runs that are there; each shows itself, and did not without."""
    lines = things_to_try(name)
    assert lines == list(SHOWS[name])
    assert len({ast.unparse(ast.parse(line).body[0].targets[0]) for line in lines}) == 3  # none undoes another
    shutil.copytree(built_tree / "runs", tmp_path / "warm")
    monkeypatch.setenv("VIMAE_RUNS", str(tmp_path / "warm"))
    tried(tmp_path, name, ['profile = "smoke"', *lines], [])
    before = told(built_tree / "book" / "results" / f"{name}.ipynb") + recorded(built_tree / "runs")
    after = told(tmp_path / "out.ipynb") + recorded(tmp_path / "warm")
    shown = {line: tuple(bool(re.search(sign, text)) for text in (before, after)) for line, sign in SHOWS[name].items()}
    assert shown == dict.fromkeys(lines, (False, True))


def test_lines_of_the_speed_page(tmp_path):
    """Each tells its speed, a number."""
    lines = things_to_try("speed")
    assert len(lines) == 3
    tried(tmp_path, "speed", ['profile = "smoke"'], lines)
    outputs = told(tmp_path / "out.ipynb")
    for unit in ("billion operations a second", "images a second", "images per second"):
        assert len(re.findall(rf"^[1-9]\d* {unit}$", outputs, re.MULTILINE)) == 1


def test_lines_of_the_explorer(tmp_path):
    """Two sliders, then as many as there are at most, of faces; then a draw, which moves them."""
    plane, faces, draw = things_to_try("explore")
    tell = "print([round(slider.value, 3) for slider in explorer.sliders], explorer.run.config.dataset)"
    tried(tmp_path, "explore", [], [plane, tell, faces, tell, draw, tell])
    *_, of_plane, of_faces, drawn = filter(None, told(tmp_path / "out.ipynb").splitlines())
    assert of_plane.endswith("mnist") and of_plane.count(",") == 1
    assert of_faces == f"{[0.0] * 8} celeba" and drawn.endswith("celeba") and drawn != of_faces
