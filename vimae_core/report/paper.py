"""The paper's own numbers, from the one file that holds them."""

import yaml

from vimae_core.datasets import ROOT


def paper_values() -> dict:
    return yaml.safe_load((ROOT / "book" / "paper_values.yml").read_text())
