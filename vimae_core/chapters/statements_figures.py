"""How the statements' outcomes are shown: a map of all, and of each claim a table and the seeds behind it."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vimae_core.chapters.statements import CLAIMS, Told
from vimae_core.chapters.statements_words import NOT_RUN, SO_FAR, ByConvention, in_numbers, word
from vimae_core.report.claims import unit
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure, show_table
from vimae_core.report.statistics import signed
from vimae_core.report.style import INK, PALE, WIDTH

LOOKS = {  # word -> sign, colour: told apart without colour, and by those who see fewer
    "holds": ("✓", "#0072b2"),
    "sign agrees": ("(+)", "#9cc9e3"),
    "undecided": ("?", "#e3e3e3"),
    "sign disagrees": ("(−)", "#f3c9a5"),
    "contradicted": ("✗", "#d55e00"),
    SO_FAR: ("…", "white"),
    NOT_RUN: ("", "white"),
}
SHOWN = [w for w in LOOKS if w not in (SO_FAR, NOT_RUN)]
BARS = {w: LOOKS[w][1] for w in ("holds", "contradicted")}
DIGITS = {1: 2}  # after the point, where it is not one
# Claim and unit whose differences span decades: up to where their axis is linear, beyond which it is logarithmic
LINEAR = {(1, "nats"): 0.1, (2, "percentage points"): 1.0, (4, "Fréchet distance"): 10.0}

EFFECT = (
    "Where the paper prints its own difference: *excluded* where ours is another one (corrected too), *unseen* where "
    "the same spread around it would not have held. "
)
WITHIN = (
    "*Within 5 %*: an equivalence test, which holds where the 90 % interval lies within 5 % of the mean distance; "
    "shown is that of 95 %. "
)
NOTES = {1: "*Empty code*: a mean rate below one nat, which is no fit. ", 2: EFFECT, 3: EFFECT, 6: WITHIN}


def show_map(found: ByConvention, behind: dict[int, list[Results]], name: str) -> None:
    """Displays which statement holds under which convention, in one figure."""
    counts = "; ".join(f"{c}: {in_numbers(claims)}" for c, claims in found.items())
    show_figure(
        statement_map(found),
        name,
        "**Which statements hold under which convention.** A row a statement, a column a convention: ✓ holds, "
        "✗ contradicted, ? undecided, by the corrected 95 % interval; …: some of its runs, or of those that it is "
        "corrected with, are missing; blank: not yet run; no cell: not asked. The number is the difference that the "
        "statement says is above zero, its unit and interval stand in the tables below; the word *empty* in a cell: a "
        "code of less than one nat, which is no fit.",
        f"A grid of statements by conventions with a sign, a colour and a number in each cell. {counts}.",
        sources([*behind[1], *behind[2], *behind[6]]),
    )


def statement_map(found: ByConvention) -> Figure:
    """One panel a claim."""
    first = next(iter(found.values()))
    figure, axes = plt.subplots(
        len(CLAIMS), 1, figsize=(0.85 * WIDTH, 9.4), sharex=True, height_ratios=[len(first[claim]) for claim in CLAIMS]
    )
    for axis, claim in zip(axes, CLAIMS, strict=True):
        names = list(first[claim])
        for x, of_claims in enumerate(found.values()):
            for y, told in enumerate(of_claims.get(claim, {}).values()):
                sign, colour = LOOKS[word(told)]
                axis.add_patch(
                    plt.Rectangle(
                        (x - 0.48, y - 0.46), 0.96, 0.92, facecolor=colour, edgecolor="#dddddd", linewidth=0.4
                    )
                )
                if told.outcome:
                    value = signed(told.outcome.difference.value, f".{DIGITS.get(claim, 1)}f")
                    text = sign if word(told) == SO_FAR else f"{sign} {'empty' if told.statement.word else value}"
                    dark = colour in ("#0072b2", "#d55e00")
                    axis.text(x, y, text, ha="center", va="center", size=7, color="white" if dark else INK)
        axis.set(xlim=(-0.5, len(found) - 0.5), ylim=(len(names) - 0.5, -0.5))
        axis.set_yticks(range(len(names)), [n.replace("beta", "β") for n in names], size=7)
        axis.set_xticks(range(len(found)), list(found))
        axis.tick_params(length=0, labeltop=claim == 1, labelbottom=False)
        name = {"ha": "right", "va": "bottom", "weight": "bold", "size": 8}
        axis.text(-0.015, 1.0, f"claim {claim}", transform=axis.transAxes, **name)
        axis.spines[:].set_visible(False)
    return figure


def show_statements(claim: int, found: ByConvention, results: list[Results], chapter: str) -> None:
    """Displays a claim's statements with difference, interval, seeds and the paper's effect, by convention."""
    show_table(
        statement_table(claim, found),
        f"tab-statements-{claim}",
        f"Claim {claim}, {' and '.join(units(claim, found))}: outcome, difference with its corrected interval, and "
        f"seeds, under each convention; a dash: not yet run; each word leads to its seeds. {NOTES.get(claim, '')}"
        f"More in {chapter}; [the tests](second-statements).",
        sources(results) if results else "Provenance: not yet run.",
    )


def statement_table(claim: int, found: ByConvention) -> pd.DataFrame:
    """A row a statement and a column a convention, and the paper's own effect where it prints one."""
    first = next(iter(found.values()))[claim]
    columns = {c: [cell(claim, told) for told in of.values()] for c, of in asked(claim, found).items()}
    printed = [told.statement.paper for told in first.values()]
    paper = {"paper": ["—" if effect is None else f"{effect:.1f}" for effect in printed]} if any(printed) else {}
    names = [_in_lines(name) for name in first]
    return pd.DataFrame({**paper, **columns}, index=pd.Index(names, name="statement"))


