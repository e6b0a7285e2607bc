"""Does scale decide? The second analysis's smallest and largest effects by width and epochs, and beyond them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy
from matplotlib.figure import Figure

from vimae_core.chapters.capacity import CLEAN, HEAVY, accuracies, cell
from vimae_core.report.claims import difference, measured
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import Mean, crossed_mean, signed
from vimae_core.report.style import INK, SERIES, WIDTH

PAPERS = (1.0, 100)  # the width of its networks; the epochs of the WAE code, as it names none itself
PAIRS = (
    ("beta-VAE", "VAE", CLEAN), ("VIMAE-n", "VAE", CLEAN), ("VIMAE-n", "VAE", HEAVY[1]),
    ("VIMAE-l", "VIMAE-n", HEAVY[0]), ("VIMAE-l", "VIMAE-n", HEAVY[1]),
)  # fmt: skip
DISTANCE = "distance of VAE − distance of VIMAE-n"

TURNING = {  # of a difference at the largest size and at the paper's
    "stays": "keep their sign",
    "could turn": "have one that the band at the paper's scale does not confirm",
    "turns": "change it",
    "open": "are undecided at the largest size, and nothing to turn",
    "too few runs": "have too few sizes or seeds yet",
}

Size = tuple[float, int]  # width, epochs
BySize = dict[Size, np.ndarray]  # a difference of two models, seeds by draws


def sizes(results: Results) -> list[Size]:
    """Widths and epochs that were run, in order."""
    return sorted({(run.config.width, run.config.epochs) for run in results.runs})


def _at(results: Results, size: Size) -> Results:
    return results.among(r.config for r in results.runs if (r.config.width, r.config.epochs) == size)


def effects(results: Results) -> dict[str, BySize]:
    """Comparison -> size -> a table of seeds by draws; of sizes that have both models."""
    found: dict[str, BySize] = {}
    for size in sizes(results):
        here = _at(results, size)
        tables = {
            f"{one} − {other}, {c}": difference(accuracies(here, one, c), accuracies(here, other, c))
            for one, other, c in PAIRS
        }
        vae, vimae = (measured(here, m, "prior_frechet") for m in ("VAE", "VIMAE-n"))
        for name, values in {**tables, DISTANCE: difference(vae, vimae)}.items():
            if values.size:
                found.setdefault(name, {})[size] = values
    return found


def beyond(by_size: BySize, at: Size = PAPERS) -> Mean | None:
    """A difference at another size, by the plane of least squares through the seeds' over log2 of width and epochs.

    The band is that of a plane that is one: what bends it beyond what was run is not in it. Seeds at different sizes
    are independent, draws of labels are the same at every size and add their own error (Satterthwaite's degrees of
    freedom). None where the sizes leave the plane open, or no spread around it. An axis that was not moved along stays.
    """
    plane = _plane(by_size, at) if len(by_size) > 1 else None
    if plane is None:
        return None
    by_draw, of_seeds, _, freedom = plane
    of_draws = by_draw.var(ddof=1) / len(by_draw) if len(by_draw) > 1 else 0.0
    error = of_seeds + of_draws
    if of_draws:
        freedom = error**2 / (of_seeds**2 / freedom + of_draws**2 / (len(by_draw) - 1))
    return _band(by_draw.mean(), error, freedom, by_size)


def foretold(by_size: BySize, size: Size, axis: int) -> Mean | None:
    """What the plane through the sizes of less width (axis 0), or of fewer epochs (1), says of one that was run.

    The band is that of a mean over as many new seeds; draws of labels are those of the plane, and add nothing. None
    where the smaller sizes do not move along the axis: what does not move foretells no change.
    """
    smaller = {s: values for s, values in by_size.items() if s[axis] < size[axis]}
    plane = _plane(smaller, size) if len({s[axis] for s in smaller}) > 1 else None
    if plane is None:
        return None
    by_draw, of_plane, residual, freedom = plane
    return _band(by_draw.mean(), of_plane + residual / len(by_size[size]), freedom, smaller)


def _plane(by_size: BySize, at: Size) -> tuple[np.ndarray, float, float, float] | None:
    """At a size: each draw's value; the squared error by the seeds; their variance around the plane; its freedom."""
    import statsmodels.api as sm  # a second and a half, which a plan of the workflow spares

    x = np.array([np.log2(size) for size, values in by_size.items() for _ in values])
    y = np.concatenate(list(by_size.values()))
    moving = [i for i in range(2) if len(set(x[:, i])) > 1]
    design, there = sm.add_constant(x[:, moving], has_constant="add"), np.array([1.0, *np.log2(at)[moving]])
    if len(y) <= design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    fitted = sm.OLS(y.mean(1), design).fit()
    by_draw = there @ np.linalg.pinv(design) @ y
    return by_draw, float(there @ fitted.cov_params() @ there), float(fitted.scale), float(fitted.df_resid)


