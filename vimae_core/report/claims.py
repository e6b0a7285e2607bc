"""The claims' machinery: what is compared, how it is judged and shown. Each claim stands in its chapter."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from myst_nb import glue

from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_table
from vimae_core.report.statistics import Comparison, compare_pairs

Verdict = tuple[str, dict[str, Comparison]]


def difference(one: dict[int, list[float]], other: dict[int, list[float]]) -> np.ndarray:
    """A table of seeds by draws: of the seeds that both have."""
    both = [seed for seed in one if seed in other]
    return np.array([np.subtract(one[seed], other[seed]) for seed in both])


def measured(results: Results, model: str, measure: str) -> dict[int, list[float]]:
    """A measure of a model's runs, as one draw a seed."""
    return {seed: [value] for seed, value in by_seed(results, model, measure).items()}


def by_seed(results: Results, model: str, column: str) -> dict:
    if "model" not in results.table:
        return {}
    rows = results.table[results.table["model"] == model].sort_values("seed")
    return dict(zip(rows["seed"], rows[column], strict=True))


def judged(
    tables: dict[str, np.ndarray],
    judge: Callable[[dict[str, bool]], str],
    beside: dict[str, np.ndarray] | None = None,
    corrected: bool = True,
) -> Verdict:
    """In words, and each comparison; those `beside` are judged by their mean and enter no correction."""
    missing = [name for name, values in {**(beside or {}), **tables}.items() if values.size == 0]
    if len(missing) == len({**(beside or {}), **tables}):
        return "not yet run", {}
    if missing:
        return f"not tested: nothing to compare for {missing[0]}", {}
    comparisons = compare_pairs(tables, corrected)
    word = judge({name: c.outcome == "holds" for name, c in comparisons.items()})
    seeds = min(len(values) for values in tables.values())
    verdict = in_words(word, [c.outcome for c in comparisons.values()], "comparisons", seeds)
    return verdict, {**(compare_pairs(beside) if beside else {}), **comparisons}


SIGNS = {"reproduced": "sign agrees", "partly reproduced": "sign agrees in part", "not reproduced": "sign disagrees"}
OF_ONE_SEED = {"holds": "sign agrees", "contradicted": "sign disagrees", "undecided": "undecided"}


def in_words(word: str, outcomes: list[str], what: str, seeds: int) -> str:
    """A verdict with how many of its comparisons, or `what` it has, came out how. One seed makes none: it has signs."""
    holding, contradicted, undecided = map(outcomes.count, ("holds", "contradicted", "undecided"))
    holding_of_all = f"{holding} of {len(outcomes)} {what}"
    if seeds == 1:
        return f"{SIGNS[word]} ({holding_of_all}, one seed)"
    return f"{word} ({holding_of_all} hold, {contradicted} contradicted, {undecided} undecided; {seeds} seeds)"


def show_claim(number: int, test: Callable[[Results], Verdict], results: list[Results], unit: str) -> None:
    """Displays a claim's verdict on each of several results, with the comparisons behind it; pages may glue it."""
    for result in results:
        verdict, tested = test(result)
        title = result.title.replace(" ", "_")
        glue(f"claim_{number}_{title}", verdict, display=False)
        display(Markdown(f"**Claim {number}, {result.title}:** {verdict}."))
        if tested:
            show_table(
                comparisons(tested, unit),
                f"tab-claim-{number}-{title.replace('_', '-')}",
                f"The comparisons of claim {number}, {result.title}: mean difference with its 95 % interval, p, and "
                "effect size (the mean over the standard deviation of the seeds' differences).",
                sources([result]),
            )


def comparisons(tested: dict[str, Comparison], unit: str) -> pd.DataFrame:
    """A row a comparison: the difference with its interval, p, effect size, and what came out."""
    rows = {
        name.replace("beta", "β"): (
            f"{c.difference:.2f}",
            "—" if np.isnan(c.p) else "< 0.001" if c.p < 0.001 else f"{c.p:.3f}",
            "—" if np.isnan(c.effect) else f"{c.effect:.1f}",
            c.outcome if c.difference.n > 1 else OF_ONE_SEED[c.outcome],
        )
        for name, c in tested.items()
    }
    return pd.DataFrame(
        rows.values(),
        index=pd.Index(rows, name="comparison"),
        columns=[f"difference, {unit}", "p", "effect size", "the claim"],
    )
