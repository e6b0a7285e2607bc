"""Which of the package's modules a module or notebook executes, and a digest of what they say."""

import ast
import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


def source_digest(path: Path | str) -> str:
    """Digest of a module or notebook and of all modules of this package that it imports, directly or not.

    Comments, docstrings and formatting do not count: what they change changes no result.
    """
    path = Path(path)
    digest = hashlib.sha256(_code(path).encode())
    for module in sorted(imported_modules(path)):
        digest.update(_code(module).encode())
    return digest.hexdigest()


def imported_modules(path: Path) -> set[Path]:
    """Files of this package that `path` imports, directly or not, without itself."""
    found, queue = set(), [Path(path)]
    while queue:
        for module in _direct_imports(queue.pop()) - found:
            found.add(module)
            queue.append(module)
    return found - {Path(path)}


def _direct_imports(path: Path) -> set[Path]:
    """The package's files that the import statements of `path` name."""
    return {file for name in _imported_names(_text(path)) for file in _files(name)}


@cache
def _imported_names(text: str) -> set[str]:
    """Dotted names of this package that import statements name."""
    names = set()
    for node in _statements(_parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name` takes a submodule, or what a submodule defines.
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] == PACKAGE.name}


def _files(name: str) -> set[Path]:
    """The file in which a dotted name is defined; a name of the package itself by way of its __init__."""
    parts = name.split(".")[1:]
    for length in (len(parts), len(parts) - 1):
        file = PACKAGE.joinpath(*parts[:length]).with_suffix(".py")
        if length > 0 and file.is_file():
            return {file}
    exported = {
        alias.name: f"{node.module}.{alias.name}"
        for node in _parse(_text(PACKAGE / "__init__.py")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    if parts and parts[0] in exported:
        return _files(exported[parts[0]])
    # `import vimae_core`: anything may be used.
    return {file for export in exported.values() for file in _files(export)}


def _text(path: Path) -> str:
    """A module's source, or that of a notebook's cells."""
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, written: int) -> str:
    """Read once, as every notebook executes most of the modules; what is `written` anew is read anew."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = ["".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "code"]
        text = "\n".join(cells)
    return text


@cache
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


def _statements(within: ast.AST) -> Iterator[ast.AST]:
    """A node and every statement in it: a tenth of all nodes, and where imports and docstrings are."""
    yield within
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for statement in getattr(within, part, ()):
            yield from _statements(statement)


def _code(path: Path) -> str:
    """The source without comments, docstrings and formatting; of a notebook its cells of code as they are."""
    return _text(path) if path.suffix == ".ipynb" else _bare(_text(path))


@cache
def _bare(text: str) -> str:
    tree = _parse(text)  # whose docstrings nobody else asks for
    for node in list(_statements(tree)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)
