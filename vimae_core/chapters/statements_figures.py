"""How the statements' outcomes are shown: three sentences, a map, a table and the seeds behind each claim."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from myst_nb import glue

from vimae_core.chapters.statements import CLAIMS, Told, of_the_reference
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure, show_table
from vimae_core.report.style import INK, PALE, WIDTH

ByConvention = dict[str, dict[int, dict[str, Told]]]

NOT_RUN, SO_FAR = "not yet run", "so far"
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
COUNTED = {"holds": "hold", "sign agrees": "signs agree", "sign disagrees": "signs disagree"}
BARS = {w: LOOKS[w][1] for w in ("holds", "contradicted")}
DIGITS = {1: 2}  # after the point, where it is not one

EFFECT = (
    "Where the paper prints its own difference: *excluded* where ours is another one (corrected too), *unseen* where "
    "the same spread around it would not have held. "
)
NOTES = {1: "*Empty code*: a mean rate below one nat, which is no fit. ", 2: EFFECT, 3: EFFECT}


def unit(claim: int, statement: str) -> str:
    """In which a statement's difference is told."""
    if claim in (1, 6):
        return "nats" if claim == 1 else "Fréchet distance"
    of = {"error": "squared error", "distance": "Fréchet distance"}
    return next((told for what, told in of.items() if what in statement), "percentage points")


def word(told: Told) -> str:
    """What came out, or that not all of its seeds are there, or none."""
    return NOT_RUN if told.outcome is None else told.outcome.word if told.outcome.word in LOOKS else SO_FAR


def show_map(found: ByConvention, behind: dict[int, list[Results]], name: str) -> None:
    """Displays which statement holds under which convention, in one figure."""
    counts = "; ".join(f"{c}: {in_numbers(claims)}" for c, claims in found.items())
    show_figure(
        statement_map(found),
        name,
        "**Which statements hold under which convention.** A row a statement, a column a convention: ✓ holds, "
        "✗ contradicted, ? undecided, by the corrected 95 % interval; …: not all seeds yet; empty: not yet run; no "
        "cell: not asked. The number is the difference that the statement says is above zero, its unit and interval "
        "stand in the tables below; *empty*: a code of less than one nat, which is no fit.",
        f"A grid of statements by conventions with a sign, a colour and a number in each cell. {counts}.",
        sources([*behind[1], *behind[2], *behind[6]]),
    )


def in_numbers(claims: dict[int, dict[str, Told]]) -> str:
    """How many statements of a convention came out how."""
    words = [word(t) for of_claim in claims.values() for t in of_claim.values()]
    return ", ".join(f"{words.count(w)} {w}" for w in LOOKS if w in words)


