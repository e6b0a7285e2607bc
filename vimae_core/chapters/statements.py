"""Claims 1 to 6 in statements, each a difference that it says is above zero, and what came out of them.

Fixed, with their tests, in book/second_analysis.md.
"""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from vimae_core.chapters.capacity import CLEAN, HEAVY, TABLE_1, VIMAE, accuracies
from vimae_core.chapters.conventions import ENOUGH_RATE, digits, first_seeds, plane
from vimae_core.chapters.faces import FAR, NEAR, second
from vimae_core.profiles import parameters
from vimae_core.report.claims import difference, measured
from vimae_core.report.outcomes import Outcome, at_the_papers_mean, corrected_intervals, equivalent
from vimae_core.report.paper import paper_values
from vimae_core.report.results import Results, reference_results
from vimae_core.report.statistics import Mean

MAX_KL = 0.1  # nats
KEPT = 0.9  # of the labels


class Statement(NamedTuple):
    """Seeds by draws, empty where it was not run; claimed to be above 0, or, with a margin, within ± it."""

    values: np.ndarray
    paper: float | None = None  # its own effect, where it prints one
    margin: float | None = None
    word: str | None = None  # where the outcome is not the interval's


class Told(NamedTuple):
    """A statement and what came out; None: not yet run."""

    statement: Statement
    outcome: Outcome | None
    could_hold: bool | None  # whether this spread around the paper's effect would have held; None: open
    excludes: bool | None  # whether the paper's effect is another, by Holm's method over these differences from it


def claim_1(results: Results) -> dict[str, Statement]:
    """Figure 1: the VAE does not fit its prior, the others do; an empty code is no fit."""
    found = {}
    for model, fits in (("VAE", False), ("beta-VAE", True), ("VIMAE-n", True), ("VIMAE-l", True)):
        kl, rates = (np.array(list(measured(results, model, m).values())) for m in ("kl", "rate"))
        empty = len(rates) > 0 and rates.mean() < ENOUGH_RATE
        words = ("sign agrees", "sign disagrees") if len(rates) == 1 else ("holds", "contradicted")
        word = words[fits] if empty else None
        found[f"{model} {'fits' if fits else 'does not fit'}"] = Statement(
            MAX_KL - kl if fits else kl - MAX_KL, word=word
        )
    return found


def claim_2(results: Results) -> dict[str, Statement]:
    """Table 1: beta-VAE and both VIMAE classify better than the VAE under each condition."""
    pairs = [(m, "VAE", c) for m in ("beta-VAE", "VIMAE-n", "VIMAE-l") for c in TABLE_1]
    return dict(_better(results, *pair) for pair in pairs)


def claim_3(results: Results) -> dict[str, Statement]:
    """Table 1: VIMAE-n is best on clean digits, VIMAE-l under heavy corruption, and VIMAE-l loses less."""
    clean = [("VIMAE-n", m, CLEAN) for m in ("VAE", "beta-VAE", "VIMAE-l")]
    heavy = [("VIMAE-l", m, c) for c in HEAVY for m in ("VAE", "beta-VAE", "VIMAE-n")]
    found = dict(_better(results, *pair) for pair in (*clean, *heavy))
    for c in HEAVY:
        (_, there), (_, here) = (_better(results, "VIMAE-l", "VIMAE-n", condition) for condition in (c, CLEAN))
        values = there.values - here.values if there.values.size else there.values
        found[f"loss of VIMAE-n − of VIMAE-l, {c}"] = Statement(values, there.paper - here.paper)
    return found


def _better(results: Results, one: str, other: str, condition: str) -> tuple[str, Statement]:
    table = paper_values()["table_1"]
    printed = {m: table[m][table["conditions"].index(condition)] for m in (one, other)}
    values = difference(accuracies(results, one, condition), accuracies(results, other, condition))
    return f"{one} − {other}, {condition}", Statement(values, printed[one] - printed[other])


