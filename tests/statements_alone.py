"""The statements of book/second_analysis.md from the record files alone: json, NumPy and scipy, nothing of the package.

`python -m tests.statements_alone` prints them.
"""

import json
import math
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

FILES = Path(__file__).parent.parent / "results" / "reference"
CONVENTIONS = ("bernoulli", "gaussian", "wae", "wae-code", "constrained")
LEVELS = ("clean", "gaussian 0.2", "gaussian 0.4", "mask 0.2", "mask 0.5")
MODELS = ("VAE", "beta-VAE", "VIMAE-n", "VIMAE-l")
VIMAE = MODELS[2:]

Of = Callable[..., dict[int, list[float]]]  # a model's numbers: seed -> a value a draw


class Cell(NamedTuple):
    word: str
    value: float
    low: float
    high: float
    seeds: int


def records() -> dict[tuple[str, str, str], dict[int, dict]]:
    """Part of the page, convention and model -> seed -> record."""
    found: dict[tuple[str, str, str], dict[int, dict]] = defaultdict(dict)
    like: dict[tuple[str, str, str], dict] = {}
    for path in FILES.glob("*/config.json"):
        config = json.loads(path.read_text())
        part = {2: "plane", 8: "digits", 64: "faces"}.get(config["latent_dim"])
        small = part == "digits" and (config["width"], config["epochs"]) != (0.125, 6)
        first = config["seed"] < 10  # only the faces of the first analysis are asked again
        if part is None or small or (first and (part != "faces" or config["likelihood"] != "bernoulli")):
            continue
        for convention in ["bernoulli"] if first else conventions(config, part):
            key = (part, convention, model(config))
            assert config["seed"] not in found[key], (key, path)
            others = {"memory": 0, "more_codes": 0, **config, "seed": None}  # the two are younger than some records
            assert like.setdefault(key, others) == others, (key, path)
            found[key][config["seed"]] = json.loads((path.parent / "record.json").read_text())
    return found


def model(config: dict) -> str:
    name = {"ae": "AE", "vae": "VAE", "beta-vae": "beta-VAE", "infovae": "InfoVAE", "vimae": "VIMAE"}[config["method"]]
    if name == "VIMAE":
        return f"VIMAE-{config['prior'][0]}"
    return name + "-l" * (config["prior"] == "logistic")


def conventions(config: dict, part: str) -> list[str]:
    """Which of the page's five bundles a configuration is; a model without a divergence has no schedule of it."""
    without = config["lambda_"] == config["alpha"]
    held = config["lambda_schedule"] == "constant"
    if config["likelihood"] in ("wae", "wae-symmetric"):
        if not config["pretraining"] or not held:
            return []
        return ["wae-code" if config["architecture"] == "wae-mlp" or config["schedule"] == "wae" else "wae"]
    if config["likelihood"] == "gaussian":
        return ["gaussian"] * held
    fits = {"bernoulli": held and part != "faces", "constrained": config["lambda_schedule"] == "ramp" or without}
    return [name for name, is_one in fits.items() if is_one]


def crossed(table: np.ndarray) -> tuple[float, float, float]:
    """Mean, standard error, degrees of freedom; seeds and draws of labels both random."""
    (s, r), mean = table.shape, table.mean()
    of_seeds = r * table.mean(1).var(ddof=1)
    if r == 1:
        return mean, math.sqrt(of_seeds / s), s - 1
    of_draws = s * table.mean(0).var(ddof=1)
    rest = table - table.mean(1, keepdims=True) - table.mean(0, keepdims=True) + mean
    of_rest = (rest**2).sum() / ((s - 1) * (r - 1))
    both = of_seeds + of_draws - of_rest
    choices = [(of_seeds, s - 1), (of_draws, r - 1)]
    if both > 0:
        parts = of_seeds**2 / (s - 1) + of_draws**2 / (r - 1) + of_rest**2 / ((s - 1) * (r - 1))
        choices.append((both, both**2 / parts))
    largest, freedom = max(choices)
    return mean, math.sqrt(largest / (s * r)), freedom


