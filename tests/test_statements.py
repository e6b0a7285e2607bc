"""The statements of claims 1 to 6: what each compares, what comes out, and how it is told."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT
from vimae_core.chapters import statements_figures as figures
from vimae_core.chapters.capacity import TABLE_1
from vimae_core.chapters.conventions import codes_drawn, multipliers, multipliers_in_words, plane, runs
from vimae_core.chapters.statements import (
    CLAIMS,
    Statement,
    _registered,
    _so_far,
    claim_1,
    claim_3,
    claim_5,
    claim_6,
    of_the_reference,
    told,
)
from vimae_core.config import paper_model
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE
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
    for claim, words in ((2, "fifteen"), (3, "eleven"), (5, "six")):
        part = page[page.index(f"**Claim {claim}**") :].split("\n")[0]
        assert words in part


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


def example(words: dict[str, dict[str, str | None]]):
    """Convention -> claim -> statement -> what came out, with the words given."""
    signs = {"holds": 1.0, "contradicted": -1.0}
    return {
        c: {2: told({n: Statement(np.array([[signs.get(w, 0) + e] for e in (-0.01, 0, 0.01)]) if w else np.array([]))
                     for n, w in of.items()})}
        for c, of in words.items()
    }  # fmt: skip


def test_the_three_sentences():
    """Which convention has all, what holds under all, what under none; and what is not yet run is counted."""
    some = example({"wae": {"a": "holds", "b": "holds", "c": "undecided"},
                    "bernoulli": {"a": "holds", "b": "contradicted", "c": "contradicted"}})  # fmt: skip
    text = figures.in_sentences(some)
    assert "There is no convention under which every statement holds" in text
    assert "hold under all of them 1 statement (claim 2, a)" in text and "holds 1 statement (claim 2, c)" in text
    assert "contradicted under every one of them: no statement" in text
    twice = {c: {**claims, 3: claims[2]} for c, claims in some.items()}
    assert "Of the 6 statements" in figures.in_sentences(twice)
    whole = figures.in_sentences(example({"wae": {"a": "holds"}, "gaussian": {"a": "contradicted"}}))
    assert "Under `wae` every statement holds" in whole
    open_ = figures.in_sentences(example({"wae": {"a": "holds", "b": None}, "gaussian": {"a": "holds", "b": None}}))
    assert "2 of 4 cells are not yet run with all of their seeds" in open_
    some["gaussian"] = {3: some["wae"][2]}  # not asked claim 2: no reading under which all holds
    some["bernoulli"][3] = example({"bernoulli": {"a": "holds", "b": "holds", "c": "holds"}})["bernoulli"][2]
    text = figures.in_sentences(some)
    assert (
        "There is no convention" in text
        and "hold under all of them 3 statements (claim 2, a; claim 3, a; claim 3, b)" in text
    )


def test_the_map_and_the_tables_say_what_the_words_say():
    """A sign, a number and a word for each; nothing where nothing was run."""
    found = example({"wae": {"a": "holds", "b": None}, "gaussian": {"a": "contradicted", "b": "undecided"}})
    table = figures.statement_table(2, found)
    assert table["wae"].tolist()[1] == "—" and list(table.columns) == ["wae", "gaussian"]
    at = '<a class="word {}" href="#fig-seeds-2"><b>{}</b></a><br>'
    assert table["wae"].iloc[0].startswith(at.format("holds", "✓ holds") + "1.0<br>[")
    assert table["wae"].iloc[0].endswith("3 seeds")
    assert table["gaussian"].iloc[0].startswith(at.format("contradicted", "✗ contradicted") + "−1.0<br>[−")
    assert "? undecided" in table["gaussian"].iloc[1]
    for claims in found.values():
        claims |= dict.fromkeys(CLAIMS, claims[2])
    figure = figures.statement_map(found)
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert texts == ["✓ 1.0", "✗ −1.0", "? 0.0"]


def test_the_seeds_stand_beside_their_interval_and_the_papers_effect():
    """A dot a seed at its mean over draws, a bar from end to end in its word's colour; no mark before all are there."""
    values = np.array([[0.9, 1.1], [1.9, 2.1], [2.9, 3.1]])
    one = told({"x − y, clean": Statement(values, paper=5.0), "x − z, clean": Statement(values - 10)})
    figure = figures.seeds_figure(2, {"wae": {2: one}, "gaussian": {2: {n: _so_far(t, 5) for n, t in one.items()}}})
    ours, open_ = figure.axes
    assert [a.get_title(loc="left") for a in figure.axes] == ["wae", "gaussian"] and not open_.collections
    np.testing.assert_allclose(ours.collections[0].get_offsets(), [[1, 0], [2, 0], [3, 0]])
    bars = [line for line in ours.lines if len(set(line.get_ydata())) == 1 and len(line.get_xdata()) == 2]
    low_high = [(t.outcome.difference.low, t.outcome.difference.high) for t in one.values()]
    np.testing.assert_allclose([bar.get_xdata() for bar in bars], low_high)
    colours = {w: figures.LOOKS[w][1] for w in ("holds", "undecided", "contradicted")}
    assert [bar.get_color() for bar in bars] == [figures.BARS.get(t.outcome.word, figures.PALE) for t in one.values()]
    assert one["x − z, clean"].outcome.word == "contradicted" and bars[1].get_color() == colours["contradicted"]
    assert [line.get_xdata()[0] for line in ours.lines if line.get_marker() == "D"] == [5.0]


