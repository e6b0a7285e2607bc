"""Executes a notebook by papermill: python workflow/execute.py SOURCE TARGET [papermill options].

TARGET appears only when every cell has run. papermill itself leaves the broken notebook at its target.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat


def main(source: str, target: str, *options: str) -> int:
    """papermill's exit status; its traceback of a failing cell goes to the terminal."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=Path(target).parent, prefix=".") as folder:
        draft = Path(folder) / Path(target).name
        command = [
            sys.executable,
            "-m",
            "papermill",
            source,
            str(draft),
            "-k",
            "python3",
            "--no-progress-bar",
            *options,
        ]
        status = subprocess.run(command).returncode
        if status == 0:
            _fold(draft)
            os.replace(draft, target)
        return status


def _fold(draft: Path) -> None:
    """The book shows a notebook's own parameters, and not papermill's cell below them."""
    notebook = nbformat.read(draft, as_version=4)
    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.metadata["tags"].append("remove-input")
    nbformat.write(notebook, draft)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
