"""A notebook's parameters: papermill only warns about one that nobody declared, so the notebook checks them itself."""

import ast
from types import SimpleNamespace

from vimae_core.experiments import RUNS, parameters


def notebook_parameters(experiment: str, namespace: dict) -> SimpleNamespace:
    """The checked parameters of a notebook, from its `globals()`.

    What the cells that begin with `# Parameters` assign (the notebook's own and the one that papermill
    inserts) goes over the profile's values. Raises ValueError for an unknown or impossible one, before
    anything is computed.
    """
    assigned = {
        node.id
        for cell in namespace["In"]
        if cell.startswith("# Parameters")
        for node in ast.walk(ast.parse(cell))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    given = {name: namespace[name] for name in sorted(assigned)}
    checked = parameters(experiment, **given)
    RUNS[experiment](checked)  # every configuration checks its own fields
    return checked
