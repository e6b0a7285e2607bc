"""The first page: a verdict a claim, and how many statements hold under which convention."""

import re

import matplotlib.pyplot as plt
import pytest

from tests.test_statements_figures import example
from vimae_core.chapters import findings
from vimae_core.chapters.statements import of_the_reference
from vimae_core.chapters.statements_words import word
from vimae_core.report.in_short import CLAIMS, chip, in_short


def test_a_chip_is_the_verdicts_first_words():
    """Word, sign and class; the longest that fits; no verdict that nobody knows."""
    assert chip("partly reproduced (2 of 3 hold)") == "[◐ partly reproduced]{.chip .chip-partly}"
    assert chip("sign agrees in part (x)") == "[(±) sign agrees in part]{.chip .chip-partly}"
    assert chip("sign agrees (x)") == "[(+) sign agrees]{.chip .chip-holds}"
    with pytest.raises(ValueError, match="verdict='well done' is not possible: must begin with one of reproduced"):
        chip("well done")


def test_a_box_names_its_claims_and_their_verdicts():
    """As MyST; what was found stands last."""
    box = in_short("Found.", {2: "not yet run"})
    assert box.startswith(":::{admonition} In short\n:class: in-short\n\n**Claim 2.** " + CLAIMS[2].said)
    assert box.endswith("[○ not yet run]{.chip .chip-open}\n\nFound.\n:::")


def test_every_claim_has_a_line_with_its_verdict(monkeypatch):
    """Those of the reference, whole: chip and count; of claims 1 to 6 also what came of them in the second analysis."""
    shown = []
    monkeypatch.setattr(findings, "show_text", shown.append)
    found, results = of_the_reference()[0], findings.of_the_reference()
    findings.show_claims(found, results)
    rows = shown[0].splitlines()[2:]
    assert len(rows) == len(CLAIMS) == 10
    for row, (n, claim), verdict in zip(rows, CLAIMS.items(), findings.verdicts(results).values(), strict=False):
        word_, _, count = verdict.partition(" (")
        assert row.startswith(f"| **{n}.** {claim.said}<br>") and f" {word_}]{{.chip" in row and count[:-1] in row
        assert "as `wae`: " in row and "as `constrained`: " in row
    assert all(".chip" in row for row in rows)


def test_statements_are_counted_by_reading():
    """Under each, under none, otherwise under another likelihood; what one alone was asked is no comparison."""
    found = example({"bernoulli": {"a": "holds", "b": "holds", "c": "undecided", "d": "holds"},
                     "gaussian": {"a": "holds", "b": "contradicted", "c": "undecided"},
                     "wae": {"a": "holds", "b": "holds", "c": "contradicted"}})  # fmt: skip
    n = findings.by_reading(found)
    assert (n.statements, n.always, n.never, n.by_likelihood) == (3, [(2, "a")], [(2, "c")], [(2, "b")])


def test_the_bars_are_the_statements():
    """A bar a claim and a reading, as long as one; beside it the number of statements that hold."""
    found = of_the_reference()[0]
    figure = findings.readings_figure(found)
    for axis, claims in zip(figure.axes, found.values(), strict=True):
        words = {claim: [word(t) for t in of.values()] for claim, of in claims.items()}
        told = [text.get_text() for text in axis.texts]
        assert told == [f"{of.count('holds')}/{len(of)}" for of in words.values()]
        assert sum(bar.get_width() for bar in axis.patches) == pytest.approx(len(words))
    plt.close(figure)
    assert all(re.fullmatch(r"\d+/\d+", text) for text in told)
