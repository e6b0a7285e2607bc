"""Drawings of disentanglement: scores beside floors, what came of the comparisons, information, and factors."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vimae_core.chapters.disentanglement import (
    FLOORS,
    SCORES,
    by_factor,
    floor,
    floors_table,
    information_table,
    models_of,
    scores_table,
)
from vimae_core.chapters.outcome_figures import show_outcomes
from vimae_core.chapters.statements import Told
from vimae_core.report.results import Results, how_small, sources
from vimae_core.report.show import show_figure, show_folded, show_table
from vimae_core.report.statistics import mean_over_seeds, signed
from vimae_core.report.style import INK, MARKERS, PALE, SERIES, WIDTH
from vimae_core.toy_faces import FACTORS

LINES = {"untrained": ":", "pca": "--", "ica": "-"}
KINDS = {  # of a model by its name -> colour and mark
    "AE": (INK, MARKERS[3]),
    "VAE, β-VAE, InfoVAE": (SERIES[1], MARKERS[1]),
    "VIMAE": (SERIES[0], MARKERS[0]),
    "VIMAE, noise given": (SERIES[2], MARKERS[2]),
}


def kind(model: str) -> str:
    """One of `KINDS`: by what weighs its rate, and whether its noise is given."""
    if model.startswith("VIMAE"):
        return "VIMAE, noise given" if "noise" in model else "VIMAE"
    return "AE" if model == "AE" else "VAE, β-VAE, InfoVAE"


def show_scores(results: Results, floors: Results, name: str) -> None:
    """Displays each model's four scores beside the floors; their numbers, and what lies above a floor, folded."""
    if not results:
        return
    told = "; ".join(f"{m}: {results.mean(m, 'mig', '.2f')}" for m in models_of(results))
    lines = ", ".join(
        f"{title} {style}" for title, style in zip(FLOORS.values(), ("dotted", "dashed", "solid"), strict=True)
    )
    show_figure(
        scores_figure(results, floors),
        f"fig-{name}",
        f"**How far each coordinate stands for one factor, {results.title}.** Four scores of the posterior means of "
        f"{results.n} held-out toy faces, better to the right, 1 at best (of SAP 0.95). Large marks: means with 95 % "
        f"intervals over seeds, small ones the seeds; grey lines: what needs no training, {lines}. "
        f"What was run: {how_small([results])}.",
        f"Dots with intervals, a row a model and a panel a score, beside three lines for the floors, {results.title}. "
        f"MIG of {told}",
        sources([results, floors]),
        vector=True,
    )

    def numbers() -> None:
        show_table(
            scores_table(results, floors),
            f"tab-{name}",
            f"The scores, {results.title}, of models and floors, and what belongs to them: the MIG of codes cut in "
            "equal steps, DCI's completeness, and R² of the factors from the codes (DCI's informativeness). Mean and "
            "95 % interval over seeds.",
            sources([results, floors]),
        )
        if floors:
            show_table(
                floors_table(results, floors),
                f"tab-{name}-above",
                f"Each model's score less that of the best floor, {results.title}, seed by seed: mean and 95 % "
                "interval, uncorrected. No word was registered for these.",
                sources([results, floors]),
            )

    show_folded("The numbers", numbers)


def scores_figure(results: Results, floors: Results) -> Figure:
    """A row a model and a panel a score."""
    models = models_of(results)
    size = (WIDTH, 0.22 * len(models) + 0.9)
    figure, axes = plt.subplots(1, len(SCORES), figsize=size, sharey=True)
    for axis, (score, title) in zip(axes, SCORES.items(), strict=True):
        for f, line in LINES.items() if floors else ():
            at = np.mean(list(floor(floors, f, score).values()))
            axis.axvline(at, color=PALE, linestyle=line, linewidth=1.2, zorder=0)
        for y, model in enumerate(models):
            _draw_mean(axis, y, model, results.values(model, score))
        axis.set(title=title, ylim=(len(models) - 0.4, -0.6))
        axis.set_xlim(left=min(0, axis.get_xlim()[0]))
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    axes[0].set_yticks(range(len(models)), models)
    if floors:
        keys = [plt.Line2D([], [], color=PALE, linestyle=LINES[f], label=title) for f, title in FLOORS.items()]
        figure.legend(handles=keys, loc="outside lower center", ncols=len(keys))
    return figure


def _draw_mean(axis: Axes, y: int, model: str, values: list[float]) -> None:
    """Of the seeds' values small marks, their mean a large one, and its interval a bar where there is one."""
    colour, marker = KINDS[kind(model)]
    mean = mean_over_seeds(values)
    if not np.isnan(mean.high):
        axis.plot([mean.low, mean.high], [y, y], color=colour, linewidth=2, alpha=0.6)
        axis.scatter(values, np.full(len(values), y), s=4, color=INK, alpha=0.5, linewidth=0, zorder=3)
    axis.plot(mean.value, y, marker, color=colour, markersize=5)