def test_units_of_the_statements():
    """A panel row a unit: claim 5's errors apart from its labels; claim 6's all in its distance."""
    found = {"wae": {claim: told(test(results([]))) for claim, test in CLAIMS.items()}}
    assert {claim: {u: len(names) for u, names in figures.units(claim, found).items()} for claim in CLAIMS} == {
        1: {"nats": 4}, 2: {"percentage points": 15}, 3: {"percentage points": 11},
        4: {"squared error": 4, "Fréchet distance": 4}, 5: {"squared error": 4, "percentage points": 2},
        6: {"Fréchet distance": 4},
    }  # fmt: skip


def test_the_reference_is_told_whole():
    """From the committed records, whatever is there of them: every statement has its cell, and the map is drawn."""
    found, behind = of_the_reference()
    assert list(found) == parameters("conventions", "reference").conventions and list(behind) == list(CLAIMS)
    assert [r.notebook for r in behind[6]][:1] == ["05_celeba_generation"]
    assert found["bernoulli"][6]["5/6 of the VAE's distance − VIMAE-n's"].outcome.seeds == 3
    for claim in CLAIMS:
        conventions = 3 if claim == 6 else len(found)  # faces are asked under three
        assert figures.statement_table(claim, found).shape[1] == (claim in (2, 3)) + conventions
    figures.statement_map(found)


def test_a_claim_in_brief():
    """That all of its statements hold, or how many came out how, or that seeds are missing."""
    some = example({"wae": {"a": "holds", "b": "holds"},
                    "wae-code": {"a": "holds", "b": "undecided", "c": "undecided"},
                    "gaussian": {"a": None, "b": None}})  # fmt: skip
    assert {c: figures.in_brief(of[2]) for c, of in some.items()} == {
        "wae": ["holds, all 2"], "wae-code": ["1 holds", "2 undecided"], "gaussian": ["not yet run"]
    }  # fmt: skip
    fewer = {name: _so_far(one, 5) for name, one in some["wae"][2].items()}
    assert figures.in_brief(fewer) == ["not yet run with all seeds"]
    assert figures.in_brief({**some["wae"][2], "c": fewer["a"]}) == ["2 hold", "1 so far"]


def test_chapters_show_their_claims_and_pages_cite_them(monkeypatch):
    """A row a claim and a column a convention, from the same words; every text that the book cites is glued."""
    shown, glued = [], {}
    monkeypatch.setattr(figures, "show_table", lambda *a: shown.append(a))
    monkeypatch.setattr(figures, "glue", lambda name, text, display: glued.update({name: text}))
    figures.show_readings([4, 5])
    (table, name, caption, source), (found, _) = shown[0], of_the_reference()
    assert name == "tab-readings-4" and "[claim 5](tab-statements-5)" in caption and source.startswith("Provenance")
    assert list(table.columns) == list(found)
    assert list(table.index) == ["claim 4, 8 statements", "claim 5, 6 statements"]
    assert table.loc["claim 5, 6 statements", "wae"] == "<br>".join(figures.in_brief(found["wae"][5]))
    figures.glue_claims(found)
    pages = "".join((ROOT / "book" / page).read_text(encoding="utf-8") for page in ("intro.md", "claims.md"))
    cited = set(re.findall(r"::(second_\w+):s`", pages))
    assert len(cited) == 12 and cited <= set(glued)
    assert glued["second_1_wae_code"] == ", ".join(figures.in_brief(found["wae-code"][1]))


