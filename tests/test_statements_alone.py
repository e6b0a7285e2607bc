"""The table of statements is what the record files say, by a script that shares no line with the package."""

import ast
from pathlib import Path

import numpy as np
import pytest

from tests import statements_alone
from vimae_core.chapters.capacity import VIMAE, apart, dearer
from vimae_core.chapters.conventions import table_1
from vimae_core.chapters.statements import of_the_reference
from vimae_core.report.paper import paper_values
from vimae_core.report.results import reference_results

LEVELS, OTHERS = statements_alone.LEVELS, ("AE", "VAE", "VIMAE-n", "VIMAE-l")
GAUSSIAN = ("gaussian", 2)


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


def test_what_is_told_under_a_gaussian_is_in_the_files():
    """Beside `bernoulli`, of the seeds 10 to 14: rates, leads over the VAE, what the likelihood alone moves."""
    digits = reference_results("conventions", None)["digits"]
    n = dearer(*(table_1(digits, c) for c in ("gaussian", "bernoulli")), paper_values()["table_1"])
    files = statements_alone.records()

    def rate(convention, model):
        return [files["digits", convention, model][s]["latent_fit"]["rate"] for s in range(10, 15)]

    def accuracy(convention, model, level):
        record = files["digits", convention, model]
        return np.array([record[s]["probes"]["accuracy"]["test"][level]["tsvm"] for s in range(10, 15)])

    lead = {(m, c): accuracy("gaussian", m, c) - accuracy("gaussian", "VAE", c) for m in VIMAE for c in LEVELS}
    moved = {m: [accuracy(c, m, "gaussian 0.4").mean() for c in ("gaussian", "bernoulli")] for m in OTHERS}
    assert n.rates == {m: [np.mean(rate(c, m)) for c in ("gaussian", "bernoulli")] for m in ("VAE", "VIMAE-n")}
    assert n.most == max(rate("gaussian", "beta-VAE"))
    assert n.means == pytest.approx((min(t.mean() for t in lead.values()), max(t.mean() for t in lead.values())))
    cell = statements_alone.interval(lead["VIMAE-n", "mask 0.5"], 0.05)
    assert n.masked.startswith(f"{cell.value:.1f} ({cell.low:.1f} to {cell.high:.1f}, the paper's ")
    assert n.noisy == pytest.approx([f(one - other for one, other in moved.values()) for f in (min, max)])
    assert n.spread == pytest.approx(max(one for one, _ in moved.values()) - min(one for one, _ in moved.values()))
    words = {name: cell.word for (c, claim, name), cell in statements_alone.table().items() if (c, claim) == GAUSSIAN}
    assert n.words == [words[f"{m} − VAE, {c}"] for m in VIMAE for c in LEVELS]


def test_the_script_is_independent():
    """It imports nothing of the package."""
    tree = ast.parse(Path(statements_alone.__file__).read_text(encoding="utf-8"))
    imported = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    imported += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert imported and not [name for name in imported if name.startswith(("vimae_core", "tests"))]
