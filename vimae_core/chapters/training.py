"""Trainings, watched: the paper's models at its lambda = beta = 10 with the networks of section 5.2."""

from types import SimpleNamespace

from vimae_core.chapters import generation
from vimae_core.config import RunConfig
from vimae_core.datasets import Dataset
from vimae_core.profiles import asked_models, parameters
from vimae_core.report.results import Results, reference_results


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """To be watched while they train."""
    return {"training": asked_models(p)}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """Where each training ends."""
    return {"latent_fit": {"n_test": p.n_test}}


def reference_of(p: SimpleNamespace, data: Dataset) -> Results:
    """The reference's trainings of these models with this network, which are those of Table 1; it has no others."""
    same = {name: getattr(p, name) for name in ("methods", "likelihood", "architecture", "latent_dim")}
    asked = parameters("generation", "reference", **same)
    return reference_results("generation", data)["table"].among(generation.runs(asked)["table"])
