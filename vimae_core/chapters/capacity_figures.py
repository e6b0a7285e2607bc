"""The figures of Table 1: accuracy against the level of noise, and against the weight of the rate."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vimae_core.chapters.capacity import accuracies
from vimae_core.corruptions import Corruption
from vimae_core.report.claims import difference
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import crossed_mean
from vimae_core.report.style import INK, MARKERS, PALE, SERIES, WIDTH, seeds_and_line

KINDS = {"gaussian": "standard deviation σ of the noise", "mask": "probability p of the mask"}
LIKELIHOODS = {"bernoulli": "Bernoulli", "gaussian": "Gaussian, unit variance", "wae": "0.05 × squared error"}


def show_noise_curves(results: Results, name: str) -> None:
    """Displays every model's accuracy against each level of each kind of noise that was measured."""
    if not results:
        return
    against = results.table["model"].iloc[0]
    show_figure(
        noise_figure(results, against),
        name,
        f"**Accuracy against noise, {results.title}.** M1+TSVM on codes of clean training images, tested on codes of "
        f"corrupted test images. Above: accuracy; dotted, chance. Below: its paired difference to the {against}'s. "
        "Mean over seeds and draws of labels, bars: 95 % intervals where there are several seeds. The paper's table "
        "has σ = 0.2 and 0.4, p = 0.2 and 0.5 of these.",
        "Panels against the level of Gaussian noise and of masking: accuracy, one falling line a model, and below it "
        f"each model's difference to the {against}",
        sources([results]),
    )


def noise_figure(results: Results, against: str) -> Figure:
    """Accuracy of each model by level of noise, and its difference to that of the model `against`."""
    models = list(dict.fromkeys(results.table["model"]))
    measured = {Corruption.of(name) for record in results.table["accuracy"] for name in record["test"]}
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 5.6), sharex="col", sharey="row")
    for (above, below), (kind, label) in zip(axes.T, KINDS.items(), strict=True):
        levels = sorted((c for c in measured if c.kind in (kind, "clean")), key=lambda c: c.level)
        baseline = {c: accuracies(results, against, c.name) for c in levels}
        for i, (model, colour) in enumerate(zip(models, [INK, *SERIES] * 2, strict=False)):
            found = {c: accuracies(results, model, c.name) for c in levels}
            style = {"color": colour, "marker": MARKERS[i % len(MARKERS)], "label": model.replace("beta", "β")}
            _curve(above, {c.level: np.array(list(found[c].values())) for c in levels if found[c]}, style)
            pairs = {c.level: difference(found[c], baseline[c]) for c in levels}
            _curve(below, {level: values for level, values in pairs.items() if values.size}, style)
        above.axhline(10, color=PALE, linestyle=":", linewidth=1)
        above.set_ylim(0, 100)
        below.set(xlabel=label)
    axes[0, 0].set_ylabel("accuracy, %")
    axes[1, 0].set_ylabel(f"difference to the {against},\npercentage points")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(models))
    return figure


def _curve(axis: Axes, values: dict[float, np.ndarray], style: dict) -> None:
    """Means of tables of seeds by draws, with their intervals."""
    means = {level: crossed_mean(table) for level, table in values.items()}
    error = [(m.high - m.low) / 2 for m in means.values()]
    axis.errorbar(
        list(means), [m.value for m in means.values()], error, markersize=4, linewidth=1.2, elinewidth=0.8, **style
    )


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
        "line a likelihood",
        sources([table, sweep]),
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
        for model, level in printed.items():
            axis.axhline(level, color=INK, linestyle="--", linewidth=0.8)
            told = f"the paper's {model.replace('beta', 'β')}"
            axis.annotate(told, (1, level), xycoords=("axes fraction", "data"), ha="right", va="bottom", size=7)
        axis.axhline(10, color=PALE, linestyle=":", linewidth=1)
        axis.set(xscale="log", xlabel="weight of the rate, β", title=title)
    axes[0].set_ylabel("accuracy, %")
    if legend := axes[0].get_legend():
        legend.remove()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
