"""A notebook's cells, executed without a kernel and without a picture being painted: for tests of what it says."""

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.figure import Figure
from PIL import Image

CELLS = "import sys; from tests.cells import execute; execute(*sys.argv[1:])"  # the program of a child


def execute(source: str, target: str) -> None:
    """Ends with the first error of a cell. Every picture is one pixel; its figure is made as ever."""
    Figure.savefig = _unpainted
    shell, notebook = InteractiveShell.instance(), nbformat.read(source, 4)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        with capture_output() as shown:
            result = shell.run_cell(cell.source, store_history=True)
        result.raise_error()
        said = [nbformat.v4.new_output("stream", text=shown.stdout)] if shown.stdout else []
        cell.outputs = said + [nbformat.v4.new_output("display_data", data=o.data) for o in shown.outputs]
    nbformat.write(notebook, target)


def _unpainted(self, file, *, format):
    if format == "png":
        Image.new("RGB", (1, 1)).save(file, format, dpi=(100, 100))
    else:
        file.write(b"<svg/>")
