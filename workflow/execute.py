"""Executes a notebook by papermill: python workflow/execute.py SOURCE TARGET PROFILE DIGEST [FILE ...].

TARGET appears only when every cell has run. DIGEST and the FILEs determine what the cells show. Where they are as in an
earlier execution of the same cells, its outputs are kept, beside the text of today.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

KEPT = Path(__file__).resolve().parent.parent / "_build" / "executed"  # the last execution of each notebook
FROM = "determined_by"  # in a notebook's metadata
INJECTED = "injected-parameters"  # papermill's cell below that of the parameters


def main(source: str, target: str, profile: str, digest: str, *files: str) -> None:
    """Ends the process with the traceback of a cell that fails."""
    determined = hashlib.sha256("".join([profile, digest, *map(_digest, files)]).encode()).hexdigest()
    kept = KEPT / Path(target).name
    if executed := told_anew(Path(source), kept, determined):
        print(f"{source}: its cells and all that they show are as before, its text is told anew")
    else:
        from papermill.exceptions import PapermillExecutionError  # here: importing it takes a second
        from papermill.execute import execute_notebook

        try:
            executed = execute_notebook(source, None, {"profile": profile}, kernel_name="python3", progress_bar=False)
        except PapermillExecutionError as error:
            sys.exit(str(error))
        executed.metadata[FROM] = determined
        for cell in executed.cells:
            if INJECTED in _tags(cell):  # the book shows a notebook's own parameters
                cell.metadata["tags"].append("remove-input")
    write(executed, kept, Path(target))


def write(executed: NotebookNode, *paths: Path) -> None:
    """Each whole or not at all."""
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
            nbformat.write(executed, draft := Path(folder) / path.name)
            os.replace(draft, path)


def told_anew(source: Path, kept: Path, determined: str | None = None) -> NotebookNode | None:
    """The notebook with the outputs that an earlier execution kept; None where that had other cells or other inputs,
    which a caller who knows that nothing else has changed need not name."""
    try:
        told, executed = nbformat.read(source, as_version=4), nbformat.read(kept, as_version=4)
    except (OSError, ValueError):  # never executed; damaged
        return None
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    own = [cell for cell in told.cells if cell.cell_type == "code"]
    before = [cell for cell in code if INJECTED not in _tags(cell)]
    if determined not in (None, executed.metadata.get(FROM)) or _said(before) != _said(own):
        return None
    for cell, old in zip(own, before, strict=True):
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
        cell.metadata = old.metadata | cell.metadata
    for cell in (cell for cell in code if INJECTED in _tags(cell)):
        below = next((i for i, other in enumerate(told.cells) if "parameters" in _tags(other)), -1)
        told.cells.insert(below + 1, cell)
    told.metadata = executed.metadata
    return told


def _said(cells: list[NotebookNode]) -> list[tuple]:
    return [(cell.source, *sorted(_tags(cell))) for cell in cells]


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
