"""Drawings of the second analysis: the codes under each convention, and which effect could be seen."""

from collections.abc import Callable
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import Int64, UInt8
from matplotlib.figure import Figure
from torch import Tensor

from vimae_core.chapters.capacity import CLEAN, HEAVY, accuracies
from vimae_core.chapters.conventions import DRAWN, codes_drawn
from vimae_core.chapters.generation_figures import sheets
from vimae_core.chapters.latent_shape_figures import posterior_figure
from vimae_core.config import RunConfig
from vimae_core.profiles import parameters
from vimae_core.report.claims import difference
from vimae_core.report.outcomes import power
from vimae_core.report.paper import paper_values
from vimae_core.report.provenance import provenance, seeds_of
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure
from vimae_core.report.style import INK, SERIES, WIDTH

Part = Callable[[SimpleNamespace, str], list[RunConfig]]


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
        f"**The codes under each convention, {results.title}, {seeds_of(list(runs))}.** One draw $z \\sim q(z|x)$ for "
        f"each of {len(images):,} test digits, coloured by class, over the prior's contours; grey, the marginals of "
        "$q(z)$; black, those of $p(z)$. Axes differ.",
        "Scatter plots of two-dimensional codes of digits over the prior's contours, one panel a model and convention: "
        + "; ".join(f"{title}, divergence {r['kl']:.2f} nats" for title, r in zip(titles, records, strict=True)),
        provenance(results.notebook, results.profile, list(runs)),
    )


def show_samples(results: Results, chapter: str, part: Part, columns: int, name: str) -> None:
    """Displays what the prior draws under each convention, for a VAE and for a VIMAE of the first seed.

    `part(p, convention)`: the runs of the chapter under a convention. One whose weights are not there is left out.
    """
    p = parameters(chapter, "reference")
    of = {c: [r for r in results.among(part(p, c)).drawn()[0] if r.config.label in DRAWN] for c in p.conventions}
    runs = {f"{run.config.label}, {c}": run for c, both in of.items() if len(both) == len(DRAWN) for run in both}
    if not runs:
        return
    samples = {t: r.sample(3 * columns, torch.Generator().manual_seed(r.config.seed)) for t, r in runs.items()}
    show_figure(
        sheets(samples, (), columns),
        name,
        f"**What the prior draws under each convention, {results.title}, {seeds_of(list(runs.values()))}.** Three rows "
        "of samples of each model's prior, decoded. A VAE has no divergence to constrain: "
        "under `constrained` it is that of `bernoulli`.",
        f"Sheets of samples, two models side by side and a convention below the other: {'; '.join(runs)}",
        provenance(results.notebook, results.profile, list({run.path: run for run in runs.values()}.values())),
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