def test_the_multipliers_are_those_of_the_history():
    """A row a likelihood, memory and model: the last lambda's range, and how many runs met the constraint."""
    p = parameters("conventions", "smoke", plane_seeds=[0, 1], memories=[0, 1900])
    configs = [c for c in runs(p)["constraint"] if c.label == "VIMAE-n"]
    found = [
        Run(c, ROOT, {"hundredths": {"lambda": [1.0, 100.0 * (1 + c.seed)]}, "constraint": {"met": c.seed == 0}}, {})
        for c in configs
    ]
    table = pd.DataFrame(
        [
            {"kl": 0.2, "latent_std": 1.0, "rate": 5.0 * c.seed, "squared_error": 30.0, "constraint_met": False}
            for c in configs
        ]
    )
    told_ = multipliers(Results("reference", "n", "reference", found, table))
    assert list(told_.index) == ["bernoulli, VIMAE-n", "bernoulli, VIMAE-n, memory of 1,900"]
    assert told_.iloc[0][["λ found", "met, training", "met, test", "empty"]].tolist() == [
        "100 to 200",
        "1 of 2",
        "0 of 2",
        "1",
    ]


def test_what_became_of_lambda_is_told_from_the_files():
    """Numbers of the two paragraphs, by a loop over the committed files; no loss of them is not finite."""
    folders = [f.parent for f in REFERENCE.glob("*/config.json") if '"constrained"' in f.read_text()]
    read = lambda folder, name: json.loads((folder / f"{name}.json").read_text())  # noqa: E731
    found = [(read(f, "config"), read(f, "history"), read(f, "record")["latent_fit"]) for f in folders]
    assert len(found) == 40 and all(np.isfinite(h["hundredths"]["loss"]).all() for _, h, _ in found)
    of = {m: [f for f in found if (f[0]["likelihood"], f[0]["memory"]) == ("bernoulli", m)] for m in (0, 1900)}
    ends = {m: [history["hundredths"]["lambda"][-1] for _, history, _ in runs_] for m, runs_ in of.items()}
    text = " ".join(multipliers_in_words(reference_results("conventions", None)["constraint"]).split())
    assert f"rest between {min(ends[1900]):,.0f} and {max(ends[1900]):,.0f} in 10 of 10 runs" in text
    assert set(ends[0]) == {10_000.0} and "its end, 10,000, in 10 of 10" in text
    kl, rate = ([np.mean([r[measure] for _, _, r in runs_]) for runs_ in of.values()] for measure in ("kl", "rate"))
    assert f"the rate is {rate[0]:.0f} nats instead of {rate[1]:.0f} at a divergence of {kl[0]:.2f} instead of" in text
    empty = [(c["likelihood"], h["constraint"]["met"]) for c, h, r in found if r["rate"] < 1]
    assert {likelihood for likelihood, _ in empty} == {"wae"} and len(empty) == 10
    assert "10 of the 40 runs, under `wae` (10 of 10), where the constraint is met" in text
    assert f"on training digits in {sum(met for _, met in empty)}:" in text


def test_results_among_configurations():
    """By what determines a run, not by where it was computed."""
    configs = [paper_model("VAE", seed=s) for s in range(3)]
    all_ = Results("t", "n", "p", [Run(c, ROOT, {}, {}) for c in configs], pd.DataFrame({"seed": range(3)}))
    some = all_.among([paper_model("VAE", seed=1, device="cpu", data_root="/elsewhere")])
    assert some.table["seed"].tolist() == [1] and [r.config.seed for r in some.runs] == [1]


def test_no_word_before_all_seeds_are_there():
    """Of a registered five, four seeds are no outcome, whatever they show; twelve where the page says twelve."""
    p, of_faces = parameters("conventions", "reference"), parameters("faces", "reference")
    whole = told(claim_3(with_the_papers_means(0.05)))
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
    for seeds, shown in ((5, '<a class="word holds"'), (12, "… 5 of 12 seeds")):
        one = _so_far(whole[apart], seeds)
        assert figures.cell(3, one).startswith(shown)
        assert (figures.word(one) == "holds") == (seeds == 5)


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
