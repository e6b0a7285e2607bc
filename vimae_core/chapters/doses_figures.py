"""Drawings of the doses: accuracy over the prior's entropy and scale, rate against distortion, and Eq. (3)."""

from collections.abc import Iterator, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vimae_core.chapters.capacity import CLEAN, HEAVY
from vimae_core.chapters.doses import CONDITIONS, doses
from vimae_core.chapters.thesis import Group, papers_slopes, slopes
from vimae_core.report.results import Results, how_small, sources
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import mean_over_seeds
from vimae_core.report.style import INK, MARKERS, PALE, SERIES, WIDTH

TAILS = {  # mark, colour, and how far beside its entropy it is drawn, so that a pair does not hide each other
    "heavy": ("^", SERIES[1], -0.003),
    "normal": ("o", INK, 0.0),
    "light": ("s", SERIES[0], 0.003),
}
TOLD = {CLEAN: "clean digits", HEAVY[0]: "noise σ = 0.4", HEAVY[1]: "half masked"}
ROADS = {  # group -> name, and what is varied along it
    "rate": "β-VAE, β",
    "rate_at_fit": "InfoVAE, α",
    "fit": "VIMAE-n, λ or tolerance",
    "noisy": "VIMAE, prior's scale, noise given",
    "adversary": "adversarial, λ and prior",
}


def show_entropy(results: Results, name: str) -> None:
    """Displays accuracy over the entropy of priors of unit variance, and the line that the paper's difference is on."""
    table = doses(results)
    if table.empty or table["prior_entropy"].nunique() < 2:
        return
    show_figure(
        over_entropy(table),
        name,
        f"**Accuracy over the prior's entropy, {results.title}.** VIMAE with priors of unit variance, pressed "
        "towards them: triangles, tails heavier than the normal's; squares, lighter; dot, the normal; pairs of one "
        "entropy stand side by side. Bars: 95 % intervals over seeds. Blue: the mean of the seeds' lines. Dashed: "
        "the line on which the paper's difference of VIMAE-n and VIMAE-l would lie if it were the entropy's alone. "
        f"M1+TSVM, 1000 labels. Smaller than the paper's: {how_small([results])}.",
        f"Three panels of accuracy against the prior's entropy in nats a coordinate, {results.title}, with the paper's "
        "line: " + "; ".join(TOLD[c] for c in CONDITIONS),
        sources([results]),
        vector=True,
    )


def over_entropy(table: pd.DataFrame) -> Figure:
    """A panel a condition."""
    figure, axes = plt.subplots(1, len(CONDITIONS), figsize=(WIDTH, 2.9))
    ends = np.array([table["prior_entropy"].min(), table["prior_entropy"].max()])
    for axis, condition in zip(axes, CONDITIONS, strict=True):
        for (entropy, tails), own in table.groupby(["prior_entropy", "tails"]):
            mark, colour, aside = TAILS[tails]
            _with_interval(axis, entropy + aside, own[condition], colour, mark)
        own = slopes(table, "prior_entropy", condition)
        middle, mean = table["prior_entropy"].mean(), table[condition].mean()
        if len(own):
            axis.plot(ends, mean + own.mean() * (ends - middle), color=SERIES[0], linewidth=1.2)
        at = table.loc[table["tails"] == "normal", condition]
        if len(at):
            line = at.mean() + papers_slopes()[condition] * (ends - ends[1])
            low, high = axis.get_ylim()
            axis.plot(ends, line, "--", color=PALE, linewidth=1.2)
            axis.set_ylim(min(low, at.mean() - 8), max(high, min(line.max(), at.mean() + 8)))
        axis.set_title(TOLD[condition])
        axis.set_xlabel("entropy, nats a coordinate")
    axes[0].set_ylabel("accuracy, %")
    return figure


def _with_interval(axis: Axes, x: float, values: pd.Series, colour: str, mark: str, label: str | None = None) -> None:
    mean = mean_over_seeds(values.tolist())
    if not np.isnan(mean.high):
        axis.plot([x, x], [mean.low, mean.high], color=colour, linewidth=1.6, alpha=0.6)
    axis.plot(x, mean.value, mark, color=colour, markersize=5, label=label)


