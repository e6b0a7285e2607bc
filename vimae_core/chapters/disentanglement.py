"""Is a small capacity more disentangled? The third registered analysis on toy faces, whose factors are known."""

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd

from vimae_core.chapters.doses import family
from vimae_core.chapters.statements import Statement, Told, told
from vimae_core.config import METHODS, RunConfig
from vimae_core.conventions import under_convention
from vimae_core.profiles import common_fields
from vimae_core.report.claims import by_seed, difference, measured
from vimae_core.report.results import Results
from vimae_core.report.statistics import Mean, crossed_mean, mean_over_seeds
from vimae_core.toy_faces import FACTORS

SCORES = {"mig": "MIG", "disentanglement": "DCI", "sap": "SAP", "factor_vae": "FactorVAE"}  # as records have them
FLOORS = {"untrained": "untrained encoder", "pca": "principal components", "ica": "independent components"}
PAIRS = {  # which is claimed to be more disentangled than which
    "VIMAE-n − VAE": ("VIMAE-n", "VAE"),
    "VIMAE-l − VAE": ("VIMAE-l", "VAE"),
    "VIMAE-l − VIMAE-n": ("VIMAE-l", "VIMAE-n"),
    "σ = 1/2 − σ = 4": ("VIMAE-n, σ = 1/2, noise 1/4", "VIMAE-n, σ = 4, noise 1/4"),
}
SIMPLE = 16  # the largest denominator of what is told as a fraction


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """`models`: the paper's, λ rising to bring codes to the prior. `doses`: other weights of the rate, and of VIMAE
    other priors and, its noise given, other scales. `floors`: one a seed, whose training counts for nothing."""
    models = [_constrained(p, m, s) for s in p.seeds for m in p.methods]
    doses = [
        config
        for s in p.seeds
        for config in (
            *(RunConfig(method="beta-vae", lambda_=beta, seed=s, **common_fields(p)) for beta in p.betas),
            *(_constrained(p, "VIMAE-n", s, **family(shape)) for shape in p.shapes),
            *(_constrained(p, "VIMAE-n", s, prior_scale=k, encoder_std=p.noise) for k in p.noisy_scales),
        )
    ]
    return {"models": models, "doses": doses, "floors": models[:: len(p.methods)]}


def _constrained(p: SimpleNamespace, model: str, seed: int, **fields) -> RunConfig:
    return under_convention("constrained", "faces", model, seed=seed, **{**common_fields(p), **fields})


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior, what they tell, and how far each coordinate stands for one factor."""
    own = {"n_test": p.n_test}
    scores = {**own, "votes": p.votes}
    if group == "floors":
        return {"disentanglement_floors": scores}
    return {"latent_fit": own, "information": own, "disentanglement": scores}


def keeps(config: RunConfig, p: SimpleNamespace) -> bool:
    """Whether a figure draws it: the first seed."""
    return config.seed == p.seeds[0]


def model_name(config: RunConfig) -> str:
    """The label with every dose in it, as a reader writes it: "β-VAE, β = 100", "VIMAE-n, σ = 1/2, noise 1/4"."""
    name = config.label.partition(", ")[0]
    if config.method == "beta-vae":
        name = f"β-VAE, β = {config.lambda_:g}"
    elif "(" in name:
        name = f"{config.method.upper()}, {config.prior} prior"
    given = {"shape ": config.prior_shape, "σ = ": config.prior_scale, "noise ": config.encoder_std}
    return ", ".join([name, *(f"{what}{_simply(value)}" for what, value in given.items() if value is not None)])


def _simply(value: float) -> str:
    fraction = Fraction(value)
    return str(fraction) if fraction.denominator <= SIMPLE else f"{value:g}"


def together(groups: dict[str, Results]) -> Results:
    """The models and the doses, a method's side by side, each by its `model_name`."""
    parts = [r for r in (groups["models"], groups["doses"]) if r]
    if not parts:
        return groups["models"]
    found = [run for r in parts for run in r.runs]
    order = sorted(range(len(found)), key=lambda i: list(METHODS).index(found[i].config.method))
    names = [model_name(run.config) for run in found]
    table = pd.concat([r.table for r in parts], ignore_index=True).assign(model=names)
    return replace(parts[0], runs=[found[i] for i in order], table=table.iloc[order].reset_index(drop=True))


