"""The chapters, a module each: its runs, what is measured of them, its tables and claims. Drawings lie beside it.

A module has `runs(p)`, the configurations by group, and `measures(group, p)`, each measure with its settings; it may
have `check(p, data)`, which refuses data that its figures cannot show, and `drawn(results, p)`, the runs whose weights
they draw.
"""

import importlib
from types import ModuleType

from vimae_core.config import RunConfig
from vimae_core.profiles import parameters, profile_at_hand

CHAPTERS = {  # a module of this folder -> its notebook
    "findings": "00_findings",
    "latent_shape": "01_latent_shape",
    "training": "02_training",
    "capacity": "03_capacity_semi_supervised",
    "generation": "04_mnist_generation",
    "faces": "05_celeba_generation",
    "conventions": "06_conventions_and_scale",
    "doses": "07_capacity",
    "disentanglement": "08_disentanglement",
    "speed": "speed",
}


def load_chapter(name: str) -> ModuleType:
    """The module of a chapter. Raises ModuleNotFoundError where the book's packages were not installed."""
    importlib.import_module("vimae_core.report")  # which says what is to be installed
    return importlib.import_module(f"{__name__}.{name}")


def all_runs(profile: str) -> list[RunConfig]:
    """Every run of a profile, each once."""
    asked = {name: parameters(name, profile_at_hand(name, profile)) for name in CHAPTERS}
    groups = (group for name, p in asked.items() for group in load_chapter(name).runs(p).values())
    return list(dict.fromkeys(config for group in groups for config in group))
