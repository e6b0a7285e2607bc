"""Runs with their records, and the tables that compare them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pandas as pd

from vimae_core.chapters import CHAPTERS, load_chapter
from vimae_core.config import RunConfig
from vimae_core.datasets import Dataset
from vimae_core.evaluation.record import check_measure, evaluate
from vimae_core.profiles import parameters
from vimae_core.reference import reference_record, reference_runs
from vimae_core.report.provenance import provenance
from vimae_core.report.statistics import mean_over_seeds, signed
from vimae_core.runs import Run, check_data, fit
from vimae_core.store import config_digest

LIKELIHOODS = {  # as a reader knows them; `wae` by itself is a convention, of which this is a part
    "bernoulli": "Bernoulli",
    "gaussian": "Gaussian of unit variance",
    "wae": "0.05 × squared error",
    "wae-symmetric": "0.2 × squared error",
}


@dataclass(frozen=True)
class Results:
    """Runs and their records, row by row: `table` has model, likelihood, lambda, seed and every measure."""

    title: str  # "this build" or "reference"
    notebook: str
    profile: str
    runs: list[Run]
    table: pd.DataFrame

    @classmethod
    def of(
        cls, title: str, notebook: str, profile: str, runs: list[Run], record_of: Callable[[Run], dict]
    ) -> "Results":
        rows = [
            {
                "model": r.config.label,
                "likelihood": r.config.likelihood,
                "lambda": r.config.lambda_,
                "seed": r.config.seed,
            }
            for r in runs
        ]
        table = pd.DataFrame([row | record_of(run) for row, run in zip(rows, runs, strict=True)])
        return cls(title, notebook, profile, runs, table)

    def __bool__(self) -> bool:
        return len(self.runs) > 0

    def where(self, lambda_: float, likelihood: str) -> "Results":
        """Those of one lambda and likelihood."""
        keep = [r.config.lambda_ == lambda_ and r.config.likelihood == likelihood for r in self.runs]
        kept = [r for r, k in zip(self.runs, keep, strict=True) if k]
        return replace(self, runs=kept, table=self.table[keep])

    def among(self, configs: Iterable[RunConfig]) -> "Results":
        """Those of some configurations, wherever they were computed."""
        wanted = {config_digest(config) for config in configs}
        keep = [config_digest(run.config) in wanted for run in self.runs]
        return replace(self, runs=[r for r, k in zip(self.runs, keep, strict=True) if k], table=self.table[keep])

    def values(self, model: str, measure: str) -> list[float]:
        """A measure of a model, a value a seed."""
        return self.table.loc[self.table["model"] == model, measure].to_list() if self else []

    def mean(self, model: str, measure: str, spec: str) -> str:
        """The mean of a measure over a model's seeds with its interval, in words; a dash where there is none."""
        values = self.values(model, measure)
        return format(mean_over_seeds(values), spec) if values else "—"

    def scaled(self, measure: str, factor: float) -> "Results":
        """With a measure and its band told in another unit."""
        columns = [c for c in self.table if c == measure or c.startswith(f"{measure}_null")]
        return replace(self, table=self.table.assign(**{c: factor * self.table[c] for c in columns}))

    @property
    def n(self) -> str:
        """How many test images were measured, in words: of several settings, each."""
        return " or ".join(f"{n:,}" for n in dict.fromkeys(self.table["n"]))

    def drawn(self) -> tuple[list[Run], list[dict]]:
        """The runs of the first seed whose weights are there, for a figure, and their rows of the table."""
        there = [i for i, r in enumerate(self.runs) if (r.path / "weights.safetensors").is_file()]
        first = min((self.runs[i].config.seed for i in there), default=None)
        chosen = [i for i in there if self.runs[i].config.seed == first]
        return [self.runs[i] for i in chosen], [self.table.iloc[i].to_dict() for i in chosen]


