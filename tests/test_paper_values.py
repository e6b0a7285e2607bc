"""The paper's own numbers: as it prints them, and typed in one file only."""

import re
import subprocess

import pandas as pd
import pytest

from tests.conftest import ROOT
from vimae_core.chapters.capacity import HEAVY, TABLE_1
from vimae_core.report.paper import paper_values


def test_paper_values_are_the_papers():
    """Table 1 by the sums of its printed rows and columns and by what the paper says of it; Table 2 likewise."""
    values = paper_values()
    table = pd.DataFrame(values["table_1"]).set_index("conditions").T
    assert table.index.to_list() == ["VAE", "beta-VAE", "VIMAE-n", "VIMAE-l"]
    assert table.columns.to_list() == list(TABLE_1)
    # Added up by hand from the paper.
    assert table.sum(axis=1).to_list() == pytest.approx([353.4, 437.5, 451.0, 453.5])
    assert table.sum(axis=0).to_list() == pytest.approx([359.8, 349.5, 327.8, 348.7, 309.6])
    # "VAE, differently from the other methods, is not able"; bold: VIMAE-n clean, VIMAE-l under every noise.
    assert set(table.idxmin()) == {"VAE"}
    assert table.idxmax().to_list() == ["VIMAE-n"] + 4 * ["VIMAE-l"]
    loss = table.rsub(table["clean"], axis=0)  # "not as robust as the one learned by VIMAE-l"
    assert (loss.loc["VIMAE-n", list(HEAVY)] > loss.loc["VIMAE-l", list(HEAVY)]).all()
    first, second = values["table_2"], values["table_2_version_2"]
    assert sum(first.values()) == 193 and first["VAE"] - first["VIMAE-n"] == 27
    assert first["VIMAE-l"] - first["VIMAE-n"] == 1  # "slightly better"
    assert second == {"VIMAE-l": first["VIMAE-n"], "VIMAE-n": first["VIMAE-l"]}


def test_paper_values_stand_in_one_file():
    """No other source, page or notebook types an accuracy of Table 1, or the VAE's FID beside another of Table 2."""
    values, of_the_paper = paper_values(), "book/paper_values.yml"
    accuracies = {v for name, row in values["table_1"].items() if name != "conditions" for v in row if v % 1}
    assert len(accuracies) == 18  # of 20: one is a whole number, and VIMAE-n and beta-VAE share one
    typed = re.compile(r"(?<![\d.])(" + "|".join(re.escape(str(v)) for v in sorted(accuracies)) + r")(?!\d)")
    fid, *others = sorted(values["table_2"].values(), reverse=True)
    side_by_side = re.compile(rf"(?=.*\b{fid}\b).*\b({'|'.join(map(str, others))})\b")
    command = ["git", "ls-files", "*.py", "*.md", "*.ipynb", "*.yml", "*.yaml", "*.toml", "*Snakefile", ":!results"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert of_the_paper in listed and len(listed) > 50
    for pattern in (typed, side_by_side):
        assert pattern.search("| VAE | " + " | ".join(map(str, [*values["table_1"]["VAE"], fid, others[0]])))
        found = {name for name in listed if any(map(pattern.search, (ROOT / name).read_text().splitlines()))}
        assert found - {of_the_paper} == set(), f"the paper's numbers: take them from {of_the_paper}"
