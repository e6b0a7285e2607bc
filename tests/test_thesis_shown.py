"""Claims 7 to 9 as they are shown, from made-up runs: marks, lines, tables, and nothing where there is nothing."""

import re
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.made_up_doses import LEVEL, P, entropy_of, made_up
from vimae_core.chapters import collapse, doses_figures, doses_tables, doses_words, thesis, thesis_figures
from vimae_core.chapters.doses import doses
from vimae_core.chapters.outcome_figures import outcome_table
from vimae_core.chapters.statements_words import MISSING
from vimae_core.config import RunConfig
from vimae_core.profiles import parameters
from vimae_core.report.results import Results
from vimae_core.runs import Run

SMALLER = parameters("doses", "reference", shape_seeds=[0, 1, 2], seeds=[0, 1, 2])


def by_entropy_and_weights(config: RunConfig, condition: str) -> float:
    """Five points a nat on clean digits, ten the other way on others; points a doubling of alpha, a tenfold lambda."""
    along = (5 if condition == "clean" else -10) * entropy_of(config)
    along += 2 * np.log2(config.alpha) if config.method == "infovae" else 0
    fit = config.method == "vimae" and config.lambda_ != P.lambda_
    return along + (3 * np.log10(config.lambda_) if fit else 0)


@pytest.fixture(scope="module")
def groups():
    return made_up(by_entropy_and_weights, p=SMALLER)


def test_figures_are_drawn_from_what_there_is(groups):
    """A mark for each prior, scale, road and run; nothing where there is nothing."""
    table = doses(groups["shape"])
    axes = doses_figures.over_entropy(table).axes
    assert len(axes) == 3
    marks = [line.get_marker() for line in axes[0].lines if line.get_linestyle() == "None"]
    assert sorted(marks) == sorted(["^"] * 3 + ["s"] * 3 + ["o"])
    roads = {name: doses(groups[g]) for g, name in doses_figures.ROADS.items()}
    figure = doses_figures.along_roads(roads, doses(groups["rows"]))
    assert len(figure.legends[0].get_texts()) == len(roads)
    beta = next(line for line in figure.axes[1].lines if line.get_label() == doses_figures.ROADS["rate"])
    assert len(beta.get_xdata()) == len(P.betas) and list(beta.get_xdata()) == sorted(beta.get_xdata(), reverse=True)
    plt.close("all")
    claims = thesis.in_doses(groups, SMALLER)
    families = thesis_figures.families(claims)
    assert [len(of) for of in families.values()] == [3, 6, 6, 3]
    table = outcome_table(claims[7])
    row = table.loc["heavy tails − light, clean"]
    assert row["the paper's"] == "± 0.5" and row["outcome"] == "holds" and row["seeds"] == "3"
    row, mean = table.loc["rises with entropy, clean"], claims[7]["rises with entropy, clean"].outcome.difference
    assert row["difference"] == f"{mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]"
    assert row["the paper's"].endswith(", excluded") and "the paper's" not in outcome_table(claims[9])
    none = made_up(keep=lambda c: False)
    for show in (
        doses_figures.show_scales,
        doses_figures.show_roads,
        doses_figures.show_explanations,
        doses_figures.show_information,
        doses_tables.show_numbers,
    ):
        show(none, "fig-x")
    doses_figures.show_entropy(none["shape"], "fig-x")
    collapse.show_collapse(none["collapse"], "fig-x")
    assert not plt.get_fignums()


def test_a_table_has_every_dose_with_its_means(groups):
    """A row a dose, by its name; means over seeds, the MMD² in its unit; accuracies those of the made-up level."""
    kinds = (doses_tables.TELL, doses_tables.LIE, doses_tables.COMES)
    table, beside, comes = (doses_tables.dose_table(groups["rate_at_fit"], of) for of in kinds)
    assert list(table.index) == [f"InfoVAE, α = {a:g}" for a in P.alphas]
    own = doses(groups["rate_at_fit"]).query("alpha == 3")
    assert table.loc["InfoVAE, α = 3", "rate"].startswith(f"{own['rate'].mean():.1f} ± ")
    assert beside.loc["InfoVAE, α = 3", "MMD² × 10⁴"].startswith("1.0")
    accuracy = comes.loc["InfoVAE, α = 3", "clean digits"].split()[0]
    assert float(accuracy) == pytest.approx(own["clean"].mean(), abs=0.05)
    assert own["clean"].mean() == pytest.approx(LEVEL["clean"] + 5 * 1.4189 + 2 * np.log2(3), abs=0.3)
    for group in doses_tables.VARIED:  # no two doses have one name
        names = doses_tables.dose_table(groups[group], doses_tables.TELL).index
        assert len(names) == len({replace(run.config, seed=0) for run in groups[group].runs}), list(names)


def test_rate_and_fit_have_the_slopes_that_were_made(groups):
    """Two points a doubling of alpha, three a tenfold lambda, whatever the constraint's tolerance gave."""
    text = doses_words.of_rate_and_fit(groups)
    alpha, lambda_ = text.split("**Ten times VIMAE-n's λ**")
    for part, slope in ((alpha, 2.0), (lambda_, 3.0)):
        assert float(part.partition("on clean digits ")[2].split()[0]) == pytest.approx(slope, abs=0.15)
    for lacking in (made_up(keep=lambda c: False), made_up(keep=lambda c: c.seed == P.seeds[0])):  # no interval
        assert doses_words.of_rate_and_fit(lacking) == ""


