"""What came out of the statements, in words: of all in three sentences, of a claim in brief, for pages and chapters."""

import pandas as pd
from myst_nb import glue

from vimae_core.chapters.statements import Told, of_the_reference
from vimae_core.report.results import sources
from vimae_core.report.show import show_table

ByConvention = dict[str, dict[int, dict[str, Told]]]

NOT_RUN, SO_FAR = "not yet run", "to come"  # no run; runs of it, or of what it is corrected with, are missing
MISSING = "What the reference says stands here as soon as all of its runs are there."
DECIDED = ("holds", "undecided", "contradicted")
WORDS = ("holds", "sign agrees", "undecided", "sign disagrees", "contradicted", SO_FAR, NOT_RUN)
FEW = 2  # names of a claim's statements in a sentence
COUNTED = {"holds": "hold", "sign agrees": "signs agree", "sign disagrees": "signs disagree"}


def word(told: Told) -> str:
    """What came out, or that not all of its seeds are there, or none."""
    return NOT_RUN if told.outcome is None else told.outcome.word if told.outcome.word in WORDS else SO_FAR


def in_numbers(claims: dict[int, dict[str, Told]]) -> str:
    """How many statements of a convention came out how."""
    words = [word(t) for of_claim in claims.values() for t in of_claim.values()]
    return ", ".join(f"{words.count(w)} {COUNTED.get(w, w) if words.count(w) > 1 else w}" for w in WORDS if w in words)


def in_brief(of_claim: dict[str, Told]) -> list[str]:
    """What came of a claim under a convention: that it holds, or how many of its statements came out how."""
    words = [word(told) for told in of_claim.values()]
    if set(words) <= {NOT_RUN, SO_FAR}:
        return [NOT_RUN if set(words) == {NOT_RUN} else "runs are missing"]
    if set(words) == {"holds"}:
        return [f"all {len(words)} hold" if len(words) > 1 else "holds"]
    return [f"{words.count(w)} {COUNTED.get(w, w) if words.count(w) > 1 else w}" for w in WORDS if w in words]


def briefly(found: ByConvention) -> str:
    """Is there a convention under which all holds, and how many statements hold under each?"""
    counts = "; ".join(f"under `{c}` {in_numbers(claims)}" for c, claims in found.items())
    return f"{_whole(found)} Of the statements that claims 1 to 6 make: {counts}."


def _whole(found: ByConvention) -> str:
    """The sentence on whether there is one convention under which every statement holds."""
    every = {(claim, name) for claims in found.values() for claim, of in claims.items() for name in of}
    words = {c: [word(t) for of in claims.values() for t in of.values()] for c, claims in found.items()}
    whole = [c for c, of in words.items() if len(of) == len(every) and set(of) == {"holds"}]
    if whole:
        return f"**Under {' and '.join(f'`{c}`' for c in whole)} every statement holds.**"
    if all(len(of) < len(every) or {"undecided", "contradicted"} & set(of) for of in words.values()):
        return "**There is no convention under which every statement holds.**"
    return "**No convention is known yet under which every statement holds.**"


def in_sentences(found: ByConvention) -> str:
    """Is there one convention under which all holds; what holds under all of them, and what under none?"""
    words = {  # a difference may be a statement of two claims, corrected with others in each
        c: {(claim, name): word(told) for claim, of in claims.items() for name, told in of.items()}
        for c, claims in found.items()
    }
    every = list(dict.fromkeys(n for of in words.values() for n in of))
    open_ = sum(w not in DECIDED for of in words.values() for w in of.values())
    first = _whole(found)
    if open_:
        first += f" {open_} of {sum(map(len, words.values()))} cells have no word yet, as runs are missing."
    run = {n: [of[n] for of in words.values() if of.get(n) in DECIDED] for n in every}
    run = {n: of for n, of in run.items() if len(of) > 1}  # one convention is not several
    if not run:
        return first
    under_all, under_none, refuted = (
        _listed([n for n, of in run.items() if test(set(of))], every)
        for test in (lambda of: of == {"holds"}, lambda of: "holds" not in of, lambda of: of == {"contradicted"})
    )
    return (
        f"{first} {len(run)} statements have a word under two conventions or more. Under each of those hold "
        f"{under_all}; under none of them {under_none}; contradicted under each are {refuted}. (Under `bernoulli` and "
        "`constrained` an AE, a VAE and a β-VAE are the same runs: they have nothing to constrain.)"
    )


def _listed(some: list[tuple[int, str]], every: list[tuple[int, str]]) -> str:
    """How many, and which, claim by claim: by name where they are few."""
    parts = []
    for claim in dict.fromkeys(claim for claim, _ in some):
        own, all_ = ([name for c, name in of if c == claim] for of in (some, every))
        names = ", ".join(name.replace("beta", "β") for name in own)
        many = f"all {len(all_)}" if len(own) == len(all_) else f"{len(own)} of {len(all_)}"
        parts.append(f"claim {claim}: {names if len(own) <= FEW else many}")
    return f"{len(some)} ({'; '.join(parts)})" if some else "none"


def glue_claims(found: ByConvention) -> None:
    """Lets pages cite each claim's outcome under each convention in a few words."""
    for convention, claims in found.items():
        for claim, of in claims.items():
            glue(f"second_{claim}_{convention.replace('-', '_')}", ", ".join(in_brief(of)), display=False)


def show_readings(claims: list[int]) -> None:
    """Displays how a chapter's claims come out under each convention of the second analysis, in the reference runs."""
    found, behind = of_the_reference()
    asked_all = {c: of for c, of in found.items() if set(claims) <= set(of)}
    statements = next(iter(asked_all.values()))
    table = {
        f"claim {n}, {len(statements[n])} statements": [", ".join(in_brief(of[n])) for of in asked_all.values()]
        for n in claims
    }
    shown = list({id(r): r for claim in claims for r in behind[claim]}.values())
    show_table(
        pd.DataFrame(table, index=pd.Index([f"`{c}`" for c in asked_all], name="convention")),
        f"tab-readings-{claims[0]}",
        "How many statements of "
        + " and ".join(f"[claim {claim}](tab-statements-{claim})" for claim in claims)
        + " hold under each convention of the [second analysis](second-statements); `wae` was argued beforehand to be "
        "the paper's own.",
        sources(shown) if shown else "Provenance: not yet run.",
    )
