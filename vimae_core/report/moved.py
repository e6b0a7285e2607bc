"""What moved beside the committed reference, numbers and verdicts: python -m vimae_core.report.moved PROFILE.

A number is the mean over seeds of a model's runs. How far it moved is told in standard errors of the difference.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from vimae_core.asked import Asked, asked_runs, profiles_of
from vimae_core.chapters import CHAPTERS, capacity, faces, generation, load_chapter
from vimae_core.chapters.latent_shape import verdict_on_claim_1
from vimae_core.chapters.statements import by_convention
from vimae_core.chapters.statements_words import DECIDED, word
from vimae_core.chapters.thesis import in_doses
from vimae_core.config import UNSCIENTIFIC, RunConfig
from vimae_core.data import ROOT
from vimae_core.evaluation.record import as_measured
from vimae_core.profiles import parameters
from vimae_core.report.claims import OF_ONE_SEED, SIGNS
from vimae_core.report.results import Results, how_small, reference_results
from vimae_core.report.statistics import signed
from vimae_core.runs import Run
from vimae_core.store import RunError, config_digest, read_json

REPORT = ROOT / "_build" / "report.txt"
FAR = 2.0  # standard errors; by chance one number in twenty is farther
SHOWN = 8  # of those, on the terminal
MEASURES = {
    "kl": "KL",
    "squared_error": "squared error",
    "prior_frechet": "Fréchet distance of samples",
    "reconstruction_error": "error of reconstructions",
    "label_kept": "labels kept, %",
    "prior_distance": "Fréchet distance of faces",
    "information_above": "information, from above",
    "mig": "MIG",
    "disentanglement": "DCI",
    "sap": "SAP",
    "factor_vae": "FactorVAE score",
}
CLAIMS: dict[int, tuple[str, str, Callable[[Results, SimpleNamespace], str]]] = {
    1: ("latent_shape", "figure", lambda r, p: verdict_on_claim_1(r, p.max_kl)),
    2: ("capacity", "table", lambda r, p: capacity.claim_2(r)[0]),
    3: ("capacity", "table", lambda r, p: capacity.claim_3(r)[0]),
    4: ("generation", "table", lambda r, p: generation.claim_4(r)[0]),
    5: ("generation", "table", lambda r, p: generation.claim_5(r)[0]),
    6: ("faces", "table", lambda r, p: faces.claim_6(r)[0]),
}
OF_SEVERAL_SEEDS = {  # what a word for one seed's sign would be called of several
    "verdict": {sign: verdict for verdict, sign in SIGNS.items()},
    "statement": {sign: outcome for outcome, sign in OF_ONE_SEED.items()},
}
ALL = dict[str, dict[str, Results]]  # chapter -> group


class Moved(NamedTuple):
    """A number here and in the reference; `errors`: their difference in standard errors, nan where it has none."""

    where: str
    build: float
    reference: float
    errors: float
    same: bool  # of runs with the same configurations


def in_errors(build: list[float], reference: list[float]) -> float:
    """The difference of two means over seeds in standard errors of it; nan where the reference has one seed.

    Of one seed here, the reference's spread over seeds says how far another one may lie.
    """
    b, r = np.array(build, dtype=float), np.array(reference, dtype=float)
    if len(r) < 2:
        return math.nan
    if not (np.isfinite(b).all() and np.isfinite(r).all()):
        return 0.0 if b.mean() == r.mean() else math.inf
    own = b.var(ddof=1) / len(b) if len(b) > 1 else r.var(ddof=1)
    error = math.sqrt(own + r.var(ddof=1) / len(r))
    apart = float(b.mean() - r.mean())
    return apart / error if error else math.copysign(math.inf, apart) if apart else 0.0


def stored(profile: str) -> tuple[ALL, list[str]]:
    """This build's results, of the runs that the store has with today's measures; and which cannot be read, why."""
    of = {config_digest(one.config): one for one in asked_runs(profile)}
    runs: dict[str, tuple[Run, dict]] = {}
    faults = []
    for digest, one in of.items():
        try:
            if one.is_trained and (found := _measured(one)):
                runs[digest] = found
        except (RunError, ValueError, TypeError, KeyError) as error:
            faults.append(str(error) if isinstance(error, RunError) else f"{one.path} is damaged ({error!r})")
    results = {}
    for chapter, own in profiles_of(profile).items():
        module, p = load_chapter(chapter), parameters(chapter, own)
        results[chapter] = {}
        for group, configs in module.runs(p).items():
            pairs = [runs[d] for d in dict.fromkeys(map(config_digest, configs)) if d in runs]
            columns = {id(run): _columns(record, module.measures(group, p)) for run, record in pairs}
            there = [run for run, _ in pairs]
            results[chapter][group] = Results.of(
                "this build", CHAPTERS[chapter], own, there, lambda run, columns=columns: columns[id(run)]
            )
    return results, faults


def _measured(one: Asked) -> tuple[Run, dict] | None:
    record = read_json(one.record) if one.record.is_file() else {}
    return None if one.lacking() else (Run.load(one.path), record)


def _columns(record: dict, measures: dict[str, dict]) -> dict:
    return {name: as_measured(value) for measure in measures for name, value in record[measure].items()}


def moved(build: Results, reference: Results) -> list[Moved]:
    """Every number of a group that has its like in the reference: of the same configuration, else of the one run there
    that differs in size alone (epochs, images, width and learning rate)."""
    here, there = _by_model(build), _by_model(reference)
    names = _names(here)
    found = []
    for model, values in here.items():
        same = model in there
        like = [model] if same else [other for other in there if _at_any_size(other) == _at_any_size(model)]
        if len(like) == 1:
            both = [(name, one, there[like[0]][name]) for name, one in values.items() if name in there[like[0]]]
            found += [
                Moved(f"{names[model]}: {n}", float(np.mean(b)), float(np.mean(r)), in_errors(b, r), same)
                for n, b, r in both
            ]
    return found


Model = tuple[RunConfig, str]  # without its seed; the digest of its data


def _by_model(results: Results) -> dict[Model, dict[str, list[float]]]:
    """Model -> number -> a value a seed."""
    found: dict[Model, dict[str, list[float]]] = {}
    for run, row in zip(results.runs, results.table.to_dict("records"), strict=True):
        config = replace(run.config, seed=0, device="auto", data_root=None)
        numbers = {title: row[name] for name, title in MEASURES.items() if name in row}
        if isinstance(row.get("accuracy"), dict):
            tests = row["accuracy"]["test"]
            numbers |= {f"accuracy, {c}": float(np.mean(of["tsvm"])) for c, of in tests.items() if "tsvm" in of}
        of = found.setdefault((config, run.environment["data_digest"]), {})
        for name, value in numbers.items():
            of.setdefault(name, []).append(value)
    return found


def _at_any_size(model: Model) -> Model:
    config, data = model
    return replace(config, epochs=1, n_train=None, width=1.0, learning_rate=1e-3, schedule="wae"), data


def _names(models: dict[Model, dict]) -> dict[Model, str]:
    """Each by its label, and by those fields in which the models of this group differ besides."""
    fields = [asdict(config) for config, _ in models]
    of_label = ("method", "prior", "alpha", *UNSCIENTIFIC)
    varied = [f for f in (fields or [{}])[0] if f not in of_label and len({one[f] for one in fields}) > 1]
    told = {(c, d): [f"{f.rstrip('_')} {_short(getattr(c, f))}" for f in varied] for c, d in models}
    return {m: ", ".join([m[0].label.replace("beta", "β"), *parts]) for m, parts in told.items()}


def _short(value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def verdicts(build: ALL, reference: ALL, profile: str) -> tuple[list[str], int]:
    """A line for each claim whose verdict is another word than the reference's; of how many there are two."""
    lines, compared = [], 0
    for number, (chapter, group, test) in CLAIMS.items():
        p = parameters(chapter, profile)
        here, there = test(build[chapter][group], p), test(reference[chapter][group], p)
        words = [OF_SEVERAL_SEEDS["verdict"].get(w, w) for w in (v.partition(" (")[0] for v in (here, there))]
        if all(w in SIGNS for w in words):
            compared += 1
            lines += [f"  claim {number}: {here}\n    reference: {there}"] * (words[0] != words[1])
    return lines, compared