def _in_lines(name: str) -> str:
    """Broken before a condition, and in the middle of what is long."""
    name = re.sub(r", (?=\D)", ",<br>", name.replace("beta", "β"))
    return name if len(name) < 30 else name.replace("− ", "−<br>")


def cell(claim: int, told: Told) -> str:
    """A statement's outcome, a line each: word, difference, interval, seeds, and what of the paper's effect."""
    if told.outcome is None:
        return "—"
    if word(told) == SO_FAR:
        return f"… {told.outcome.word}"
    mean, spec = told.outcome.difference, f".{DIGITS.get(claim, 1)}f"
    lines = [
        f'<a class="word {told.outcome.word.replace(" ", "-")}" href="#fig-seeds-{claim}">'
        f"<b>{LOOKS[told.outcome.word][0]} {told.outcome.word}</b></a>",
        signed(mean.value, spec),
        *([] if np.isnan(mean.high) else [mean.interval(spec)]),
        f"{mean.n} seed{'s' * (mean.n > 1)}",
        *["empty code"] * bool(told.statement.word),
    ]
    if told.statement.paper is not None and mean.n > 1:
        lines += [*["paper's excluded"] * bool(told.excludes), *["paper's unseen"] * (told.could_hold is False)]
    return "<br>".join(lines)


def asked(claim: int, found: ByConvention) -> dict[str, dict[str, Told]]:
    """A claim's statements under each convention that it is asked under."""
    return {c: claims[claim] for c, claims in found.items() if claim in claims}


def units(claim: int, found: ByConvention) -> dict[str, list[str]]:
    """A claim's statements, by the unit that they are told in."""
    of: dict[str, list[str]] = {}
    for name in next(iter(found.values()))[claim]:
        of.setdefault(unit(claim, name), []).append(name)
    return of


