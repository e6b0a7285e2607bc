"""What was measured along the doses, in words: how far codes follow their prior; scales, weights, cost; Eq. (3)."""

import numpy as np
import pandas as pd

from vimae_core.chapters.doses import CONDITIONS, doses
from vimae_core.chapters.doses_tables import VARIED
from vimae_core.chapters.statements_words import MISSING
from vimae_core.chapters.thesis import Group, Road, of_doubling, slopes
from vimae_core.chapters.thesis_words import NAMES
from vimae_core.reference import reference_record
from vimae_core.report.statistics import mean_over_seeds, signed


def followed(groups: Group) -> tuple[int, int]:
    """How many runs with a prior of unit variance have codes whose MMD² is no more than draws of the prior have, in
    97.5 of 100 cases, and how many there are."""
    table = groups["shape"].table
    return int((table["mmd2"] <= table["mmd2_null_high"]).sum()) if len(table) else 0, len(table)


def of_following_in_brief(groups: Group) -> str:
    """For the chapter's box: what else than the prior may have moved what is seen."""
    within, n = followed(groups)
    return (
        f"What a prior does can only show in codes that follow it: of {n} runs with a prior of unit variance {within} "
        "have codes that pass as its draws."
        if n
        else ""
    )


def of_following(groups: Group) -> str:
    """How near the codes come to priors of unit variance, beside draws of the priors themselves and the paper's λ."""
    within, n = followed(groups)
    if not n:
        return ""
    table, rows = groups["shape"].table, groups["rows"]
    paper = rows.values("VIMAE-n", "mmd2") if rows else []
    seeds = f"{len(paper)} seed{'s' * (len(paper) > 1)}"
    beside = f" The paper's λ leaves VIMAE-n's at {1e4 * np.mean(paper):.1f} × 10⁻⁴ ({seeds})." if paper else ""
    return (
        f"**How far they follow it.** The MMD² between codes and priors of unit variance is "
        f"{mean_over_seeds((1e4 * table['mmd2']).tolist()).value:.1f} × 10⁻⁴ in the mean of {n} runs. As many draws of "
        f"the priors themselves have less than {1e4 * table['mmd2_null_high'].max():.1f} × 10⁻⁴ in 97.5 of 100 cases, "
        f"as {within or 'none'} of the runs has.{beside}"
    )


def of_scale(groups: Group) -> str:
    """What the prior's scale does where the noise is learnt, beside what theory says, and where it is given."""
    learnt, given = doses(groups["scale"]), doses(groups["noisy"])
    if not len(learnt) or not len(given):
        return ""
    given = given[given["tails"] == "normal"]

    def at_ends(table: pd.DataFrame, measure: str) -> list[list[float]]:
        scales = table["scale"].min(), table["scale"].max()
        return [table[table["scale"] == s][measure].tolist() for s in scales]

    def means(table: pd.DataFrame, measure: str) -> str:
        low, high = at_ends(table, measure)
        return f"from {mean_over_seeds(low):.1f} to {mean_over_seeds(high):.1f}"

    learnt_width, given_width = (t["scale"].max() / t["scale"].min() for t in (learnt, given))
    # Medians: a coordinate that one seed does not use has a noise of any size.
    noises = [float(np.median(values)) for values in at_ends(learnt, "posterior_std")]
    ratio = noises[1] / noises[0]
    off = ", so that these trainings did not reach that optimum" * bool(ratio < learnt_width / 2)
    road = Road(learnt, "scale", "σ", 1)
    by = {c: mean_over_seeds(of.tolist()) for c in CONDITIONS if len(of := of_doubling(road, c)) > 1}
    moved = f" A doubling moves accuracy by so many points: {_points(by)} (no word was registered)." if by else ""
    return (
        f"**With the noise learnt**, a prior {learnt_width:.0f} times as wide would at the optimum have codes with "
        f"{learnt_width:.0f} times the noise, and all else equal. The noise goes from {noises[0]:.4f} to "
        f"{noises[1]:.4f}, {ratio:.1f} times as much (medians over seeds){off}; the squared error goes "
        f"{means(learnt, 'squared_error')}.{moved} **With the noise given**, {given_width:.0f} times the width takes "
        f"the squared error {means(given, 'squared_error')} and the information, from above, "
        f"{means(given, 'information_above')} nats."
    )


def _points(by: dict) -> str:
    return ", ".join(f"{NAMES[c]} {mean.with_ends('.2f')}" for c, mean in by.items())