def statements(build: ALL, reference: ALL, profile: str) -> tuple[list[str], int]:
    """The same of the second and third analysis's; one seed's sign against what the reference decided alone."""
    here = _words(build, profiles_of(profile))
    there = _words(reference, dict.fromkeys(CHAPTERS, "reference"))
    lines, compared = [], 0
    for at, own in here.items():
        told = OF_SEVERAL_SEEDS["statement"].get(own, own)
        one_seed = own != told
        if told in DECIDED and there.get(at) in DECIDED and not (one_seed and there[at] == "undecided"):
            compared += 1
            text = f"  {at}: {own}; reference: {there[at]}"
            lines += [text.replace("beta", "β")] * (told != there[at])
    return lines, compared


def _words(results: ALL, profiles: dict[str, str]) -> dict[str, str]:
    """By claim, statement and, in the second analysis, convention: what came out."""
    p = {chapter: parameters(chapter, profiles[chapter]) for chapter in ("conventions", "faces", "doses")}
    second = by_convention(p["conventions"], p["faces"], results["conventions"], results["faces"])
    found = {f" under {c}": claims for c, claims in second.items()} | {"": in_doses(results["doses"], p["doses"])}
    return {
        f"claim {n}, {name}{convention}": word(t)
        for convention, claims in found.items()
        for n, of in claims.items()
        for name, t in of.items()
    }


