"""What the notebooks show: parameters, figures, tables, provenance and verdicts."""

from importlib.util import find_spec

NEEDED = ("IPython", "markdown_it", "matplotlib", "mdit_py_plugins", "myst_nb", "pandas", "pybtex", "seaborn")

if missing := [name for name in NEEDED if find_spec(name) is None]:
    raise ModuleNotFoundError(f"{', '.join(missing)}: the book's parts need pip install 'vimae_core[book]'")