def show_scales(groups: Group, name: str) -> None:
    """Displays what the prior's scale does, with the encoder's noise learnt and with it given."""
    learnt = pd.concat([doses(groups[g]) for g in ("shape", "scale") if groups[g]] or [pd.DataFrame()])
    given = doses(groups["noisy"])
    if learnt.empty and given.empty:
        return
    of = {"noise learnt": learnt, "noise given": given}
    of = {title: table[table["tails"] == "normal"] for title, table in of.items() if len(table)}
    shown = [groups[g] for g in ("shape", "scale", "noisy")]
    show_figure(
        over_scale(of),
        name,
        f"**The prior's scale, {next(r for r in shown if r).title}.** VIMAE-n with normal priors of several standard "
        "deviations: orange squares, the standard deviation of $q(z|x)$ given; blue dots, learnt. Left: the "
        "information, from below and from above. Then accuracy, M1+TSVM, 1000 labels. Bars: 95 % intervals over seeds. "
        f"Smaller than the paper's: {how_small(shown)}.",
        "Panels of information and accuracy over the standard deviation of a normal prior, noise learnt beside given, "
        + next(r for r in shown if r).title,
        sources(shown),
        vector=True,
    )


def over_scale(of: dict[str, pd.DataFrame]) -> Figure:
    """The information, then a panel a condition; a colour a table."""
    figure, axes = plt.subplots(1, 1 + len(CONDITIONS), figsize=(1.15 * WIDTH, 2.7))
    for (title, table), colour, mark in zip(of.items(), SERIES, MARKERS, strict=False):
        for scale, own in table.groupby("scale"):
            below, above = own["information"].mean(), own["information_above"].mean()
            axes[0].plot([scale, scale], [below, above], color=colour, linewidth=4, alpha=0.4)
            for axis, condition in zip(axes[1:], CONDITIONS, strict=True):
                _with_interval(axis, scale, own[condition], colour, mark)
        means = table.groupby("scale")[["information", *CONDITIONS]].mean()
        for axis, measure in zip(axes, means, strict=True):
            axis.plot(means.index, means[measure], mark + "-", color=colour, markersize=4, linewidth=1, label=title)
    for axis, what in zip(axes, ("information, nats", *TOLD.values()), strict=True):
        axis.set_xscale("log", base=2)
        axis.set_title(what)
        axis.set_xlabel("σ of the prior")
    axes[1].set_ylabel("accuracy, %")
    axes[0].legend(fontsize=7)
    return figure


def show_roads(groups: Group, name: str) -> None:
    """Displays rate against distortion along every road, and what becomes of the accuracy."""
    of = {told: doses(groups[g]) for g, told in ROADS.items() if groups[g]}
    rows = doses(groups["rows"])
    if not of:
        return
    shown = [groups[g] for g in (*ROADS, "rows")]
    show_figure(
        along_roads(of, rows),
        name,
        f"**Rate, distortion, robustness, {next(r for r in shown if r).title}.** Each mark is the mean over seeds at "
        "one dose, each line a road: one weight or scale that is varied, the other things being equal. Dashed: the "
        "constraint's tolerance. Crosses: the paper's models as they stand, named in the first panel. "
        "Rate: $E\\,D_{KL}(q(z|x)\\|p(z))$; distortion: −log p(x|z), nats an image. Accuracy: M1+TSVM, 1000 labels.",
        f"Four panels over the rate, {next(r for r in shown if r).title}: distortion, and accuracy under each "
        "condition; a line for each of " + ", ".join(of),
        sources(shown),
        vector=True,
    )


def along_roads(of: dict[str, pd.DataFrame], rows: pd.DataFrame) -> Figure:
    """Distortion, then a panel a condition, over the rate."""
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 5.4), sharex=True)
    measures = {"distortion": "distortion, nats", **{c: f"accuracy, {TOLD[c]}, %" for c in CONDITIONS}}
    for (title, table), colour, mark in zip(of.items(), SERIES, MARKERS, strict=False):
        for means, look in _lines(table, ("rate", *measures), title, color=colour, marker=mark):
            for axis, measure in zip(axes.flat, measures, strict=True):
                axis.plot(means["rate"], means[measure], **look)
    if len(rows):
        means = rows.groupby("model")[["rate", *measures]].mean().sort_values("rate")
        for axis, measure in zip(axes.flat, measures, strict=True):
            axis.plot(means["rate"], means[measure], "x", color=INK, markersize=5)
        _name(axes.flat[0], means)
    for axis, told in zip(axes.flat, measures.values(), strict=True):
        axis.set_ylabel(told)
        axis.set_xscale("symlog", linthresh=1, linscale=0.3)
    for axis in axes[-1]:
        axis.set_xlabel("rate, nats")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=7.5)
    return figure


def _name(axis: Axes, means: pd.DataFrame) -> None:
    """Names models beside their marks, those of nearly one rate together, where a falling curve leaves room."""
    alike = (means["rate"].pct_change() > 0.1).cumsum()
    for i, own in means.groupby(alike):
        x, y, ha = {alike.max(): (0, -10, "center"), alike.max() - 1: (3, 6, "left")}.get(i, (-5, -7, "right"))
        at = own["rate"].mean(), own["distortion"].mean()
        name = ", ".join(own.index).replace("beta", "β")
        axis.annotate(name, at, xytext=(x, y), textcoords="offset points", size=6, color=INK, ha=ha)
    axis.margins(y=0.12)