def claim_4(results: Results) -> dict[str, Statement]:
    """Figure 2: all reconstruct, better than principal components; VIMAE generates better than VAE and beta-VAE."""
    of = lambda model, m: measured(results, model, m)  # noqa: E731
    rebuilt = {
        f"error of PCA − error of {m}": Statement(difference(of(m, "pca_error"), of(m, "reconstruction_error")))
        for m in ("VAE", "beta-VAE", "VIMAE-n", "VIMAE-l")
    }
    samples = {
        f"distance of {other} − distance of {m}": Statement(
            difference(of(other, "prior_frechet"), of(m, "prior_frechet"))
        )
        for m in ("VIMAE-n", "VIMAE-l")
        for other in ("VAE", "beta-VAE")
    }
    return {**rebuilt, **samples}


def claim_5(results: Results) -> dict[str, Statement]:
    """Figure 2: from half-masked digits VIMAE gives the clean one, better than PCA and an AE, with its class."""
    of = lambda model, m: measured(results, model, m)  # noqa: E731
    found = {}
    for m in ("VIMAE-n", "VIMAE-l"):
        mended = of(m, "corrupted_error")
        found[f"error of PCA, masked − error of {m}, masked"] = Statement(
            difference(of(m, "corrupted_pca_error"), mended)
        )
        found[f"error of AE, masked − error of {m}, masked"] = Statement(
            difference(of("AE", "corrupted_error"), mended)
        )
        needed = {seed: [KEPT * kept] for seed, (kept,) in of(m, "label_kept").items()}
        found[f"{m}: label kept, masked − {KEPT} × clean"] = Statement(
            difference(of(m, "corrupted_label_kept"), needed)
        )
    return found


def claim_6(results: Results) -> dict[str, Statement]:
    """Figure 3, Table 2: VIMAE far better than the VAE on faces, VIMAE-n slightly better than VIMAE-l, nearly equal."""
    vae, n, l_ = (measured(results, m, "prior_distance") for m in ("VAE", "VIMAE-n", "VIMAE-l"))
    bar = {seed: [FAR * value] for seed, (value,) in vae.items()}
    apart = difference(l_, n)
    mean = np.mean([*n.values(), *l_.values()]) if apart.size else np.nan
    return {
        "5/6 of the VAE's distance − VIMAE-n's": Statement(difference(bar, n)),
        "5/6 of the VAE's distance − VIMAE-l's": Statement(difference(bar, l_)),
        "VIMAE-l's distance − VIMAE-n's": Statement(apart),
        f"VIMAE-n and VIMAE-l within {100 * NEAR:.0f} %": Statement(apart, margin=NEAR * mean if apart.size else None),
    }


CLAIMS = {1: claim_1, 2: claim_2, 3: claim_3, 4: claim_4, 5: claim_5, 6: claim_6}


def told(statements: dict[str, Statement], seeds: Callable[[str], int] = lambda name: 1) -> dict[str, Told]:
    """What came out of a claim's statements, corrected together; `seeds(name)`: how many one is to have.

    No word before all of them are there: who stops where it suits him finds what suits him. And none that the claim's
    other statements can still change: those without all seeds count as p = 1, beside which what is decided stays so,
    and what is undecided is so only when all are there.
    """
    tests = [name for name, s in statements.items() if s.margin is None]
    whole = {name: s.values for name, s in statements.items() if s.values.size and len(s.values) >= seeds(name)}
    final = all(name in whole for name in tests)

    def corrected(tables: dict[str, np.ndarray]) -> dict[str, Outcome]:
        return corrected_intervals(tables, tests=len(tests))

    outcomes = corrected({name: whole[name] for name in tests if name in whole})
    printed = {name: statements[name].paper for name in outcomes if statements[name].paper is not None}
    could = at_the_papers_mean({name: whole[name] for name in printed}, printed, tests=len(tests))
    apart = corrected({name: whole[name] - effect for name, effect in printed.items()})
    if not final:
        outcomes = {n: o._replace(word=f"{o.word} so far") if o.word == "undecided" else o for n, o in outcomes.items()}
    for name, s in statements.items():
        if name in whole and s.margin is not None:
            outcomes[name] = equivalent(s.values[:, 0], s.margin)
        elif name in whole and s.word:
            outcomes[name] = outcomes[name]._replace(word=s.word)
        elif s.values.size and name not in whole:
            (outcome,) = corrected({name: s.values}).values()
            outcomes[name] = outcome._replace(word=f"{outcome.seeds} of {seeds(name)} seeds")

    def sure(of: dict[str, Outcome], name: str, *words: str) -> bool | None:
        """Whether one of the words came out; None where it is not final that none did."""
        return None if name not in of else of[name].word in words or (False if final else None)

    return {
        name: Told(s, outcomes.get(name), sure(could, name, "holds"), sure(apart, name, "holds", "contradicted"))
        for name, s in statements.items()
    }


