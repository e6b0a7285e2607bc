"""Trainings as they went: the terms of each objective, the rate, the MMD in its null band."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import nn

from vimae_core.mmd import kernel_of, null_band
from vimae_core.networks import build_network
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure, show_table
from vimae_core.report.style import INK, MARKERS, PALE, SERIES, WIDTH
from vimae_core.runs import Run

TERMS = {"distortion": "distortion", "rate": "α · rate", "divergence": "(λ − α) · MMD²"}


def curve(run: Run, term: str) -> tuple[np.ndarray, np.ndarray]:
    """A loss term against epochs: its mean over each hundredth of the training."""
    values = np.array(run.history["hundredths"][term])
    return (np.arange(len(values)) + 0.5) / len(values) * run.config.epochs, values


def show_terms(results: Results, name: str) -> None:
    """Displays each model's loss and the weighted terms that it is the sum of; nothing where there are no runs."""
    if not results:
        return
    labels = list(dict.fromkeys(results.table["model"]))
    show_figure(
        terms_figure(results, labels),
        name,
        f"**What each objective is made of, {results.title}.** The loss and its terms as weighted in it, in nats an "
        "image on a logarithmic axis, over the training images; a line a seed. A term that is not drawn has weight 0; "
        "the MMD's unbiased estimate can be negative, and is left out there.",
        f"Training curves of the loss and its weighted terms, {results.title}, one panel a model: "
        + ", ".join(labels).replace("beta", "β"),
        sources([results]),
    )


def terms_figure(results: Results, labels: list[str]) -> Figure:
    figure, axes = plt.subplots(
        -(-len(labels) // 2), 2, figsize=(WIDTH, 2.1 * -(-len(labels) // 2)), sharey=True, squeeze=False
    )
    for axis, label in zip(axes.flat, labels, strict=False):
        for run in (r for r in results.runs if r.config.label == label):
            weights = {"distortion": 1.0, "rate": run.config.alpha, "divergence": run.config.lambda_ - run.config.alpha}
            axis.plot(*curve(run, "loss"), color=PALE, linewidth=3.5)
            for (term, weight), colour, style in zip(weights.items(), SERIES, ("-", "--", ":"), strict=False):
                if term in run.history["hundredths"]:
                    x, y = curve(run, term)
                    axis.plot(x, np.where(y > 0, weight * y, np.nan), style, color=colour)
        axis.set(yscale="log", title=label.replace("beta", "β"), xlabel="epoch", ylabel="nats an image")
    for axis in axes.flat[len(labels) :]:
        axis.axis("off")
    lines = [plt.Line2D([], [], color=PALE, linewidth=3.5, label="loss")]
    lines += [plt.Line2D([], [], color=c, linestyle=s, label=TERMS[t])
              for t, c, s in zip(TERMS, SERIES, ("-", "--", ":"), strict=False)]  # fmt: skip
    figure.legend(handles=lines, loc="outside lower center", ncols=4)
    return figure


def show_rate_and_mmd(results: Results, name: str) -> None:
    """Displays the rate and the MMD: a curve where it is in the loss, a mark where it was measured afterwards."""
    if not results:
        return
    size = results.runs[0].config.batch_size
    show_figure(
        rate_and_mmd_figure(results),
        name,
        f"**Rate and MMD², {results.title}.** Lines: in training, where the term is in the loss. Marks at the end: on "
        f"the test images, for every model. Grey: where 95 % of the MMD² of two prior samples of a batch's size, "
        f"{size}, lie; a line is the mean over a hundredth of the training and scatters less. "
        "The axis of MMD² is linear up to 0.001.",
        f"Two panels against epochs, {results.title}: the rate in nats for VAE and β-VAE, the MMD for the VIMAE models "
        "in its null band; marks at the right end for all models",
        sources([results]),
    )


def rate_and_mmd_figure(results: Results) -> Figure:
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(WIDTH, 5.6), sharex=True)
    labels = list(dict.fromkeys(results.table["model"]))
    end = results.runs[0].config.epochs
    for i, label in enumerate(labels):
        style = {"color": SERIES[i % len(SERIES)], "label": label.replace("beta", "β")}
        for run in (r for r in results.runs if r.config.label == label):
            for axis, term in ((top, "rate"), (bottom, "divergence")):
                if term in run.history["hundredths"]:
                    axis.plot(*curve(run, term), **{**style, "label": None})
        place = end * (1.02 + 0.02 * i)
        for axis, measure in ((top, "rate"), (bottom, "mmd2")):
            values = results.values(label, measure)
            axis.plot([place] * len(values), values, MARKERS[i % len(MARKERS)], markersize=5, linestyle="", **style)
    config, prior = results.runs[0].config, results.runs[0].prior
    band = null_band(prior, config.batch_size, kernel_of(config.kernel, prior))
    bottom.axhspan(band.low, band.high, color=PALE, alpha=0.35, linewidth=0)
    bottom.axhline(0, color=INK, linewidth=0.8)
    top.set(ylabel="rate, nats an image", ylim=(0, None))
    top.margins(y=0.1)
    bottom.set_yscale("symlog", linthresh=1e-3)
    bottom.margins(y=0.05)
    bottom.set(ylabel="MMD²", xlabel="epoch")
    top.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=5)
    return figure


def show_size(results: list[Results], name: str) -> None:
    """Displays by how much the runs are smaller than the paper's networks trained as the WAE code trains them."""
    there = [r for r in results if r]
    first = there[0].runs[0]
    with torch.device("meta"):  # counted, not made
        full = build_network(replace(first.config, width=1.0), first.network.image_shape)
    columns = {"the paper": ("1", _count(full.encoder), _count(full.decoder), "100 (the WAE code's)", "all")}
    for result in there:
        config, network = result.runs[0].config, result.runs[0].network
        n_train = "all" if config.n_train is None else f"{config.n_train:,}"
        columns[result.title] = (
            f"{config.width:g}", _count(network.encoder), _count(network.decoder), f"{config.epochs}", n_train,
        )  # fmt: skip
    rows = ["width", "encoder, parameters", "decoder, parameters", "epochs", "training images"]
    show_table(
        pd.DataFrame(columns, index=pd.Index(rows, name=f"architecture {first.config.architecture}")),
        name,
        "How much smaller than the paper's these runs are.",
        sources(there),
    )


def _count(module: nn.Module) -> str:
    return f"{sum(p.numel() for p in module.parameters()):,}"