def show_seeds(claim: int, found: ByConvention, results: list[Results]) -> None:
    """Displays what each seed says of a claim's statements; nothing where none has all of its seeds."""
    if not any(word(told) in SHOWN for of in asked(claim, found).values() for told in of.values()):
        return
    show_figure(
        seeds_figure(claim, found),
        f"fig-seeds-{claim}",
        f"**Claim {claim}, seed by seed.** A statement says that its difference lies right of the line, "
        f"in {' and '.join(units(claim, found))}. Dots: the seeds (means over draws of labels); bar: their mean with "
        "its corrected interval, blue where the statement holds, orange where it is contradicted, grey where it is "
        f"undecided{'; diamond: the difference that the paper prints' * (claim in (2, 3))}. Panels of a row share "
        f"their axis; no mark: runs are missing.{_scale(claim)}"
        f"{' An empty code decides by itself, wherever it lies.' * (claim == 1)}",
        f"Intervals of claim {claim}'s statements around zero, a column a convention. "
        + "; ".join(f"{c}: {in_numbers({claim: of})}" for c, of in asked(claim, found).items()),
        sources(results),
    )


def seeds_figure(claim: int, found: ByConvention) -> Figure:
    """A column a convention and a row of panels a unit."""
    rows, by_convention = units(claim, found), asked(claim, found)
    figure, axes = plt.subplots(
        len(rows), len(by_convention), figsize=(WIDTH, 0.7 + 0.28 * sum(map(len, rows.values()))),
        sharex="row", sharey="row", squeeze=False, height_ratios=[len(names) for names in rows.values()],
    )  # fmt: skip
    for (kind, names), of_kind in zip(rows.items(), axes, strict=True):
        for axis, (convention, of) in zip(of_kind, by_convention.items(), strict=True):
            for y, name in enumerate(names):
                _draw_seeds(axis, y, of[name])
            axis.axvline(0, color=INK, linewidth=0.6)
            axis.tick_params(axis="y", length=0)
            axis.tick_params(axis="x", labelsize=6.5)
            axis.spines["left"].set_visible(False)
            if axis.get_subplotspec().is_first_row():
                axis.set_title(convention, size=8)
        if end := LINEAR.get((claim, kind)):
            of_kind[0].set_xscale("symlog", linthresh=end)
            of_kind[0].margins(x=0.08)
            _mark_decades(of_kind[0], end)
        of_kind[0].set_yticks(range(len(names)), [n.replace("beta", "β") for n in names], size=6.5)
        of_kind[0].set_ylim(len(names) - 0.4, -0.6)
        of_kind[len(of_kind) // 2].set_xlabel(kind, size=7.5)
    return figure


def _mark_decades(axis: Axes, end: float) -> None:
    """Ticks at 0 and at each decade from where the axis is linear; every other is named, the outermost among them."""
    low, high = axis.get_xlim()
    decades = [end * 10**k for k in range(5)]
    below, above = [-x for x in decades if -x >= low][::-1], [x for x in decades if x <= high][::-1]
    named = [0.0, *below[::2], *above[::2]]
    axis.set_xticks(named, [signed(x, "g").replace("0.", ".") for x in named])
    axis.set_xticks([*below[1::2], *above[1::2]], minor=True)


def _scale(claim: int) -> str:
    """What a caption says of axes that are not linear."""
    ends = [(kind, end) for (of, kind), end in LINEAR.items() if of == claim]
    return "".join(f" The axis of {kind} is linear up to ±{end:g} and logarithmic beyond." for kind, end in ends)


def _draw_seeds(axis: Axes, y: int, told: Told) -> None:
    if word(told) not in SHOWN:
        return
    mean, colour = told.outcome.difference, BARS.get(told.outcome.word, PALE)
    axis.plot([mean.low, mean.high], [y, y], color=colour, linewidth=2.5, alpha=0.6, solid_capstyle="butt")
    axis.plot(mean.value, y, "|", color=colour, markersize=9, markeredgewidth=2)
    axis.scatter(told.statement.values.mean(1), np.full(mean.n, y), s=5, color=INK, alpha=0.6, linewidth=0, zorder=3)
    if told.statement.paper is not None:
        axis.plot(told.statement.paper, y, "D", color=INK, markerfacecolor="none", markersize=4, markeredgewidth=0.8)
