"""The figures of Table 1: accuracies as dots, against the level of noise, and against the weight of the rate."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vimae_core.chapters.capacity import accuracies
from vimae_core.corruptions import Corruption
from vimae_core.report.results import LIKELIHOODS, Results, sources
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import Mean, crossed_mean
from vimae_core.report.style import INK, PALE, SERIES, WIDTH, seeds_and_line

KINDS = {"gaussian": "standard deviation σ of the noise", "mask": "probability p of the mask"}
SOURCES = {"the paper": (INK, "D"), "reference": (SERIES[0], "o"), "this build": (SERIES[1], "s")}


def show_accuracies(models: list[str], conditions: list[str], results: list[Results], paper: dict, name: str) -> None:
    """Displays Table 1 as dots: by model and condition, the paper's, the reference's and this build's accuracy."""
    size = (WIDTH, 0.32 * len(models) + 1.1)
    figure, axes = plt.subplots(1, len(conditions), figsize=size, sharey=True, squeeze=False)
    for axis, condition in zip(axes[0], conditions, strict=True):
        for y, model in enumerate(models):
            for (title, (colour, mark)), shift in zip(SOURCES.items(), (-0.22, 0, 0.22), strict=True):
                if (mean := _accuracy(model, condition, title, results, paper)) is None:
                    continue
                if not np.isnan(mean.high):
                    axis.plot([mean.low, mean.high], [y + shift] * 2, color=colour, linewidth=1.5)
                filled = "white" if title == "this build" else colour
                axis.plot(mean.value, y + shift, mark, color=colour, markerfacecolor=filled, markersize=4)
        axis.set_title(condition)
        axis.set(yticks=range(len(models)), ylim=(len(models) - 0.5, -0.5))
        axis.tick_params(axis="y", length=0)
        axis.grid(color=PALE, alpha=0.25, linewidth=0.6)
        axis.spines["left"].set_visible(False)
    axes[0, 0].set_yticks(range(len(models)), [m.replace("beta", "β") for m in models])
    axes[0, len(conditions) // 2].set_xlabel("accuracy, %")
    filled = {t: "white" if t == "this build" else colour for t, (colour, _) in SOURCES.items()}
    keys = [
        plt.Line2D([], [], color=colour, marker=mark, linestyle="", markerfacecolor=filled[t], label=t)
        for t, (colour, mark) in SOURCES.items()
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=3)
    show_figure(
        figure,
        name,
        "**The paper's Table 1 as dots.** Accuracy of M1+TSVM from codes of clean and corrupted test images: what the "
        "paper prints, the reference runs with the 95 % interval of their mean, and this build. Axes differ.",
        f"Dots by model in {len(conditions)} panels, one a condition: {', '.join(conditions)}",
        sources(results),
        vector=True,
    )


def _accuracy(model: str, condition: str, title: str, results: list[Results], paper: dict) -> Mean | None:
    if title == "the paper":
        printed = dict(zip(paper["conditions"], paper.get(model, []), strict=False))
        return Mean(printed[condition], np.nan, np.nan, 1) if condition in printed else None
    found = [accuracies(r, model, condition) for r in results if r.title == title]
    return crossed_mean(np.array(list(found[0].values()))) if found and found[0] else None


def show_noise_curves(results: Results, name: str) -> None:
    """Displays every model's accuracy against each level of each kind of noise that was measured."""
    if not results:
        return
    show_figure(
        noise_figure(results),
        name,
        f"**Accuracy against noise, {results.title}.** M1+TSVM on codes of clean training images, tested on codes of "
        "corrupted test images, a column a model, beside all others in grey; mean over seeds and draws of labels, "
        "bars: 95 % intervals where there are several seeds; dotted: chance. The paper's table has σ = 0.2 and 0.4, "
        "p = 0.2 and 0.5 of these.",
        "Panels of accuracy against the level of Gaussian noise, above, and of masking, below, one column a model: "
        f"falling lines, {results.title}",
        sources([results]),
        vector=True,
    )


def noise_figure(results: Results) -> Figure:
    """A row a kind of noise, a column a model."""
    models = list(dict.fromkeys(results.table["model"]))
    measured = {Corruption.of(name) for record in results.table["accuracy"] for name in record["test"]}
    figure, axes = plt.subplots(2, len(models), figsize=(WIDTH, 3.6), sharex="row", sharey=True, squeeze=False)
    for row, (kind, label) in zip(axes, KINDS.items(), strict=True):
        above = kind == next(iter(KINDS))
        levels = sorted((c for c in measured if c.kind in (kind, "clean")), key=lambda c: c.level)
        found = {m: {c.level: accuracies(results, m, c.name) for c in levels} for m in models}
        means = {
            m: {x: crossed_mean(np.array(list(v.values()))) for x, v in of.items() if v} for m, of in found.items()
        }
        for axis, model in zip(row, models, strict=True):
            for other in means.values():
                axis.plot(list(other), [m.value for m in other.values()], color=PALE, linewidth=0.6, alpha=0.6)
            own = means[model]
            error = [(m.high - m.low) / 2 for m in own.values()]
            look = {"color": SERIES[0], "marker": "o", "markersize": 2.5, "linewidth": 1.4, "elinewidth": 0.8}
            axis.errorbar(list(own), [m.value for m in own.values()], error, **look)
            axis.axhline(10, color=PALE, linestyle=":", linewidth=1)
            if above:
                axis.set_title(model.replace("beta", "β"), size=8.5)
        row[len(models) // 2].set_xlabel(label)
        row[0].set(ylim=(0, 100), ylabel="accuracy, %")
    return figure


def show_rate_sweep(table: Results, sweep: Results, paper: dict, name: str) -> None:
    """Displays the accuracy of VAEs against the weight of their rate, and where the paper's rows would lie."""
    if not table:
        return
    show_figure(
        sweep_figure(table, sweep, paper),
        name,
        f"**Accuracy against the weight of the rate, {table.title}.** VAEs whose rate is weighted by β, a line a "
        "likelihood; a mark is a run, averaged over its draws of labels. Lines across: the paper's VAE and β-VAE; a "
        "ring: where a line of ours falls through the paper's VAE. Dotted: chance. Under the Gaussian likelihood, "
        "β = 10 is the VAE with the WAE code's 0.05 × squared error. "
        + seeds_of_weights(sweep_points(table, sweep, "clean")),
        "Two panels, clean and half-masked digits: accuracy against the weight of the rate on a logarithmic axis; one "
        f"line a likelihood, {table.title}",
        sources([table, sweep]),
        vector=True,
    )


def sweep_points(table: Results, sweep: Results, condition: str) -> pd.DataFrame:
    """A row a VAE or beta-VAE run: likelihood, weight of the rate, and accuracy averaged over draws."""
    runs = pd.concat([result.table for result in (table, sweep) if result])
    runs = runs[runs["model"].isin(["VAE", "beta-VAE"])]
    runs = runs[[condition in record["test"] for record in runs["accuracy"]]]
    accuracy = [float(np.mean(record["test"][condition]["tsvm"])) for record in runs["accuracy"]]
    runs = runs.assign(accuracy=accuracy, likelihood=runs["likelihood"].map(LIKELIHOODS))
    return runs[["likelihood", "lambda", "accuracy"]].sort_values(["likelihood", "lambda"])


def seeds_of_weights(points: pd.DataFrame) -> str:
    """How many runs stand behind each weight, in words: "Bernoulli: 1 seed at β = 0.1, 30; 5 seeds at β = 1." """
    told = []
    for likelihood, runs in points.groupby("likelihood", sort=False):
        counts = runs["lambda"].value_counts().sort_index()
        by_count = [
            f"{n} seed{'s' * (n > 1)} at β = {', '.join(f'{weight:g}' for weight in part.index)}"
            for n, part in counts.groupby(counts)
        ]
        told.append(f"{likelihood}: {'; '.join(by_count)}.")
    return " ".join(told)


def crossing(weights: list[float], means: list[float], level: float) -> float | None:
    """The weight at which the means last fall to a level, between two weights along a line in the logarithm."""
    for i in reversed(range(len(weights) - 1)):
        (x, a), (y, b) = (np.log(weights[i]), means[i]), (np.log(weights[i + 1]), means[i + 1])
        if a >= level > b:
            return float(np.exp(x + (a - level) / (a - b) * (y - x)))
    return None


def sweep_figure(table: Results, sweep: Results, paper: dict) -> Figure:
    conditions = {"clean": "clean digits", "mask 0.5": "half-masked digits"}
    figure, axes = plt.subplots(1, 2, figsize=(WIDTH, 3.4), sharey=True)
    for axis, (condition, title) in zip(axes, conditions.items(), strict=True):
        printed = {m: paper[m][paper["conditions"].index(condition)] for m in ("VAE", "beta-VAE")}
        points = sweep_points(table, sweep, condition)
        seeds_and_line(axis, points, "lambda", "accuracy", "likelihood", "mean", legend=axis is axes[0])
        for (_, by_weight), colour in zip(points.groupby("likelihood", sort=False), SERIES, strict=False):
            means = by_weight.groupby("lambda")["accuracy"].mean()
            if (at := crossing(list(means.index), list(means), float(printed["VAE"]))) is not None:
                ring = {"markersize": 10, "markerfacecolor": "none", "markeredgewidth": 1.5}
                axis.plot(at, printed["VAE"], "o", color=colour, **ring)
        for (model, level), (x, side) in zip(printed.items(), ((0.02, "left"), (1, "right")), strict=True):
            axis.axhline(level, color=INK, linestyle="--", linewidth=0.8)  # named where no line of ours runs
            told = f"the paper's {model.replace('beta', 'β')}"
            axis.annotate(told, (x, level), xycoords=("axes fraction", "data"), ha=side, va="bottom", size=7)
        axis.axhline(10, color=PALE, linestyle=":", linewidth=1)
        axis.set(xscale="log", xlabel="weight of the rate, β", title=title)
    axes[0].set_ylabel("accuracy, %")
    if legend := axes[0].get_legend():
        legend.remove()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