def of_rate_and_fit(groups: Group) -> str:
    """Slopes of accuracy over what weighs the rate, InfoVAE's alpha, and what weighs the fit, VIMAE-n's lambda."""
    alpha, fit = doses(groups["rate_at_fit"]), doses(groups["fit"])
    if alpha.empty or fit.empty:
        return ""
    ramp = fit[fit["tolerance"].isna()]
    weighed = {
        "A doubling of InfoVAE's α": (alpha.assign(dose=np.log2(alpha["alpha"])), "alpha"),
        "Ten times VIMAE-n's λ": (ramp.assign(dose=np.log10(ramp["lambda"])), "lambda"),
    }
    told, seeds = [], []
    for what, (table, dose) in weighed.items():
        by = {c: slopes(table, "dose", c) for c in CONDITIONS}
        if len(by[CONDITIONS[0]]) < 2:  # seeds that have every dose
            return ""
        seeds.append(f"{len(by[CONDITIONS[0]])}")
        low, high = (table[table[dose] == table[dose].agg(end)] for end in ("min", "max"))
        rates, misfits = ([t[m].mean() for t in (low, high)] for m in ("rate", "mmd2"))
        ends = f"the MMD² from {signed(1e4 * misfits[0], '.1f')} to {signed(1e4 * misfits[1], '.1f')} × 10⁻⁴"
        points = _points({c: mean_over_seeds(of.tolist()) for c, of in by.items()})
        told.append(
            f"**{what}** moves accuracy by so many points: {points}. From the least to the most the rate goes from "
            f"{rates[0]:.1f} to {rates[1]:.1f} nats, {ends}."
        )
    over = " and ".join(dict.fromkeys(seeds))
    return f"{' '.join(told)} Means and 95 % intervals over {over} seeds, uncorrected."


def budget(groups: Group) -> str:
    """How many runs the committed results rest on, and what they cost."""
    runs = list({run.path: run for results in groups.values() for run in results.runs}.values())
    if not runs:
        return MISSING
    trained = sum(run.environment["seconds"] for run in runs)
    measured = sum(took["seconds"] for run in runs for took in reference_record(run, "took").values())
    return (
        f"The reference's {len(runs)} runs took {trained / 3600:.1f} hours to train and {measured / 3600:.1f} to "
        f"measure, on one core each.{_of_precision(groups)}"
    )


def _of_precision(groups: Group) -> str:
    """Which runs were trained in fp32 where others were in bf16, and where the two are compared."""
    by_group = {name: [run.precision for run in results.runs] for name, results in groups.items() if results}
    rounded = sum(of.count("bf16") for of in by_group.values())
    exact = {name: (of.count("fp32"), len(of)) for name, of in by_group.items() if "fp32" in of}
    if not rounded or not exact:
        return ""
    named = {**VARIED, "collapse": "Decoders and epochs"}
    parts = "; ".join(f"*{named[name]}*, {n} of {of}" for name, (n, of) in exact.items())
    return (
        f" {rounded} were trained in bf16, and these in fp32, on processors without it: {parts}. "
        "[What that changes](speed.ipynb) was measured on other runs."
    )


def eq_3(groups: Group) -> str:
    """What is left of Eq. (3) in the estimates, and whether a divergence that knows nothing of them agrees."""
    columns = ["rate", "information", "kl_below", "kl_above", "kl"]
    tables = [results.table[columns] for results in groups.values() if results]
    if not tables:
        return ""
    table = pd.concat(tables)
    finite = table[np.isfinite(table["rate"])]
    off = (finite["rate"] - finite["information"] - finite["kl_above"]).abs().max()
    low, high = (int(of.sum()) for of in (finite["kl"] < finite["kl_below"], finite["kl"] > finite["kl_above"]))
    infinite = len(table) - len(finite)
    beside = f" {infinite} more have an infinite rate, as codes lie outside of a uniform prior." * bool(infinite)
    return (
        f"Of {len(finite)} runs, rate less information less divergence is at most {off:.3f} nats. The two are computed "
        "with one density of the codes, so this is only the error of one draw an image. An estimate that knows nothing "
        f"of that density, the divergence by nearest neighbours, lies between the divergence's two bounds in "
        f"{len(finite) - low - high} of them, below both in {low}, as it tends to in so many dimensions, and above "
        f"both in {high}.{beside}"
    )
