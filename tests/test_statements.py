"""The statements of claims 1 to 6: what each compares, what comes out, and how it is told."""

import numpy as np
import pandas as pd
import pytest
import torch

from tests.conftest import ROOT
from vimae_core.chapters import conventions as chapter_6
from vimae_core.chapters import conventions_figures
from vimae_core.chapters import faces as chapter_5
from vimae_core.chapters import statements_figures as figures
from vimae_core.chapters import statements_words as words
from vimae_core.chapters.capacity import TABLE_1
from vimae_core.chapters.conventions import (
    codes_drawn,
    digits,
    keeps,
    plane,
)
from vimae_core.chapters.statements import (
    CLAIMS,
    Statement,
    _registered,
    by_convention,
    claim_1,
    claim_3,
    claim_5,
    claim_6,
    told,
)
from vimae_core.config import paper_model
from vimae_core.profiles import parameters
from vimae_core.report.paper import paper_values
from vimae_core.report.results import Results, reference_results
from vimae_core.runs import Run

SEEDS = range(10, 15)


def results(rows: list[dict]) -> Results:
    return Results("reference", "06_conventions_and_scale", "reference", [], pd.DataFrame(rows))


def with_the_papers_means(spread: float = 0.3, draws: int = 4) -> Results:
    """Accuracies as the paper prints them, but for noise of seeds and draws that all models share in part."""
    table, rng, rows = paper_values()["table_1"], np.random.default_rng(0), []
    for model in ("VAE", "beta-VAE", "VIMAE-n", "VIMAE-l"):
        noise = {
            c: rng.normal(0, spread, (len(SEEDS), 1)) + rng.normal(0, spread, (len(SEEDS), draws)) for c in TABLE_1
        }
        noise = {c: values - values.mean() for c, values in noise.items()}
        for i, seed in enumerate(SEEDS):
            found = {
                c: {"tsvm": (printed + noise[c][i]).tolist()}
                for c, printed in zip(table["conditions"], table[model], strict=True)
            }
            rows.append({"model": model, "seed": seed, "accuracy": {"test": found}})
    return results(rows)


@pytest.mark.parametrize("claim", [2, 3])
def test_at_the_papers_own_means_the_claim_holds(claim):
    """With the paper's accuracies and a small spread every statement of the paper's holds: the test can say so."""
    found = told(CLAIMS[claim](with_the_papers_means(0.05)))
    assert {name: t.outcome.word for name, t in found.items()} == dict.fromkeys(found, "holds")
    assert all(t.could_hold for t in found.values())
    for t in found.values():
        assert t.outcome.difference.value == pytest.approx(t.statement.paper, abs=1e-9)


def test_with_a_large_spread_nothing_is_shown_and_the_table_says_so():
    """The same means with seeds that scatter by ten points: undecided, and the paper's effect could not have held."""
    found = told(claim_3(with_the_papers_means(10)))
    name = "VIMAE-l − VIMAE-n, mask 0.5"
    assert found[name].outcome.word == "undecided" and found[name].could_hold is False
    assert "paper's unseen" in figures.cell(3, found[name])
    assert "paper's excluded" not in figures.cell(3, found[name])
    assert found[name].excludes is False


def test_the_papers_effect_is_excluded_by_its_own_correction():
    """Differences of nothing with little spread are not the paper's 1.8; of one seed nothing is excluded."""
    values = np.random.default_rng(3).normal(0, 0.1, (5, 4))
    found = told(
        {"a": Statement(values - values.mean(), paper=1.8), "b": Statement(values, paper=float(values.mean()))}
    )
    assert [t.excludes for t in found.values()] == [True, False]
    assert "paper's excluded" in figures.cell(3, found["a"]) and "excluded" not in figures.cell(3, found["b"])
    assert told({"a": Statement(values[:1], paper=1.8)})["a"].excludes is False


def test_the_claims_have_the_statements_of_the_page():
    """So many each: four, fifteen, eleven, eight, six, four; and no results give none that was run."""
    found = {claim: told(test(results([]))) for claim, test in CLAIMS.items()}
    assert [len(of) for of in found.values()] == [4, 15, 11, 8, 6, 4]
    assert all(t.outcome is None for of in found.values() for t in of.values())
    page = (ROOT / "book" / "second_analysis.md").read_text(encoding="utf-8")
    for claim, number in ((2, "fifteen"), (3, "eleven"), (5, "six")):
        part = page[page.index(f"**Claim {claim}**") :].split("\n")[0]
        assert number in part


def fits(kl: dict[str, float], rate: dict[str, float]) -> dict[str, str]:
    noise = np.linspace(-0.01, 0.01, len(SEEDS))
    rows = [
        {"model": m, "seed": s, "kl": kl[m] + e, "rate": rate[m] + e}
        for m in kl
        for s, e in zip(SEEDS, noise, strict=True)
    ]
    return {name: t.outcome.word for name, t in told(claim_1(results(rows))).items()}


