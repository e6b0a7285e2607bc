"""Claims 7 to 9 in words: verdicts, and sentences of which every number comes from the records."""

import numpy as np
from myst_nb import glue

from vimae_core.chapters.capacity import CLEAN, HEAVY
from vimae_core.chapters.doses import CONDITIONS, doses
from vimae_core.chapters.doses_tables import VARIED
from vimae_core.chapters.statements import Told
from vimae_core.chapters.statements_words import NOT_RUN, SO_FAR, in_brief, word
from vimae_core.chapters.thesis import Group, slopes
from vimae_core.reference import reference_record
from vimae_core.report.statistics import Mean, mean_over_seeds, signed

MISSING = "What the reference says stands here as soon as all of its runs are there."
Claims = dict[int, dict[str, Told]]
NAMES = {CLEAN: "on clean digits", HEAVY[0]: "under noise (σ = 0.4)", HEAVY[1]: "on half-masked digits"}


def verdicts(claims: Claims, disentangled: dict[str, Told]) -> dict[int, str]:
    """By claim: a word and what it rests on. Of claim 7 and of claim 9 one half is decided by formula; claim 8's
    statements are on robustness, and those of chapter `disentanglement`."""
    tested = {n: _tested(of) for n, of in claims.items()}
    counts = {n: ", ".join(in_brief(of)) for n, of in tested.items()}
    seven = "reproduced" if {word(t) for t in tested[7].values()} == {"holds"} else "half true"
    both = [word(t) for t in (*tested[8].values(), *disentangled.values())]
    eight = "partly reproduced" if "holds" in both else "not reproduced"
    eight = NOT_RUN if {NOT_RUN, SO_FAR} & set(both) else "reproduced" if set(both) == {"holds"} else eight
    return {
        7: f"{seven}: it has less, by formula; that this makes the difference: {counts[7]}",
        8: f"{eight}: on robustness, {counts[8]}; on disentanglement, {', '.join(in_brief(disentangled))}",
        9: f"half true: of one of its two terms only, by calculation; with a decoder that needs no code: {counts[9]}",
    }


def glue_claims(told: dict[int, str]) -> None:
    """Lets pages cite each claim's verdict."""
    for claim, verdict in told.items():
        glue(f"third_{claim}", verdict, display=False)


def _tested(of: dict[str, Told]) -> dict[str, Told]:
    """Those that claim a difference; what is to be equivalent stands beside them."""
    return {name: t for name, t in of.items() if t.statement.margin is None}


def of_entropy(told: dict[str, Told]) -> str:
    """Claim 7's slopes beside the paper's, and what is equivalent."""
    slopes = [(c, next(t for n, t in told.items() if "entropy, " in n and n.endswith(c))) for c in CONDITIONS]
    if any(t.outcome is None for _, t in slopes):
        return ""
    parts = []
    for c, t in slopes:
        sign = 1 if c == CLEAN else -1
        mean = _turned(t.outcome.difference, sign)
        excluded = ", and the paper's is excluded" * bool(t.excludes)
        parts.append(
            f"{NAMES[c]} {mean.with_ends('.1f')}, where the paper's difference would ask for "
            f"{signed(sign * t.statement.paper, '.0f')}: {word(t)}{excluded}"
        )
    return (
        f"**Accuracy over the entropy of the prior**, points a nat a coordinate, {slopes[0][1].outcome.seeds} seeds: "
        f"{'; '.join(parts)}.{_of_equal([word(t) for t in told.values() if t.statement.margin is not None])}"
    )


def _of_equal(words: list[str]) -> str:
    """How many of the differences at one entropy are smaller than the paper's, of those that have a word."""
    ran = [w for w in words if w not in (SO_FAR, NOT_RUN)]
    if not ran:
        return ""
    larger = f", and a larger one in {ran.count('contradicted')}" * ("contradicted" in ran)
    missing = f" ({len(words) - len(ran)} more lack runs)" * (len(ran) < len(words))
    return (
        f" At one entropy, tails or family make no difference as large as the paper's in {ran.count('holds')} of "
        f"{len(ran)} comparisons{larger}{missing}."
    )


