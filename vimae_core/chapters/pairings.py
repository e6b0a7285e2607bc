"""If the paper's models came from different codes: VIMAE-n under one convention less another model under another.

Not registered: thought of when Table 1 was known under two conventions. It makes no word.
"""

from itertools import product

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from vimae_core.chapters.capacity import CLEAN, HEAVY, accuracies
from vimae_core.chapters.conventions import digits, table_1
from vimae_core.profiles import parameters
from vimae_core.report.claims import difference
from vimae_core.report.paper import paper_values
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import Mean, crossed_mean, signed
from vimae_core.report.style import INK, WIDTH

ONE, OTHERS = "VIMAE-n", ("VAE", "beta-VAE")
CONDITIONS = (CLEAN, HEAVY[1])
COLOURS = {"above": "#9cc9e3", "below": "#f3c9a5", "holds zero": "#e3e3e3"}
Pairings = dict[tuple[str, str], Mean]  # (convention of VIMAE-n, those of the other model)


def shared(model: str) -> dict[str, str]:
    """Each convention's name among those that give the model the same runs, as where there is nothing to constrain."""
    p = parameters("conventions", "reference")
    of = {c: tuple(config for config in digits(p, c) if config.label == model) for c in p.conventions}
    return {c: ", ".join(other for other in of if of[other] == of[c]) for c in of}


def pairings(results: Results, other: str, condition: str) -> Pairings:
    """VIMAE-n's accuracy less the other model's by M1+TSVM, points, paired by seed and draw, with 95 % intervals.

    Those that have all of the seeds.
    """
    seeds = len(parameters("conventions", "reference").seeds)
    names = shared(other)
    of = {c: table_1(results, c) for c in names}
    found = {}
    for convention, (beside, name) in product(of, names.items()):
        one, two = accuracies(of[convention], ONE, condition), accuracies(of[beside], other, condition)
        values = difference(one, two)
        if len(values) >= seeds:
            found[convention, name] = crossed_mean(values)
    return found


def printed(other: str, condition: str) -> float:
    """The same difference in the paper's Table 1."""
    table = paper_values()["table_1"]
    at = table["conditions"].index(condition)
    return table[ONE][at] - table[other][at]


def holds(mean: Mean, value: float) -> bool:
    return mean.low <= value <= mean.high


def _all(results: Results) -> dict[tuple[str, str], Pairings]:
    """By the other model and the condition."""
    return {(o, c): pairings(results, o, c) for o in OTHERS for c in CONDITIONS}


def show_pairings(results: Results, name: str) -> None:
    """Displays the differences of every pairing, a panel a model and condition; nothing where none was run."""
    found = _all(results)
    if not any(found.values()):
        return
    told = "; ".join(
        f"{ONE} − {o}, {c}: " + ", ".join(f"{a} and {b} {signed(m.value, '.1f')}" for (a, b), m in of.items())
        for (o, c), of in found.items()
    )
    show_figure(
        pairings_figure(found),
        name,
        f"**If the paper's models came from different codes.** Accuracy of {ONE} under one convention (rows) less that "
        "of another model under another (columns), M1+TSVM, percentage points: blue where its uncorrected 95 % "
        "interval lies above zero, orange below, grey where it holds zero; framed where it holds the paper's own "
        "difference, which stands in the panel's title. Empty: not yet run. Not registered.",
        f"Four grids of differences by conventions. {told}.".replace("beta", "β"),
        sources([results]),
    )


def pairings_figure(found: dict[tuple[str, str], Pairings]) -> Figure:
    """A panel a model and condition."""
    figure, axes = plt.subplots(len(OTHERS), len(CONDITIONS), figsize=(WIDTH, 4.6), sharex="row", sharey=True)
    for row, other in zip(axes, OTHERS, strict=True):
        names = shared(other)
        rows, columns = list(names), list(dict.fromkeys(names.values()))
        for axis, condition in zip(row, CONDITIONS, strict=True):
            paper = printed(other, condition)
            for x, y in product(range(len(columns)), range(len(rows))):
                mean = found[other, condition].get((rows[y], columns[x]))
                axis.add_patch(plt.Rectangle((x - 0.46, y - 0.44), 0.92, 0.88, **_look(mean, paper)))
                if mean:
                    axis.text(x, y, signed(mean.value, ".1f"), ha="center", va="center", size=8)
            axis.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
            axis.set_title(f"{ONE} − {other.replace('beta', 'β')}, {condition}; the paper: {paper:.1f}", size=8.5)
            axis.set_xticks(range(len(columns)), [c.replace(", ", ",\n") for c in columns], size=7)
            axis.set_yticks(range(len(rows)), rows, size=7)
            axis.tick_params(length=0)
            axis.spines[:].set_visible(False)
        row[0].set_ylabel(f"{ONE} under", size=8)
    figure.supxlabel("the other model under", size=8)
    return figure


def _look(mean: Mean | None, paper: float) -> dict:
    """The cell's colour by the interval's sign, its frame by whether it holds the paper's difference."""
    if mean is None:
        return {"facecolor": "white", "edgecolor": "#dddddd", "linewidth": 0.4}
    side = "above" if mean.low > 0 else "below" if mean.high < 0 else "holds zero"
    return {"facecolor": COLOURS[side], "edgecolor": INK, "linewidth": 1.8 * holds(mean, paper)}


def in_words(results: Results) -> str:
    """In how many pairings the interval holds each of the paper's differences, in how many all, and the nearest one."""
    found = _all(results)
    if not all(found.values()):
        return ""
    hit = {(o, c): {pair for pair, m in of.items() if holds(m, printed(o, c))} for (o, c), of in found.items()}
    counts = ", ".join(f"{len(hit[o, c])} of {len(of)} ({o}, {c})" for (o, c), of in found.items())
    first, paper = found[OTHERS[0], CLEAN], printed(OTHERS[0], CLEAN)
    one, other = nearest = min(first, key=lambda pair: abs(first[pair].value - paper))
    return f"""
Pairings whose interval holds the paper's own difference: {counts.replace("beta", "β")}; all four of its differences:
{len(set.intersection(*hit.values())) or "none"}. Nearest to its {paper:.1f} points over the VAE on clean digits
comes VIMAE-n under `{one}` beside a VAE under `{other}`, with {signed(first[nearest].value, ".1f")}
({first[nearest].low:.1f} to {first[nearest].high:.1f}).
"""
