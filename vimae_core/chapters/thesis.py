"""Claims 7 to 9 in statements, each a slope or a difference that it says is above zero, and what came out of them.

Fixed, with their tests, in book/third_analysis.md.
"""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd

from vimae_core.chapters import disentanglement
from vimae_core.chapters.capacity import CLEAN, HEAVY
from vimae_core.chapters.conventions import ENOUGH_RATE
from vimae_core.chapters.doses import CONDITIONS, doses
from vimae_core.chapters.statements import Statement, Told, told
from vimae_core.priors import make_prior
from vimae_core.profiles import parameters
from vimae_core.report.paper import paper_values
from vimae_core.report.results import Results, reference_results

Group = dict[str, Results]


def slopes(table: pd.DataFrame, x: str, y: str) -> pd.Series:
    """Of each seed that has every dose x, the slope of least squares of y over x."""
    wide = table.pivot_table(index="seed", columns=x, values=y).dropna() if len(table) else pd.DataFrame()
    if len(wide.columns) < 2:
        return pd.Series(dtype=float)
    return pd.Series(np.polyfit(wide.columns.to_numpy(float), wide.to_numpy().T, 1)[0], wide.index)


def papers_slopes() -> dict[str, float]:
    """By condition, percentage points a nat: VIMAE-n's lead over VIMAE-l, as if its prior's entropy alone made it."""
    table, (normal, logistic) = paper_values()["table_1"], (make_prior(p, 1).entropy() for p in ("normal", "logistic"))
    gaps = {c: table["VIMAE-n"][i] - table["VIMAE-l"][i] for i, c in enumerate(table["conditions"])}
    return {c: gaps[c] / (normal - logistic) for c in CONDITIONS}


def by_entropy(groups: Group) -> dict[str, Statement]:
    """Claim 7: accuracy over the priors' entropy rises on clean digits and falls on corrupted ones; and at one entropy
    neither the tails nor the family matter, within the paper's own differences."""
    shapes, scales, printed = doses(groups["shape"]), doses(groups["scale"]), papers_slopes()
    normal, logistic = (make_prior(p, 1).entropy() for p in ("normal", "logistic"))
    found = {}
    for c in CONDITIONS:
        sign = 1 if c == CLEAN else -1
        name = f"{'rises' if c == CLEAN else 'falls'} with entropy, {c}"
        found[name] = Statement(_column(sign * slopes(shapes, "prior_entropy", c)), sign * printed[c])
    for c in CONDITIONS:
        margin = abs(printed[c]) * (normal - logistic)
        found[f"heavy tails − light, {c}"] = Statement(_column(heavy_less_light(shapes, c)), margin=margin)
        own, other = (_at(shapes, "heavy", logistic, c, "VIMAE-l"), _at(scales, "normal", logistic, c))
        found[f"logistic − normal of its entropy, {c}"] = Statement(_column(own - other), margin=margin)
    return found


def heavy_less_light(shapes: pd.DataFrame, condition: str) -> pd.Series:
    """Of each seed, the accuracy at heavy tails less that at light ones, mean over the pairs of one entropy."""
    if shapes.empty:
        return pd.Series(dtype=float)
    at = shapes[shapes["tails"] != "normal"].assign(prior_entropy=lambda t: t["prior_entropy"].round(4))
    wide = at.pivot_table(index=["seed", "prior_entropy"], columns="tails", values=condition)
    if set(wide) != {"heavy", "light"}:
        return pd.Series(dtype=float)
    return (wide["heavy"] - wide["light"]).unstack().dropna().mean(axis=1)


def _at(table: pd.DataFrame, tails: str, entropy: float, condition: str, model: str | None = None) -> pd.Series:
    """By seed, the accuracy beside priors of such tails and of this entropy; of one model, where it is named."""
    if table.empty:
        return pd.Series(dtype=float)
    own = table[(table["tails"] == tails) & (table["prior_entropy"].round(4) == round(entropy, 4))]
    return own[own["model"] == model if model else slice(None)].set_index("seed")[condition]


def by_capacity(groups: Group) -> dict[str, Statement]:
    """Claim 8, robust: accuracy on corrupted digits falls as the capacity rises, in percentage points a doubling of
    the prior's scale beside a given noise, and rises with beta and with InfoVAE's alpha."""
    return {
        f"{name}, {c}": Statement(_column(of_doubling(road, c))) for name, road in roads(groups).items() for c in HEAVY
    }


class Road(NamedTuple):
    """Runs along which the capacity is varied: by which column of their table, its symbol, and -1 where more of it is
    more capacity."""

    table: pd.DataFrame
    dose: str
    symbol: str
    sign: int


def roads(groups: Group) -> dict[str, Road]:
    """Those of claim 8, by what it says of them."""
    noisy, rate, at_fit = (doses(groups[group]) for group in ("noisy", "rate", "rate_at_fit"))
    if len(noisy):
        noisy = noisy[noisy["tails"] == "normal"]
    return {
        "falls with the scale, noise given": Road(noisy, "scale", "σ", -1),
        "rises with β": Road(rate, "lambda", "β", 1),
        "rises with α at equal fit": Road(at_fit, "alpha", "α", 1),
    }


def of_doubling(road: Road, condition: str) -> pd.Series:
    """Of each seed that has every dose, points of accuracy a doubling, positive where less capacity is better."""
    table = road.table.assign(dose=np.log2(road.table[road.dose])) if len(road.table) else road.table
    return road.sign * slopes(table, "dose", condition)


def by_decoder(results: Results, epochs: int) -> dict[str, Statement]:
    """Claim 9: after so many epochs, with a decoder that sees the pixels before, the VAE's code tells less than with
    a plain one, and less than VIMAE-n's; and it is empty. Nats."""
    table = doses(results)

    def of(method: str, decoder: str, measure: str) -> pd.Series:
        if not results:
            return pd.Series(dtype=float)
        own = (table["method"] == method) & (table["decoder"] == decoder) & (table["epochs"] == epochs)
        return table[own].set_index("seed")[measure]

    above, rates = (of("vae", "autoregressive", m) for m in ("information_above", "rate"))
    return {
        "plain VAE − VAE, information": Statement(_column(of("vae", "plain", "information") - above)),
        "VIMAE-n − VAE, information": Statement(_column(of("vimae", "autoregressive", "information") - above)),
        f"{ENOUGH_RATE:g} nat − VAE's rate": Statement(_column(ENOUGH_RATE - rates)),
    }


def of_the_reference() -> tuple[dict[int, dict[str, Told]], dict[str, Told]]:
    """What came out in the committed records: by claim on digits; and of claim 8 on toy faces."""
    faces = disentanglement.together(reference_results("disentanglement", None))
    seeds = len(parameters("disentanglement", "reference").seeds)
    on_digits = in_doses(reference_results("doses", None), parameters("doses", "reference"))
    return on_digits, disentanglement.judged(faces, seeds)


def _column(by_seed: pd.Series) -> np.ndarray:
    return by_seed.dropna().to_numpy(float)[:, None]


def in_doses(groups: Group, p: SimpleNamespace) -> dict[int, dict[str, Told]]:
    """What came out of the statements that the digits decide, by claim: no word before all seeds are there."""
    return {
        7: told(by_entropy(groups), lambda name: len(p.shape_seeds)),
        8: told(by_capacity(groups), lambda name: len(p.seeds)),
        9: told(by_decoder(groups["collapse"], max(p.collapse_epochs, default=0)), lambda name: len(p.seeds)),
    }
