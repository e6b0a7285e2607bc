"""Drawings of the second analysis: the map of statements by conventions, its tables and sentences, and the power."""

import re
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from jaxtyping import Int64, UInt8
from matplotlib.figure import Figure
from torch import Tensor

from vimae_core.chapters.capacity import CLEAN, HEAVY, accuracies
from vimae_core.chapters.conventions import codes_drawn
from vimae_core.chapters.latent_shape_figures import posterior_figure
from vimae_core.chapters.statements import CLAIMS, Told
from vimae_core.report.claims import difference
from vimae_core.report.outcomes import power
from vimae_core.report.paper import paper_values
from vimae_core.report.results import Results, sources
from vimae_core.report.show import provenance, show_figure, show_table
from vimae_core.report.style import INK, SERIES, WIDTH

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
DIGITS = {1: 2, 4: 1, 5: 1}  # after the point, where it is not one
UNITS = {
    1: "nats", 2: "points", 3: "points", 4: "squared error, and Fréchet distance",
    5: "squared error, and points of labels", 6: "Fréchet distance",
}  # fmt: skip


def word(told: Told) -> str:
    """What came out, or that not all of its seeds are there, or none."""
    return NOT_RUN if told.outcome is None else told.outcome.word if told.outcome.word in LOOKS else SO_FAR


def show_map(found: ByConvention, results: list[Results], name: str) -> None:
    """Displays which statement holds under which convention, in one figure."""
    counts = "; ".join(f"{c}: {in_numbers(claims)}" for c, claims in found.items())
    show_figure(
        statement_map(found),
        name,
        "**Which statements hold under which convention.** A row a statement, a column a convention: ✓ holds, "
        "✗ contradicted, ? undecided, by the corrected 95 % interval; …: not all seeds yet; empty: not yet run. The "
        "number is the difference that the statement says is above zero; unit and interval stand in the tables below.",
        f"A grid of statements by conventions with a sign, a colour and a number in each cell. {counts}.",
        sources(results),
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
            for y, told in enumerate(of_claims[claim].values()):
                sign, colour = LOOKS[word(told)]
                axis.add_patch(
                    plt.Rectangle(
                        (x - 0.48, y - 0.46), 0.96, 0.92, facecolor=colour, edgecolor="#dddddd", linewidth=0.4
                    )
                )
                if told.outcome:
                    value = f"{told.outcome.difference.value:.{DIGITS.get(claim, 1)}f}".replace("-", "−")
                    text = sign if word(told) == SO_FAR else f"{sign} {value}"
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
        f"Claim {claim}, {UNITS[claim]}: outcome, difference with its corrected interval, and seeds, under each "
        "convention; a dash: not yet run. Where the paper prints its own difference: *excluded* where ours is another "
        "one (corrected too), *unseen* where the same spread around it would not have held. "
        f"More in {chapter}; [the tests](second-statements).",
        sources(results) if any(results) else "Provenance: not yet run.",
    )


def statement_table(claim: int, found: ByConvention) -> pd.DataFrame:
    """A row a statement and a column a convention, and the paper's own effect where it prints one."""
    first = next(iter(found.values()))[claim]
    columns = {c: [cell(claim, told) for told in claims[claim].values()] for c, claims in found.items()}
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
        f"**{LOOKS[told.outcome.word][0]} {told.outcome.word}**",
        f"{mean.value:{spec}}",
        *([] if np.isnan(mean.high) else [f"[{mean.low:{spec}}, {mean.high:{spec}}]"]),
        f"{mean.n} seed{'s' * (mean.n > 1)}",
    ]
    if told.statement.paper is not None and mean.n > 1:
        lines += [*["paper's excluded"] * bool(told.excludes), *["paper's unseen"] * (told.could_hold is False)]
    return "<br>".join(lines).replace("-", "−")


