"""Does the training see q(z)? Eq. (15) within a batch and across batches, where batch norm ties a batch's codes.

Not registered: looked for when the training's own estimates lay below zero and those of test digits did not.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from vimae_core.chapters.conventions import ENOUGH_RATE, table_1
from vimae_core.profiles import parameters
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import mean_over_seeds
from vimae_core.report.style import INK, SERIES, WIDTH

MATCHED = ("InfoVAE", "VIMAE-n", "VIMAE-l")  # their loss has the MMD
MODELS = (*MATCHED, "VAE", "beta-VAE", "VAE-l")  # that of the others has not
WITHIN, POOLED = "mmd2_in_batches", "mmd2_pooled"
FIXED = {WITHIN: "fixed_in_batches", POOLED: "fixed_pooled"}  # the same, with the moments of evaluation
LOOKS = {
    WITHIN: {"fmt": "o", "color": SERIES[1], "markerfacecolor": "white", "label": "as in training: within batches"},
    POOLED: {"fmt": "o", "color": SERIES[1], "label": "pooled"},
    FIXED[WITHIN]: {
        "fmt": "s",
        "color": SERIES[0],
        "markerfacecolor": "white",
        "label": "as evaluated: within batches",
    },
    FIXED[POOLED]: {"fmt": "s", "color": SERIES[0], "label": "pooled"},
}
UNIT = 1e4  # told is MMD^2 in 1e-4


def by_convention(results: Results) -> dict[str, pd.DataFrame]:
    """The runs of the models, their estimates in 1e-4; of the conventions that have all of the seeds."""
    p, found = parameters("conventions", "reference"), {}
    for convention in p.conventions:
        table = table_1(results, convention).table
        table = table[table["model"].isin(MODELS)] if len(table) else table
        if len(table) == len(MODELS) * len(p.seeds):
            names = [*LOOKS, "mmd2_null_low", "mmd2_null_high"]
            found[convention] = table.assign(**UNIT * table[names])
    return found


def show_estimates(results: Results, name: str) -> None:
    """Displays the estimates of every model, a panel a convention; nothing where none has all of its seeds."""
    found = by_convention(results)
    if not found:
        return
    told = "; ".join(
        f"{convention}: "
        + ", ".join(f"{m} {of[WITHIN].mean():.1f} and {of[POOLED].mean():.1f}" for m, of in table.groupby("model"))
        for convention, table in found.items()
    )
    show_figure(
        estimates_figure(found),
        name,
        "**A batch's codes and all codes.** MMD² by Eq. (15) of 10,000 test digits' codes in batches of 100. *Within "
        "batches*: the mean of the batches' own estimates, what a training step sees. *Pooled*: that of the same codes "
        "and prior draws together, where 99 % of the pairs lie across batches. Orange: batch norm has each batch's "
        "moments, as in training; blue: fixed ones, as in every other table, where nothing ties a batch's codes. Mean "
        "and 95 % interval over seeds. Grey: where the pooled one lies in 95 % of all cases if $q = p$. The MMD is in "
        "the loss of the upper three. The AE, far to the right, is left out. Not registered.",
        "Four marks with intervals a model, a panel a convention: MMD² within batches and pooled, as in training and "
        f"as evaluated, in 1e-4. As in training: {told}.".replace("beta", "β"),
        sources([results]),
    )


def estimates_figure(found: dict[str, pd.DataFrame]) -> Figure:
    """A panel a convention, a line a model."""
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, 0.5 + 2.6 * rows), sharey=True, squeeze=False)
    for axis in axes.flat[len(found) :]:
        axis.set_visible(False)
    for axis, (convention, table) in zip(axes.flat, found.items(), strict=False):
        axis.axvspan(table["mmd2_null_low"].min(), table["mmd2_null_high"].max(), color="#dddddd", linewidth=0)
        axis.axvline(0, color=INK, linewidth=0.6)
        for y, model in enumerate(MODELS):
            own = table[table["model"] == model]
            for (measure, look), shift in zip(LOOKS.items(), (-0.24, -0.08, 0.08, 0.24), strict=True):
                mean = mean_over_seeds(own[measure].tolist())
                axis.errorbar(
                    mean.value, y + shift, xerr=mean.high - mean.value, markersize=4, capsize=2, linewidth=1, **look
                )
        axis.set_title(convention)
        axis.set_xlabel("MMD², in 10⁻⁴")
        axis.set_yticks(range(len(MODELS)), [m.replace("beta", "β") for m in MODELS])
        axis.set_ylim(len(MODELS) - 0.5, -0.5)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles[: len(LOOKS)], labels[: len(LOOKS)], loc="outside lower center", ncols=len(LOOKS), columnspacing=1
    )
    return figure


def in_words(results: Results) -> str:
    """By how much a batch's own estimate is lower, as in training and as evaluated; and what that hides."""
    found = by_convention(results)
    if not found:
        return ""
    informed = {c: table[table["rate"] >= ENOUGH_RATE] for c, table in found.items()}
    runs = pd.concat(informed.values())
    runs = runs[~runs.index.duplicated()]  # some conventions share their VAEs
    lower, lower_fixed = ((runs[one] < runs[other]).sum() for one, other in ((WITHIN, POOLED), FIXED.values()))
    without = runs[~runs["model"].isin(MATCHED)]
    of = {c: table[table["model"].isin(MATCHED)] for c, table in informed.items()}
    gaps = ", ".join(f"{(own[POOLED] - own[WITHIN]).mean():.1f} under `{c}`" for c, own in of.items() if len(own))
    hidden = ", ".join(
        f"in {sum((own[WITHIN] < 0) & (own[POOLED] > own['mmd2_null_high']))} of {len(own)} under `{c}`"
        for c, own in of.items()
        if len(own)
    )
    return f"""
**Batch norm makes a batch look nearer to the prior than the codes are.** As in training, the MMD² is lower within
batches than pooled in {lower} of {len(runs)} runs whose code is not empty; as evaluated, in {lower_fixed} (by chance
alone, in half). With the MMD in the loss it is lower by {gaps}; without, by
{(without[POOLED] - without[WITHIN]).mean():.1f} (means, in 10⁻⁴): a part is batch norm's own doing, whatever the loss.

**So a training can take its constraint for met where it is not.** With the MMD in the loss it is below zero within
batches, as if they were nearer to the prior than the prior's own draws, and pooled above what $q = p$ explains,
{hidden}.
"""