def between_priors(results: Results, convention: str) -> dict[str, Told]:
    """Claim 3's comparisons of VIMAE-n with VIMAE-l, the paper's smallest differences, in the committed `digits`."""
    found = told(claim_3(results.among(digits(parameters("conventions", "reference"), convention))))
    return {name: t for name, t in found.items() if all(model in name for model in VIMAE)}


def nearer_than_the_vae(results: Results) -> list[Mean]:
    """By how much VIMAE-n's and VIMAE-l's prior samples lie nearer than the VAE's: corrected within claim 4."""
    found = told(claim_4(results))
    return [found[f"distance of VAE − distance of {m}"].outcome.difference for m in VIMAE]


def by_convention(
    p: SimpleNamespace, faces_p: SimpleNamespace, digit_results: dict[str, Results], face_results: dict[str, Results]
) -> dict[str, dict[int, dict[str, Told]]]:
    """Convention -> claim -> statement -> what came out, from the results of chapters `conventions` and `faces`.

    Faces are asked under some conventions only: the others have no claim 6.
    """
    found = {}
    for c in p.conventions:
        on_digits = digit_results["digits"].among(digits(p, c))
        first = on_digits.among(first_seeds(p, c))  # the others are for VIMAE-n and VIMAE-l beside each other
        on_plane = digit_results["plane"].among(plane(p, c))
        of = {1: on_plane, 2: on_digits, 3: on_digits, 4: first, 5: first, 6: _faces(faces_p, c, face_results)}
        found[c] = {
            claim: told(test(of[claim]), partial(_registered, p, faces_p, c, claim))
            for claim, test in CLAIMS.items()
            if claim != 6 or c in ("bernoulli", *faces_p.conventions)
        }
    return found


def _registered(p: SimpleNamespace, faces_p: SimpleNamespace, convention: str, claim: int, name: str) -> int:
    """How many seeds a statement is to have."""
    if claim == 6:
        return len(faces_p.seeds if convention == "bernoulli" else faces_p.convention_seeds)
    more = claim in (2, 3) and convention in p.more_conventions and all(m in name for m in p.more_methods)
    return len(p.plane_seeds) if claim == 1 else len(p.seeds) + more * len(p.more_seeds)


def of_the_reference() -> tuple[dict[str, dict[int, dict[str, Told]]], dict[int, list[Results]]]:
    """What came out in the committed records, by convention; and each claim's results, where they are."""
    results, faces = reference_results("conventions", None), reference_results("faces", None)
    found = by_convention(parameters("conventions", "reference"), parameters("faces", "reference"), results, faces)
    of = {1: [results["plane"]], 6: [faces["table"], faces["second"]]}
    return found, {claim: [r for r in of.get(claim, [results["digits"]]) if r] for claim in CLAIMS}


def _faces(p: SimpleNamespace, convention: str, results: dict[str, Results]) -> Results:
    """Under `bernoulli` the first analysis's."""
    return results["table"] if convention == "bernoulli" else results["second"].among(second(p, convention))
