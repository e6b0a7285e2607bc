"""The table of statements is what the record files say, by a script that shares no line with the package."""

import ast
from pathlib import Path

import numpy as np
import pytest

from tests import statements_alone
from vimae_core.chapters.capacity import apart
from vimae_core.chapters.conventions import table_1
from vimae_core.chapters.statements import of_the_reference
from vimae_core.report.results import reference_results


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


def test_what_following_the_prior_costs_is_in_the_files():
    """VIMAE-n under `constrained` beside `bernoulli`, seed by seed: what chapter 3 tells, by the script's own test."""
    digits = reference_results("conventions", None)["digits"]
    n = apart(table_1(digits, "constrained"), table_1(digits, "bernoulli"))
    files = statements_alone.records()
    held, free = (files["digits", c, "VIMAE-n"] for c in ("constrained", "bernoulli"))

    def told(less, of):
        values = [np.subtract(of(less[0][s]), of(less[1][s])) for s in range(10, 15)]
        cell = statements_alone.interval(np.array(values).reshape(5, -1), 0.05)
        return f"{cell.value:.1f} ({cell.low:.1f} to {cell.high:.1f})"

    accuracy = lambda c: lambda r: r["probes"]["accuracy"]["test"][c]["tsvm"]  # noqa: E731
    assert n.clean[0] == told((free, held), accuracy("clean"))
    assert n.masked[0] == told((free, held), accuracy("mask 0.5"))
    assert n.nearer == told((free, held), lambda r: r["latent_fit"]["kl"])
    assert n.rate == told((held, free), lambda r: r["latent_fit"]["rate"])


def test_the_script_is_independent():
    """It imports nothing of the package."""
    tree = ast.parse(Path(statements_alone.__file__).read_text(encoding="utf-8"))
    imported = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    imported += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert imported and not [name for name in imported if name.startswith(("vimae_core", "tests"))]
