"""The claims' machinery: what is compared, how it is judged and shown. Each claim stands in its chapter."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from myst_nb import glue

from vimae_core.report.forest import forest
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_figure, show_folded, show_table, show_tabs, show_text
from vimae_core.report.statistics import Comparison, compare_pairs, signed

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
    also: str = "",
) -> Verdict:
    """In words, and each comparison; those `beside` are judged by their mean and enter no correction.

    `also` says what else the verdict rests on, so that no table shows what its count leaves out unsaid.
    """
    missing = [name for name, values in {**(beside or {}), **tables}.items() if values.size == 0]
    if len(missing) == len({**(beside or {}), **tables}):
        return "not yet run", {}
    if missing:
        return f"not tested: nothing to compare for {missing[0]}", {}
    comparisons = compare_pairs(tables, corrected)
    word = judge({name: c.outcome == "holds" for name, c in comparisons.items()})
    seeds = min(len(values) for values in tables.values())
    verdict = in_words(word, [c.outcome for c in comparisons.values()], "comparisons", seeds, also)
    return verdict, {**(compare_pairs(beside) if beside else {}), **comparisons}


SIGNS = {"reproduced": "sign agrees", "partly reproduced": "sign agrees in part", "not reproduced": "sign disagrees"}
LARGE = 10  # an effect size beyond it says only that the seeds hardly scatter
OF_ONE_SEED = {"holds": "sign agrees", "contradicted": "sign disagrees", "undecided": "undecided"}


def in_words(word: str, outcomes: list[str], what: str, seeds: int, also: str = "") -> str:
    """A verdict with how many of its comparisons, or `what` it has, came out how. One seed makes none: it has signs.

    `also` is what else it rests on.
    """
    holding_of_all, also = f"{outcomes.count('holds')} of {len(outcomes)} {what}", f", {also}" if also else ""
    if seeds == 1:
        return f"{SIGNS[word]} ({holding_of_all}{also}, one seed)"
    others = "".join(f", {n} {how}" for how in ("contradicted", "undecided") if (n := outcomes.count(how)))
    return f"{word} ({holding_of_all} hold{others}{also}; {seeds} seeds)"


def unit(claim: int, statement: str) -> str:
    """In which a statement's difference is told."""
    if claim in (1, 6):
        return "nats" if claim == 1 else "Fréchet distance"
    of = {"error": "squared error", "distance": "Fréchet distance"}
    return next((told for what, told in of.items() if what in statement), "percentage points")


def glue_verdict(number: int, title: str, verdict: str) -> None:
    """Lets pages cite a claim's verdict, whole and in its first words."""
    name = f"claim_{number}_{title.replace(' ', '_')}"
    glue(name, verdict, display=False)
    glue(f"{name}_word", verdict.partition(" (")[0], display=False)


def show_claim(
    number: int, test: Callable[[Results], Verdict], results: list[Results], printed: dict[str, float] | None = None
) -> None:
    """Displays a claim's verdict on each of several results, and the comparisons behind it as a forest plot over
    their numbers; pages may glue the verdict. `printed` holds the paper's own differences, by comparison."""
    verdicts = {result.title: test(result) for result in results}
    for title, (verdict, _) in verdicts.items():
        glue_verdict(number, title, verdict)
    show_text("\n\n".join(f"**Claim {number}, {title}:** {verdict}." for title, (verdict, _) in verdicts.items()))
    show_tabs({r.title: partial(_show_comparisons, number, r, verdicts[r.title][1], printed or {}) for r in results})


def _show_comparisons(number: int, result: Results, tested: dict[str, Comparison], printed: dict[str, float]) -> None:
    if not tested:
        return
    name = f"claim-{number}-{result.title.replace(' ', '-')}"
    words = [OF_ONE_SEED[c.outcome] if c.difference.n == 1 else c.outcome for c in tested.values()]
    show_figure(
        forest(tested, printed, {n: unit(number, n) for n in tested}),
        f"fig-{name}",
        f"**Claim {number}, comparison by comparison, {result.title}.** Each row says that its difference lies right "
        "of the line. Bars: 95 % intervals of the mean (none where there is one seed); round and blue, it holds; "
        "a cross and orange, contradicted; square and grey, undecided. The word goes by p, corrected over the claim's "
        "comparisons, so a grey bar may miss the line."
        + " Diamonds: the difference that the paper prints."
        * bool(printed),
        f"Differences of claim {number} with their intervals around zero, {result.title}: "
        + "; ".join(f"{n.replace('beta', 'β')}, {w}" for n, w in zip(tested, words, strict=True)),
        sources([result]),
        vector=True,
    )
    table = partial(
        show_table,
        comparisons(tested, number),
        f"tab-{name}",
        f"The comparisons of claim {number}, {result.title}: mean difference with its 95 % interval, p, and "
        "effect size (the mean over the standard deviation of the seeds' differences).",
        sources([result]),
    )
    show_folded("The numbers", table)


def comparisons(tested: dict[str, Comparison], claim: int) -> pd.DataFrame:
    """A row a comparison: the difference with its interval, its unit, p, effect size, and what came out."""
    rows = {
        name.replace("beta", "β"): (
            f"{c.difference:.2f}",
            unit(claim, name),
            "—" if np.isnan(c.p) else "< 0.001" if c.p < 0.001 else f"{c.p:.3f}",
            _effect(c.effect),
            c.outcome if c.difference.n > 1 else OF_ONE_SEED[c.outcome],
        )
        for name, c in tested.items()
    }
    return pd.DataFrame(
        rows.values(),
        index=pd.Index(rows, name="comparison"),
        columns=["difference", "unit", "p", "effect size", "the claim"],
    )


def _effect(size: float) -> str:
    if np.isnan(size):
        return "—"
    return signed(size, ".1f") if abs(size) <= LARGE else f"> {LARGE}" if size > 0 else f"< −{LARGE}"