def test_a_tolerance_is_a_dose_of_its_own(groups):
    """Along the fit a line of every lambda and a dashed one of every tolerance, in both rows; a line for each prior."""
    own = {"fit": doses(groups["fit"]), "adversary": doses(groups["adversary"])}
    figure = doses_figures.over_explanations(own)
    for axis in figure.axes:
        sizes = [len(line.get_xdata()) for line in axis.lines]
        assert sizes == [len(P.lambdas), len(P.tolerances), *[len(P.adversarial_lambdas)] * 2]
    styles = [line.get_linestyle() for line in axis.lines]
    assert styles == ["-", "--", "-", "-"] and [t.get_text() for t in figure.legends[0].get_texts()] == [*own]
    plt.close(figure)


def test_the_budget_is_that_of_the_records(monkeypatch):
    """Seconds of training and of all measures, each run once; nothing without runs."""
    one = lambda name, seconds: Run(RunConfig(), ROOT / name, {}, {"seconds": seconds})  # noqa: E731
    runs = {"a": [one("a", 3600.0), one("b", 1800.0)], "b": [one("a", 3600.0)], "c": []}
    results = {g: Results("reference", "07_capacity", "reference", of, pd.DataFrame()) for g, of in runs.items()}
    took = {"latent_fit": {"seconds": 700.0}, "probes": {"seconds": 200.0}}
    monkeypatch.setattr(doses_words, "reference_record", lambda run, name: {"took": took}[name])
    assert doses_words.budget(results).startswith("The reference's 2 runs took 1.5 hours to train and 0.5 to measure")
    assert doses_words.budget({"a": results["c"]}) == MISSING


def test_runs_in_another_precision_are_named(monkeypatch):
    """By group, how many of how many; nothing where all runs have one."""
    one = lambda name, given: Run(RunConfig(), ROOT / name, {}, {"seconds": 1.0, **given})  # noqa: E731
    runs = {"rate": [one("a", {"precision": "bf16"}), one("b", {})], "rows": [one("c", {"precision": "fp32"})],
            "shape": [one("d", {"precision": "bf16"})], "fit": []}  # fmt: skip
    results = {g: Results("reference", "07_capacity", "reference", of, pd.DataFrame()) for g, of in runs.items()}
    monkeypatch.setattr(doses_words, "reference_record", lambda run, name: {})
    told = doses_words.budget(results)
    assert "2 were trained in bf16, and these in fp32, on" in told
    assert ": *β-VAE, β*, 1 of 2; *The paper's models as they stand*, 1 of 1. [What" in told
    assert "fp32" not in doses_words.budget({"rows": results["rows"]})


def test_how_far_codes_follow_is_told_beside_the_band(groups):
    """Two runs within the band that draws of the priors have; the mean of all, and the paper's own λ beside it."""
    shape = groups["shape"].table.assign(mmd2=5e-4, mmd2_null_high=1e-4)
    shape.loc[shape.index[:2], "mmd2"] = 0.5e-4
    told = doses_words.of_following({**groups, "shape": replace(groups["shape"], table=shape)})
    mean = (0.5 * 2 + 5 * (len(shape) - 2)) / len(shape)
    assert f"is {mean:.1f} × 10⁻⁴ in the mean of {len(shape)} runs" in told and "less than 1.0 × 10⁻⁴ in 97.5" in told
    assert "as 2 of the runs has. The paper's λ leaves VIMAE-n's at 1.0 × 10⁻⁴ (3 seeds)." in told
    brief = doses_words.of_following_in_brief({"shape": replace(groups["shape"], table=shape)})
    assert f"of {len(shape)} runs with a prior of unit variance 2 have codes that pass" in brief
    assert doses_words.of_following(made_up(keep=lambda c: False)) == ""


def test_what_a_scale_does_is_told_with_both_ends(groups):
    """Noises that are sixteen times as large beside a prior sixteen times as wide, as at the optimum; or four times."""
    text = doses_words.of_scale(groups)
    assert "from 0.0025 to 0.0400, 16.0 times as much (medians over seeds); the squared" in text
    assert "a prior 16 times as wide would" in text and "8 times the width takes" in text
    assert re.search(r"error from \S+ ± \S+ to \S+ ± \S+ and the information, from above, from .* to .* nats", text)
    table = groups["scale"].table.assign(posterior_std=lambda t: t["posterior_std"].clip(0.01))
    short = doses_words.of_scale({**groups, "scale": replace(groups["scale"], table=table)})
    assert "4.0 times as much (medians over seeds), so that these trainings did not reach that optimum;" in short
    assert "A doubling moves accuracy by so many points: on clean digits" in text
    assert doses_words.of_scale(made_up(keep=lambda c: False)) == ""


def test_eq_3_is_told_beside_an_estimate_that_knows_nothing_of_it(groups):
    """What is left of it; the neighbours' divergence between the bounds or not; runs whose rate is infinite."""
    shape = groups["shape"].table.assign(rate=10.0, information=8.0, kl_above=2.25, kl_below=1.0, kl=1.5)
    shape.loc[shape.index[0], "rate"] = np.inf
    shape.loc[shape.index[1:4], "kl"] = [0.5, 0.9, 2.5]
    own = {"shape": replace(groups["shape"], table=shape), "none": Results("x", "y", "z", [], pd.DataFrame())}
    text, n = doses_words.eq_3(own), len(shape) - 1
    assert text.startswith(f"Of {n} runs, rate less information less divergence is at most 0.250 nats.")
    assert f"two bounds in {n - 3} of them, below both in 2, as it" in text and "above both in 1. 1 more have" in text
    assert doses_words.eq_3({"none": own["none"]}) == ""
