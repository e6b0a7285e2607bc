"""Trainings, watched: the paper's models at its lambda = beta = 10 with the networks of section 5.2."""

from types import SimpleNamespace

from vimae_core.config import RunConfig
from vimae_core.profiles import asked_models


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """To be watched while they train."""
    return {"training": asked_models(p)}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """Where each training ends."""
    return {"latent_fit": {"n_test": p.n_test}}
