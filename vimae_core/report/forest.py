"""Paired comparisons as a forest plot: each difference with its interval, beside zero and beside the paper's own."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from vimae_core.report.statistics import Comparison
from vimae_core.report.style import INK, PALE, SERIES, WIDTH

COLOURS = {"holds": SERIES[0], "contradicted": SERIES[1], "undecided": PALE}
MARKS = {"holds": "o", "contradicted": "X", "undecided": "s"}


def forest(
    tested: dict[str, Comparison], printed: dict[str, float | tuple[float, float]], unit: dict[str, str]
) -> Figure:
    """A panel a unit, a row a comparison; a diamond where the paper's own difference is `printed`, two for a margin's
    ends.

    `unit` has each comparison's. A difference of one seed has no interval: its mark is hollow.
    """
    units = list(dict.fromkeys(unit[name] for name in tested))
    rows = {u: [name for name in tested if unit[name] == u] for u in units}
    figure, axes = plt.subplots(
        len(units), 1, figsize=(WIDTH, 0.45 * len(units) + 0.24 * len(tested) + 0.2),
        squeeze=False, height_ratios=[len(names) + 0.8 for names in rows.values()],
    )  # fmt: skip
    for axis, (kind, names) in zip(axes[:, 0], rows.items(), strict=True):
        for y, name in enumerate(names):
            mean, outcome, *_ = tested[name].difference, tested[name].outcome
            look = {"color": COLOURS[outcome], "marker": MARKS[outcome], "markersize": 5}
            if np.isnan(mean.high):
                axis.plot(mean.value, y, linestyle="", markerfacecolor="white", **look)
            else:
                axis.plot([mean.low, mean.high], [y, y], color=COLOURS[outcome], linewidth=2)
                axis.plot(mean.value, y, linestyle="", **look)
            if name in printed:
                for value in np.atleast_1d(printed[name]):
                    axis.plot(value, y, "D", color=INK, markerfacecolor="none", markersize=5.5, markeredgewidth=1)
        axis.axvline(0, color=INK, linewidth=0.7)
        axis.set_yticks(range(len(names)), [n.replace("beta", "β") for n in names])
        axis.set(ylim=(len(names) - 0.4, -0.6), xlabel=kind)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
        axis.grid(axis="x", color=PALE, alpha=0.25, linewidth=0.6)
        axis.set_axisbelow(True)
    return figure