def family(tables: dict[str, np.ndarray], needed: Callable[[str], int]) -> dict[str, Cell]:
    """A claim's differences under a convention: Holm's procedure, each interval at the level it was compared at.

    What has not all of its seeds comes last in the procedure, as if its p were 1, and has no word; nor has what is not
    rejected, as long as one is missing.
    """
    p = {}
    for name, table in tables.items():
        if len(table) >= needed(name):
            mean, error, freedom = crossed(table)
            p[name] = 2 * stats.t.sf(abs(mean) / error, freedom)
    found, level, going = {}, 0.05 / len(tables), True
    for i, name in enumerate(sorted(p, key=p.__getitem__)):
        if going:
            level = 0.05 / (len(tables) - i)
            going = p[name] < level
        found[name] = interval(tables[name], level)
        if found[name].word == "undecided" and len(p) < len(tables):
            found[name] = found[name]._replace(word="undecided so far")
    for name, table in tables.items():
        if name not in p and len(table) > 1:
            cell = interval(table, 0.05 / len(tables))
            found[name] = cell._replace(word=f"{cell.seeds} of {needed(name)} seeds")
    return found


def interval(table: np.ndarray, level: float) -> Cell:
    mean, error, freedom = crossed(table)
    half = stats.t.isf(level / 2, freedom) * error
    word = "holds" if mean - half > 0 else "contradicted" if mean + half < 0 else "undecided"
    return Cell(word, mean, mean - half, mean + half, len(table))


def within(values: np.ndarray, margin: float) -> Cell:
    """Two one-sided t tests of 5 %, and the interval of 95 %."""
    mean, error, n = values.mean(), values.std(ddof=1) / math.sqrt(len(values)), len(values)
    p = max(stats.t.sf((mean + margin) / error, n - 1), stats.t.cdf((mean - margin) / error, n - 1))
    half = stats.t.isf(0.025, n - 1) * error
    beyond = mean - half > margin or mean + half < -margin
    return Cell("holds" if p < 0.05 else "contradicted" if beyond else "undecided", mean, mean - half, mean + half, n)


def minus(one: dict[int, list[float]], other: dict[int, list[float]]) -> np.ndarray:
    return np.array([np.subtract(one[seed], other[seed]) for seed in sorted(one.keys() & other.keys())])


def scaled(by: float, of: dict[int, list[float]]) -> dict[int, list[float]]:
    return {seed: [by * v for v in values] for seed, values in of.items()}


def statements(claim: int, of: Of) -> dict[str, np.ndarray]:
    """A claim's differences, seeds by draws, each said to be above zero; `of(model, measure...)` looks them up."""
    if claim == 1:
        bar = lambda m: {seed: [0.1] for seed in of(m, "latent_fit", "kl")}  # noqa: E731
        fits = {f"{m} fits": minus(bar(m), of(m, "latent_fit", "kl")) for m in MODELS[1:]}
        return {"VAE does not fit": minus(of("VAE", "latent_fit", "kl"), bar("VAE")), **fits}
    tsvm = lambda m, c: of(m, "probes", "accuracy", "test", c, "tsvm")  # noqa: E731
    better = lambda one, other, c: {f"{one} − {other}, {c}": minus(tsvm(one, c), tsvm(other, c))}  # noqa: E731
    found: dict[str, np.ndarray] = {}
    if claim == 2:
        for m in MODELS[1:]:
            for c in LEVELS:
                found |= better(m, "VAE", c)
    elif claim == 3:
        for other in ("VAE", "beta-VAE", "VIMAE-l"):
            found |= better("VIMAE-n", other, "clean")
        for c in ("gaussian 0.4", "mask 0.5"):
            for other in MODELS[:3]:
                found |= better("VIMAE-l", other, c)
            there, here = (minus(tsvm("VIMAE-l", level), tsvm("VIMAE-n", level)) for level in (c, "clean"))
            found[f"loss of VIMAE-n − of VIMAE-l, {c}"] = there - here
    elif claim == 4:
        g = lambda m, name: of(m, "generation", name)  # noqa: E731
        for m in MODELS:
            found[f"error of PCA − error of {m}"] = minus(g(m, "pca_error"), g(m, "reconstruction_error"))
        for m in VIMAE:
            for other in MODELS[:2]:
                found[f"distance of {other} − distance of {m}"] = minus(
                    g(other, "prior_frechet"), g(m, "prior_frechet")
                )
    elif claim == 5:
        g = lambda m, name: of(m, "generation", name)  # noqa: E731
        for m in VIMAE:
            mended, kept = g(m, "corrupted_error"), g(m, "corrupted_label_kept")
            found[f"error of PCA, masked − error of {m}, masked"] = minus(g(m, "corrupted_pca_error"), mended)
            found[f"error of AE, masked − error of {m}, masked"] = minus(g("AE", "corrupted_error"), mended)
            found[f"{m}: label kept, masked − 0.9 × clean"] = minus(kept, scaled(0.9, g(m, "label_kept")))
    else:
        distance = {m: of(m, "faces", "prior_distance") for m in ("VAE", *VIMAE)}
        for m in VIMAE:
            found[f"5/6 of the VAE's distance − {m}'s"] = minus(scaled(5 / 6, distance["VAE"]), distance[m])
        found["VIMAE-l's distance − VIMAE-n's"] = minus(distance["VIMAE-l"], distance["VIMAE-n"])
    return found