def build_results(chapter: str, p: SimpleNamespace, data: Dataset) -> dict[str, Results]:
    """This build's runs of a chapter by group: what is in the store is loaded, what is not is trained now.

    Raises ValueError before anything is trained where the data cannot be measured as asked.
    """
    module = load_chapter(chapter)
    groups = {group: list(dict.fromkeys(configs)) for group, configs in module.runs(p).items()}
    for group, configs in groups.items():
        for config in configs:
            check_data(config, data)
            for measure, settings in module.measures(group, p).items():
                check_measure(measure, config, data, **settings)

    def results(group: str, configs: list[RunConfig]) -> Results:
        asked = module.measures(group, p)
        return Results.of(
            "this build",
            CHAPTERS[chapter],
            p.profile,
            [fit(config, data) for config in configs],
            lambda run: _merged({name: evaluate(run, data=data, measure=name, **asked[name]) for name in asked}),
        )

    return {group: results(group, configs) for group, configs in groups.items()}


def reference_results(chapter: str, data: Dataset | None, profile: str = "reference") -> dict[str, Results]:
    """The committed runs of a profile by group; none where they were not measured, or on other `data`."""
    module, p = load_chapter(chapter), parameters(chapter, profile)

    def results(group: str, configs: list[RunConfig]) -> Results:
        asked = module.measures(group, p)
        runs = [
            run
            for run in reference_runs(configs)
            if (data is None or run.environment["data_digest"] == data.digest)
            and all(reference_record(run, name) for name in asked)
        ]
        return Results.of(
            "reference",
            CHAPTERS[chapter],
            profile,
            runs,
            lambda run: _merged({name: reference_record(run, name) for name in asked}),
        )

    return {group: results(group, configs) for group, configs in module.runs(p).items()}


def _merged(records: dict[str, dict]) -> dict:
    """All measures of a run. Of what two of them have alike, as the rate of their draws, the later one's; but the
    divergence's bound from above gets a name of its own, beside the estimate by neighbours."""
    own = {"information": {"kl": "kl_above"}}
    return {own.get(m, {}).get(name, name): value for m, record in records.items() for name, value in record.items()}


def sources(results: list[Results]) -> str:
    """Where the numbers of several results come from: a sentence for the reference and for this build of a notebook."""
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for r in filter(None, results):
        groups.setdefault((r.title, r.notebook, r.profile), []).extend(r.runs)
    return "\n\n".join(provenance(notebook, profile, runs) for (_, notebook, profile), runs in groups.items())


def compare(models: list[str], measures: dict[str, tuple[str, str]], results: list[Results]) -> pd.DataFrame:
    """A row a model; for each measure (title: name, format) one column of each result, mean and interval over seeds."""
    columns = {
        f"{title}, {result.title}": [result.mean(model, measure, spec) for model in models]
        for title, (measure, spec) in measures.items()
        for result in results
    }
    return pd.DataFrame(columns, index=pd.Index(models, name="model"))


def bands(models: list[str], result: Results, measure: str, spec: str = ".3f") -> list[str]:
    """The band of a measure at q = p for each model's prior."""
    rows = [(result.values(m, f"{measure}_null_low"), result.values(m, f"{measure}_null_high")) for m in models]
    return [f"[{signed(min(low), spec)}, {signed(max(high), spec)}]" if low else "—" for low, high in rows]


def how_small(results: list[Results]) -> str:
    """By how much the runs are smaller than the paper's, in words, to stand in a caption."""
    told: dict[str, list[int]] = {}  # with the numbers of seeds of results that are as small
    for result in filter(None, results):
        c = result.runs[0].config
        images = "all training images" if c.n_train is None else f"the first {c.n_train:,} training images"
        width = "at the paper's width" if c.width == 1 else f"at {c.width:g} of the paper's width"
        size = f"{result.title}: {c.epochs} epoch{'s' * (c.epochs > 1)} on {images} {width}"
        told.setdefault(size, []).append(len({run.config.seed for run in result.runs}))
    seeds = (" to ".join(f"{n}" for n in sorted({min(of), max(of)})) for of in told.values())
    return "; ".join(f"{size}, {n} seed{'s' * (n != '1')}" for size, n in zip(told, seeds, strict=True))