def show_comparisons(found: dict[str, Told], results: Results, name: str) -> None:
    """Displays what came of the sixteen comparisons."""
    says = (
        f"**Claim 8, disentangled, comparison by comparison, {results.title}.** Each row says that its difference lies "
        "right of the line. σ: the scale of VIMAE-n's prior where the noise of its codes is given."
    )
    show_outcomes(found, {n: f"difference of {n.rpartition(', ')[2]}" for n in found}, name, says, [results])


def show_information(results: Results, name: str) -> None:
    """Displays each run's scores over what its code tells, between its bounds; the numbers folded."""
    if not results:
        return
    ceiling = results.table["ceiling"].max()
    show_figure(
        information_figure(results),
        f"fig-{name}",
        f"**Scores over information, {results.title}.** A run a bar, from what its code tells of the image at least to "
        "what it tells at most, and a mark halfway; nats. From below the mixture of all posteriors shows "
        f"{ceiling:.1f} nats at most (grey line). Scores in their own units, better upwards.",
        f"Four panels of scores over information in nats, bars between two bounds, {results.title}: "
        + "; ".join(
            f"{m}, {results.mean(m, 'information', '.1f')} to {results.mean(m, 'information_above', '.1f')} nats"
            for m in models_of(results)
        ),
        sources([results]),
        vector=True,
    )
    show_folded(
        "The numbers",
        lambda: show_table(
            information_table(results),
            f"tab-{name}",
            f"What the codes tell, {results.title}: rate and information in nats, from below and from above; the MMD² "
            "between codes and prior draws; squared error of reconstructions; how many coordinates are active (their "
            "means vary over images by a hundredth of the prior's variance) and live (by a twentieth of their own "
            "codes'). Mean and 95 % interval over seeds.",
            sources([results]),
        ),
    )


def information_figure(results: Results) -> Figure:
    """A panel a score; colours and marks are those of `KINDS`."""
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 4.4), sharex=True)
    kinds = results.table["model"].map(kind)
    for axis, (score, title) in zip(axes.flat, SCORES.items(), strict=True):
        axis.axvline(results.table["ceiling"].max(), color=PALE, linewidth=0.8)
        for name, (colour, marker) in KINDS.items():
            rows = results.table[kinds == name]
            low, high = rows["information"], rows["information_above"]
            axis.hlines(rows[score], low, high, color=colour, linewidth=1, alpha=0.5)
            axis.plot((low + high) / 2, rows[score], marker, color=colour, markersize=4.5, label=name)
        axis.margins(y=0.12)
        axis.set(title=title, ylim=(min(0, axis.get_ylim()[0]), None))
    for axis in axes[-1]:
        axis.set_xlabel("information, nats")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(KINDS))
    return figure


def show_factors(results: Results, name: str) -> None:
    """Displays which factors a model's codes hold, and which of them have a coordinate of their own."""
    if not results:
        return
    tables = {"gap of information": by_factor(results, "gaps"), "R² from the code": by_factor(results, "explained")}
    gaps = tables["gap of information"]
    show_figure(
        factors_figure(tables),
        f"fig-{name}",
        f"**Which factors are found, {results.title}.** Above, of each factor the gap between the two coordinates that "
        "tell most of it, as a share of all there is to tell (their mean is the MIG): 1 where it has a coordinate of "
        "its own. Below, how well all of a code's coordinates together predict it, R² on held-out faces: 1 where the "
        "code holds it, however it is spread, and below 0 where they do worse than its mean. Mean over seeds.",
        f"Two grids of models by factors, {results.title}. Largest gap: "
        + "; ".join(f"{m}, {gaps.loc[m].idxmax().replace('_', ' ')} {gaps.loc[m].max():.2f}" for m in gaps.index),
        sources([results]),
        vector=True,
    )


def factors_figure(tables: dict[str, pd.DataFrame]) -> Figure:
    """A panel a table, a number in each cell, the darker the nearer to 1."""
    rows = len(next(iter(tables.values())))
    figure, axes = plt.subplots(len(tables), 1, figsize=(WIDTH, len(tables) * (0.21 * rows + 0.45) + 0.5), sharex=True)
    for axis, (title, table) in zip(axes, tables.items(), strict=True):
        axis.imshow(table.to_numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (y, x), value in np.ndenumerate(table.to_numpy()):
            text = signed(value, ".2f").replace("0.", ".")
            axis.text(x, y, text, ha="center", va="center", size=7, color="white" if value > 0.6 else INK)
        axis.set_title(title)
        axis.set_yticks(range(rows), table.index)
        axis.set_xticks(range(len(FACTORS)), [f.replace("_", "\n") for f in FACTORS])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    return figure
