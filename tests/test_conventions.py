"""The bundles of what the paper leaves open: what they mean for each model, and what their page says of them."""

import re

import numpy as np
import pytest
from scipy import stats

from tests.conftest import ROOT
from vimae_core import RunConfig, make_prior
from vimae_core.chapters import faces
from vimae_core.chapters.conventions import runs, size
from vimae_core.config import PAPER_MODELS, paper_model
from vimae_core.conventions import CONVENTIONS, SECTIONS, under_convention
from vimae_core.multiplier import tolerance, window
from vimae_core.profiles import parameters
from vimae_core.report.results import reference_results

PAGE = (ROOT / "book" / "second_analysis.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_model_has_a_run_under_every_convention(convention, section):
    """None is refused; each has the convention's likelihood; only a divergence has a kernel, only a point no rate."""
    for name in PAPER_MODELS:
        config = under_convention(convention, section, name, seed=10)
        assert config.label == name and config.seed == 10
        likelihood = {"gaussian": "gaussian", "wae": "wae", "wae-code": "wae"}.get(convention, "bernoulli")
        assert config.likelihood == ("wae-symmetric" if (likelihood, section) == ("wae", "faces") else likelihood)
        weighs = config.lambda_ > config.alpha
        assert (config.kernel == "wae") == (convention == "wae-code" and weighs)
        assert (config.lambda_schedule == "ramp") == (convention == "constrained" and weighs)
        assert (config.encoder == "deterministic") == (convention == "wae-code" and config.alpha == 0)
        assert (config.pretraining > 0) == (likelihood == "wae")


def test_bernoulli_is_the_first_analysis():
    """Its runs are named as they were."""
    assert under_convention("bernoulli", "digits", "VIMAE-l", seed=0) == paper_model("VIMAE-l", seed=0)


def test_the_wae_code_to_the_letter():
    """Its small MNIST network, its kernel, noise, start, cost and learning rate, as in its configs.py and wae.py."""
    config = under_convention("wae-code", "plane", "VIMAE-n")
    assert config.scientific == {
        "architecture": "wae-mlp", "encoder": "deterministic", "input_noise": 0.01, "kernel": "wae",
        "likelihood": "wae", "pretraining": 1000, "schedule": "constant",
    }  # fmt: skip
    assert (config.lambda_, config.batch_size, config.learning_rate, config.adam_beta1) == (10, 100, 1e-3, 0.5)
    assert under_convention("wae-code", "digits", "VIMAE-n").schedule == "wae"


@pytest.mark.parametrize(("convention", "section"), [("wea", "digits"), ("wae", "mnist")])
def test_unknown_names_are_refused(convention, section):
    """The message lists those that are known."""
    with pytest.raises(ValueError, match="is unknown: must be one of"):
        under_convention(convention, section, "VAE")


def test_the_page_names_what_the_package_does():
    """Its table of conventions, its steps, sizes, tolerances and seeds are those of the code and of the profile."""
    assert re.findall(r"^- \*\*`([\w-]+)`\*\*", PAGE, re.M)[:5] == list(CONVENTIONS)
    notebook = (ROOT / "notebooks" / "06_conventions_and_scale.ipynb").read_text(encoding="utf-8")
    assert re.findall(r'"- \*\*`([\w-]+)`\*\*', notebook) == parameters("conventions", "reference").conventions
    assert f"λ rising to {under_convention('constrained', 'digits', 'VIMAE-n').lambda_:,.0f}, as Eq." in notebook
    ends = [under_convention("constrained", section, "VIMAE-n").lambda_ for section in ("plane", "digits", "faces")]
    assert ends[0] == ends[1] and f"rising from 0 to {ends[0]:,.0f}; faces {ends[2]:,.0f}" in PAGE
    assert "at most 200 steps of 1,000 digits (256 faces)" in PAGE
    p = parameters("conventions", "reference")
    assert (
        p.memories[0] == 0 and f"with {p.memories[1]:,} recent codes" in PAGE and f"to {p.lambda_:,.0f} at most" in PAGE
    )
    prior, steps = make_prior("normal", 2), window(p.plane_epochs * 600)
    alone, beside = (tolerance(RunConfig(memory=m), prior, steps) for m in p.memories)
    for value in (alone, beside):
        digits, power = f"{value:.1e}".split("e-0")
        assert rf"{float(digits):g}\cdot10^{{-{power}}}" in PAGE
    for seeds in (p.plane_seeds, p.seeds, p.more_seeds):
        assert f"{seeds[0]} to {seeds[-1]} |" in PAGE
    assert f"{', '.join(map(str, p.scale_seeds))} |" in PAGE


def test_the_chapters_runs_are_those_of_the_page():
    """Five conventions of five models in two dimensions and seven in eight, more seeds, nine sizes; none twice."""
    p = parameters("conventions", "reference")
    groups = runs(p)
    alike = {
        section: {under_convention(c, section, m, schedule=p.schedule) for c in p.conventions for m in models}
        for section, models in (("plane", p.plane_methods), ("digits", p.methods))
    }  # a VAE has nothing to constrain: one run for two conventions
    assert len(alike["plane"]) == 5 * 5 - 3 and len(alike["digits"]) == 5 * 7 - 4
    expected = {"plane": 5 * len(alike["plane"]), "digits": 5 * len(alike["digits"]) + 7 * 4}
    expected |= {"constraint": 5 * 2 * (3 + 1), "more_codes": 5 * 2 * 3, "scale": 9 * 3 * 4}
    assert {name: len(found) for name, found in groups.items()} == expected
    seeds = {config.seed for found in groups.values() for config in found}
    assert min(seeds) == 10


def test_faces_have_their_runs_and_their_table():
    """Three seeds of four models under two conventions, whose AE and VAE have nothing to constrain."""
    p = parameters("faces", "reference")
    configs = faces.runs(p)["second"]
    assert len(configs) == 3 * (4 + 4) and {c.seed for c in configs} == {10, 11, 12}
    assert {(c.likelihood, c.lambda_) for c in configs if c.label == "VIMAE-l"} == {
        ("wae-symmetric", 100.0), ("bernoulli", 10_000.0)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("convention", "likelihood", "lambda_"), [("wae", "wae-symmetric", 100.0), ("constrained", "bernoulli", 10_000.0)]
)
def test_a_conventions_faces_are_told_as_their_records_have_them(convention, likelihood, lambda_):
    """The table's cells and the sentences' numbers, by Student's t over the runs that have the convention's lambda."""
    second = reference_results("faces", None)["second"]
    told = faces.beside_the_vae(faces.read_as(second, convention))
    rows = second.table.set_index("seed")
    rows = rows[rows["likelihood"] == likelihood]
    of_vae, n = (rows[(rows["model"] == m) & (rows["lambda"] == x)] for m, x in (("VAE", 1.0), ("VIMAE-n", lambda_)))
    for of, measure, spec, cell in (
        (n, "prior_distance", ".1f", "prior"), (n, "rate", ".0f", "rate, nats"),
        (n, "reconstruction_error", ".1f", "error of reconstructions"),
    ):  # fmt: skip
        half = stats.t.ppf(0.975, 2) * of[measure].std() / np.sqrt(3)
        table = faces.by_convention(parameters("faces", "reference"), second)
        assert table.loc[f"VIMAE-n, `{convention}`", cell] == f"{of[measure].mean():{spec}} ± {half:{spec}}"
    apart = of_vae["prior_distance"] - n["prior_distance"]
    half = stats.t.ppf(0.975, 2) * apart.std() / np.sqrt(3)
    assert told.nearer[0] == f"{apart.mean():.1f} ({apart.mean() - half:.1f} to {apart.mean() + half:.1f})".replace(
        "-", "−"
    )
    assert told.part[0] == pytest.approx(100 * n["prior_distance"].mean() / of_vae["prior_distance"].mean())
    assert told.misfit == pytest.approx(n["mmd2"].mean() / n["mmd2_null_high"].mean())
    assert told.codes["VAE"] == pytest.approx(of_vae["aggregate_distance"].mean()) and told.seeds == 3


def test_a_build_has_conventions_for_faces_where_they_are_asked_for():
    """None by default; a list that is empty by default takes what is given, and a typo is named."""
    assert faces.runs(parameters("faces", "quick"))["second"] == []
    asked = parameters("faces", "quick", conventions="wae", convention_seeds=[3])
    assert [c.pretraining for c in faces.runs(asked)["second"]] == [256] * len(asked.methods)
    with pytest.raises(ValueError, match="convention='wea' is unknown"):
        faces.runs(parameters("faces", "quick", conventions="wea"))


def test_a_size_is_a_width_and_a_number_of_epochs():
    """As text, so that papermill can pass it; anything else is named."""
    assert size("0.25 x 12") == (0.25, 12)
    for wrong in ("0.25", "12 x", "a x 3", "1 x 2 x 3"):
        with pytest.raises(ValueError, match="must be width x epochs"):
            size(wrong)
