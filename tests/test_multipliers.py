"""What is told of the lambda that was found: the table of its runs, and its words from the committed files."""

import json

import numpy as np
import pandas as pd

from tests.conftest import ROOT
from vimae_core.chapters.conventions import runs
from vimae_core.chapters.multipliers import in_words, multipliers, together
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE
from vimae_core.report.results import Results, reference_results
from vimae_core.runs import Run


def made_up(more: bool) -> Results:
    """Two seeds of VIMAE-n, one of which meets the constraint by its own estimate and none on test digits."""
    p = parameters("conventions", "smoke", plane_seeds=[0, 1], memories=[0, 1900], more_codes=[500])
    groups = runs(p)
    configs = [c for c in groups["constraint"] + groups["more_codes"] * more if c.label == "VIMAE-n"]
    history = [
        {
            "hundredths": {"lambda": [1.0, 100.0 * (1 + c.seed)]},
            "constraint": {"met": c.seed == 0, "mean": 1e-4, "tolerance": 3e-4},
        }
        for c in configs
    ]
    table = pd.DataFrame(
        [
            {"model": c.label, "likelihood": c.likelihood, "kl": 0.2, "mmd2": 4e-4, "rate": 5.0 * c.seed,
             "squared_error": 30.0, "constraint_met": False}
            for c in configs
        ]
    )  # fmt: skip
    told = [Run(c, ROOT, h, {}) for c, h in zip(configs, history, strict=True)]
    return Results("reference", "n", "reference", told, table)


def test_the_multipliers_are_those_of_the_history():
    """A row a likelihood, sample of codes and model: the last lambda's range, both estimates, and who met what."""
    told = multipliers(made_up(more=True))
    name = "Bernoulli, VIMAE-n"
    assert list(told.index) == [name, f"{name},<br>memory of 1,900", f"{name},<br>500 more codes"]
    assert told.iloc[2][:5].tolist() == ["100 to<br>200", "1.0", "4.0", "1 of 2", "0 of 2"]
    assert told.iloc[2]["rate"].endswith("<br>1 empty")


def test_codes_of_other_images_are_told_once_they_are_there():
    """Their paragraph by likelihood; none before."""
    assert "Codes of other images" not in in_words(made_up(more=False))
    text = " ".join(in_words(made_up(more=True)).split())
    rate = "a rate of 2.5 nats beside the 2.5 that the batch alone has"
    assert f"With Bernoulli as likelihood λ ends between 100 and 200, with {rate}; the constraint is" in text
    assert "by the training's own estimate in 1 of 2 and on test digits in 0; the MMD² is 1.0 · 10⁻⁴ by the" in text
    assert "former and 4.0 · 10⁻⁴ on the latter (means), the tolerance 3.0 · 10⁻⁴" in text
    assert "λ goes on to its end in 0 of 2 runs" in text


def published() -> list[tuple[dict, dict, dict]]:
    """Configuration, history and fit of each committed run with a plane as latent space whose lambda was found."""
    folders = [f.parent for f in REFERENCE.glob("*/config.json") if '"constrained"' in f.read_text()]
    read = lambda folder, name: json.loads((folder / f"{name}.json").read_text())  # noqa: E731
    found = [(read(f, "config"), read(f, "history"), read(f, "record")) for f in folders]
    return [(c, h, record["latent_fit"]) for c, h, record in found if c["latent_dim"] == 2]


def test_what_became_of_lambda_is_told_from_the_files():
    """Numbers of every paragraph, by a loop over the committed files; no loss of them is not finite."""
    found = published()
    first = [f for f in found if not f[0].get("more_codes")]
    assert len(first) == 40 and all(np.isfinite(h["hundredths"]["loss"]).all() for _, h, _ in found)
    text = " ".join(in_words(together(reference_results("conventions", None))).split())
    of = {m: [f for f in first if (f[0]["likelihood"], f[0]["memory"]) == ("bernoulli", m)] for m in (0, 1900)}
    ends = {m: [history["hundredths"]["lambda"][-1] for _, history, _ in runs_] for m, runs_ in of.items()}
    assert f"rest** between {min(ends[1900]):,.0f} and {max(ends[1900]):,.0f} in 10 of 10 runs" in text
    assert set(ends[0]) == {10_000.0} and "its end, 10,000, in 10 of 10 runs" in text
    for runs_ in of.values():
        own, on_test, tolerance = (
            1e4 * np.mean(values)
            for values in (
                [h["constraint"]["mean"] for _, h, _ in runs_],
                [r["mmd2"] for _, _, r in runs_],
                [h["constraint"]["tolerance"] for _, h, _ in runs_],
            )
        )
        met = [sum(h["constraint"]["met"] for _, h, _ in runs_), sum(r["constraint_met"] for _, _, r in runs_)]
        both = f"{own:.1f} · 10⁻⁴ by the former and {on_test:.1f} · 10⁻⁴ on the latter (means)"
        assert f"own estimate in {met[0]} of 10 and on test digits in {met[1]}; the MMD² is {both}" in text
        assert f"the tolerance {tolerance:.1f} · 10⁻⁴" in text
    rate = {m: np.mean([r["rate"] for _, _, r in runs_]) for m, runs_ in of.items()}
    assert all(f"and the rate is {rate[m]:.0f} nats" in text for m in of)
    beside = [h for c, h, _ in found if c["likelihood"] == "bernoulli" and c.get("more_codes")]
    assert {h["hundredths"]["lambda"][-1] for h in beside} == {10_000.0}, "the sentence on the multiplier stands on it"
    assert {h["constraint"]["tolerance"] for h in beside} == {h["constraint"]["tolerance"] for _, h, _ in of[1900]}
    assert "under the same tolerance, λ goes on to its end in 10 of 10 runs" in text


def test_what_is_broken_is_told_from_the_files():
    """Below one nat, by likelihood and sample of codes, and who of them met the constraint."""
    found = published()
    empty = [(c["likelihood"], h["constraint"]["met"]) for c, h, r in found if r["rate"] < 1]
    assert {likelihood for likelihood, _ in empty} == {"wae"}
    of_wae = {m: [r["rate"] < 1 for c, _, r in found if c["likelihood"] == "wae" and c.get("more_codes", 0) == m]
              for m in (0, 1900)}  # fmt: skip
    alone, more = (f"{sum(of_wae[m])} of {len(of_wae[m])} with 0.05 × squared error as likelihood" for m in of_wae)
    told = f"end {len(empty)} of {len(found)} runs: {alone} by the batch alone, {more} with 1,900 more codes. Of these"
    text = " ".join(in_words(together(reference_results("conventions", None))).split())
    assert f"{told} {sum(met for _, met in empty)} meet the constraint on training digits" in text
