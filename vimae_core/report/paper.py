"""The paper's own numbers, from the one file that holds them."""

from functools import cache

import yaml

from vimae_core.datasets import ROOT


@cache
def paper_values() -> dict:
    return yaml.safe_load((ROOT / "book" / "paper_values.yml").read_text())