def told(profile: str) -> tuple[str, str]:
    """The report in words: with the farthest of the numbers that moved, and with all of them."""
    build, faults = stored(profile)
    reference = {chapter: reference_results(chapter, None) for chapter in CHAPTERS}
    numbers, sizes = [], []
    for chapter, groups in build.items():
        for group, results in groups.items():
            beside = reference[chapter].get(group)
            of = moved(results, beside) if results and beside else []
            numbers += [one._replace(where=f"{CHAPTERS[chapter]}, {one.where}") for one in of]
            if any(not one.same for one in of):
                sizes.append(f"  {CHAPTERS[chapter]}, {group}: {how_small([results, beside])}")
    same, other = ([one for one in numbers if one.same is is_same] for is_same in (True, False))
    words = []
    for title, (changed, compared) in {
        "verdicts": verdicts(build, reference, profile),
        "statements of the registered analyses": statements(build, reference, profile),
    }.items():
        words += ["", f"{compared - len(changed)} of {compared} {title} are the reference's; {len(changed)} changed."]
        words += changed

    def report(shown: int | None) -> str:
        lines = ["This build beside the committed reference", *faults]
        if same:
            lines += ["", "Runs with the reference's own configurations:", *_farthest(same, shown)]
        if other:
            lines += ["", "Runs of another size, which are not comparable seed by seed:", *sizes]
            lines += _farthest(other, None if shown is None else 0)  # on the screen only how many
        return "\n".join(lines + words)

    return report(SHOWN), report(None)


def _farthest(numbers: list[Moved], shown: int | None) -> list[str]:
    """How many of the numbers moved, and the farthest of these, a line each."""
    known = [one for one in numbers if not math.isnan(one.errors)]
    equal = sum(one.build == one.reference for one in numbers)
    far = sorted((one for one in known if abs(one.errors) > FAR), key=lambda one: -abs(one.errors))
    lines = [
        f"{len(far)} of {len(known)} numbers moved by more than {FAR:g} standard errors (by chance about "
        f"{0.05 * len(known):.0f}); {equal} are equal to the last digit."
    ]
    lines += [
        f"  {signed(one.errors, '.1f'):>8}  {one.where} {signed(one.build, '.4g')}, reference "
        f"{signed(one.reference, '.4g')}"
        for one in far[:shown]
    ]
    return lines


def main(profile: str) -> None:
    """Prints the report, and writes it, with every number that moved, to _build/report.txt."""
    short, whole = told(profile)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(f"{whole}\n", encoding="utf-8")
    print(f"\n{short}\n\nWith every number that moved: {REPORT.relative_to(ROOT)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
