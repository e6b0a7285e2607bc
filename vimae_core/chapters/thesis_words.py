"""Claims 7 to 9 in words: verdicts, by the rules of book/claims.md, and what their statements came to."""

from myst_nb import glue

from vimae_core.chapters.capacity import CLEAN, HEAVY
from vimae_core.chapters.conventions import ENOUGH_RATE
from vimae_core.chapters.doses import CONDITIONS
from vimae_core.chapters.statements import Told
from vimae_core.chapters.statements_words import MISSING, NOT_RUN, SO_FAR, in_brief, word
from vimae_core.chapters.thesis import Group, Road, of_doubling, roads
from vimae_core.report.statistics import Mean, mean_over_seeds, signed

Claims = dict[int, dict[str, Told]]
NAMES = {CLEAN: "on clean digits", HEAVY[0]: "under noise (σ = 0.4)", HEAVY[1]: "on half-masked digits"}
SOME = "not all run"


def verdicts(claims: Claims, disentangled: dict[str, Told]) -> dict[int, str]:
    """By claim: a word and what it rests on. Claim 8's statements are on robustness, and those of chapter
    `disentanglement`; of claims 7 and 9 one half is decided by formula."""
    of_slopes, equal = slopes(claims[7]), equalities(claims[7])
    robust, nine = claims[8], claims[9]
    seven = _open(claims[7]) or ("reproduced" if _hold(claims[7]) else "partly reproduced")
    half = "partly reproduced" if _hold(robust) or _hold(disentangled) else "not reproduced"
    eight = "reproduced" if _hold(robust) and _hold(disentangled) else half
    last = _open(nine) or ("partly reproduced" if _hold(nine) else "not reproduced")
    brief = lambda of: ", ".join(in_brief(of))  # noqa: E731
    return {
        7: f"{seven}: it has less, by formula; that this makes the difference: {brief(of_slopes)}; that at one entropy "
        f"nothing else does: {brief(equal)}",
        8: f"{_open({**robust, **disentangled}) or eight}: on robustness, {brief(robust)}; on disentanglement, "
        f"{brief(disentangled)}",
        9: f"{last}: by calculation, of one of its two terms only; with a decoder that needs no code: {brief(nine)}",
    }


def _hold(of: dict[str, Told]) -> bool:
    return {word(t) for t in of.values()} == {"holds"}


def _open(of: dict[str, Told]) -> str:
    """That none of its runs is there, or not all; nothing where all are."""
    words = {word(t) for t in of.values()}
    return NOT_RUN if words == {NOT_RUN} else SOME if words & {NOT_RUN, SO_FAR} else ""


def glue_claims(told: dict[int, str]) -> None:
    """Lets pages cite each claim's verdict."""
    for claim, verdict in told.items():
        glue(f"third_{claim}", verdict, display=False)


def slopes(of_claim_7: dict[str, Told]) -> dict[str, Told]:
    """Those of its statements that claim a difference."""
    return {name: t for name, t in of_claim_7.items() if t.statement.margin is None}


def equalities(of_claim_7: dict[str, Told]) -> dict[str, Told]:
    """Those that claim that there is none."""
    return {name: t for name, t in of_claim_7.items() if t.statement.margin is not None}


def in_short_of(claims: Claims) -> str:
    """The chapter's box: does capacity explain it?"""
    told = [t for t in (_on_every_road(claims[8]), _by_entropy_in_brief(claims[7])) if t]
    return "\n\n".join(told) or MISSING


def on_the_first_page(claims: Claims) -> str:
    """The thesis in two sentences."""
    found = _on_every_road(claims[8]) or "Its runs are not all there yet."
    return f"Is it the capacity that makes a code robust, as the [thesis](07_capacity.ipynb) says? {found}"


def _by_entropy_in_brief(told: dict[str, Told]) -> str:
    """How claim 7's slopes and equalities came out, and in how many the paper's is excluded; none while runs lack."""
    if _open(told):
        return ""
    of_slopes, equal = slopes(told), equalities(told)
    excluded = sum(bool(t.excludes) for t in of_slopes.values())
    return (
        f"**Accuracy over the entropy of the prior:** the claim's slopes, {', '.join(in_brief(of_slopes))}; the slope "
        f"that the paper's difference of two priors would ask for is excluded in {excluded} of {len(of_slopes)}. That "
        f"at one entropy priors differ by less than the paper's two: {', '.join(in_brief(equal))}."
    )


