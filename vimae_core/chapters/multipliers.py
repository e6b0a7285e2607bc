"""Eq. (8) taken at its word, in two dimensions: the lambda that a training finds, and whether it was enough."""

from dataclasses import replace

import pandas as pd

from vimae_core.chapters.conventions import ENOUGH_RATE
from vimae_core.report.results import Results
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
        rows[f"{likelihood}, {model}{f',<br>{codes}' * bool(codes)}"] = (
            low if low == high else f"{low} to<br>{high}",
            f"{1e4 * own['own'].mean():.1f}; {1e4 * own['mmd2'].mean():.1f}",
            f"{own['met'].sum()}; {own['constraint_met'].sum()} of {len(own)}",
            f"{of['kl']:.2f}",
            f"{of['rate']:.1f}{f'<br>{empty} empty' * bool(empty)}",
            f"{of['squared_error']:.1f}",
        )
    columns = ["λ found", "MMD²", "met", "KL", "rate", "squared error"]
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="likelihood, model"), columns=columns)


def in_words(results: Results) -> str:
    """What became of lambda with the batch's codes alone, with a memory, with codes of other images; what is empty."""
    t, end = _told(results), max(run.config.lambda_ for run in results.runs)
    memory, more = (t[t["codes"].str.contains(what)] for what in ("memory", "more"))
    likelihood = memory["likelihood"].iloc[0]
    alone = t[(t["codes"] == "") & (t["likelihood"] == likelihood)]
    return f"""
**By the batch alone** a step can tell little: under `{likelihood}` λ goes on to its end, {end:,.0f}, in
{sum(alone["found"] >= end)} of {len(alone)} runs, and the rate is {alone["rate"].mean():.0f} nats. The constraint
{_met(alone)}.

**With a memory of recent codes the multiplier is found.** λ comes to rest between {memory["found"].min():,.0f} and
{memory["found"].max():,.0f} in {sum(memory["found"] < end)} of {len(memory)} runs, and the rate is
{memory["rate"].mean():.0f} nats. The constraint, now a tighter one, {_met(memory)}.
{_of_other_images(more, t[t["codes"] == ""]) if len(more) else ""}
**An empty code meets the constraint too,** which asks for no information: below one nat end {_empty(t)}. No run had a
loss or a weight that is not finite.
"""


def _of_other_images(more: pd.DataFrame, alone: pd.DataFrame) -> str:
    told = []
    for likelihood, own in more.groupby("likelihood", sort=False):
        low, high = (f"{end:,.0f}" for end in (own["found"].min(), own["found"].max()))
        end, rate = f"at {low}" if low == high else f"between {low} and {high}", own["rate"].mean()
        without = alone.loc[alone["likelihood"] == likelihood, "rate"].mean()
        told.append(
            f"Under `{likelihood}` λ ends {end}, with a rate of {rate:.1f} nats instead of the {without:.1f} that the "
            f"batch alone has; the constraint {_met(own)}."
        )
    return f"\n**Codes of other images, by the encoder as it is.** {' '.join(told)}\n"


def _empty(t: pd.DataFrame) -> str:
    """How many codes are empty by likelihood and sample, of the likelihoods that have some; who met the constraint."""
    empty = t["rate"] < ENOUGH_RATE
    under = t[t["likelihood"].isin(t["likelihood"][empty])]
    counts = []
    for (likelihood, codes), own in under.groupby(["likelihood", "codes"], sort=False):
        how = f"with {codes}" if codes else "by the batch alone"
        counts.append(f"{(own['rate'] < ENOUGH_RATE).sum()} of {len(own)} runs under `{likelihood}` {how}")
    return f"{' and '.join(counts) or 'none'}, of which {sum(t['met'] & empty)} meet it on training digits"


def _met(own: pd.DataFrame) -> str:
    """Whether the constraint is met, by the training's own estimate and on test digits, and how far apart they lie."""
    return (
        f"is met by the training's own estimate in {sum(own['met'])} of {len(own)} and on test digits in "
        f"{sum(own['constraint_met'])}, where MMD² is {1e4 * own['mmd2'].mean():.1f} · 10⁻⁴ instead of "
        f"{1e4 * own['own'].mean():.1f} · 10⁻⁴ (means)"
    )
