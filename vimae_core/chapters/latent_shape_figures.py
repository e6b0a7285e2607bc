"""The figures of section 5.1: posteriors over their prior, the decoded plane, and the grid of lambdas."""

import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Int64, UInt8
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from torch import Tensor

from vimae_core.priors import Prior
from vimae_core.report.provenance import provenance, seeds_of
from vimae_core.report.results import LIKELIHOODS, Results
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import signed
from vimae_core.report.style import DIGITS, INK, MARKERS, PALE, WIDTH, seeds_and_line
from vimae_core.runs import Run

MASS = (0.5, 0.9, 0.99)  # of the prior within the contours


def titled(run: Run) -> str:
    """The model's name and weight: "VIMAE-n, λ = 10"."""
    symbol = {"beta-vae": "β", "vimae": "λ", "infovae": "λ"}.get(run.config.method)
    name = run.config.label.replace("beta", "β")
    return f"{name}, {symbol} = {run.config.lambda_:g}" if symbol else name


def show_posteriors(
    results: Results, name: str, what: str, images: UInt8[Tensor, "n c h w"], labels: Int64[Tensor, " n"]
) -> None:
    """Displays q(z) of each model's first seed over the contours and marginals of p(z)."""
    runs, records = results.drawn()
    if not runs:
        return
    looks = [tuple(_look(label).values()) for label in labels.unique().tolist()]
    shared = ", some of which share a colour and a mark" * (len(set(looks)) < len(looks))
    show_figure(
        posterior_figure(runs, records, images, labels),
        name,
        f"**{what}, {results.title}, {seeds_of(runs)}.** One draw $z \\sim q(z|x)$ for each of {len(images):,} test "
        f"digits, coloured by class{shared}, over the prior's contours; grey, the marginals of $q(z)$; black, those of "
        "$p(z)$. Above each panel, the estimate of $D_{KL}(q(z)\\|p(z))$ and the root mean square of the two standard "
        "deviations, 1 for the prior. Axes differ.",
        "Scatter plots of two-dimensional codes of digits over the prior's contours, one panel a model: "
        + "; ".join(f"{titled(r)}, divergence {m['kl']:.2f} nats" for r, m in zip(runs, records, strict=True)),
        provenance(results.notebook, results.profile, runs),
    )


def posterior_figure(
    runs: list[Run],
    records: list[dict],
    images: UInt8[Tensor, "n c h w"],
    labels: Int64[Tensor, " n"],
    titles: list[str] | None = None,
) -> Figure:
    """One panel a run, and a key; titled by the models where no titles are given."""
    rows = math.ceil(len(runs) / 2)
    figure, axes = plt.subplots(rows, 2, figsize=(WIDTH, 3.6 * rows), squeeze=False)
    spare = axes.flat[len(runs)] if len(runs) % 2 else None
    for axis, run, record, own in zip(axes.flat, runs, records, titles or map(titled, runs), strict=False):
        z = run.posterior(images).sample(torch.Generator().manual_seed(run.config.seed))
        title = f"{own}\nKL {signed(record['kl'], '#.3g')} nats, std {record['latent_std']:.2f}"
        _posterior_panel(axis, z.numpy(), labels.numpy(), run.prior, title)
    _key(figure, spare, labels.unique().tolist())
    return figure


