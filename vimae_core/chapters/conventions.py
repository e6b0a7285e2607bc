"""Every claim under every convention, and whether scale decides: the second registered analysis."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from vimae_core.config import RunConfig, paper_model
from vimae_core.conventions import under_convention
from vimae_core.profiles import common_fields, parameters
from vimae_core.report.claims import difference, measured
from vimae_core.report.results import Results
from vimae_core.report.statistics import crossed_mean, mean_over_seeds
from vimae_core.runs import Run

DRAWN = ("VAE", "VIMAE-n")
ALONE = "VIMAE-n"  # the model of which there is a single run at the paper's width
ENOUGH_RATE = 1.0  # nats: a code with less is empty


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """`plane`: Figure 1 under every convention. `constraint`: lambda found, in two dimensions, under several
    likelihoods, with and without a memory; `more_codes`: with codes of other images. `digits`: Table 1 and Figure 2
    under every convention, and more seeds where the paper's smallest effects are looked for. `scale`: some models at
    other widths and epochs, and one `alone`, of one seed, as wide as the paper's."""
    constraint = [
        _constrained(p, m, s, likelihood, memory=memory)
        for s in p.plane_seeds
        for likelihood in p.likelihoods
        for memory in (p.memories if likelihood == p.likelihood else p.memories[:1])
        for m in p.more_methods
    ]
    more_codes = [
        _constrained(p, m, s, likelihood, more_codes=n)
        for s in p.plane_seeds
        for likelihood in p.likelihoods
        for n in p.more_codes
        for m in p.more_methods
    ]
    scale = [
        paper_model(m, seed=s, **{**common_fields(p), "width": width, "epochs": epochs})
        for width, epochs in map(size, p.scales)
        for s in p.scale_seeds
        for m in p.scale_methods
    ]
    alone = [
        paper_model(ALONE, seed=p.scale_seeds[0], **{**common_fields(p), "width": width, "epochs": epochs})
        for width, epochs in map(size, p.alone)
    ]
    of_digits = [config for c in p.conventions for config in digits(p, c)]
    groups = {  # in the order of the registered page
        "plane": [config for c in p.conventions for config in plane(p, c)],
        "constraint": constraint,
        "more_codes": more_codes,
        "digits": sorted(of_digits, key=lambda config: config.seed in p.more_seeds),  # the further seeds at last
        "scale": scale + alone,
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


def first_seeds(p: SimpleNamespace, convention: str) -> list[RunConfig]:
    """Those of the seeds that all models have."""
    return [config for config in digits(p, convention) if config.seed in p.seeds]


def _constrained(p: SimpleNamespace, model: str, seed: int, likelihood: str, **beside: int) -> RunConfig:
    of_plane = _of_plane(p, likelihood=likelihood, lambda_=p.lambda_, **beside)
    return paper_model(model, seed=seed, lambda_schedule="constrained", **of_plane)


def _of_plane(p: SimpleNamespace, **fields) -> dict:
    own = {"architecture": "mlp", "width": p.plane_width, "latent_dim": 2, "epochs": p.plane_epochs}
    return {**common_fields(p), **own, **fields}


def size(text: str) -> tuple[float, int]:
    """Of "0.25 x 12": the width and the epochs. Raises ValueError."""
    try:
        width, epochs = text.split("x")
        return float(width), int(epochs)
    except ValueError:
        raise ValueError(
            f"scales, alone: {text!r} is not possible: must be width x epochs, such as '0.25 x 12'"
        ) from None


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior; of Table 1 the probes, of Figure 2 what is decoded, and how far a batch's
    codes are independent draws."""
    fit = {"latent_fit": {"n_test": p.n_test}}
    if group in ("plane", "constraint", "more_codes"):
        return fit
    settings = {
        "conditions": p.conditions,
        "curve": p.curve,
        "n_labels": p.n_labels,
        "draws": p.draws,
        "fractions": p.fractions,
    }
    generation = {"n_test": p.n_test, "condition": p.condition}
    if group == "digits":
        fit |= {"batches": {"n_test": p.n_test}}
    return {**fit, "probes": {"n_test": p.n_test, **settings}, "generation": generation}


def keeps(config: RunConfig, p: SimpleNamespace) -> bool:
    """Whether a figure draws it: two models of Figure 1 and of Figure 2, of the first seed, under each convention."""
    parts = ((part, c) for part in (plane, digits) for c in p.conventions)
    first = config.label in DRAWN and config.seed == p.plane_seeds[0]
    return first and any(config in part(p, c) for part, c in parts)


def codes_drawn(results: Results, p: SimpleNamespace) -> list[tuple[Run, dict, list[str]]]:
    """Each with its row of the table and its conventions: a VAE has nothing to constrain, and has two."""
    of = {convention: results.among(plane(p, convention)).runs for convention in p.conventions}
    return [
        (run, record, [convention for convention, runs in of.items() if run in runs])
        for run, record in zip(results.runs, _rows(results), strict=True)
        if keeps(run.config, p)
    ]


def figure_1(results: Results, convention: str) -> Results:
    """Of the committed runs of `plane` those under a convention."""
    return results.among(plane(parameters("conventions", "reference"), convention))


def table_1(results: Results, convention: str) -> Results:
    """Of the committed runs of `digits` those under a convention, of the seeds that all models have."""
    return results.among(first_seeds(parameters("conventions", "reference"), convention))


def other_readings(results: Results) -> SimpleNamespace:
    """Figure 1's committed runs in numbers: what is empty under `wae`, and where VIMAE-n comes nearest to its prior.

    most: the largest rate of a VAE or a beta-VAE, nats, at least 0.001; falls: what the cost of the WAE code
    gains from the mean digit to an AE's; rate, kl, error (under `constrained`): means over seeds, VIMAE-n's where no
    model is named; nearer: by how much it lies nearer to its prior than the VAE, under `constrained`; objective: its
    mean on test digits there.
    """
    of = {c: figure_1(results, c) for c in ("wae", "wae-code", "constrained")}
    wae, ramp = of["wae"], of["constrained"]
    mean = lambda r, model, measure: mean_over_seeds(r.values(model, measure))  # noqa: E731
    vae, vimae = (measured(ramp, model, "kl") for model in DRAWN)
    return SimpleNamespace(
        seeds=len(wae.values("VAE", "rate")),
        most=max(*wae.values("VAE", "rate"), *wae.values("beta-VAE", "rate"), 0.001),
        falls=0.05 * (mean(wae, "VAE", "squared_error").value - mean(wae, "AE", "squared_error").value),
        rate=mean(wae, "VIMAE-n", "rate"),
        kl={c: mean(r, "VIMAE-n", "kl") for c, r in of.items()},
        error={m: mean(ramp, m, "squared_error") for m in DRAWN},
        nearer=crossed_mean(difference(vae, vimae)),
        objective=float(np.mean(objectives(ramp, ALONE))),
    )


def objectives(results: Results, model: str) -> list[float]:
    """What a VIMAE minimises, Eq. (9), of each run on its test digits: distortion + lambda MMD^2, nats."""
    of = {m: np.array(results.values(model, m)) for m in ("distortion", "lambda", "mmd2")}
    return (of["distortion"] + of["lambda"] * of["mmd2"]).tolist()


def fits_by_convention(p: SimpleNamespace, results: Results, measure: str, spec: str) -> pd.DataFrame:
    """A row a model and a column a convention: a measure of Figure 1's runs, mean and 95 % interval over seeds."""
    columns = {
        c: [results.among(plane(p, c)).mean(m, measure, spec) if results else "—" for m in p.plane_methods]
        for c in p.conventions
    }
    return pd.DataFrame(columns, index=pd.Index(p.plane_methods, name="model"))


def _rows(results: Results) -> list[dict]:
    return results.table.to_dict("records")