def _lines(table: pd.DataFrame, measures: Sequence[str], title: str, **look) -> Iterator[tuple[pd.DataFrame, dict]]:
    """Means over seeds, dose by dose, and how they look: a line for each prior, and one for the constraint's tolerance.
    The first has the title, so that the legend has them all once."""
    for (_, free), own in table.groupby(["prior", table["tolerance"].isna()], sort=False):
        means = own.groupby(["lambda", "alpha", "scale", "tolerance"], dropna=False)[[*measures]].mean()
        style = {"linestyle": "-" if free else "--", "linewidth": 1, "markersize": 4, "label": title}
        yield means, {**style, **look}
        title = ""


def show_explanations(groups: Group, name: str) -> None:
    """Displays accuracy over what a code tells, and over how far it is from its prior: which of them it follows."""
    of = {told: doses(groups[g]) for g, told in ROADS.items() if groups[g]}
    if not of:
        return
    shown = [groups[g] for g in ROADS]
    show_figure(
        over_explanations(of),
        name,
        f"**Information or fit? {next(r for r in shown if r).title.capitalize()}.** The same doses. Above, accuracy "
        "over what a code tells of the image, nats, from below to above, and the mark halfway; below, over the MMD² "
        "between codes and prior draws, × 10⁴: to the right the prior is followed less. Means over seeds; M1+TSVM, "
        "1000 labels.",
        f"Six panels of accuracy, a column a condition, over information and over the misfit to the prior, "
        f"{next(r for r in shown if r).title}; a line for each of " + ", ".join(of),
        sources(shown),
        vector=True,
    )


def over_explanations(of: dict[str, pd.DataFrame]) -> Figure:
    """A column a condition; a row for the information, and one for the fit."""
    figure, axes = plt.subplots(2, len(CONDITIONS), figsize=(WIDTH, 4.6), sharex="row", sharey="col")
    for (title, table), colour, mark in zip(of.items(), SERIES, MARKERS, strict=False):
        measures = ("mmd2", "information", "information_above", *CONDITIONS)
        for told, look in _lines(table, measures, title, color=colour, marker=mark):
            low, high = told["information"], told["information_above"]
            for (above, below), c in zip(axes.T, CONDITIONS, strict=True):
                above.hlines(told[c], low, high, color=colour, linewidth=1, alpha=0.5)
                above.plot((low + high) / 2, told[c], **{**look, "linestyle": ""})
                below.plot(1e4 * told["mmd2"], told[c], **look)
                above.set_title(TOLD[c])
    axes[0, 0].set_ylabel("accuracy, %")
    axes[1, 0].set_ylabel("accuracy, %")
    for axis_of_information, axis_of_fit in axes.T:
        axis_of_information.set_xlabel("information, nats")
        axis_of_fit.set(xlabel="MMD² × 10⁴", xscale="symlog")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=7.5)
    return figure


def show_information(groups: Group, name: str) -> None:
    """Displays Eq. (3): the information of every run, between its bounds, beside its rate."""
    shown = [r for r in groups.values() if r]
    if not shown:
        return
    table = pd.concat([r.table[np.isfinite(r.table["rate"])] for r in shown])
    show_figure(
        beside_rate(table),
        name,
        f"**Eq. (3) on every run, {shown[0].title}.** A bar a run: its information $I_q(X;Z)$, from the bound from "
        "below to that from above. What it lies below the diagonal is $D_{KL}(q(z)\\|p(z))$, since the rate is the sum "
        "of the two. Dashed: the logarithm of the number of images, above which the bound from below cannot rise.",
        f"Vertical bars of information against rate, below a diagonal, with a dashed ceiling, {shown[0].title}",
        sources(shown),
        vector=True,
    )


def beside_rate(table: pd.DataFrame) -> Figure:
    """A bar a run."""
    figure, axis = plt.subplots(figsize=(0.75 * WIDTH, 3.4))
    axis.vlines(table["rate"], table["information"], table["information_above"], color=SERIES[0], alpha=0.5, lw=2)
    axis.plot(table["rate"], table["information"], "_", color=SERIES[0], markersize=4)
    ends = np.array([0, table["rate"].max()])
    axis.plot(ends, ends, color=INK, linewidth=0.8)
    axis.axhline(table["ceiling"].max(), color=PALE, linestyle="--", linewidth=1)
    axis.set(xlabel="rate, nats", ylabel="information, nats")
    return figure