def registered(convention: str, claim: int, name: str) -> int:
    """The page's seeds: five, of faces three; VIMAE beside VIMAE twelve under two conventions."""
    both = claim in (2, 3) and "VIMAE-n" in name and "VIMAE-l" in name
    return 3 if claim == 6 else 12 if both and convention in ("wae", "constrained") else 5


def cells(of: Of, convention: str, claim: int) -> dict[str, Cell]:
    """A claim's statements that have two seeds or more, each with its outcome."""

    def needed(name: str) -> int:
        return registered(convention, claim, name)

    tables = statements(claim, of)
    found = family(tables, needed)
    if claim == 1:
        for name, cell in found.items():
            if cell.seeds >= needed(name) and np.mean(list(of(name.split()[0], "latent_fit", "rate").values())) < 1:
                found[name] = cell._replace(word="holds" if "not" in name else "contradicted")  # empty: no fit
    apart = tables.get("VIMAE-l's distance − VIMAE-n's", ())
    if claim == 6 and len(apart) > 1:
        both = [v for m in VIMAE for (v,) in of(m, "faces", "prior_distance").values()]
        cell = within(apart[:, 0], 0.05 * float(np.mean(both)))
        name = "VIMAE-n and VIMAE-l within 5 %"
        found[name] = (
            cell if cell.seeds >= needed(name) else cell._replace(word=f"{cell.seeds} of {needed(name)} seeds")
        )
    return found


def table() -> dict[tuple[str, int, str], Cell]:
    """Convention, claim and statement -> outcome, of what was run with two seeds or more."""
    of_all = records()

    def looking(part: str, convention: str, claim: int) -> Of:
        def of(model: str, *names: str) -> dict[int, list[float]]:
            found = {}
            for seed, record in of_all[part, convention, model].items():
                if claim in (4, 5) and seed > 14:
                    continue  # the further seeds are for VIMAE beside VIMAE
                for name in names:
                    record = record.get(name, {})
                if record != {}:
                    found[seed] = record if isinstance(record, list) else [math.inf if record is None else record]
            return found

        return of

    return {
        (convention, claim, name): cell
        for convention in CONVENTIONS
        for claim, part in enumerate(("plane", "digits", "digits", "digits", "digits", "faces"), 1)
        for name, cell in cells(looking(part, convention, claim), convention, claim).items()
    }


if __name__ == "__main__":
    for (convention, claim, name), cell in table().items():
        print(f"{convention:12} {claim} {name:60} {cell.word:12} {cell.value:9.3f} [{cell.low:9.3f}, {cell.high:9.3f}]")