def _band(value: float, squared_error: float, freedom: float, of: BySize) -> Mean:
    half = float(scipy.stats.t.ppf(0.975, freedom) * np.sqrt(squared_error))
    return Mean(float(value), float(value) - half, float(value) + half, sum(map(len, of.values())))


def turning(by_size: BySize) -> str:
    """One of `TURNING`: whether what the largest size says could be another thing at the paper's scale."""
    here, there = crossed_mean(by_size[max(by_size, key=lambda size: size[0] ** 2 * size[1])]), beyond(by_size)
    if there is None or np.isnan(here.high):
        return "too few runs"
    if not _sign(here):
        return "open"
    return {1: "stays", 0: "could turn", -1: "turns"}[_sign(here) * _sign(there)]


def _sign(mean: Mean) -> int:
    """0 where the interval holds zero, or there is none."""
    return int(mean.low > 0) - int(mean.high < 0)


def farthest(found: dict[str, BySize]) -> tuple[Size, ...]:
    """The widest size, and the one that was trained longest: what smaller ones can be asked to foretell."""
    run = {size for of in found.values() for size in of}
    if not run:
        return ()
    return max(run, key=lambda s: (s[0], -s[1])), max(run, key=lambda s: (s[1], s[0]))


def scale_table(results: Results) -> pd.DataFrame:
    """A row a comparison and a column a size, with what lies beyond."""
    found = effects(results)
    compared = [size for size in sizes(results) if any(size in of for of in found.values())]
    columns = {
        f"{w:g} × {e}": [f"{crossed_mean(of[w, e]):.1f}" if (w, e) in of else "—" for of in found.values()]
        for w, e in compared
    }
    far = [beyond(of) for of in found.values()]
    columns["paper's scale"] = [_in_brackets(b) if b else "—" for b in far]
    columns["there"] = [turning(of) for of in found.values()]
    names = [name.replace("beta", "β") for name in found]
    return pd.DataFrame(columns, index=pd.Index(names, name="width × epochs"))


def foretold_table(results: Results) -> pd.DataFrame:
    """A row a comparison: at the widest and at the longest trained, what smaller sizes foretell and what was found."""
    found, columns = effects(results), {}
    for axis, (w, e) in enumerate(farthest(found)):
        told = [foretold(of, (w, e), axis) if (w, e) in of else None for of in found.values()]
        name = f"{w:g} × {e}"
        columns[f"{name}, foretold"] = ["—" if t is None else _in_brackets(t) for t in told]
        columns[f"{name}, found"] = [signed(of[w, e].mean(), ".1f") if (w, e) in of else "—" for of in found.values()]
    names = [name.replace("beta", "β") for name in found]
    return pd.DataFrame(columns, index=pd.Index(names, name="width × epochs"))


def _in_brackets(mean: Mean) -> str:
    return f"{signed(mean.value, '.1f')} {mean.interval('.1f')}"