def statement_map(found: ByConvention) -> Figure:
    """One panel a claim."""
    first = next(iter(found.values()))
    figure, axes = plt.subplots(
        len(CLAIMS), 1, figsize=(WIDTH, 9.4), sharex=True, height_ratios=[len(first[claim]) for claim in CLAIMS]
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
                    value = f"{told.outcome.difference.value:.{DIGITS.get(claim, 1)}f}".replace("-", "−")
                    text = sign if word(told) == SO_FAR else f"{sign} {'empty' if told.statement.word else value}"
                    dark = colour in ("#0072b2", "#d55e00")
                    axis.text(x, y, text, ha="center", va="center", size=7, color="white" if dark else INK)
        axis.set(xlim=(-0.5, len(found) - 0.5), ylim=(len(names) - 0.5, -0.5))
        axis.set_yticks(range(len(names)), [n.replace("beta", "β") for n in names], size=7)
        axis.set_xticks(range(len(found)), list(found))
        axis.tick_params(length=0, labeltop=claim == 1, labelbottom=False)
        axis.set_ylabel(f"claim {claim}", rotation=0, ha="right", va="center", labelpad=4)
        axis.spines[:].set_visible(False)
    figure.align_ylabels()
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
        f"{mean.value:{spec}}",
        *([] if np.isnan(mean.high) else [f"[{mean.low:{spec}}, {mean.high:{spec}}]"]),
        f"{mean.n} seed{'s' * (mean.n > 1)}",
        *["empty code"] * bool(told.statement.word),
    ]
    if told.statement.paper is not None and mean.n > 1:
        lines += [*["paper's excluded"] * bool(told.excludes), *["paper's unseen"] * (told.could_hold is False)]
    return "<br>".join([lines[0], *(line.replace("-", "−") for line in lines[1:])])


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
        "their axis; no mark: not yet run with all seeds.",
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
        if claim == 1:  # from hundredths of a nat to several
            of_kind[0].set_xscale("symlog", linthresh=0.1)
            of_kind[0].set_xticks([-1, -0.1, 0.1, 1], ["−1", "−.1", ".1", "1"])
        of_kind[0].set_yticks(range(len(names)), [n.replace("beta", "β") for n in names], size=6.5)
        of_kind[0].set_ylim(len(names) - 0.4, -0.6)
        of_kind[len(of_kind) // 2].set_xlabel(kind, size=7.5)
    return figure


def _draw_seeds(axis: Axes, y: int, told: Told) -> None:
    if word(told) not in SHOWN:
        return
    mean, colour = told.outcome.difference, BARS.get(told.outcome.word, PALE)
    axis.plot([mean.low, mean.high], [y, y], color=colour, linewidth=2.5, alpha=0.6, solid_capstyle="butt")
    axis.plot(mean.value, y, "|", color=colour, markersize=9, markeredgewidth=2)
    axis.scatter(told.statement.values.mean(1), np.full(mean.n, y), s=5, color=INK, alpha=0.6, linewidth=0, zorder=3)
    if told.statement.paper is not None:
        axis.plot(told.statement.paper, y, "D", color=INK, markerfacecolor="none", markersize=4, markeredgewidth=0.8)


def in_brief(of_claim: dict[str, Told]) -> list[str]:
    """What came of a claim under a convention: that it holds, or how many of its statements came out how."""
    words = [word(told) for told in of_claim.values()]
    if set(words) <= {NOT_RUN, SO_FAR}:
        return [NOT_RUN if set(words) == {NOT_RUN} else "not yet run with all seeds"]
    if set(words) == {"holds"}:
        return [f"holds, all {len(words)}"]
    return [f"{words.count(w)} {COUNTED.get(w, w) if words.count(w) > 1 else w}" for w in LOOKS if w in words]


def glue_claims(found: ByConvention) -> None:
    """Lets pages cite each claim's outcome under each convention in a few words."""
    for convention, claims in found.items():
        for claim, of in claims.items():
            glue(f"second_{claim}_{convention.replace('-', '_')}", ", ".join(in_brief(of)), display=False)


def show_readings(claims: list[int]) -> None:
    """Displays how a chapter's claims come out under each convention of the second analysis, in the reference runs."""
    found, behind = of_the_reference()
    asked_all = {c: of for c, of in found.items() if set(claims) <= set(of)}
    statements = next(iter(asked_all.values()))
    table = {
        f"claim {n}, {len(statements[n])} statements": [", ".join(in_brief(of[n])) for of in asked_all.values()]
        for n in claims
    }
    shown = list({id(r): r for claim in claims for r in behind[claim]}.values())
    show_table(
        pd.DataFrame(table, index=pd.Index([f"`{c}`" for c in asked_all], name="convention")),
        f"tab-readings-{claims[0]}",
        "How many statements of "
        + " and ".join(f"[claim {claim}](tab-statements-{claim})" for claim in claims)
        + " hold under each convention of the [second analysis](second-statements); `wae` was argued beforehand to be "
        "the paper's own.",
        sources(shown) if shown else "Provenance: not yet run.",
    )


def in_sentences(found: ByConvention) -> str:
    """Is there one convention under which all holds; what holds under all of them, and what under none?"""
    words = {  # a difference may be a statement of two claims, corrected with others in each
        c: {f"claim {claim}, {name}": word(told) for claim, of in claims.items() for name, told in of.items()}
        for c, claims in found.items()
    }
    names = list(dict.fromkeys(n for of in words.values() for n in of))
    decided = ("holds", "undecided", "contradicted")
    open_ = sum(w not in decided for of in words.values() for w in of.values())
    run = {n: [of[n] for of in words.values() if of.get(n) in decided] for n in names}
    run = {n: of for n, of in run.items() if len(of) > 1}  # one convention is not several
    whole = [c for c, of in words.items() if set(of.values()) == {"holds"} and len(of) == len(names)]
    under_all = [n for n, of in run.items() if set(of) == {"holds"}]
    under_none = [n for n, of in run.items() if "holds" not in of]
    refuted = [n for n, of in run.items() if set(of) == {"contradicted"}]
    first = (
        f"**Under {' and '.join(f'`{c}`' for c in whole)} every statement holds.**"
        if whole
        else "**There is no convention under which every statement holds.**"
        if not open_
        else "**No convention is known yet under which every statement holds**: "
        f"{open_} of {sum(map(len, words.values()))} cells are not yet run with all of their seeds."
    )
    if not run:
        return first
    return (
        f"{first} Of the {len(run)} statements that were run under several conventions hold under all of them "
        f"{_listed(under_all)}. Under none of them hold{'s' * (len(under_none) == 1)} {_listed(under_none)}; "
        f"contradicted under every one of them: {_listed(refuted)}."
    )


def _listed(names: list[str]) -> str:
    told = "; ".join(n.replace("beta", "β") for n in names)
    return f"{len(names)} statement{'s' * (len(names) != 1)} ({told})" if names else "no statement"
