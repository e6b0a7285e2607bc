"""One figure style for the whole book, in colours that colour-blind readers can tell apart."""

import matplotlib as mpl
import matplotlib.pyplot as plt

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
            "savefig.dpi": 170,
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
