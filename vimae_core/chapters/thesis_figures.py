"""How the outcomes of claims 7 to 9 are shown: forest plots over their numbers, and a table of all."""

import numpy as np
import pandas as pd

from vimae_core.chapters.statements import Told
from vimae_core.chapters.statements_words import NOT_RUN, word
from vimae_core.chapters.thesis import Group
from vimae_core.chapters.thesis_words import Claims
from vimae_core.report.forest import forest
from vimae_core.report.results import sources
from vimae_core.report.show import show_figure, show_folded, show_table
from vimae_core.report.statistics import Comparison

Family = dict[str, Told]
UNITS = {
    "Slopes over entropy": "points a nat a coordinate",
    "At one entropy": "points; holds if smaller than the paper's own",
    "Slopes over capacity": "points a doubling",
    "Collapse": "nats",
}


def families(claims: Claims) -> dict[str, Family]:
    """The statements of claims 7 to 9 by what they compare: of claim 7 the slopes, then what is to be equivalent."""
    within = {name: t for name, t in claims[7].items() if t.statement.margin is not None}
    slopes = {name: t for name, t in claims[7].items() if name not in within}
    return dict(zip(UNITS, (slopes, within, claims[8], claims[9]), strict=True))


def show_forest(title: str, of: Family, groups: Group) -> None:
    """Displays a family's outcomes as a forest plot over their numbers; nothing where none was run."""
    ran = {name: t for name, t in of.items() if t.outcome is not None}
    if not ran:
        return
    key = title.lower().replace(" ", "-")
    tested = {n: Comparison(t.outcome.difference, t.outcome.effect_size, t.outcome.p, _look(t)) for n, t in ran.items()}
    papers = {n: t.statement.margin or t.statement.paper for n, t in ran.items()}
    printed = {n: value for n, value in papers.items() if value is not None}
    show_figure(
        forest(tested, printed, dict.fromkeys(tested, UNITS[title])),
        f"fig-{key}",
        f"**{title}.** Each row says that its difference lies right of the line"
        f"{' or, if both are to be equal, nearer to it than the diamond' * (title == 'At one entropy')}. Bars: 95 % "
        "intervals over seeds, corrected within the claim where it is a difference that is claimed; round and blue, it "
        "holds; a cross and orange, contradicted; square and grey, undecided or not all seeds there yet."
        f"{' Diamonds: the paper’s own.' * bool(printed)}",
        f"Intervals around zero: {'; '.join(f'{n}, {word(t)}' for n, t in ran.items())}",
        sources(list(groups.values())),
        vector=True,
    )
    show_folded("The numbers", lambda: show_numbers({title: of}, f"tab-{key}", groups))


def _look(told: Told) -> str:
    return told.outcome.word if told.outcome.word in ("holds", "contradicted") else "undecided"


def show_numbers(of: dict[str, Family], name: str, groups: Group) -> None:
    """Displays families' outcomes as a table."""
    show_table(
        numbers(of),
        name,
        f"{' and '.join(of)}: outcome, mean difference with its corrected interval, seeds, and the paper's own.",
        sources(list(groups.values())),
    )


def numbers(of: dict[str, Family]) -> pd.DataFrame:
    """A row a statement."""
    rows = {
        name: (_difference(t), UNITS[title].partition(";")[0], _paper(t), word(t))
        for title, family in of.items()
        for name, t in family.items()
    }
    columns = ["difference", "unit", "the paper's", "outcome"]
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="statement"), columns=columns)


def _difference(told: Told) -> str:
    if told.outcome is None:
        return NOT_RUN
    mean = told.outcome.difference
    interval = "" if np.isnan(mean.high) else f" {mean.interval('.2f')}"
    return f"{mean.value:.2f}{interval}, {mean.n} seeds"


def _paper(told: Told) -> str:
    own = told.statement.margin if told.statement.margin is not None else told.statement.paper
    within = "± " * (told.statement.margin is not None)
    return "—" if own is None else f"{within}{own:.1f}{', excluded' * bool(told.excludes)}"
