"""The notebooks in JupyterLab: no role stands raw in their prose, and every link leads somewhere from notebooks/."""

import json
import re

import pytest

from tests.conftest import ROOT
from vimae_core.report.plain import labels

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def markdown_of(path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_link_leads_somewhere_in_jupyterlab(path):
    """From notebooks/: to a file that is there and a label on it, or to what the notebook itself shows or names."""
    text = markdown_of(path)
    code = path.read_text(encoding="utf-8")
    found = re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", text)
    for shown, target in found:
        file, _, label = target.partition("#")
        if target.startswith("https://"):
            continue
        assert shown, f"{path.name}: the link to {target} has no text"
        assert not file or (path.parent / file).is_file(), f"{path.name}: no file {file} for [{shown}]({target})"
        if file:
            assert not label or labels()[label] == target, f"{path.name}: {target}: no such label there"
        else:
            assert label in labels() or (label.startswith(("fig-", "tab-")) and stem_in(label, code)), (
                f"{path.name}: {target}"
            )


def stem_in(label: str, code: str) -> bool:
    """Whether a cell shows a figure or table of that name, or of its beginning."""
    parts = label.split("-")
    return any(f'"{"-".join(parts[:n])}' in code.replace("\\", "") for n in range(2, len(parts) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_role_stands_in_a_notebooks_prose(path):
    """Neither role nor label nor directive: JupyterLab would show it raw. Code of the prose is folded there."""
    assert re.findall(r"\{[\w:]+\}`|^\([\w-]+\)=|^:::|^```\{|\]\{\.", markdown_of(path), re.MULTILINE) == []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        told = "remove-input" in cell["metadata"].get("tags", [])
        assert cell["metadata"].get("jupyter", {}).get("source_hidden", False) == told, "".join(cell["source"])
