"""Does scale decide? The second analysis's smallest and largest effects by width and epochs, and beyond them."""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import statsmodels.api as sm
from matplotlib.figure import Figure

from vimae_core.chapters.capacity import CLEAN, HEAVY, accuracies, cell
from vimae_core.report.claims import difference, measured
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import Mean, crossed_mean
from vimae_core.report.style import INK, SERIES, WIDTH

PAPERS = (1.0, 100)  # the width of its networks; the epochs of the WAE code, as it names none itself
PAIRS = (
    ("beta-VAE", "VAE", CLEAN), ("VIMAE-n", "VAE", CLEAN), ("VIMAE-n", "VAE", HEAVY[1]),
    ("VIMAE-l", "VIMAE-n", HEAVY[0]), ("VIMAE-l", "VIMAE-n", HEAVY[1]),
)  # fmt: skip
DISTANCE = "distance of VAE − distance of VIMAE-n"


class Beyond(NamedTuple):
    """What a plane through the seeds' effects, over the logarithms of width and epochs, says at the paper's scale."""

    value: float
    low: float  # of the 95 % band of its mean
    high: float
    could_turn: bool  # whether its sign, or that it has one, could be another there than in the largest that was run


def sizes(results: Results) -> list[tuple[float, int]]:
    """Widths and epochs that were run, in order."""
    return sorted({(run.config.width, run.config.epochs) for run in results.runs})


def effects(results: Results) -> dict[str, dict[tuple[float, int], np.ndarray]]:
    """Comparison -> size -> a table of seeds by draws; of sizes that have both models."""
    found: dict[str, dict[tuple[float, int], np.ndarray]] = {}
    for size in sizes(results):
        here = results.among(r.config for r in results.runs if (r.config.width, r.config.epochs) == size)
        tables = {
            f"{one} − {other}, {c}": difference(accuracies(here, one, c), accuracies(here, other, c))
            for one, other, c in PAIRS
        }
        vae, vimae = (measured(here, m, "prior_frechet") for m in ("VAE", "VIMAE-n"))
        for name, values in {**tables, DISTANCE: difference(vae, vimae)}.items():
            if values.size:
                found.setdefault(name, {})[size] = values
    return found


def beyond(by_size: dict[tuple[float, int], np.ndarray], at: tuple[float, int] = PAPERS) -> Beyond | None:
    """By least squares over the seeds' means; None where there are too few of them to leave a spread.

    The band is that of a plane that is one: what bends it beyond what was run is not in it.
    """
    rows = [(np.log2(w), np.log2(e), value) for (w, e), values in by_size.items() for value in values.mean(1)]
    x, y = np.array([row[:2] for row in rows]), np.array([row[2] for row in rows])
    moving = [i for i in range(2) if len(set(x[:, i])) > 1]
    if len(y) < len(moving) + 2:
        return None
    fitted = sm.OLS(y, sm.add_constant(x[:, moving], has_constant="add")).fit()
    there = np.array([[1.0, *np.log2(at)[moving]]])
    row = fitted.get_prediction(there).summary_frame(alpha=0.05).iloc[0]
    largest = crossed_mean(by_size[max(by_size, key=lambda size: size[0] ** 2 * size[1])])
    there = Mean(*(float(row[c]) for c in ("mean", "mean_ci_lower", "mean_ci_upper")), len(y))
    return Beyond(*there[:3], _sign(largest) != _sign(there))


def _sign(mean: Mean) -> int:
    """0 where the interval holds zero, or there is none."""
    return int(mean.low > 0) - int(mean.high < 0)


def scale_table(results: Results) -> pd.DataFrame:
    """A row a comparison and a column a size, with what lies beyond."""
    found = effects(results)
    compared = [size for size in sizes(results) if any(size in of for of in found.values())]
    columns = {
        f"{w:g} × {e}": [f"{crossed_mean(of[w, e]):.1f}" if (w, e) in of else "—" for of in found.values()]
        for w, e in compared
    }
    far = [beyond(of) for of in found.values()]
    columns["paper's scale"] = [f"{b.value:.1f} [{b.low:.1f}, {b.high:.1f}]" if b else "—" for b in far]
    columns["could turn"] = ["—" if b is None else "yes" if b.could_turn else "no" for b in far]
    names = [name.replace("beta", "β") for name in found]
    return pd.DataFrame(columns, index=pd.Index(names, name="width × epochs"))


def model_table(results: Results, model: str) -> pd.DataFrame:
    """A row a size: a model by itself; mean and 95 % interval over seeds, and draws of labels where there are some."""
    rows = {}
    for w, e in sizes(results):
        here = results.among(r.config for r in results.runs if (r.config.width, r.config.epochs) == (w, e))
        seeds = here.values(model, "kl")
        if seeds:
            cells = [cell(here, model, c, "tsvm", "test") for c in (CLEAN, *HEAVY)]
            of = {"reconstruction_error": ".1f", "rate": ".1f", "kl": ".2f", "prior_frechet": ".1f"}
            rows[f"{w:g} × {e}"] = [len(seeds), *cells, *(here.mean(model, m, spec) for m, spec in of.items())]
    columns = ["seeds", *(CLEAN, *HEAVY), "squared error", "rate", "KL", "Fréchet distance"]
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="width × epochs"), columns=columns)


def show_scale(results: Results, name: str) -> None:
    """Displays the effects along both axes."""
    show_figure(
        scale_figure(effects(results)),
        name,
        f"**Effects by scale, {results.title}.** Left: by the networks' width, at the fewest epochs; right: by epochs, "
        "at the width that most were run at. Mean and 95 % interval over seeds and draws of labels; the first five in "
        "percentage points, the last in Fréchet distance (digit network, not the FID).",
        "Lines of six differences between models with intervals, over the width and over the epochs.",
        sources([results]),
    )


def scale_figure(found: dict[str, dict[tuple[float, int], np.ndarray]]) -> Figure:
    """A row of panels a comparison."""
    figure, axes = plt.subplots(len(found), 2, figsize=(WIDTH, 1.5 * len(found)), sharex="col", squeeze=False)
    for (name, of), row, colour in zip(found.items(), axes, SERIES, strict=True):
        fewest, widths = min(e for _, e in of), [w for w, _ in of]
        common = max(set(widths), key=widths.count)
        for axis, line in zip(
            row,
            ({w: v for (w, e), v in of.items() if e == fewest}, {e: v for (w, e), v in of.items() if w == common}),
            strict=True,
        ):
            means = {x: crossed_mean(v) for x, v in sorted(line.items())}
            bars = [0 if np.isnan(m.high) else m.high - m.value for m in means.values()]
            axis.errorbar(list(means), [m.value for m in means.values()], bars, fmt="o-", color=colour, capsize=2)
            axis.axhline(0, color=INK, linewidth=0.6)
            axis.set_xscale("log", base=2)
            axis.set_xticks(list(means), [f"{x:g}" for x in means])
        row[0].set_title(name.replace("beta", "β"))
    axes[-1, 0].set_xlabel("width")
    axes[-1, 1].set_xlabel("epochs")
    return figure
