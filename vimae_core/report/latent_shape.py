"""Section 5.1: this build's runs beside the reference's, their measures, and the tables that compare them."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from vimae_core.config import RunConfig
from vimae_core.datasets import Dataset
from vimae_core.evaluation.latent_fit import evaluate
from vimae_core.experiments import latent_shape_runs, parameters
from vimae_core.reference import publish, reference_record, reference_runs
from vimae_core.report.show import provenance
from vimae_core.report.statistics import choose_lambda, claim_1, fits, mean_over_seeds
from vimae_core.runs import Run
from vimae_core.training import fit

NOTEBOOK = "01_latent_shape"
VERDICTS = {True: "fits", False: "does not fit", None: "undecided"}


@dataclass(frozen=True)
class Results:
    """Runs and their records, row by row: `table` has model, likelihood, lambda, seed and every measure."""

    title: str  # "this build" or "reference"
    profile: str
    runs: list[Run]
    table: pd.DataFrame

    @classmethod
    def of(cls, title: str, profile: str, runs: list[Run], records: list[dict]) -> "Results":
        rows = [
            {
                "model": r.config.label,
                "likelihood": r.config.likelihood,
                "lambda": r.config.lambda_,
                "seed": r.config.seed,
            }
            for r in runs
        ]
        table = pd.DataFrame([row | record for row, record in zip(rows, records, strict=True)])
        return cls(title, profile, runs, table)

    def __bool__(self) -> bool:
        return len(self.runs) > 0

    def where(self, lambda_: float, likelihood: str) -> "Results":
        """Those of one lambda and likelihood."""
        keep = [r.config.lambda_ == lambda_ and r.config.likelihood == likelihood for r in self.runs]
        return Results(
            self.title, self.profile, [r for r, k in zip(self.runs, keep, strict=True) if k], self.table[keep]
        )

    def values(self, model: str, measure: str) -> list[float]:
        """A measure of a model, a value a seed."""
        return self.table.loc[self.table["model"] == model, measure].to_list() if self else []

    def drawn(self) -> tuple[list[Run], list[dict]]:
        """The runs of the first seed whose weights are there, for a figure, and their rows of the table."""
        there = [i for i, r in enumerate(self.runs) if (r.path / "weights.safetensors").is_file()]
        first = min((self.runs[i].config.seed for i in there), default=None)
        chosen = [i for i in there if self.runs[i].config.seed == first]
        return [self.runs[i] for i in chosen], [self.table.iloc[i].to_dict() for i in chosen]


def build_results(p: SimpleNamespace, data: Dataset) -> dict[str, Results]:
    """This build's `figure` and `grid`: what is in the store is loaded, what is not is trained now."""
    return {
        group: _results("this build", p.profile, [fit(c, data) for c in configs], lambda r: evaluate(r, p.n_test, data))
        for group, configs in latent_shape_runs(p).items()
    }


def reference_results(data: Dataset) -> dict[str, Results]:
    """The committed records of the reference profile's `figure` and `grid`; empty where the data are others."""
    published: dict[str, list[RunConfig]] = latent_shape_runs(parameters("latent_shape", "reference"))
    return {
        group: _results(
            "reference",
            "reference",
            [run for run in reference_runs(configs) if run.environment["data_digest"] == data.digest],
            reference_record,
        )
        for group, configs in published.items()
    }


def _results(title, profile, runs, record_of) -> Results:
    return Results.of(title, profile, runs, [record_of(run) for run in runs])


def publish_results(results: dict[str, Results], p: SimpleNamespace) -> list[Path]:
    """Copies the records of all runs into results/reference, and the weights of those that a figure draws."""
    figure, grid = results["figure"], results["grid"]
    chosen = grid.where(chosen_lambda(grid, p.likelihood, p.max_kl), p.likelihood)
    drawn = [run.path for run in figure.drawn()[0] + chosen.drawn()[0]]
    return [publish(run, weights=run.path in drawn) for run in figure.runs + grid.runs]


def chosen_lambda(grid: Results, likelihood: str, max_kl: float) -> float:
    """What the protocol's rule chooses from VIMAE-n's runs, by their divergence on training images."""
    rows = grid.table.query("model == 'VIMAE-n' and likelihood == @likelihood")
    return choose_lambda({lam: r["kl_train"].to_list() for lam, r in rows.groupby("lambda")}, max_kl)


def verdict_on_claim_1(figure: Results, max_kl: float) -> str:
    """The verdict on Figure 1 by the test that the protocol fixed."""
    return claim_1({model: figure.values(model, "kl") for model in ("VAE", "beta-VAE", "VIMAE-n")}, max_kl)


def sources(results: list[Results]) -> str:
    """Where the numbers of several results come from: a sentence for the reference and one for this build."""
    profiles = {r.title: r.profile for r in results if r}
    runs = {title: [run for r in results if r.title == title for run in r.runs] for title in profiles}
    return " ".join(provenance(NOTEBOOK, profile, runs[title]) for title, profile in profiles.items())


def compare(models: list[str], measures: dict[str, tuple[str, str]], results: list[Results]) -> pd.DataFrame:
    """A row a model; for each measure (title: name, format) one column of each result, mean and interval over seeds."""
    columns = {
        f"{title}, {result.title}": [_mean(result.values(model, measure), spec) for model in models]
        for title, (measure, spec) in measures.items()
        for result in results
    }
    return pd.DataFrame(columns, index=pd.Index(models, name="model"))


def _mean(values: list[float], spec: str) -> str:
    return format(mean_over_seeds(values), spec) if values else "—"


def verdicts(models: list[str], result: Results, max_kl: float) -> list[str]:
    """Whether each model fits its prior by the protocol's criterion, in words."""
    kl = [result.values(model, "kl") for model in models]
    return [VERDICTS[fits(values, max_kl)] if values else "—" for values in kl]


def bands(models: list[str], result: Results, measure: str, spec: str = ".3f") -> list[str]:
    """The band of a measure at q = p for each model's prior."""
    rows = [(result.values(m, f"{measure}_null_low"), result.values(m, f"{measure}_null_high")) for m in models]
    return [f"[{min(low):{spec}}, {max(high):{spec}}]" if low else "—" for low, high in rows]
