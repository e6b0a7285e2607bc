"""The committed records of Figure 3 and Table 2: whole, and what the stored weights give when asked again."""

import math
import subprocess

import pytest
import torch

from tests.conftest import ROOT
from vimae_core.chapters.faces import claim_6, runs
from vimae_core.evaluation.drawn_codes import N
from vimae_core.evaluation.faces import LADDER, SHOWN, sharpness
from vimae_core.profiles import parameters
from vimae_core.reference import find_reference, reference_record
from vimae_core.report.results import reference_results

GROUPS = runs(parameters("faces", "reference"))
TABLE = GROUPS["table"]


def test_every_run_of_the_table_has_its_whole_record():
    """Four models, three seeds, 2,000 samples against 2,000 held-out pictures, on one and the same features."""
    records = [reference_record(find_reference(config), "faces") for config in TABLE]
    assert len(records) == len(TABLE) > 0
    for record in records:
        assert record["n"] == 2000 and record["features"] == "efficientnet-lite0"
        assert "FID" not in record["title"]
        assert len(record["codes"]) == SHOWN and list(record["ladder"]) == list(LADDER)
        numbers = [v for v in record.values() if isinstance(v, float)] + list(record["ladder"].values())
        assert len(numbers) > 20 and all(map(math.isfinite, numbers))
        assert record["real_distance"] == pytest.approx(records[0]["real_distance"])  # the data's, whatever the model
        assert record["real_extrapolated"] < record["real_distance"] < record["prior_distance"]


def test_other_likelihoods_have_a_seed_of_each_model():
    """Under which VAE, VIMAE-n and VIMAE-l were trained too."""
    found = {(c.likelihood, c.label) for c in GROUPS["scale"] if reference_record(find_reference(c), "faces")}
    assert found == {(name, m) for name in ("gaussian", "wae") for m in ("VAE", "VIMAE-n", "VIMAE-l")}


@pytest.mark.parametrize("config", [c for c in TABLE if c.seed == 0], ids=lambda c: c.label)
def test_figure_3_follows_from_the_stored_weights(config):
    """The samples that were measured come again: their sharpness is the recorded one; the codes decode to pictures."""
    run = find_reference(config)
    record = reference_record(run, "faces")
    samples = run.sample(record["n"], torch.Generator().manual_seed(0))
    assert sharpness(samples) == pytest.approx(record["prior_sharpness"], rel=0.02)
    rebuilt = run.decode(torch.tensor(record["codes"]))
    assert rebuilt.shape == (SHOWN, 3, 64, 64) and rebuilt.std(0).mean() > 0.05  # eight different pictures


@pytest.mark.parametrize("config", [c for c in TABLE if c.seed == 0], ids=lambda c: c.label)
def test_the_drawn_codes_are_the_models_own(config):
    """As wide as the codes of all test pictures, and other faces than the prior's."""
    run = find_reference(config)
    codes = torch.tensor(reference_record(run, "drawn_codes")["codes"])
    wide = reference_record(run, "latent_fit")["latent_std"]
    assert codes.shape == (N, config.latent_dim)
    assert codes.square().mean().sqrt().item() == pytest.approx(wide, rel=0.15)
    assert run.decode(codes).std(0).mean() > 0.05


def test_the_verdict_is_one_on_three_seeds():
    """From the records alone, without CelebA."""
    verdict, tested = claim_6(reference_results("faces", None)["table"])
    assert "3 seeds" in verdict and len(tested) == 3


def test_no_picture_of_celeba_is_in_the_repository():
    """No file of pictures but the README's and what the book's theme needs; no data but MNIST."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pictures = [name for name in listed if name.endswith((".jpg", ".jpeg", ".png", ".webp", ".u8", ".npy"))]
    assert pictures == ["book/_static/preview.png"]
    assert all(name.startswith("data/mnist/") for name in listed if name.startswith("data/"))