def in_words(results: Results) -> str:
    """What scale could still change, and how far a plane is to be trusted."""
    found = effects(results)
    if all(turning(of) == "too few runs" for of in found.values()):
        return "**Not enough sizes were run yet** to say anything of the paper's."
    of = {w: [name for name, sizes in found.items() if turning(sizes) == w] for w in TURNING}
    told = [
        of[w] and f"{len(of[w])} of {len(found)} {text} ({'; '.join(n.replace('beta', 'β') for n in of[w])})"
        for w, text in TURNING.items()
    ]
    trusted = []
    for axis, size in enumerate(farthest(found)):
        bands = [(foretold(sizes, size, axis), sizes[size].mean()) for sizes in found.values() if size in sizes]
        within = [band.low <= mean <= band.high for band, mean in bands if band]
        if within:
            trusted.append(f"{sum(within)} of {len(within)} of those found at width {size[0]:g} and {size[1]} epochs")
    far = f"width {PAPERS[0]:g} and {PAPERS[1]} epochs"
    return f"""
**What scale could still change.** Between the largest size that was run and {far}, by a plane through all sizes:
{"; ".join(filter(None, told))}.

**How far to trust a plane.** What was found at the farthest size of an axis was foretold from the smaller ones alone:
the 95 % band holds {" and ".join(trusted) or "nothing yet"}.
"""


def model_table(results: Results, model: str) -> pd.DataFrame:
    """A row a size: a model by itself; mean and 95 % interval over seeds, and draws of labels where there are some."""
    rows = {}
    for w, e in sizes(results):
        here = _at(results, (w, e))
        seeds = here.values(model, "kl")
        if seeds:
            cells = [cell(here, model, c, "tsvm", "test") for c in (CLEAN, *HEAVY)]
            of = {"reconstruction_error": ".1f", "rate": ".1f", "kl": ".2f", "prior_frechet": ".1f"}
            rows[f"{w:g} × {e}"] = [len(seeds), *cells, *(here.mean(model, m, spec) for m, spec in of.items())]
    columns = ["seeds", *(CLEAN, *HEAVY), "squared error", "rate", "KL", "Fréchet distance"]
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="width × epochs"), columns=columns)


def with_width(results: Results, models: tuple[str, ...]) -> str:
    """How models by themselves change from the narrowest to the widest networks of the fewest epochs, in words.

    Empty for one width, or one seed.
    """
    fewest = min((e for _, e in sizes(results)), default=0)
    widths = [w for w, e in sizes(results) if e == fewest]
    if len(widths) < 2:
        return ""
    told = []
    for model in models:
        for measure, name in (("kl", "divergence from its prior"), ("rate", "rate")):
            narrow, wide = (_at(results, (w, fewest)).values(model, measure) for w in (widths[0], widths[-1]))
            if min(len(narrow), len(wide)) < 2:
                return ""
            told.append(f"the {name} of {model} {grown(narrow, wide)}")
    return f"""
**Each model by itself.** From width {widths[0]:g} to {widths[-1]:g}, at {fewest} epochs, in nats (95 %):
{"; ".join(told)}. This was not registered.
"""


def grown(before: list[float], after: list[float]) -> str:
    """By how much a mean is larger, with the 95 % interval of two means of independent seeds (Welch), in words."""
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW  # likewise

    low, high = CompareMeans(DescrStatsW(after), DescrStatsW(before)).tconfint_diff(usevar="unequal")
    by = Mean(float(np.mean(after) - np.mean(before)), low, high, len(after))
    if _sign(by) < 0:
        return f"falls by {Mean(-by.value, -high, -low, by.n).with_ends('.1f')}"
    return f"grows by {by.with_ends('.1f')}" if _sign(by) else f"changes by {by.with_ends('.1f')}, which is undecided"


def show_scale(results: Results, name: str) -> None:
    """Displays the effects along both axes; nothing where no size has two models to compare."""
    found = effects(results)
    if not found:
        return
    show_figure(
        scale_figure(found),
        name,
        f"**Effects by scale, {results.title}.** Left: by the networks' width, at the fewest epochs; right: by epochs, "
        "at the width that most were run at. Mean and 95 % interval over seeds and draws of labels; accuracies "
        "(M1+TSVM) in percentage points, that of prior samples a Fréchet distance (digit network, not the FID).",
        f"Lines of differences between models with intervals, over width and epochs: {'; '.join(found)}.",
        sources([results]),
    )


def scale_figure(found: dict[str, BySize]) -> Figure:
    """A row of panels a comparison."""
    figure, axes = plt.subplots(len(found), 2, figsize=(WIDTH, 1.5 * len(found)), sharex="col", squeeze=False)
    for (name, of), row, colour in zip(found.items(), axes, SERIES, strict=False):
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
