"""What one notebook costs: where its text alone has changed, no cell is executed, and yet the text is today's."""

import shutil
import subprocess
import sys

import nbformat
import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "workflow"))
import execute


def copied(command):
    """In papermill's place, where it does not matter what the cells show."""
    shutil.copy(command[3], command[4])
    return subprocess.CompletedProcess(command, 0)


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Executes a small notebook of the given text, cell and record; whether papermill ran, and what it shows."""
    monkeypatch.setattr(execute, "KEPT", tmp_path / "executed")
    monkeypatch.chdir(tmp_path)
    source, record, target = tmp_path / "a.ipynb", tmp_path / "record.json", tmp_path / "results" / "a.ipynb"

    def run(text="Prose.", cell="print(2 * n)", found="1", digest="d", profile="smoke", papermill=copied):
        cells = [
            nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_markdown_cell(text),
            nbformat.v4.new_code_cell(cell),
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), source)
        record.write_text(found)
        calls = []
        with monkeypatch.context() as patch:
            patch.setattr(execute.subprocess, "run", lambda command: calls.append(command) or papermill(command))
            status = execute.main(
                *map(str, (source, target, digest, record)), "--", "-p", "n", "21", "-p", "m", profile
            )
        return bool(calls), status, nbformat.read(target, 4) if target.is_file() else None

    return run


def shown(notebook) -> list[str]:
    """Text and outputs, from top to bottom."""
    texts = [cell.outputs[0].text if cell.get("outputs") else cell.source for cell in notebook.cells]
    return [text.strip() for text in texts]


def test_new_text_stands_beside_the_outputs_that_are_there(ran):
    """As an execution would leave them, without one; a damaged or missing earlier one is no loss."""
    first = ran(papermill=subprocess.run)
    assert first[:2] == (True, 0) and shown(first[2])[2:] == ["Prose.", "42"]
    executed, status, told = ran(text="Other prose.\n\nAnd more.")
    assert (executed, status) == (False, 0) and shown(told)[2:] == ["Other prose.\n\nAnd more.", "42"]
    for old, new in zip(first[2].cells, told.cells, strict=True):
        assert old.cell_type == new.cell_type and (old == new | {"id": old.id} or old.cell_type == "markdown")
    assert first[2].metadata == told.metadata
    kept = execute.KEPT / "a.ipynb"
    kept.write_text(kept.read_text()[:100])
    assert ran()[:2] == (True, 0)


@pytest.mark.parametrize("change", [{"cell": "print(3 * n)"}, {"found": "2"}, {"digest": "e"}, {"profile": "quick"}])
def test_what_the_cells_show_comes_from_is_executed_again(ran, change):
    """A cell, a record, the code, a parameter."""
    assert ran()[0] and not ran()[0]
    assert ran(**change)[0]


def test_a_failing_cell_leaves_nothing(ran, tmp_path):
    """Neither a notebook, nor something that a later call takes for an execution."""
    executed, status, notebook = ran(cell="raise RuntimeError", papermill=subprocess.run)
    assert executed and status != 0 and notebook is None
    assert not list((tmp_path / "executed").iterdir()) and not list((tmp_path / "results").iterdir())
