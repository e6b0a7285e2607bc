"""Which of the package's definitions a computation uses, and a digest of what they say.

From a function or class by the names in its body to the functions, classes and constants that these names mean, and
on from there. So a run is named by what computes it: by its prior, and not by the others beside it in the file.
"""

import ast
import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from vimae_core import sources
from vimae_core.config import TABLES, RunConfig

NOT_FOLLOWED = ("config", "data", "store")  # named by its fields; told by its digest; what is stored comes back whole

LOOSE = ""  # the name of what a module does as it is imported, beside defining


class Definition(NamedTuple):
    """A name that a module of this package defines; `training.Training`."""

    module: str  # its file in the package, without .py
    name: str


def code_digest(roots: tuple[str, ...], config: RunConfig) -> str:
    """Digest of the definitions that `roots` use, directly or not, under a configuration.

    Of a table of alternatives (`config.TABLES`) only the entry that the configuration's field chooses counts.
    Comments, docstrings, annotations and formatting do not count: what they change changes no result.
    """
    chosen = tuple((table, getattr(config, field)) for table, field in TABLES.items())
    return _digest(roots, chosen, tuple(sorted(_times(sources.PACKAGE))))


def _times(folder: os.PathLike | str) -> Iterator[tuple[str, int]]:
    """Every module below a folder, with the time of its last change; asked for each run, and so without pathlib."""
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _times(entry.path)
        elif entry.name.endswith(".py"):
            yield entry.path, entry.stat().st_mtime_ns


@cache
def _digest(roots: tuple[str, ...], chosen: tuple[tuple[str, str], ...], files: tuple) -> str:
    found = definitions(roots, dict(chosen))
    text = "\n\n".join(f"# {module}.{name}\n{code}" for (module, name), code in sorted(found.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def definitions(roots: tuple[str, ...], chosen: dict[str, str]) -> dict[Definition, str]:
    """The code of every definition that `roots` use, themselves included. Raises KeyError for an unknown root."""
    found, queue = {}, [Definition(*root.rsplit(".", 1)) for root in roots]
    while queue:
        definition = queue.pop()
        if definition not in found:
            nodes = _module(definition.module).defined[definition.name]
            nodes = [_choose(node, chosen[definition.name]) if definition.name in chosen else node for node in nodes]
            found[definition] = "\n".join(map(_code, nodes))
            queue += [used for node in nodes for used in _used(definition.module, node)]
            if LOOSE in _module(definition.module).defined:
                queue.append(Definition(definition.module, LOOSE))
    return found


class _Module(NamedTuple):
    defined: dict[str, list[ast.stmt]]  # name -> the statements at the top level that define it
    imported: dict[str, str]  # name -> dotted name within the package


def _module(name: str) -> _Module:
    path = _file(name)
    return _read(path, path.stat().st_mtime_ns)


def _file(module: str) -> Path:
    return sources.PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


@cache
def _read(path: Path, written: int) -> _Module:
    """A module's definitions, without docstrings and annotations, and what it imports from this package; one that is
    `written` anew is read anew."""
    tree = _Bare().visit(ast.parse(path.read_text(encoding="utf-8")))
    defined: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in _names(node):
            defined.setdefault(name, []).append(node)
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == sources.PACKAGE.name:
            place = node.module.split(".")[1:]
            imported |= {alias.asname or alias.name: ".".join([*place, alias.name]) for alias in node.names}
    return _Module(defined, imported)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return [] if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass) else [LOOSE]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


class _Bare(ast.NodeTransformer):
    """Takes docstrings and annotations away."""

    def _without(self, node):
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node

    visit_Module = visit_ClassDef = _without

    def visit_FunctionDef(self, node):
        node.returns = None
        return self._without(node)

    def visit_arg(self, node):
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        node.annotation = ast.Constant(...)  # a dataclass's field keeps its name and default
        return node


_code = cache(ast.unparse)  # of the same statements for every run


@cache
def _references(node: ast.stmt) -> list[ast.Name | ast.Attribute]:
    return [part for part in ast.walk(node) if isinstance(part, ast.Name | ast.Attribute)]


def _used(module: str, node: ast.stmt) -> list[Definition]:
    """What the names in a statement mean, where that is defined in this package."""
    here, used = _module(module), []
    for part in _references(node):
        match part:
            case ast.Name(name, ast.Load()) if name in here.defined:
                used.append(Definition(module, name))
            case ast.Name(name, ast.Load()) if name in here.imported:
                used += _resolve(here.imported[name])
            case ast.Attribute(ast.Name(name), attribute) if name in here.imported:
                used += _resolve(f"{here.imported[name]}.{attribute}")
    return [definition for definition in used if definition.module not in NOT_FOLLOWED]


def _resolve(dotted: str) -> list[Definition]:
    """The definition of that dotted name; none where it is a module, whose attributes are looked up by themselves."""
    module, _, name = dotted.rpartition(".")
    if not module or not _file(module).is_file():
        return []
    if name in _module(module).imported:  # passed on by that module
        return _resolve(_module(module).imported[name])
    return [Definition(module, name)] if name in _module(module).defined else []


def _choose(node: ast.stmt, key: str) -> ast.stmt:
    """A table of alternatives, {"name": what it means}, with the chosen one alone."""
    value = node.value
    kept = [(k, v) for k, v in zip(value.keys, value.values, strict=True) if ast.literal_eval(k) == key]
    return ast.Assign(node.targets, ast.Dict([k for k, _ in kept], [v for _, v in kept]), lineno=0)
