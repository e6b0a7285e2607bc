"""One figure style for the whole book, in colours that colour-blind readers can tell apart."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

DIGITS = [
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
]  # ten classes: M. Petroff (2021), "Accessible color sequences"  # fmt: skip
SERIES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]  # M. Okabe and K. Ito (2008)
MARKERS = ["o", "s", "D", "^", "v", "P"]
INK, PALE = "#222222", "#999999"
WIDTH = 6.8  # inches, the width of the book's text


def use_style() -> None:
    """Sets matplotlib's defaults; every notebook calls it once."""
    plt.rcdefaults()
    mpl.rcParams.update(
        {
            "figure.dpi": 100,
            "savefig.dpi": 120,
            "savefig.bbox": "tight",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "font.size": 9,
            "axes.titlesize": 9.5,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.frameon": False,
            "legend.fontsize": 8,
            "lines.linewidth": 1.5,
            "axes.prop_cycle": mpl.cycler(color=SERIES),
        }
    )


def seeds_and_line(axis: Axes, table: pd.DataFrame, x: str, y: str, series: str, middle: str, legend: bool) -> None:
    """A mark a run, and a line a series through the mean or the median of the seeds; nothing of an empty table."""
    if table.empty:
        return
    import seaborn as sns  # loads scipy.stats and ipywidgets: a second and a half

    names = list(dict.fromkeys(table[series]))
    look = {"hue": series, "style": series, "hue_order": names, "style_order": names, "markers": MARKERS[: len(names)]}
    look |= {"data": table, "x": x, "y": y, "palette": SERIES[: len(names)], "ax": axis}
    sns.scatterplot(**look, s=16, alpha=0.5, linewidth=0, legend=False)
    sns.lineplot(**look, estimator=middle, errorbar=None, dashes=False, markersize=4, markeredgewidth=0, legend=legend)