def test_an_empty_code_is_no_fit():
    """A divergence of nearly nothing with a rate of nearly nothing does not fit, whichever model has it."""
    low, high = dict.fromkeys(("VAE", "beta-VAE", "VIMAE-n", "VIMAE-l"), 0.02), 5.0
    informed = fits(low, dict.fromkeys(low, high))
    assert list(informed.values()) == ["contradicted", "holds", "holds", "holds"]
    empty = fits(low, {**dict.fromkeys(low, high), "VAE": 0.1, "beta-VAE": 0.1})
    assert list(empty.values()) == ["holds", "contradicted", "holds", "holds"]
    assert list(fits(dict.fromkeys(low, 0.1), dict.fromkeys(low, high)).values()) == ["undecided"] * 4


def test_claim_5_is_held_against_a_projection_and_an_autoencoder():
    """The differences, by hand: of two seeds, models that mend better than PCA and worse than the AE."""
    rows = [
        {"model": m, "seed": s, "corrupted_pca_error": 30.0, "corrupted_error": e + s, "label_kept": 90.0,
         "corrupted_label_kept": 85.0}
        for m, e in (("AE", 5.0), ("VIMAE-n", 8.0), ("VIMAE-l", 9.0))
        for s in (10, 11)
    ]  # fmt: skip
    values = {name: s.values[:, 0].tolist() for name, s in claim_5(results(rows)).items()}
    assert values["error of PCA, masked − error of VIMAE-n, masked"] == [12.0, 11.0]
    assert values["error of AE, masked − error of VIMAE-l, masked"] == [-4.0, -4.0]
    assert values["VIMAE-n: label kept, masked − 0.9 × clean"] == pytest.approx([4.0, 4.0])


def test_nearly_equal_is_an_equivalence_and_far_better_a_bar():
    """Distances of 60 and 60.5 with little spread are within 5 %, beside a VAE's 90; of one seed there is no word."""
    noise = (0.0, 0.2, -0.2)
    rows = [
        {"model": m, "seed": s, "prior_distance": d + f * e}
        for m, d, f in (("VAE", 90, 1), ("VIMAE-n", 60, 1), ("VIMAE-l", 60.5, -1))
        for s, e in zip((10, 11, 12), noise, strict=True)
    ]
    words = [t.outcome.word for t in told(claim_6(results(rows))).values()]
    assert words == ["holds", "holds", "undecided", "holds"]
    one = [t.outcome.word for t in told(claim_6(results([row for row in rows if row["seed"] == 10]))).values()]
    assert one == ["sign agrees", "sign agrees", "sign agrees", "undecided"]


def test_results_among_configurations():
    """By what determines a run, not by where it was computed."""
    configs = [paper_model("VAE", seed=s) for s in range(3)]
    all_ = Results("t", "n", "p", [Run(c, ROOT, {}, {}) for c in configs], pd.DataFrame({"seed": range(3)}))
    some = all_.among([paper_model("VAE", seed=1, device="cpu", data_root="/elsewhere")])
    assert some.table["seed"].tolist() == [1] and [r.config.seed for r in some.runs] == [1]


def test_no_word_before_all_seeds_are_there():
    """Of a registered five, four seeds are no outcome, whatever they show; twelve where the page says twelve."""
    p, of_faces = parameters("conventions", "reference"), parameters("faces", "reference")
    apart, other = "VIMAE-l − VIMAE-n, mask 0.5", "VIMAE-l − VAE, mask 0.5"
    asked = {(c, n): _registered(p, of_faces, c, 3, n) for c in p.conventions for n in (apart, other)}
    assert {c: n for (c, name), n in asked.items() if name == apart} == {
        "bernoulli": 5, "gaussian": 5, "wae": 12, "wae-code": 5, "constrained": 12
    }  # fmt: skip
    assert {n for (_, name), n in asked.items() if name == other} == {5}
    assert [_registered(p, of_faces, c, claim, "") for c, claim in (("wae", 1), ("wae", 6), ("bernoulli", 6))] == [
        5,
        3,
        3,
    ]
    few = claim_3(with_the_papers_means(0.05))
    for seeds, shown in ((5, '<a class="word holds"'), (12, "… 5 of 12 seeds")):
        one = told(few, lambda name, n=seeds: n if name == apart else 5)[apart]
        assert figures.cell(3, one).startswith(shown)
        assert (words.word(one) == "holds") == (seeds == 5)


def test_a_word_stays_whatever_is_missing_turns_out_to_be():
    """Of 300 made-up claims in part: each word is that of the whole claim; what is not rejected has none."""
    rng, given, waiting = np.random.default_rng(0), 0, 0
    for _ in range(300):
        n = int(rng.integers(2, 9))
        whole = {str(i): Statement(rng.normal(rng.choice([0, 1, -3]), 1, (5, 1)), paper=1.0) for i in range(n)}
        some = {
            i: s if rng.random() < 0.6 else s._replace(values=s.values[: rng.integers(4)]) for i, s in whole.items()
        }
        there, final = told(some, lambda name: 5), told(whole, lambda name: 5)
        for name, one in there.items():
            if len(some[name].values) < 5:
                assert words.word(one) in (words.SO_FAR, words.NOT_RUN) and one.excludes is one.could_hold is None
            elif words.word(one) == words.SO_FAR:
                assert one.outcome.word == "undecided so far"
                waiting += 1
            else:
                assert one.outcome.word == final[name].outcome.word
                assert one.excludes in (None, final[name].excludes) and one.could_hold in (None, final[name].could_hold)
                given += 1
    assert given > 100 and waiting > 100