def in_sentences(found: ByConvention) -> str:
    """Is there one convention under which all holds; what holds under all of them, and what under none?"""
    words = {  # a difference may be a statement of two claims, corrected with others in each
        c: {f"claim {claim}, {name}": word(told) for claim, of in claims.items() for name, told in of.items()}
        for c, claims in found.items()
    }
    names = list(next(iter(words.values())))
    decided = ("holds", "undecided", "contradicted")
    open_ = sum(w not in decided for of in words.values() for w in of.values())
    run = {n: [of[n] for of in words.values() if of[n] in decided] for n in names}
    run = {n: of for n, of in run.items() if len(of) > 1}  # one convention is not several
    whole = [c for c, of in words.items() if set(of.values()) == {"holds"}]
    under_all = [n for n, of in run.items() if set(of) == {"holds"}]
    under_none = [n for n, of in run.items() if "holds" not in of]
    refuted = [n for n, of in run.items() if set(of) == {"contradicted"}]
    first = (
        f"**Under {' and '.join(f'`{c}`' for c in whole)} every statement holds.**"
        if whole
        else "**There is no convention under which every statement holds.**"
        if not open_
        else "**No convention is known yet under which every statement holds**: "
        f"{open_} of {len(words) * len(names)} cells are not yet run with all of their seeds."
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


def show_codes(
    results: Results, p: SimpleNamespace, name: str, images: UInt8[Tensor, "n c h w"], labels: Int64[Tensor, " n"]
) -> None:
    """Displays Figure 1 under every convention: the codes of a VAE and of a VIMAE over the prior."""
    there = [shown for shown in codes_drawn(results, p) if (shown[0].path / "weights.safetensors").is_file()]
    if not there:
        return
    runs, records, conventions = zip(*there, strict=True)
    titles = [f"{run.config.label}, {', '.join(own)}" for run, own in zip(runs, conventions, strict=True)]
    show_figure(
        posterior_figure(list(runs), list(records), images, labels, titles),
        name,
        f"**The codes under each convention, {results.title}.** One draw $z \\sim q(z|x)$ for each of {len(images):,} "
        "test digits, coloured by class, over the prior's contours; grey, the marginals of $q(z)$; black, those of "
        "$p(z)$. Axes differ.",
        "Scatter plots of two-dimensional codes of digits over the prior's contours, one panel a model and convention: "
        + "; ".join(f"{title}, divergence {r['kl']:.2f} nats" for title, r in zip(titles, records, strict=True)),
        provenance(results.notebook, results.profile, list(runs)),
    )


def show_power(table: Results, p: SimpleNamespace, name: str) -> None:
    """Displays how likely the test is to find a difference of VIMAE-l and VIMAE-n, by its size and the seeds."""
    spreads = {c: float(np.std(_apart(table, c).mean(1), ddof=1)) for c in (CLEAN, *HEAVY)}
    show_figure(
        power_curves(spreads, len(p.seeds), len(p.seeds) + len(p.more_seeds)),
        name,
        "**Which effect could be seen.** Probability that a paired t-test at 5 %, uncorrected, finds a true difference "
        f"of VIMAE-l and VIMAE-n, with {len(p.seeds)} seeds (dashed) and with {len(p.seeds) + len(p.more_seeds)} "
        "(solid), at the spread that the first analysis's seeds have. Rings: the paper's own differences.",
        "Curves of the power against the true difference in percentage points, a colour a condition; rings at the "
        "paper's differences.",
        sources([table]),
    )


def _apart(table: Results, condition: str) -> np.ndarray:
    return difference(accuracies(table, "VIMAE-l", condition), accuracies(table, "VIMAE-n", condition))


def power_curves(spreads: dict[str, float], few: int, many: int) -> Figure:
    """A colour a condition, dashed with few seeds."""
    paper = paper_values()["table_1"]
    figure, axis = plt.subplots(figsize=(WIDTH, 3.2))
    effects = np.linspace(0.01, 3, 150)
    for (condition, spread), colour in zip(spreads.items(), SERIES, strict=False):
        at = paper["conditions"].index(condition)
        printed = abs(paper["VIMAE-l"][at] - paper["VIMAE-n"][at])
        for seeds, line in ((few, "--"), (many, "-")):
            axis.plot(effects, [power(e, spread, seeds) for e in effects], line, color=colour,
                      label=f"{condition}: spread {spread:.1f}" if seeds == many else None)  # fmt: skip
            axis.plot(printed, power(printed, spread, seeds), "o", color=colour, markerfacecolor="none", markersize=8)
    axis.axhline(0.8, color=INK, linewidth=0.6, linestyle=":")
    axis.set(xlabel="true difference, points", ylabel="power", ylim=(0, 1.03), xlim=(0, 3))
    axis.legend(title="condition")
    return figure