def _posterior_panel(axis, z, labels, prior: Prior, title: str) -> None:
    limit = float(max(4 * prior.std, 1.05 * np.quantile(np.abs(z), 0.995)))
    order = np.random.default_rng(0).permutation(len(z))  # no class lies on top of the others
    looks = [_look(label) for label in labels.tolist()]
    for marker in MARKERS:
        if rows := [i for i in order if looks[i]["marker"] == marker]:
            colours = [looks[i]["color"] for i in rows]
            axis.scatter(*z[rows].T, c=colours, marker=marker, s=3, alpha=0.6, linewidths=0, rasterized=True)
    _contours(axis, prior, limit)
    for digit in np.unique(labels):
        axis.annotate(
            str(digit), np.median(z[labels == digit], axis=0), ha="center", va="center", weight="bold", size=10,
            color=INK, path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip
    axis.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    top = axis.inset_axes([0, 1.02, 1, 0.18], sharex=axis)
    right = axis.inset_axes([1.02, 0, 0.18, 1], sharey=axis)
    line = np.linspace(-limit, limit, 400)
    density = prior.log_density(torch.from_numpy(line)).exp().numpy()
    bins = np.linspace(-limit, limit, 61)
    top.hist(z[:, 0], bins, density=True, color=PALE)
    top.plot(line, density, color=INK, linewidth=1)
    right.hist(z[:, 1], bins, density=True, color=PALE, orientation="horizontal")
    right.plot(density, line, color=INK, linewidth=1)
    for marginal in (top, right):
        marginal.axis("off")
    top.set_title(title)


def _contours(axis, prior: Prior, limit: float) -> None:
    """Lines of equal prior density that enclose MASS of it."""
    draws = prior.log_prob(prior.sample(100_000, torch.Generator().manual_seed(0))).numpy()
    line = np.linspace(-limit, limit, 300)
    density = prior.log_density(torch.from_numpy(line)).numpy()
    axis.contour(
        line, line, density[:, None] + density, levels=np.quantile(draws, [1 - m for m in reversed(MASS)]),
        colors=INK, linewidths=0.9, linestyles="solid",
    )  # fmt: skip


def _look(label: int) -> dict[str, str]:
    """Of a class: ten colours, then the same with another mark."""
    marker = MARKERS[label // len(DIGITS) % len(MARKERS)]
    return {"color": DIGITS[label % len(DIGITS)], "marker": marker}


def _key(figure: Figure, spare, classes: list[int]) -> None:
    """What colours and lines mean: in the panel that is left over, else below."""
    lines = [
        *(Line2D([], [], **_look(c), linestyle="", markersize=6, label=str(c)) for c in classes),
        Line2D([], [], color=INK, linewidth=0.9, label="p(z): contours around 50, 90\nand 99 % of it; marginals"),
        Line2D([], [], color=PALE, linewidth=6, label="q(z): marginals"),
    ]
    if spare is None:
        figure.legend(handles=lines, loc="outside lower center", ncols=6, columnspacing=1.2)
    else:
        spare.axis("off")
        ncols = math.ceil(len(classes) / 13)  # a column of more is higher than its panel
        spare.legend(handles=lines, loc="center", title="class of the digit", alignment="left", ncols=ncols)


def show_planes(results: Results, name: str) -> None:
    """Displays what each model's decoder makes of the prior's central region."""
    runs, _ = results.drawn()
    if not runs:
        return
    show_figure(
        decoded_plane(runs),
        name,
        f"**The decoded plane, {results.title}, {seeds_of(runs)}.** Latents on a grid over ±2 standard deviations of "
        "the prior in each direction.",
        "Sheets of decoded digits over the latent plane, one a model: " + "; ".join(map(titled, runs)),
        provenance(results.notebook, results.profile, runs),
    )


def decoded_plane(runs: list[Run], side: int = 12) -> Figure:
    """One sheet of side x side decoded latents a run, over +-2 standard deviations of the prior."""
    columns, rows = 2, math.ceil(len(runs) / 2)
    figure, axes = plt.subplots(rows, columns, squeeze=False, figsize=(WIDTH, WIDTH / columns * rows + 0.3))
    for axis in axes.flat:
        axis.axis("off")
    for axis, run in zip(axes.flat, runs, strict=False):
        line = torch.linspace(-2, 2, side) * run.prior.std
        z = torch.stack(torch.meshgrid(line, line.flip(0), indexing="xy"), -1).reshape(-1, 2)
        images = run.decode(z)[:, 0]
        height, width = images.shape[1:]
        sheet = images.view(side, side, height, width).permute(0, 2, 1, 3).reshape(side * height, side * width)
        axis.imshow(sheet.numpy(), cmap="gray_r", vmin=0, vmax=1)
        axis.set_title(titled(run))
    return figure


def show_grid(grid: Results, figure: Results, max_kl: float, name: str) -> None:
    """Displays fit and cost over likelihoods and lambdas."""
    if not grid:
        return
    without_lambda = [m for m in ("AE", "VAE", "beta-VAE") if figure.values(m, "squared_error")]
    lines = {m: float(np.mean(figure.values(m, "squared_error"))) for m in without_lambda}
    show_figure(
        grid_figure(grid, lines, max_kl),
        name,
        f"**Fit and its price over likelihoods and λ, {grid.title}.** The divergence $D_{{KL}}(q(z)\\|p(z))$ (dashed: "
        "up to here a model fits; the axis is linear up to 0.01), the scale of the codes (dashed: the prior's), and "
        "the squared error of a reconstruction, summed over pixels in [0, 1], with the models that have no λ as lines. "
        "A mark is a seed, a line their median.",
        "Three panels against λ on a logarithmic axis: divergence, standard deviation of the codes, squared error; "
        f"one line a model and likelihood, {grid.title}",
        provenance(grid.notebook, grid.profile, grid.runs),
        vector=True,
    )


def grid_figure(grid: Results, lines: dict[str, float], max_kl: float) -> Figure:
    """Three measures against lambda; `lines` are the squared errors of the models without one."""
    panels = {
        "kl": "$D_{KL}(q(z)\\|p(z))$, nats",
        "latent_std": "standard deviation of $q(z)$",
        "squared_error": "squared error an image",
    }
    figure, axes = plt.subplots(len(panels), 1, figsize=(WIDTH, 7.5), sharex=True)
    table = grid.table.assign(series=grid.table["model"] + ", " + grid.table["likelihood"].map(LIKELIHOODS))
    for axis, (measure, label) in zip(axes, panels.items(), strict=True):
        seeds_and_line(axis, table, "lambda", measure, "series", "median", legend=axis is axes[0])
        axis.set(xscale="log", ylabel=label)
    beside = {"xycoords": ("axes fraction", "data"), "va": "center", "size": 8, "annotation_clip": False}
    axes[0].set_yscale("symlog", linthresh=0.01)
    axes[0].set_ylim(-0.01, 3 * max(max_kl, table["kl"][np.isfinite(table["kl"])].max()))
    axes[0].axhline(max_kl, color=INK, linestyle="--", linewidth=1)
    axes[0].annotate(f"fits up to\n{max_kl:g}", (1.01, max_kl), **beside)
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    axes[1].set_yscale("log")
    axes[1].axhline(1, color=INK, linestyle="--", linewidth=1)
    low, high = axes[2].get_ylim()
    place = -np.inf
    for model, value in sorted(lines.items(), key=lambda line: line[1]):  # AE and VAE lie close: one name above another
        place = max(value, place + 0.07 * (high - low))
        axes[2].axhline(value, color=PALE, linewidth=1)
        axes[2].annotate(model.replace("beta", "β"), (1.01, place), **beside)
    axes[2].set_xlabel("λ")
    return figure