def _turned(mean: Mean, sign: int) -> Mean:
    return mean if sign > 0 else Mean(-mean.value, -mean.high, -mean.low, mean.n)


def _on_every_road(told: dict[str, Told]) -> str:
    """Claim 8's six slopes in one sentence: whether less information is more robust, or less; none while runs lack."""
    outcomes = {name: word(t) for name, t in told.items()}
    if {NOT_RUN, SO_FAR} & set(outcomes.values()):
        return ""
    contradicted, holding = ([n for n, w in outcomes.items() if w == x] for x in ("contradicted", "holds"))
    if len(contradicted) == len(told):
        return "**Less information is less robust**, on every road and under both corruptions."
    if contradicted and not holding:
        return "**Where anything is decided, less information is less robust.**"
    if len(holding) == len(told):
        return "**Less capacity is more robust**, on every road and under both corruptions."
    if not contradicted and not holding:
        return "**Nothing is decided:** that less capacity is more robust was not shown, nor that it is less."
    return "Whether less capacity is more robust depends on the road."


def of_capacity(told: dict[str, Told]) -> str:
    """Claim 8's six slopes, and what they say together."""
    first = _on_every_road(told)
    if not first:
        return ""
    roads: dict[str, list[str]] = {}
    for name, t in told.items():
        road, _, condition = name.rpartition(", ")
        slope = t.outcome.difference.with_ends(".2f")
        roads.setdefault(road, []).append(f"{NAMES[condition]} {slope}, {word(t)}")
    parts = (f"*{road}*: {'; '.join(slopes)}" for road, slopes in roads.items())
    return f"{first} In points of accuracy a doubling, in the direction that the claim has. {'. '.join(parts)}."


def of_following(groups: Group) -> str:
    """How near the codes come to priors of unit variance, beside draws of the priors themselves and the paper's λ."""
    if not groups["shape"]:
        return ""
    table, rows = groups["shape"].table, groups["rows"]
    within = int((table["mmd2"] <= table["mmd2_null_high"]).sum())
    paper = rows.values("VIMAE-n", "mmd2") if rows else []
    beside = f"; the paper's λ leaves VIMAE-n's at {1e4 * np.mean(paper):.1f} × 10⁻⁴" if paper else ""
    return (
        f"**How far they follow it.** The MMD² between codes and priors of unit variance is "
        f"{mean_over_seeds((1e4 * table['mmd2']).tolist()).value:.1f} × 10⁻⁴ in the mean of {len(table)} runs; as many "
        f"draws of the priors themselves have up to {1e4 * table['mmd2_null_high'].max():.1f} × 10⁻⁴, in 95 of 100 "
        f"cases, and {within} of the runs no more than that{beside}."
    )


def of_scale(groups: Group) -> str:
    """What the prior's scale does where the noise is learnt, and where it is given: information and noise."""
    learnt, given = doses(groups["scale"]), doses(groups["noisy"])
    if not len(learnt) or not len(given):
        return ""
    given = given[given["tails"] == "normal"]

    def at_ends(table, measure: str) -> list[list[float]]:
        scales = table["scale"].min(), table["scale"].max()
        return [table[table["scale"] == s][measure].tolist() for s in scales]

    def means(table, measure: str, between: str) -> str:
        return f" {between} ".join(f"{mean_over_seeds(values):.1f}" for values in at_ends(table, measure))

    widest = [f"{t['scale'].max() / t['scale'].min():.0f}" for t in (learnt, given)]
    # Medians: a coordinate that one seed does not use has a noise of any size.
    noises = [float(np.median(values)) for values in at_ends(learnt, "posterior_std")]
    return (
        f"With the noise learnt, priors of which one is {widest[0]} times as wide as the other end with "
        f"{means(learnt, 'squared_error', 'and')} of squared error, and with noises of {noises[0]:.4f} and "
        f"{noises[1]:.4f}, {noises[1] / noises[0]:.1f} times as large (medians over seeds). With the noise given, "
        f"{widest[1]} times the width takes the squared error from {means(given, 'squared_error', 'to')} and the "
        f"information, from above, from {means(given, 'information_above', 'to')} nats."
    )


