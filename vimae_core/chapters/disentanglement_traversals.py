"""Latent traversals: what the coordinates that tell most of a known factor do to a face."""

import math

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from sklearn.metrics import mutual_info_score
from torch import Tensor

from vimae_core.chapters.generation_figures import sheets
from vimae_core.data import Dataset
from vimae_core.evaluation.disentanglement import live
from vimae_core.evaluation.disentanglement_scores import BINS, equal_filled
from vimae_core.report.provenance import provenance, seeds_of
from vimae_core.report.results import Results
from vimae_core.report.show import show_figure
from vimae_core.runs import Run
from vimae_core.toy_faces import FACTORS

DRAWN = ("VAE", "β-VAE, β = 100", "VIMAE-n", "VIMAE-l")
TRAVERSED, STEPS, TAIL = 5, 8, 0.05  # coordinates of a model; faces of a row; of the codes beyond either end
BESIDE = 0.85  # of a panel's width is left beside its labels


def shares(codes: Float[Tensor, "n d"], factors: Float[Tensor, "n k"]) -> np.ndarray:
    """Of each factor's entropy the share that each coordinate tells, [d, k]: both cut as the MIG cuts them."""
    z, v = (equal_filled(part).numpy().T for part in (codes, factors))
    information = np.array([[mutual_info_score(i, j) for j in v] for i in z])
    return information / np.array([mutual_info_score(j, j) for j in v])


def chance(n: int) -> float:
    """The share of a factor's entropy that a coordinate of n codes tells where it is independent of the factor.

    A joint histogram's information is too large by half its degrees of freedom over n (Miller 1955).
    """
    return (BINS - 1) ** 2 / (2 * n) / math.log(BINS)


def show_traversals(results: Results, data: Dataset, name: str) -> None:
    """Displays what the coordinates that tell most of a factor do to a face; nothing where no weights are."""
    there = zip(*results.drawn(), strict=True) if results else []
    runs = {row["model"]: run for run, row in there if row["model"] in DRAWN}
    if not runs:
        return
    n_test = int(results.table["n"].iloc[0])
    found = {title: traversal(run, data, n_test) for title, run in runs.items()}
    show_figure(
        traversals_figure(found),
        f"fig-{name}",
        f"**Along a coordinate, {results.title}, {seeds_of(list(runs.values()))}.** Each row moves one coordinate of "
        f"the code from the {100 * TAIL:.0f} % to the {100 - 100 * TAIL:.0f} % quantile of the codes of {n_test:,} "
        f"held-out faces, the others at their medians. Shown are the {TRAVERSED} that tell most of one factor; beside "
        "each stands that factor, and which share of its entropy the coordinate tells; by chance alone it tells about "
        f"{chance(n_test):.2f}. *Collapsed*: a coordinate whose noise drowns it.",
        "Panels of rows of faces, one a model: each row changes one coordinate of the code. "
        + "; ".join(
            f"{title}: {', '.join(' '.join(label.split()) for label in labels)}" for title, (_, labels) in found.items()
        ),
        provenance(results.notebook, results.profile, list(runs.values())),
    )


def traversal(run: Run, data: Dataset, n_test: int) -> tuple[Float[Tensor, "n c h w"], list[str]]:
    """A row of faces for each coordinate that is shown, and of each the factor it tells most of, with its share.

    Those that have collapsed come last, whatever their means tell: to the decoder these are lost in the noise.
    """
    posterior = run.posterior(data["test"][0][:n_test])
    told, alive = shares(posterior.mean, data.factors[data.split["test"]][:n_test]), live(posterior).numpy()
    chosen = np.lexsort((-told.max(1), ~alive))[:TRAVERSED]
    rows = posterior.mean.median(0).values.repeat(len(chosen), STEPS, 1)
    ends = posterior.mean[:, chosen].quantile(torch.tensor([TAIL, 1 - TAIL]), dim=0)
    for row, coordinate, low, high in zip(rows, chosen, *ends, strict=True):
        row[:, coordinate] = torch.linspace(low, high, STEPS)
    best = {i: f"{FACTORS[told[i].argmax()].replace('_', ' ')}\n{told[i].max():.2f}" for i in chosen}
    return run.decode(rows.flatten(0, 1)), [best[i] if alive[i] else "collapsed" for i in chosen]


def traversals_figure(found: dict[str, tuple[Tensor, list[str]]]) -> Figure:
    """A panel a model, a row a coordinate, its label beside it."""
    figure = sheets({title: faces for title, (faces, _) in found.items()}, (), STEPS)
    figure.set_figheight(BESIDE * figure.get_figheight())
    for axis, (faces, labels) in zip(figure.axes, found.values(), strict=False):
        axis.axis("on")
        side = faces.shape[-2]
        axis.set_yticks([side * (i + 0.5) for i in range(len(labels))], labels, size=6.5)
        axis.set_xticks([])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    return figure
