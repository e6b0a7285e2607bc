"""Eq. (8) taken at its word, in two dimensions: the lambda that a training finds, and whether it was enough."""

from dataclasses import replace

import pandas as pd

from vimae_core.chapters.conventions import ENOUGH_RATE
from vimae_core.report.results import LIKELIHOODS, Results
from vimae_core.report.statistics import mean_over_seeds


def together(groups: dict[str, Results]) -> Results:
    """The runs with the batch's codes alone, with a memory, and with codes of other images."""
    one, other = groups["constraint"], groups["more_codes"]
    return replace(one, runs=one.runs + other.runs, table=pd.concat([one.table, other.table], ignore_index=True))


def _told(results: Results) -> pd.DataFrame:
    """The records with what the training says of itself: lambda at the end, the estimate's last mean, whether met."""
    configs, histories = [run.config for run in results.runs], [run.history for run in results.runs]
    return results.table.assign(
        found=[h["hundredths"]["lambda"][-1] for h in histories],
        own=[h["constraint"]["mean"] for h in histories],
        met=[h["constraint"]["met"] for h in histories],
        tolerance=[h["constraint"]["tolerance"] for h in histories],
        codes=[_codes(c.memory, c.more_codes) for c in configs],
    )


def _codes(memory: int, more: int) -> str:
    return f"memory of {memory:,}" if memory else f"{more:,} more codes" if more else ""


def multipliers(results: Results) -> pd.DataFrame:
    """A row a likelihood, sample of codes and model: the lambda that was found, whether it was enough, what it cost."""
    rows = {}
    for (likelihood, codes, model), own in _told(results).groupby(["likelihood", "codes", "model"], sort=False):
        of = {m: mean_over_seeds(own[m].tolist()) for m in ("kl", "rate", "squared_error")}
        low, high = (f"{end:,.0f}" for end in (own["found"].min(), own["found"].max()))
        empty = (own["rate"] < ENOUGH_RATE).sum()
        rows[f"{LIKELIHOODS[likelihood]}, {model}{f',<br>{codes}' * bool(codes)}"] = (
            low if low == high else f"{low} to<br>{high}",
            *(f"{1e4 * own[estimate].mean():.1f}" for estimate in ("own", "mmd2")),
            *(f"{own[met].sum()} of {len(own)}" for met in ("met", "constraint_met")),
            f"{of['kl']:.2f}",
            f"{of['rate']:.1f}{f'<br>{empty} empty' * bool(empty)}",
            f"{of['squared_error']:.1f}",
        )
    by_both = [f"{what},<br>{where}" for what in ("MMD²", "met") for where in ("training", "test")]
    columns = ["λ found", *by_both, "KL", "rate", "squared<br>error"]
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="likelihood, model"), columns=columns)


def in_words(results: Results) -> str:
    """What became of lambda with the batch's codes alone, with a memory, with codes of other images; what is broken."""
    t, end = _told(results), max(run.config.lambda_ for run in results.runs)
    memory, more = (t[t["codes"].str.contains(what)] for what in ("memory", "more"))
    likelihood = memory["likelihood"].iloc[0]
    alone, beside = (of[of["likelihood"] == likelihood] for of in (t[t["codes"] == ""], more))
    return f"""
**By the batch alone** a step can tell little: with {LIKELIHOODS[likelihood]} as likelihood λ goes on to its end,
{end:,.0f}, in {sum(alone["found"] >= end)} of {len(alone)} runs, and the rate is {alone["rate"].mean():.0f} nats. The
constraint {_met(alone)}.

**With a memory of recent codes λ comes to rest** between {memory["found"].min():,.0f} and
{memory["found"].max():,.0f} in {sum(memory["found"] < end)} of {len(memory)} runs, and the rate is
{memory["rate"].mean():.0f} nats. The constraint, now a tighter one, {_met(memory)}.
{_of_other_images(more, t[t["codes"] == ""]) if len(more) else ""}
{_no_multiplier(beside, end) if len(beside) else ""}

**An empty code meets the constraint too,** which asks for no information. Below one nat, and so broken as
[registered](the-constraint), end {_broken(t)}. No run had a loss or a weight that is not finite.
"""


def _of_other_images(more: pd.DataFrame, alone: pd.DataFrame) -> str:
    told = []
    for likelihood, own in more.groupby("likelihood", sort=False):
        low, high = (f"{end:,.0f}" for end in (own["found"].min(), own["found"].max()))
        end, rate = f"at {low}" if low == high else f"between {low} and {high}", own["rate"].mean()
        without = alone.loc[alone["likelihood"] == likelihood, "rate"].mean()
        told.append(
            f"With {LIKELIHOODS[likelihood]} as likelihood λ ends {end}, with a rate of {rate:.1f} nats beside the "
            f"{without:.1f} that the batch alone has; the constraint {_met(own)}."
        )
    return f"\n**Codes of other images, by the encoder as it is.** {' '.join(told)}\n"


def _no_multiplier(beside: pd.DataFrame, end: float) -> str:
    """Where a memory lets lambda rest, other images of the same number and tolerance may not."""
    went_on = sum(beside["found"] >= end)
    return f"""So where a memory lets λ rest is not yet the multiplier of the constraint: beside codes of as many other
images, under the same tolerance, λ goes on to its end in {went_on} of {len(beside)} runs."""


def _broken(t: pd.DataFrame) -> str:
    """Runs by likelihood and sample, of the likelihoods that have some; how many of them met the constraint."""
    empty = t["rate"] < ENOUGH_RATE
    if not empty.any():
        return "none"
    counts = []
    for (likelihood, codes), own in t[t["likelihood"].isin(t["likelihood"][empty])].groupby(
        ["likelihood", "codes"], sort=False
    ):
        how = f"with {codes}" if codes else "by the batch alone"
        n = sum(own["rate"] < ENOUGH_RATE)
        counts.append(f"{n} of {len(own)} with {LIKELIHOODS[likelihood]} as likelihood {how}")
    return (
        f"{sum(empty)} of {len(t)} runs: {', '.join(counts)}. Of these {sum(t['met'] & empty)} meet the constraint on "
        "training digits"
    )


def _met(own: pd.DataFrame) -> str:
    """Whether the constraint is met, by the training's own estimate and on test digits; both, and the tolerance."""
    return (
        f"is met by the training's own estimate in {sum(own['met'])} of {len(own)} and on test digits in "
        f"{sum(own['constraint_met'])}; the MMD² is {1e4 * own['own'].mean():.1f} · 10⁻⁴ by the former and "
        f"{1e4 * own['mmd2'].mean():.1f} · 10⁻⁴ on the latter (means), the tolerance "
        f"{1e4 * own['tolerance'].mean():.1f} · 10⁻⁴"
    )
