"""What one notebook costs: where its text alone has changed, no cell is executed, and yet the text is today's."""

import sys

import nbformat
import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "workflow"))
import execute
from papermill import execute as papermill_execute

EXECUTED = papermill_execute.execute_notebook


def unexecuted(source, *_, **__):
    """In papermill's place, where it does not matter what the cells show."""
    return nbformat.read(source, 4)


@pytest.fixture
def ran(tmp_path, monkeypatch):
    """Executes a small notebook of the given text, cell and record; whether papermill ran, and what it shows."""
    monkeypatch.setattr(execute, "KEPT", tmp_path / "executed")
    monkeypatch.chdir(tmp_path)
    source, record, target = tmp_path / "a.ipynb", tmp_path / "record.json", tmp_path / "results" / "a.ipynb"

    def run(text="Prose.", cell="print(2 * n)", found="1", digest="d", profile="smoke", papermill=unexecuted):
        cells = [
            nbformat.v4.new_code_cell("n, profile = 21, None", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_markdown_cell(text),
            nbformat.v4.new_code_cell(cell),
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), source)
        record.write_text(found)
        calls = []
        with monkeypatch.context() as patch:
            patch.setattr(papermill_execute, "execute_notebook", lambda *a, **k: calls.append(a) or papermill(*a, **k))
            execute.main(*map(str, (source, target, profile, digest, record)))
        return bool(calls), nbformat.read(target, 4)

    return run


def shown(notebook) -> list[str]:
    """Text and outputs, from top to bottom."""
    texts = [cell.outputs[0].text if cell.get("outputs") else cell.source for cell in notebook.cells]
    return [text.strip() for text in texts]


def test_new_text_stands_beside_the_outputs_that_are_there(ran):
    """As an execution would leave them, without one; a damaged or missing earlier one is no loss."""
    executed, first = ran(cell="print(2 * n, profile)", papermill=EXECUTED)
    assert executed and shown(first)[1:] == ['# Parameters\nprofile = "smoke"', "Prose.", "42 smoke"]
    executed, told = ran(text="Other prose.\n\nAnd more.", cell="print(2 * n, profile)")
    assert not executed and shown(told)[2:] == ["Other prose.\n\nAnd more.", "42 smoke"]
    for old, new in zip(first.cells, told.cells, strict=True):
        assert old.cell_type == new.cell_type and (old == new | {"id": old.id} or old.cell_type == "markdown")
    assert first.metadata == told.metadata
    kept = execute.KEPT / "a.ipynb"
    kept.write_text(kept.read_text()[:100])
    assert ran()[0]


@pytest.mark.parametrize("change", [{"cell": "print(3 * n)"}, {"found": "2"}, {"digest": "e"}, {"profile": "quick"}])
def test_what_the_cells_show_comes_from_is_executed_again(ran, change):
    """A cell, a record, the code, a parameter."""
    assert ran()[0] and not ran()[0]
    assert ran(**change)[0]


def test_a_failing_cell_leaves_nothing(ran, tmp_path):
    """Neither a notebook, nor something that a later call takes for an execution; its traceback ends the process."""
    with pytest.raises(SystemExit, match="RuntimeError: on purpose"):
        ran(cell="raise RuntimeError('on purpose')", papermill=EXECUTED)
    assert not (tmp_path / "executed").exists() and not (tmp_path / "results").exists()