def of_rate_and_fit(groups: Group) -> str:
    """Slopes of accuracy over what weighs the rate, InfoVAE's alpha, and what weighs the fit, VIMAE-n's lambda."""
    alpha, fit = doses(groups["rate_at_fit"]), doses(groups["fit"])
    if alpha.empty or fit.empty:
        return ""
    ramp = fit[fit["tolerance"].isna()]
    roads = {
        "A doubling of InfoVAE's α": (alpha.assign(dose=np.log2(alpha["alpha"])), "alpha"),
        "Ten times VIMAE-n's λ": (ramp.assign(dose=np.log10(ramp["lambda"])), "lambda"),
    }
    told, seeds = [], []
    for road, (table, dose) in roads.items():
        by = [slopes(table, "dose", c) for c in CONDITIONS]
        if len(by[0]) < 2:  # seeds that have every dose
            return ""
        seeds.append(f"{len(by[0])}")
        parts = (
            f"{NAMES[c]} {mean_over_seeds(of.tolist()).with_ends('.2f')}" for c, of in zip(CONDITIONS, by, strict=True)
        )
        low, high = (table[table[dose] == table[dose].agg(end)] for end in ("min", "max"))
        rates, misfits = ([t[m].mean() for t in (low, high)] for m in ("rate", "mmd2"))
        ends = f"the MMD² from {signed(1e4 * misfits[0], '.1f')} to {signed(1e4 * misfits[1], '.1f')} × 10⁻⁴"
        told.append(
            f"**{road}** moves accuracy by so many points: {', '.join(parts)}. From the least to the most the rate "
            f"goes from {rates[0]:.1f} to {rates[1]:.1f} nats, {ends}."
        )
    return f"{' '.join(told)} Means and 95 % intervals over {' and '.join(seeds)} seeds, uncorrected."


def in_short_of(claims: Claims) -> str:
    """The chapter's box: does capacity explain it?"""
    told = [t for t in (_on_every_road(claims[8]), _by_entropy_in_brief(claims[7])) if t]
    return "\n\n".join(told) or MISSING


def _by_entropy_in_brief(told: dict[str, Told]) -> str:
    """How many of claim 7's slopes came out how, and in how many the paper's is excluded; none while runs lack."""
    slopes = _tested(told)
    if {NOT_RUN, SO_FAR} & {word(t) for t in slopes.values()}:
        return ""
    excluded = sum(bool(t.excludes) for t in slopes.values())
    return (
        f"**Accuracy over the entropy of the prior**, as claimed: {', '.join(in_brief(slopes))}. As steep a slope as "
        f"the paper's difference of two priors would ask for is excluded in {excluded} of {len(slopes)}."
    )


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
    if len({precision for of in by_group.values() for precision in of}) < 2:
        return ""
    rounded = {name: (of.count("fp32"), len(of)) for name, of in by_group.items()}
    named = {**VARIED, "collapse": "Decoders and epochs"}
    parts = "; ".join(f"*{named[name]}*, {n} of {of}" for name, (n, of) in rounded.items() if n)
    return (
        f" Networks multiply in bf16 where the processor can, and these runs in fp32, as theirs could not: {parts}. "
        "[What that changes](speed.ipynb) was measured on other runs."
    )


def eq_3(groups: Group) -> str:
    """How far rate, information and divergence, each measured by itself, are from Eq. (3)."""
    off, n = [], 0
    for results in filter(None, groups.values()):
        table = results.table[np.isfinite(results.table["rate"])]
        off += (table["rate"] - table["information"] - table["kl"]).abs().tolist()
        n += len(table)
    return f"Of {n} runs, rate less information less divergence is at most {max(off):.3f} nats." if off else ""
