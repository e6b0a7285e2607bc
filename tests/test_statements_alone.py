"""The table of statements is what the record files say, by a script that shares no line with the package."""

import ast
from pathlib import Path

import pytest

from tests import statements_alone
from vimae_core.chapters.statements import of_the_reference


def test_every_cell_follows_from_the_files_alone():
    """Difference, interval, seeds and word of each statement under each convention; no word before all seeds."""
    found, _ = of_the_reference()
    package = {
        (convention, claim, name): told.outcome
        for convention, claims in found.items()
        for claim, of in claims.items()
        for name, told in of.items()
        if told.outcome and told.outcome.seeds > 1
    }
    alone = statements_alone.table()
    assert alone.keys() == package.keys() and len(alone) >= 20  # as many as Figure 1 has
    for key, outcome in package.items():
        word, *numbers = alone[key]
        assert tuple(outcome.difference) == pytest.approx(tuple(numbers)), key
        assert outcome.word == word, key


def test_the_script_is_independent():
    """It imports nothing of the package."""
    tree = ast.parse(Path(statements_alone.__file__).read_text(encoding="utf-8"))
    imported = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    imported += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert imported and not [name for name in imported if name.startswith(("vimae_core", "tests"))]