def of_entropy(told: dict[str, Told]) -> str:
    """Claim 7's slopes beside the paper's, and what is equivalent; none of a single seed."""
    by_condition = [(c, next(t for n, t in told.items() if "entropy, " in n and n.endswith(c))) for c in CONDITIONS]
    if any(t.outcome is None or t.outcome.seeds < 2 for _, t in by_condition):
        return ""
    parts = []
    for c, t in by_condition:
        sign = 1 if c == CLEAN else -1
        mean = _turned(t.outcome.difference, sign)
        excluded = ", and the paper's is excluded" * bool(t.excludes)
        parts.append(
            f"{NAMES[c]} {mean.with_ends('.1f')}, where the paper's difference would ask for "
            f"{signed(sign * t.statement.paper, '.0f')}: {word(t)}{excluded}"
        )
    return (
        f"**Accuracy over the entropy of the prior**, points a nat a coordinate, {by_condition[0][1].outcome.seeds} "
        f"seeds, intervals as corrected: {'; '.join(parts)}.{_of_equal(equalities(told))}"
    )


def _of_equal(equal: dict[str, Told]) -> str:
    """How many of the differences at one entropy are smaller than the paper's, of those that have a word."""
    words = {name: word(t) for name, t in equal.items()}
    ran = [w for w in words.values() if w not in (SO_FAR, NOT_RUN)]
    if not ran:
        return ""
    larger = [f"{n} {equal[n].outcome.difference.with_ends('.1f')}" for n, w in words.items() if w == "contradicted"]
    undecided = f", undecided in {ran.count('undecided')}" * ("undecided" in ran)
    missing = f" ({len(words) - len(ran)} more lack runs)" * (len(ran) < len(words))
    beyond = f" It is larger in {len(larger)}: {'; '.join(larger)}." if larger else ""
    return (
        f" Between priors of one entropy the difference is smaller than the paper's in {ran.count('holds')} of "
        f"{len(ran)} comparisons{undecided}{missing}.{beyond}"
    )


def _turned(mean: Mean, sign: int) -> Mean:
    return mean if sign > 0 else Mean(-mean.value, -mean.high, -mean.low, mean.n)


def _on_every_road(told: dict[str, Told]) -> str:
    """Claim 8's slopes in a sentence: whether less capacity is more robust, or less; none while runs lack."""
    if _open(told):
        return ""
    words = [word(t) for t in told.values()]
    as_claimed, against, undecided = (words.count(w) for w in ("holds", "contradicted", "undecided"))
    rest = f"; {undecided} {'is' if undecided == 1 else 'are'} undecided" if undecided else ""
    of_all = lambda n: f"all {n}" if n == len(words) else f"{n} of {len(words)}"  # noqa: E731
    if as_claimed and against:
        return (
            f"**It depends on what is varied:** of {len(words)} slopes of the accuracy on corrupted digits over a "
            f"capacity {as_claimed} {'is' if as_claimed == 1 else 'are'} as claimed, and {against} the other way "
            f"round{rest}."
        )
    if as_claimed:
        return f"**The less capacity, the more accurate on corrupted digits**, in {of_all(as_claimed)} slopes{rest}."
    if against:
        return f"**The less capacity, the less accurate on corrupted digits**, in {of_all(against)} slopes{rest}."
    return "**Nothing is decided:** that less capacity is more robust was not shown, nor that it is less."


def of_capacity(told: dict[str, Told], groups: Group) -> str:
    """What claim 8's slopes say together; then a line a road: each, that on clean digits, and where the accuracy is
    highest; and what the slopes are without doses whose codes are empty."""
    first = _on_every_road(told)
    if not first:
        return ""
    lines = []
    for name, road in roads(groups).items():
        parts = []
        for c in (*HEAVY, CLEAN):
            registered = told.get(f"{name}, {c}")
            slope = registered.outcome.difference if registered else mean_over_seeds(of_doubling(road, c).tolist())
            means = road.table.groupby(road.dose)[c].mean()
            parts.append(
                f"{NAMES[c]} {slope.with_ends('.2f')}, {word(registered) if registered else 'no word'}, highest at "
                f"{road.symbol} = {means.idxmax():g}"
            )
        lines.append(f"- *{name}*: {'; '.join(parts)}.{_without_empty(road)}")
    return (
        f"{first} Points of accuracy a doubling, positive where less capacity is better; intervals as corrected, on "
        "clean digits of 95 %. A slope says nothing of a best dose in between, so that stands beside it.\n\n"
        + "\n".join(lines)
    )


def _without_empty(road: Road) -> str:
    """The slopes under corruption of the doses whose codes say something, where there are others."""
    rates = road.table.groupby(road.dose)["rate"].mean()
    empty = rates[rates < ENOUGH_RATE].index
    alive = road._replace(table=road.table[~road.table[road.dose].isin(empty)])
    by = {c: of_doubling(alive, c) for c in HEAVY}
    if not len(empty) or any(len(of) < 2 for of in by.values()):
        return ""
    parts = [f"{NAMES[c]} {mean_over_seeds(of.tolist()).with_ends('.2f')}" for c, of in by.items()]
    return (
        f" At {road.symbol} = {' and '.join(f'{dose:g}' for dose in empty)} the code is empty (a rate below "
        f"{ENOUGH_RATE:g} nat): without it, {', '.join(parts)} (95 %)."
    )
