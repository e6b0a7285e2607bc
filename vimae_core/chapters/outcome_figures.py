"""How statements that share a page are shown: a forest plot over their numbers, and a table of the same."""

import numpy as np
import pandas as pd

from vimae_core.chapters.statements import Told
from vimae_core.chapters.statements_words import NOT_RUN, word
from vimae_core.report.forest import forest
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure, show_folded, show_table
from vimae_core.report.statistics import Comparison, signed

LOOKS = {"sign agrees": "holds", "sign disagrees": "contradicted"}  # of one seed, whose mark is hollow


def show_outcomes(of: dict[str, Told], unit: dict[str, str], name: str, says: str, results: list[Results]) -> None:
    """Displays outcomes as a forest plot, a panel a unit, their numbers folded; nothing where none was run.

    `unit` has each statement's; `says` is how the caption begins.
    """
    ran = {n: t for n, t in of.items() if t.outcome is not None}
    if not ran:
        return
    printed = {n: t.statement.paper for n, t in ran.items() if t.statement.paper is not None}
    printed |= {n: (-m, m) for n, t in ran.items() if (m := t.statement.margin) is not None}
    show_figure(
        forest({n: _as_drawn(t) for n, t in ran.items()}, printed, unit),
        f"fig-{name}",
        f"{says} Bars: the intervals that decide, of 95 % before the correction over the claim's differences (none "
        "where there is one seed); round and blue, it holds; a cross and orange, contradicted; square and grey, "
        f"undecided or not all runs there yet.{' Diamonds: the paper’s own.' * bool(printed)}{_of_margins(of)}",
        f"Differences with their intervals around zero: {'; '.join(f'{n}, {word(t)}' for n, t in ran.items())}",
        sources(results),
        vector=True,
    )
    show_folded("The numbers", lambda: show_outcome_table(of, f"tab-{name}", says, results))


def _of_margins(of: dict[str, Told]) -> str:
    """What is said of statements that two are equal, where there are any."""
    if all(t.statement.margin is None for t in of.values()):
        return ""
    return (
        " Of a statement that two are equal, within ± a margin, p is that of equivalence and in no correction, the "
        "interval is of 95 %, and what is contradicted lies beyond the margin with all of it."
    )


def _as_drawn(told: Told) -> Comparison:
    outcome = told.outcome
    look = LOOKS.get(outcome.word, outcome.word)
    known = look if look in ("holds", "contradicted") else "undecided"
    return Comparison(outcome.difference, outcome.effect_size, outcome.p, known)


def show_outcome_table(of: dict[str, Told], name: str, says: str, results: list[Results]) -> None:
    """Displays outcomes as a table."""
    show_table(
        outcome_table(of),
        name,
        f"{says} Mean difference with the interval that decides; seeds; p, corrected by Holm's method; effect size, "
        f"the mean over the standard deviation of the seeds' differences; and what came out.{_of_margins(of)}",
        sources(results) if results else "Provenance: not yet run.",
    )


def outcome_table(of: dict[str, Told]) -> pd.DataFrame:
    """A row a statement; dashes where nothing was run, or one seed has no interval, or the paper has no such number."""
    table = pd.DataFrame(
        [_row(t) for t in of.values()],
        index=pd.Index(of, name="statement"),
        columns=["difference", "seeds", "p", "effect size", "the paper's", "outcome"],
    )
    return table if (table["the paper's"] != "—").any() else table.drop(columns="the paper's")


def _row(told: Told) -> tuple[str, ...]:
    if told.outcome is None:
        return ("—", "—", "—", "—", _papers(told), NOT_RUN)
    mean, p, effect = told.outcome.difference, told.outcome.p, told.outcome.effect_size
    spec = ".3f" if abs(mean.value) < 1 else ".2f"
    return (
        f"{signed(mean.value, spec)} {'' if np.isnan(mean.high) else mean.interval(spec)}".strip(),
        str(mean.n),
        "—" if np.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}",
        "—" if np.isnan(effect) else signed(effect, ".1f"),
        _papers(told),
        word(told),
    )


def _papers(told: Told) -> str:
    """The paper's own effect, and whether it is excluded; or the margin that it makes, within which ours is to be."""
    if told.statement.margin is not None:
        return f"± {told.statement.margin:.1f}"
    if told.statement.paper is None:
        return "—"
    return f"{signed(told.statement.paper, '.1f')}{', excluded' * bool(told.excludes)}"
