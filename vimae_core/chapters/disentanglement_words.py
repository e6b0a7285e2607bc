"""Claim 8, disentangled, in words: what came of its comparisons, of the floors, the information and the factors."""

import numpy as np
import scipy

from vimae_core.chapters.disentanglement import (
    FLOORS,
    PAIRS,
    SCORES,
    best_floor,
    by_factor,
    models_of,
)
from vimae_core.chapters.statements import Told
from vimae_core.chapters.statements_words import NOT_RUN, SO_FAR, WORDS, in_brief, word
from vimae_core.report.results import Results
from vimae_core.report.statistics import mean_over_seeds, signed

NEAR = 0.1  # nats below the ceiling: as much as the mixture of all posteriors can show


def briefly(found: dict[str, Told], results: Results, floors: Results) -> str:
    """What came of the comparisons, and how many models lie above what needs no training: for the chapter's box."""
    if not (results and floors):
        return _counted(found)
    above = ", ".join(f"{len(_above(results, floors, score))} in {title}" for score, title in SCORES.items())
    return (
        f"{_counted(found)} Of {len(models_of(results))} models so many have a higher mean than the best of three "
        f"codes that no network had to learn: {above}."
    )


def _counted(found: dict[str, Told]) -> str:
    """How many of the comparisons came out as claimed, the other way round and neither."""
    said = (
        "The paper claims that a small capacity disentangles, and measures it nowhere. Here four scores compare four "
        "pairs of models on toy faces"
    )
    words = [word(t) for t in found.values()]
    if set(words) <= {NOT_RUN, SO_FAR}:
        return f"{said}: {len(words)} comparisons, {', '.join(in_brief(found))}."
    if set(words) == {"holds"}:
        return f"**All {len(words)} comparisons come out as claimed.** {said}."
    if set(words) == {"undecided"}:
        return (
            f"**None of the {len(words)} comparisons is decided:** that the models which the claim names are more "
            f"disentangled was not shown, nor that they are not. {said}."
        )
    holds, contradicted, undecided = (words.count(w) for w in ("holds", "contradicted", "undecided"))
    missing = len(words) - holds - contradicted - undecided
    rest = [f"{undecided} undecided"] * bool(undecided) + [f"{missing} without a word yet"] * bool(missing)
    told = ", ".join([f"{holds} come{'s' * (holds == 1)} out as claimed", f"{contradicted} the other way round", *rest])
    return f"**Of {len(words)} comparisons {told}.** {said}."


def in_sentences(found: dict[str, Told]) -> str:
    """A line a pair: in which scores it is more disentangled, as claimed, in which less, and which decide nothing."""
    lines = []
    for pair in PAIRS:
        of = {title: found[f"{pair}, {title}"] for title in SCORES.values()}
        parts = [
            f"{w} in {', '.join(_with_number(title, t) for title, t in of.items() if word(t) == w)}"
            for w in WORDS
            if w in map(word, of.values())
        ]
        lines.append(f"- **{pair}:** {'; '.join(parts)}.")
    return "\n".join(lines)


def _with_number(title: str, told: Told) -> str:
    if word(told) not in ("holds", "contradicted"):
        return title
    return f"{title} by {told.outcome.difference.with_ends('.2f')}"


def of_floors(results: Results, floors: Results) -> str:
    """A line a score: the model with the highest mean, the best floor, and how many models lie above that."""
    lines = []
    for score, title in SCORES.items():
        means = {m: mean_over_seeds(results.values(m, score)) for m in models_of(results)}
        best = max(means, key=lambda m: means[m].value)
        name, bar = best_floor(floors, score)
        above = len(_above(results, floors, score))
        lines.append(
            f"- **{title}:** the highest mean is that of {best}, {means[best]:.2f}; the best floor, {FLOORS[name]}, "
            f"has {bar:.2f}, and {above} of {len(means)} models have a higher mean."
        )
    return "\n".join(lines)


def _above(results: Results, floors: Results, score: str) -> list[str]:
    """The models whose mean over seeds is higher than the best floor's."""
    bar = best_floor(floors, score)[1].value
    return [m for m in models_of(results) if np.mean(results.values(m, score)) > bar]


def of_information(results: Results) -> str:
    """Which models tell less than the mixture can show, and how the scores' order goes with the bound from above."""
    models = models_of(results)
    mean = lambda m, column: float(np.mean(results.values(m, column)))  # noqa: E731
    low, high = ({m: mean(m, column) for m in models} for column in ("information", "information_above"))
    less = [m for m in models if low[m] < mean(m, "ceiling") - NEAR]
    told = "; ".join(f"{m} ({signed(low[m], '.1f')} to {signed(high[m], '.1f')})" for m in less)
    text = (
        f"{len(models) - len(less)} of {len(models)} models tell at least as much as the mixture can show, within "
        f"{NEAR:g} nats of its ceiling: of what they tell only bounds are known. Those whose bound from below lies "
        f"under it, from below to above in nats: {told or 'none'}."
    )
    if len(models) < 3:  # which have an order, and no correlation
        return text
    ranks = [
        f"{signed(rank.statistic, '.2f')} for {title}"
        for s, title in SCORES.items()
        for rank in [scipy.stats.spearmanr([mean(m, s) for m in models], list(high.values()))]
    ]
    return (
        f"{text} The rank correlation of the models' mean scores with the bound from above is {', '.join(ranks)}. No "
        "word was registered for it."
    )


def of_factors(results: Results) -> str:
    """Which factors the codes predict best and least, and which has most of a coordinate of its own."""
    explained, gaps = (by_factor(results, measure) for measure in ("explained", "gaps"))
    order = explained.mean().sort_values(ascending=False)
    first, last = (f"{_said(f)} (R² {signed(order[f], '.2f')})" for f in (order.index[0], order.index[-1]))
    model, factor = gaps.stack().idxmax()
    return (
        f"By the mean over the models the codes predict {first} best and {last} least. The largest gap of all, "
        f"{gaps.loc[model, factor]:.2f}, is that of {_said(factor)} in {model}; the mean of all gaps is "
        f"{gaps.to_numpy().mean():.2f}."
    )


def _said(factor: str) -> str:
    return f"*{factor.replace('_', ' ')}*"