def test_more_seeds_are_for_the_two_vimae_beside_each_other():
    """Claims 4 and 5 ask the first seeds alone, however many are there; claims 2 and 3 all."""
    p, of_faces = parameters("conventions", "reference"), parameters("faces", "reference")
    results = reference_results("conventions", None)
    found = by_convention(p, of_faces, results, reference_results("faces", None))["wae"]
    more = [config for config in digits(p, "wae") if config.seed in p.more_seeds]
    rows = (
        results["digits"]
        .table.iloc[[-1] * len(more)]
        .assign(model=[c.label for c in more], seed=[c.seed for c in more])
    )
    some = results["digits"].among(config for config in digits(p, "wae") if config.seed in p.seeds)
    runs = [*some.runs, *(Run(config, ROOT, {}, {}) for config in more)]
    digits_ = Results("reference", "n", "reference", runs, pd.concat([some.table, rows]))
    again = by_convention(p, of_faces, {**results, "digits": digits_}, reference_results("faces", None))["wae"]
    for claim in (4, 5):
        assert [t.outcome for t in again[claim].values()] == [t.outcome for t in found[claim].values()]
    assert again[3]["VIMAE-l − VIMAE-n, mask 0.5"].outcome.seeds == 12


def test_the_codes_that_are_drawn_are_two_models_of_one_seed():
    """Under every convention; a VAE, which has nothing to constrain, once for two of them."""
    p = parameters("conventions", "reference", plane_seeds=[10, 11])
    configs = [c for convention in p.conventions for c in plane(p, convention)]
    found = [Run(c, ROOT / str(i), {}, {}) for i, c in enumerate(dict.fromkeys(configs))]
    shown = codes_drawn(Results("reference", "n", "p", found, pd.DataFrame({"row": range(len(found))})), p)
    assert {run.config.seed for run, _, _ in shown} == {10}
    assert sorted((run.config.label, *own) for run, _, own in shown) == sorted(
        [("VAE", "constrained", "bernoulli"), *(("VAE", c) for c in ("gaussian", "wae", "wae-code")),
         *(("VIMAE-n", c) for c in p.conventions)]
    )  # fmt: skip
    assert all(int(run.path.name) == row["row"] for run, row, _ in shown)


def test_samples_are_drawn_where_both_models_have_weights(monkeypatch, tmp_path):
    """Two models side by side, a convention below the other, the first seed; what lacks weights is left out."""
    p, shown = parameters("conventions", "reference"), []
    monkeypatch.setattr(conventions_figures, "show_figure", lambda *a: shown.append(a))
    monkeypatch.setattr(Run, "sample", lambda run, n, generator: torch.zeros(n, 1, 28, 28))
    runs_of = {c: digits(p, c) for c in p.conventions}
    kept = list(dict.fromkeys(c for of in runs_of.values() for c in of if keeps(c, p)))
    found = [Run(c, tmp_path / str(i), {}, {"commit": "c", "time": "2026", "data_digest": "d", "torch": "t",
                                           "device": "d"}) for i, c in enumerate(kept)]  # fmt: skip
    all_of = Results("reference", "n", "p", found, pd.DataFrame({"row": range(len(found))}))
    conventions_figures.show_samples(all_of, "conventions", digits, 4, "fig")
    assert shown == []  # no weights, no figure
    for run in found:
        if run.config in runs_of["wae"] or run.config in runs_of["bernoulli"] or run.config.label == "VAE":
            run.path.mkdir()
            (run.path / "weights.safetensors").touch()
    conventions_figures.show_samples(all_of, "conventions", digits, 4, "fig")
    (figure, _, caption, alt, source), titles = shown[0], ["VAE, wae", "VIMAE-n, wae", "VAE, bernoulli"]
    assert [a.get_title("left") for a in figure.axes] == [*titles, "VIMAE-n, bernoulli"]
    assert "seed 10" in caption and all(t in alt for t in titles) and "4 runs" in source


def test_what_is_drawn_is_published_with_its_weights():
    """Of the committed records: every run that a figure of the second analysis draws."""
    for chapter, module in (("conventions", chapter_6), ("faces", chapter_5)):
        p = parameters(chapter, "reference")
        published = [run for group in reference_results(chapter, None).values() for run in group.runs]
        drawn = [run for run in published if module.keeps(run.config, p)]
        assert drawn and all((run.path / "weights.safetensors").is_file() for run in drawn)
