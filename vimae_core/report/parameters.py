"""A notebook's parameters: papermill only warns about one that nobody declared, so the notebook checks them itself."""

import ast
from collections.abc import Iterator
from types import SimpleNamespace

from IPython.core.inputtransformer2 import TransformerManager

from vimae_core.chapters import load_chapter
from vimae_core.data import Dataset
from vimae_core.datasets import load_dataset
from vimae_core.profiles import parameters
from vimae_core.report.style import use_style

FIRST_LINE = "# Parameters"  # of the notebook's own cell and of the one that papermill inserts below it
READ = "_parameters_read"  # kept in the notebook's namespace: how many cells had run, and which were the parameters'


def prepare(chapter: str, namespace: dict) -> tuple[SimpleNamespace, Dataset | None]:
    """What a notebook begins with, from its `globals()`: its checked parameters, its data, the figures' style.

    Raises ValueError for what cannot be, and DataError for data that cannot be read, before anything is computed.
    """
    p = notebook_parameters(chapter, namespace)
    data = load_dataset(p.dataset, p.data_root) if hasattr(p, "dataset") else None
    if check := getattr(load_chapter(chapter), "check", None):
        check(p, data)
    use_style()
    return p, data


def notebook_parameters(chapter: str, namespace: dict) -> SimpleNamespace:
    """The checked parameters of a notebook, from its `globals()`.

    What the cells that begin with `# Parameters` assign goes over the profile's values. Of cells that were run again
    since the last call only those count, as they are now. Raises ValueError for an unknown or impossible parameter.
    """
    done, cells = namespace.get(READ, (0, []))
    cells = [cell for cell in namespace["In"][done:] if cell.lstrip().startswith(FIRST_LINE)] or cells
    namespace[READ] = (len(namespace["In"]) - 1, cells)  # the cell that calls this may hold the parameters, too
    known = set(vars(parameters(chapter)))
    given = {}
    for cell in cells:
        body = ast.parse(TransformerManager().transform_cell(cell)).body
        top = {name for statement in body for name in _assigned(statement)}
        nested = {name for name in _bound(body) if name in known}
        given |= {name: namespace[name] for name in top | nested if name in namespace}
    given = {name: value for name, value in given.items() if not name.startswith("PAPERMILL_")}  # papermill's own
    checked = parameters(chapter, **given)
    load_chapter(chapter).runs(checked)  # every configuration checks its own fields
    return checked


def _assigned(statement: ast.stmt) -> list[str]:
    """The names that a statement assigns."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return []
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _bound(statements: list[ast.stmt]) -> Iterator[str]:
    """The names that statements assign to the notebook, within `if`, `for`, `with` and `try` too."""
    for statement in statements:
        yield from _assigned(statement)
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _bound([part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.stmt)])
