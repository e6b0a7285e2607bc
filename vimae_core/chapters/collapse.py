"""When does the ELBO ignore z? Claim 9 where the optimum is known, and on digits with a decoder that needs no code."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from vimae_core.chapters.doses import doses
from vimae_core.chapters.statements import Told
from vimae_core.chapters.statements_words import MISSING, NOT_RUN, SO_FAR, word
from vimae_core.one_bit import BIT, loss, terms
from vimae_core.report.results import Results, how_small, sources
from vimae_core.report.show import show_figure
from vimae_core.report.statistics import mean_over_seeds
from vimae_core.report.style import INK, MARKERS, SERIES, WIDTH

PIXELS = 4  # of the toy's images
OBJECTIVES = {  # name -> alpha, lambda, payments for the bit
    "ELBO, plain decoder": (1.0, 1.0, PIXELS),
    "ELBO, decoder that sees pixels": (1.0, 1.0, 1),
    "VIMAE, decoder that sees pixels": (0.0, 10.0, 1),
}
COLOURS = {"vae": SERIES[0], "vimae": SERIES[1]}
MARKS = {"plain": "none", "autoregressive": "full"}  # how they are filled
DECODERS = {"plain": "plain decoder", "autoregressive": "decoder that sees the pixels before"}


def show_optimum(name: str) -> None:
    """Displays the toy: what a code costs and gains under each objective, by the information that it tells."""
    show_figure(
        optimum_figure(),
        name,
        f"**A bit in a Gaussian code.** Images of {PIXELS} pixels, all black or all white: the loss under three "
        "objectives, less that of a code that tells nothing, of the best code that tells so much. Computed by "
        "quadrature. Where the lowest point lies at 0 the optimum ignores z; the dot marks it.",
        "Curves of a loss over the information of a code, from nothing to log 2: the ELBO with a decoder that sees "
        "pixels never falls below zero, the other two do.",
        "Provenance: vimae_core/one_bit.py; no training.",
        vector=True,
    )


def optimum_figure() -> Figure:
    figure, axis = plt.subplots(figsize=(0.75 * WIDTH, 3.0))
    for (name, of), colour, style in zip(OBJECTIVES.items(), SERIES, ("-", "--", ":"), strict=False):
        told, least = best_codes(*of)
        axis.plot(told, least, style, color=colour, label=name)
        lowest = int(np.argmin(np.round(least, 4)))  # the first: what is no better tells less
        axis.plot(told[lowest], least[lowest], "o", color=colour, markersize=5)
    axis.axhline(0, color=INK, linewidth=0.6)
    axis.set(xlabel="information, nats", ylabel="loss less that of an empty code, nats", ylim=(None, 1.0))
    axis.legend()
    return figure


def best_codes(alpha: float, lambda_: float, payments: int) -> tuple[np.ndarray, np.ndarray]:
    """The information that codes tell, nats, and the least loss among those that tell it, less the empty code's."""
    ratios, stds = np.linspace(0, 3, 61), np.geomspace(0.1, 1.2, 80)  # information depends on mean / std alone
    told = np.array([terms(ratio, 1.0).information for ratio in ratios])
    least = np.array([min(loss(ratio * s, s, alpha, lambda_, payments) for s in stds) for ratio in ratios])
    return told, least - payments * BIT


def show_collapse(results: Results, name: str) -> None:
    """Displays information over epochs, VAE beside VIMAE-n, with both decoders."""
    if not results:
        return
    show_figure(
        over_epochs(results),
        name,
        f"**Does the code die? {results.title.capitalize()}.** The information between its bounds, and the rate, after "
        "trainings of so many epochs: VAE and VIMAE-n, with section 5.1's decoder and with one that sees the pixels "
        "before. Marks: means over seeds, of the information's bound from below; pale: from there to the bound from "
        f"above. Both axes are logarithmic above one nat. {how_small([results]).capitalize()}; constant learning rate.",
        "Two panels over epochs, information and rate, a line for each of "
        + ", ".join(f"{m} with {d}" for m in ("VAE", "VIMAE-n") for d in DECODERS.values()),
        sources([results]),
        vector=True,
    )


def over_epochs(results: Results) -> Figure:
    """Information and rate."""
    table = doses(results)
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.1))
    for ((method, decoder), own), mark in zip(table.groupby(["method", "decoder"], sort=False), MARKERS, strict=False):
        colour = COLOURS[method]
        means = own.groupby("epochs")[["information", "information_above", "rate"]].mean()
        look = {"color": colour, "marker": mark, "fillstyle": MARKS[decoder], "markersize": 5}
        label = f"{own['model'].iloc[0].partition(',')[0]}, {DECODERS[decoder]}"
        left.fill_between(means.index, means["information"], means["information_above"], color=colour, alpha=0.12, lw=0)
        left.plot(means.index, means["information"], label=label, **look)
        right.plot(means.index, means["rate"], **look)
    for axis, what in ((left, "information, nats"), (right, "rate, nats")):
        axis.set(xlabel="epochs", ylabel=what)
        axis.set_xscale("log", base=2)
        axis.set_xticks(sorted(table["epochs"].unique()), sorted(table["epochs"].unique()))
        axis.set_yscale("symlog", linthresh=1)
        axis.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=2, fontsize=7.5)
    return figure


def in_words(results: Results, of: dict[str, Told]) -> str:
    """What is left of the information after the longest training, and what the statements on it came to; none while
    runs lack."""
    if {NOT_RUN, SO_FAR} & set(map(word, of.values())):
        return MISSING
    table = doses(results)
    last = table[table["epochs"] == table["epochs"].max()]

    def told(method: str, decoder: str, measure: str) -> str:
        own = last[(last["method"] == method) & (last["decoder"] == decoder)]
        return f"{mean_over_seeds(own[measure].tolist()):.2f}"

    differences = "; ".join(f"{name}, {t.outcome.difference.with_ends('.2f')}: {word(t)}" for name, t in of.items())
    return (
        f"After {last['epochs'].iloc[0]} epochs, with the decoder that sees the pixels before, the VAE's code tells at "
        f"most {told('vae', 'autoregressive', 'information_above')} nats of the image and VIMAE-n's at least "
        f"{told('vimae', 'autoregressive', 'information')}; with the plain decoder the VAE's tells at least "
        f"{told('vae', 'plain', 'information')}. The VAE's rate is {told('vae', 'autoregressive', 'rate')} nats with "
        f"the one and {told('vae', 'plain', 'rate')} with the other (means over {last['seed'].nunique()} seeds, 95 % "
        f"intervals). In nats, with intervals as corrected: {differences}."
    )
