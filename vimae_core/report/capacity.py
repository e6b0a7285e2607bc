"""Table 1 and what stands beside it: accuracies by model and condition, comparisons, rankings, the size of the runs."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy import stats

from vimae_core.datasets import Dataset
from vimae_core.evaluation.probes import N_UNLABELLED, draw_labels
from vimae_core.report.claims import accuracies
from vimae_core.report.results import Results
from vimae_core.report.statistics import crossed_mean


def cell(results: Results, model: str, condition: str, probe: str, protocol: str) -> str:
    """A model's accuracy in percent, mean and 95 % interval over seeds and draws."""
    found = accuracies(results, model, condition, probe, protocol)
    return f"{crossed_mean(np.array(list(found.values()))):.1f}" if found else "—"


def table_1(
    models: list[str], conditions: list[str], probe: str, protocol: str, results: list[Results], paper: dict
) -> pd.DataFrame:
    """A row a model and a column a condition: the paper's accuracy over those of the results, in percent."""
    printed = {m: dict(zip(paper["conditions"], paper[m], strict=True)) if m in paper else {} for m in models}
    columns = {
        condition: [
            "<br>".join(
                [f"{printed[m].get(condition, '—')}", *(cell(r, m, condition, probe, protocol) for r in results)]
            )
            for m in models
        ]
        for condition in conditions
    }
    return pd.DataFrame(columns, index=pd.Index(models, name="model"))


def first_with(results: list[Results], models: list[str], conditions: list[str]) -> Results:
    """The first results in which every one of the models was measured under every one of the conditions."""
    return next(r for r in results if all(accuracies(r, m, c) for m in models for c in conditions))


def rankings(models: list[str], conditions: list[str], probes: list[str], results: Results) -> pd.DataFrame:
    """Spearman's correlation of the models' accuracies under a probe with those under M1+TSVM, by condition."""

    def means(probe: str, condition: str) -> list[float]:
        return [np.mean(list(accuracies(results, m, condition, probe).values())) for m in models]

    columns = {
        probe: [f"{stats.spearmanr(means(probe, c), means('tsvm', c)).statistic:.2f}" for c in conditions]
        for probe in probes
    }
    return pd.DataFrame(columns, index=pd.Index(conditions, name="condition"))


def size(results: list[Results]) -> str:
    """By how much the runs are smaller than the paper's, in words, to stand in a caption."""
    told = []
    for result in filter(None, results):
        c = result.runs[0].config
        images = "all training images" if c.n_train is None else f"the first {c.n_train:,} training images"
        width = "at the paper's width" if c.width == 1 else f"at {c.width:g} of the paper's width"
        seeds = len({run.config.seed for run in result.runs})
        told.append(
            f"{result.title}: {c.epochs} epoch{'s' * (c.epochs > 1)} on {images} {width}, "
            f"{seeds} seed{'s' * (seeds > 1)}"
        )
    return "; ".join(told)


def check_labels(p: SimpleNamespace, data: Dataset) -> None:
    """Raises ValueError for a number of labels that the training images do not have, before anything is trained."""
    draw_labels(data["train"][1][: p.n_train], p.n_labels, N_UNLABELLED, seed=0)


YARDSTICKS = {  # measures that are the data's, not the model's
    "pca_error": "Error of as many principal components: {:.1f}",
    "original_label_kept": "labels kept of the originals: {:.1f} %",
    "corrupted_input_error": "Error of the corrupted digit itself: {:.1f}",
    "corrupted_input_label_kept": "labels kept of it: {:.1f} %",
    "real_frechet": "Distance of as many training digits: {:.2f}",
    "real_precision": "Of training digits: precision {:.2f}",
    "real_recall": "recall {:.2f}",
}


def yardsticks(results: list[Results], measures: list[str]) -> str:
    """What the data themselves reach, in words, to stand in a caption."""
    told = [
        ", ".join(YARDSTICKS[m].format(np.mean(result.table[m])) for m in measures) + f" ({result.title})"
        for result in filter(None, results)
    ]
    return "; ".join(told) + "."
