"""Every claim under every convention, and whether scale decides: the second registered analysis."""

from types import SimpleNamespace

import pandas as pd

from vimae_core.config import RunConfig, paper_model
from vimae_core.conventions import under_convention
from vimae_core.profiles import common_fields
from vimae_core.report.results import Results
from vimae_core.report.statistics import mean_over_seeds
from vimae_core.runs import Run

DRAWN = ("VAE", "VIMAE-n")
ENOUGH_RATE = 1.0  # nats: a code with less is empty


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """`plane`: Figure 1 under every convention. `constraint`: lambda found, in two dimensions, under several
    likelihoods, with and without a memory. `digits`: Table 1 and Figure 2 under every convention, and more seeds where
    the paper's smallest effects are looked for. `scale`: some models at other widths and epochs."""
    constraint = [
        paper_model(m, seed=s, **_of_plane(p, likelihood=likelihood, lambda_=p.lambda_, memory=memory),
                    lambda_schedule="constrained")
        for s in p.plane_seeds
        for likelihood in p.likelihoods
        for memory in (p.memories if likelihood == p.likelihood else p.memories[:1])
        for m in p.more_methods
    ]  # fmt: skip
    scale = [
        paper_model(m, seed=s, **{**common_fields(p), "width": width, "epochs": epochs})
        for width, epochs in map(size, p.scales)
        for s in p.scale_seeds
        for m in p.scale_methods
    ]
    of_digits = [config for c in p.conventions for config in digits(p, c)]
    groups = {  # in the order of the registered page
        "plane": [config for c in p.conventions for config in plane(p, c)],
        "constraint": constraint,
        "digits": sorted(of_digits, key=lambda config: config.seed in p.more_seeds),  # the further seeds at last
        "scale": scale,
    }
    return {name: list(dict.fromkeys(configs)) for name, configs in groups.items()}


def plane(p: SimpleNamespace, convention: str) -> list[RunConfig]:
    """Figure 1's under a convention."""
    return [
        under_convention(convention, "plane", m, seed=s, **_of_plane(p)) for s in p.plane_seeds for m in p.plane_methods
    ]


def digits(p: SimpleNamespace, convention: str) -> list[RunConfig]:
    """Table 1's and Figure 2's under a convention."""
    more = [(s, m) for s in p.more_seeds for m in p.more_methods] if convention in p.more_conventions else []
    return [
        under_convention(convention, "digits", m, seed=s, **common_fields(p))
        for s, m in [*((s, m) for s in p.seeds for m in p.methods), *more]
    ]


def _of_plane(p: SimpleNamespace, **fields) -> dict:
    own = {"architecture": "mlp", "width": p.plane_width, "latent_dim": 2, "epochs": p.plane_epochs}
    return {**common_fields(p), **own, **fields}


def size(text: str) -> tuple[float, int]:
    """Of "0.25 x 12": the width and the epochs. Raises ValueError."""
    try:
        width, epochs = text.split("x")
        return float(width), int(epochs)
    except ValueError:
        raise ValueError(f"scales: {text!r} is not possible: must be width x epochs, such as '0.25 x 12'") from None


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior; of Table 1 the probes, of Figure 2 what is decoded."""
    fit = {"latent_fit": {"n_test": p.n_test}}
    if group in ("plane", "constraint"):
        return fit
    settings = {
        "conditions": p.conditions,
        "curve": p.curve,
        "n_labels": p.n_labels,
        "draws": p.draws,
        "fractions": p.fractions,
    }
    generation = {"n_test": p.n_test, "condition": p.condition}
    return {**fit, "probes": {"n_test": p.n_test, **settings}, "generation": generation}


def keeps(config: RunConfig, p: SimpleNamespace) -> bool:
    """Whether a figure draws it: two models of Figure 1, of the first seed, under each convention."""
    first = {c for convention in p.conventions for c in plane(p, convention) if c.seed == p.plane_seeds[0]}
    return config.label in DRAWN and config in first


def drawn(results: dict[str, Results], p: SimpleNamespace) -> list[Run]:
    """The runs whose codes are drawn."""
    return [run for run in results["plane"].runs if keeps(run.config, p)]


def codes_drawn(results: Results, p: SimpleNamespace) -> list[tuple[Run, dict, list[str]]]:
    """Each with its row of the table and its conventions: a VAE has nothing to constrain, and has two."""
    of = {convention: results.among(plane(p, convention)).runs for convention in p.conventions}
    return [
        (run, record, [convention for convention, runs in of.items() if run in runs])
        for run, record in zip(results.runs, _rows(results), strict=True)
        if keeps(run.config, p)
    ]


def fits_by_convention(p: SimpleNamespace, results: Results, measure: str, spec: str) -> pd.DataFrame:
    """A row a model and a column a convention: a measure of Figure 1's runs, mean and 95 % interval over seeds."""
    columns = {
        c: [results.among(plane(p, c)).mean(m, measure, spec) if results else "—" for m in p.plane_methods]
        for c in p.conventions
    }
    return pd.DataFrame(columns, index=pd.Index(p.plane_methods, name="model"))


def multipliers(results: Results) -> pd.DataFrame:
    """A row a likelihood, memory and model: the lambda that was found, whether it was enough, and what came of it."""
    told = [(run.config, run.history, record) for run, record in zip(results.runs, _rows(results), strict=True)]
    rows = {}
    for likelihood, memory, model in dict.fromkeys((c.likelihood, c.memory, c.label) for c, _, _ in told):
        own = [(h, r) for c, h, r in told if (c.likelihood, c.memory, c.label) == (likelihood, memory, model)]
        found = [history["hundredths"]["lambda"][-1] for history, _ in own]
        met = [sum(history["constraint"]["met"] for history, _ in own), sum(r["constraint_met"] for _, r in own)]
        of = {m: mean_over_seeds([r[m] for _, r in own]) for m in ("kl", "latent_std", "rate", "squared_error")}
        rows[f"{likelihood}, {model}{f', memory of {memory:,}' if memory else ''}"] = (
            f"{min(found):,.3g} to {max(found):,.3g}",
            f"{met[0]} of {len(own)}",
            f"{met[1]} of {len(own)}",
            *(format(of[m], spec) for m, spec in zip(of, (".2f", ".2f", ".1f", ".1f"), strict=True)),
            f"{sum(r['rate'] < ENOUGH_RATE for _, r in own)}",
        )
    columns = ["λ found", "met, training", "met, test", "KL", "std", "rate", "squared error", "empty"]
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="likelihood, model"), columns=columns)


def _rows(results: Results) -> list[dict]:
    return results.table.to_dict("records")
