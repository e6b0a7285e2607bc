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
from vimae_core.report.style import INK, PALE, SERIES, WIDTH

MATCHED = ("InfoVAE", "VIMAE-n", "VIMAE-l")  # the MMD is in their loss
MODELS = (*MATCHED, "VAE", "beta-VAE", "VAE-l")  # and not in that of the others
WITHIN, POOLED, EVALUATED = "mmd2_in_batches", "mmd2_pooled", "mmd2"
LOOKS = {
    WITHIN: {"fmt": "o", "color": SERIES[1], "markerfacecolor": "white", "label": "within batches"},
    POOLED: {"fmt": "o", "color": SERIES[0], "label": "pooled"},
    EVALUATED: {"fmt": "s", "color": PALE, "label": "as evaluated"},
}
UNIT = 1e4  # told is MMD^2 in 1e-4


def by_convention(results: Results) -> dict[str, pd.DataFrame]:
    """The runs of the models, their estimates in 1e-4; of the conventions that have all of the seeds."""
    p, found = parameters("conventions", "reference"), {}
    for convention in p.conventions:
        table = table_1(results, convention).table
        table = table[table["model"].isin(MODELS)] if len(table) else table
        if len(table) == len(MODELS) * len(p.seeds):
            names = [WITHIN, POOLED, EVALUATED, "mmd2_null_low", "mmd2_null_high"]
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
        "**What the training sees of q(z).** MMD² by Eq. (15) of the codes of test digits that were encoded as in "
        "training, in batches of 100: the mean of the batches' own estimates, and that of the same codes and prior "
        "draws pooled, where 99 % of the pairs lie across batches; and as in every other table, by the fixed moments "
        "of evaluation. Mean and 95 % interval over seeds. Grey: where the last two lie in 95 % of all cases "
        "if $q = p$. The MMD is in the loss of the upper three. Not registered.",
        f"Three marks with intervals a model, a panel a convention: MMD² within batches, pooled and as evaluated, in "
        f"1e-4. The first two: {told}.".replace("beta", "β"),
        sources([results]),
    )


def estimates_figure(found: dict[str, pd.DataFrame]) -> Figure:
    """A panel a convention, a line a model."""
    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, 0.4 + 2.2 * rows), sharey=True, squeeze=False)
    for axis in axes.flat[len(found) :]:
        axis.set_visible(False)
    for axis, (convention, table) in zip(axes.flat, found.items(), strict=False):
        axis.axvspan(table["mmd2_null_low"].min(), table["mmd2_null_high"].max(), color="#dddddd", linewidth=0)
        axis.axvline(0, color=INK, linewidth=0.6)
        for y, model in enumerate(MODELS):
            own = table[table["model"] == model]
            for (measure, look), shift in zip(LOOKS.items(), (-0.2, 0, 0.2), strict=True):
                mean = mean_over_seeds(own[measure].tolist())
                axis.errorbar(
                    mean.value, y + shift, xerr=mean.high - mean.value, markersize=4.5, capsize=2, linewidth=1, **look
                )
        axis.set_title(convention)
        axis.set_xlabel("MMD², in 10⁻⁴")
        axis.set_yticks(range(len(MODELS)), [m.replace("beta", "β") for m in MODELS])
        axis.set_ylim(len(MODELS) - 0.5, -0.5)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles[: len(LOOKS)], labels[: len(LOOKS)], loc="outside lower center", ncols=len(LOOKS))
    return figure


def in_words(results: Results) -> str:
    """By how much a batch's own estimate is lower, with and without the MMD in the loss, and what it hides."""
    found = by_convention(results)
    if not found:
        return ""
    runs = pd.concat(found.values())
    runs = runs[~runs.index.duplicated() & (runs["rate"] >= ENOUGH_RATE)]  # some conventions share their VAEs
    gap, matched = runs[POOLED] - runs[WITHIN], runs["model"].isin(MATCHED)
    hidden = []
    for convention, table in found.items():
        own = table[table["model"].isin(MATCHED) & (table["rate"] >= ENOUGH_RATE)]
        if len(own):
            n = sum((own[WITHIN] < 0) & (own[POOLED] > own["mmd2_null_high"]))
            means = ", ".join(f"{own[measure].mean():.1f}" for measure in LOOKS)
            hidden.append(f"{n} of {len(own)} under `{convention}` ({means})")
    return f"""
**Batch norm hides from the training what it is to enforce.** Within batches the MMD² is lower than that of the same
codes pooled in {sum(gap > 0)} of {len(gap)} runs whose code is not empty, in the mean by {gap[matched].mean():.1f} ·
10⁻⁴ where the MMD is in the loss and by {gap[~matched].mean():.1f} · 10⁻⁴ where it is not. With the MMD in the loss it
is below zero, as if a batch's codes were nearer to the prior than the prior's own draws, while the pooled one is above
what chance explains, in {", in ".join(hidden)}. (In brackets the means: within batches, pooled, as evaluated; in 10⁻⁴.)
"""