def models_of(results: Results) -> list[str]:
    """By name, each once."""
    return list(dict.fromkeys(results.table["model"])) if results else []


def statements(results: Results) -> dict[str, Statement]:
    """Claim 8, disentangled, of `together`'s: each pair's difference in each score, as registered."""
    return {
        f"{pair}, {title}": Statement(difference(*(measured(results, model, score) for model in models)))
        for pair, models in PAIRS.items()
        for score, title in SCORES.items()
    }


def judged(results: Results, seeds: int) -> dict[str, Told]:
    """What came out of the sixteen, in one correction; no word before each has its `seeds`."""
    return told(statements(results), lambda name: seeds)


def floor(floors: Results, name: str, score: str) -> dict[int, list[float]]:
    """A floor's score as one draw a seed."""
    rows = zip(floors.table["seed"], floors.table[score], strict=True) if floors else []
    return {seed: [of[name]] for seed, of in rows}


def best_floor(floors: Results, score: str) -> tuple[str, Mean]:
    """Which floor has the highest mean over seeds, and that mean."""
    means = {name: mean_over_seeds([value for (value,) in floor(floors, name, score).values()]) for name in FLOORS}
    return max(means.items(), key=lambda item: item[1].value)


def above_floor(results: Results, floors: Results, model: str, score: str) -> np.ndarray:
    """By how much a model lies above the best floor of a score, seed by seed; empty where the two share no seed."""
    name = best_floor(floors, score)[0]
    return difference(measured(results, model, score), floor(floors, name, score))


def scores_table(results: Results, floors: Results) -> pd.DataFrame:
    """A row a model and a floor: the scores, and what stands beside them; mean and 95 % interval over seeds."""
    columns = {**SCORES, "mig_equal_wide": "MIG, equal steps", "completeness": "DCI completeness",
               "informativeness": "R² of the factors"}  # fmt: skip
    rows = {m: [results.mean(m, c, ".2f") for c in columns] for m in models_of(results)}
    if floors:
        values = {(f, c): [v for (v,) in floor(floors, f, c).values()] for f in FLOORS for c in columns}
        rows |= {title: [f"{mean_over_seeds(values[f, c]):.2f}" for c in columns] for f, title in FLOORS.items()}
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="model"), columns=list(columns.values()))


def floors_table(results: Results, floors: Results) -> pd.DataFrame:
    """A row a model: each score less that of its best floor, mean and 95 % interval over seeds, uncorrected."""
    columns = {s: f"{title} − {FLOORS[best_floor(floors, s)[0]]}" for s, title in SCORES.items()}
    rows = {m: [_above(results, floors, m, s) for s in columns] for m in models_of(results)}
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="model"), columns=list(columns.values()))


def _above(results: Results, floors: Results, model: str, score: str) -> str:
    values = above_floor(results, floors, model, score)
    return f"{crossed_mean(values):.2f}" if values.size else "—"


def information_table(results: Results) -> pd.DataFrame:
    """A row a model: rate and information in nats, how its codes fit the prior, how many coordinates it uses."""
    columns = {
        "rate": ("rate", ".1f"),
        "information, from below": ("information", ".1f"),
        "from above": ("information_above", ".1f"),
        "MMD² × 10⁴": ("mmd2", ".1f"),
        "squared error": ("squared_error", ".1f"),
        "active": ("active", ".1f"),
        "live": ("live", ".1f"),
    }
    scaled = results.scaled("mmd2", 1e4)
    scaled = replace(scaled, table=scaled.table.astype({"active": float, "live": float}))
    rows = {m: [scaled.mean(m, c, spec) for c, spec in columns.values()] for m in models_of(results)}
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="model"), columns=list(columns))


def by_factor(results: Results, measure: str) -> pd.DataFrame:
    """A row a model and a column a factor: `gaps` (of information) or `explained` (R²), mean over seeds."""
    means = {m: pd.DataFrame(list(by_seed(results, m, measure).values())).mean() for m in models_of(results)}
    return pd.DataFrame(means).T[list(FACTORS)]
