"""Chapter 8: models by name, the sixteen comparisons, the floors, tables and sentences, by hand."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.conftest import ROOT
from tests.made_up_faces import FIRST, LAST, MODELS, NAMES, NOISY, P, groups, nothing
from vimae_core import RunConfig
from vimae_core.chapters import disentanglement as chapter
from vimae_core.chapters import disentanglement_words as words
from vimae_core.priors import make_prior
from vimae_core.profiles import parameters
from vimae_core.toy_faces import FACTORS


def test_models_by_name():
    """All of the reference's, a method's side by side; doses of one's own are in the name, simple ones as fractions."""
    assert chapter.models_of(chapter.together(groups())) == MODELS
    for fields, name in (
        ({"prior": "laplace"}, "VIMAE, laplace prior"),
        ({"prior": "generalised-normal", "prior_shape": 4.0}, "VIMAE, generalised-normal prior, shape 4"),
        ({"prior": "logistic", "prior_scale": 0.98574}, "VIMAE-l, σ = 0.98574"),
        ({"encoder_std": 0.0625}, "VIMAE-n, noise 1/16"),
        ({"method": "beta-vae", "lambda_": 2.5}, "β-VAE, β = 2.5"),
    ):
        assert chapter.model_name(RunConfig(**fields)) == name


def test_together_keeps_each_run_beside_its_record():
    """In another order than they were trained in; without doses the models alone."""
    results = chapter.together(groups())
    assert [run.config.seed for run in results.runs] == results.table["seed"].tolist()
    assert [chapter.model_name(run.config) for run in results.runs] == results.table["model"].tolist()
    some = chapter.together({**groups(), "doses": nothing()["doses"]})
    assert chapter.models_of(some) == [m for m in MODELS if m in "AE VAE VAE-l β-VAE, β = 10 InfoVAE VIMAE-n VIMAE-l"]
    assert not chapter.together(nothing()) and chapter.models_of(chapter.together(nothing())) == []


def test_floors_are_measured_once_a_seed():
    """Whichever models are asked for: nothing of a training counts."""
    for methods in (["AE", "VAE"], ["VIMAE-l"]):
        p = parameters("disentanglement", "reference", methods=methods)
        floors = chapter.runs(p)["floors"]
        assert [c.seed for c in floors] == P.seeds and {c.label for c in floors} == set(methods[:1])


def by_hand(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Each comparison's mean difference and its p, scipy's, corrected by Holm's method step by step."""
    pairs = [("VIMAE-n", "VAE"), ("VIMAE-l", "VAE"), ("VIMAE-l", "VIMAE-n"), tuple(NOISY)]
    found = {}
    for pair, (one, other) in zip(chapter.PAIRS, pairs, strict=True):
        for score, column in zip(("MIG", "DCI", "SAP", "FactorVAE"), ("mig", "disentanglement", "sap", "factor_vae"),
                                 strict=True):  # fmt: skip
            values = [table[table["model"] == m].set_index("seed")[column].sort_index() for m in (one, other)]
            found[f"{pair}, {score}"] = ((values[0] - values[1]).mean(), stats.ttest_rel(*values).pvalue)
    corrected, largest = {}, 0.0
    for i, name in enumerate(sorted(found, key=lambda name: found[name][1])):
        largest = max(largest, min(1.0, (len(found) - i) * found[name][1]))
        corrected[name] = largest
    return {name: (mean, corrected[name]) for name, (mean, _) in found.items()}


def test_the_sixteen_comparisons_are_paired_t_tests_in_one_correction():
    """All of them, by hand; the word goes by the sign and the corrected p, the interval with it."""
    results = chapter.together(groups({("VIMAE-l", "sap"): 0.012, (NOISY[0], "mig"): 0.2}))
    found, expected = chapter.judged(results, 5), by_hand(results.table)
    assert list(found) == NAMES and len(found) == 16
    for name, (mean, p) in expected.items():
        outcome = found[name].outcome
        assert (outcome.difference.value, outcome.p) == (pytest.approx(mean), pytest.approx(p))
        assert outcome.word == ("undecided" if p >= 0.05 else "holds" if mean > 0 else "contradicted")
        assert (outcome.difference.low > 0 or outcome.difference.high < 0) == (p < 0.05)
    assert {outcome.word for outcome in (t.outcome for t in found.values())} == {"holds", "undecided", "contradicted"}


def test_no_comparison_has_a_word_before_its_seeds_are_there():
    """Of four seeds none; what others lack leaves undecided what is; one seed of one has its sign."""
    four = chapter.judged(chapter.together(groups(keep=lambda c: c.seed != LAST)), 5)
    assert {t.outcome.word for t in four.values()} == {"4 of 5 seeds"}
    some = chapter.judged(chapter.together(groups(keep=lambda c: c.encoder_std is None)), 5)
    assert {some[n].outcome for n in NAMES[12:]} == {None}
    assert {words.word(some[n]) for n in NAMES[:12]} == {"holds", words.SO_FAR}
    one = chapter.judged(chapter.together(groups(keep=lambda c: c.seed == FIRST)), 1)
    assert {t.outcome.word for t in one.values()} == {"sign agrees", "sign disagrees"}


def test_what_lies_above_the_best_floor():
    """Best by the mean over seeds, then compared seed by seed with that one."""
    found = groups()
    results, floors = chapter.together(found), found["floors"]
    assert [chapter.best_floor(floors, score)[0] for score in chapter.SCORES] == ["ica", "pca", "pca", "pca"]
    rows = results.table[results.table["model"] == "VAE"].set_index("seed")["mig"]
    expected = [rows[seed] - (0.32 + 0.01 * (seed - FIRST - 2)) for seed in P.seeds]
    np.testing.assert_allclose(chapter.above_floor(results, floors, "VAE", "mig")[:, 0], expected)
    table = chapter.floors_table(results, floors)
    half = stats.sem(expected) * stats.t.isf(0.025, 4)
    assert table.loc["VAE", "MIG − independent components"] == f"{np.mean(expected):.2f} ± {half:.2f}".replace("-", "−")
    alone = groups(keep=lambda c: c.seed == FIRST)["floors"]
    others = chapter.together(groups(keep=lambda c: c.seed > FIRST))
    assert set(chapter.floors_table(others, alone).to_numpy().ravel()) == {"—"}  # no seed of both


def test_the_tables_have_models_and_floors():
    """Means over seeds with intervals; a row a floor, none where it was not measured."""
    found = groups()
    results = chapter.together(found)
    table = chapter.scores_table(results, found["floors"])
    assert list(table.index) == [*MODELS, *chapter.FLOORS.values()]
    values = results.table.loc[results.table["model"] == "InfoVAE", "sap"]
    assert table.loc["InfoVAE", "SAP"].startswith(f"{values.mean():.2f} ± ")
    assert table.loc["independent components", "SAP"] == "0.20 ± 0.00"
    assert list(chapter.scores_table(results, nothing()["floors"]).index) == MODELS
    told = chapter.information_table(results)
    assert told.loc["VAE", ["information, from below", "from above", "live"]].tolist() == [
        "3.0 ± 0.0", "4.0 ± 0.0", "1.0 ± 0.0"
    ]  # fmt: skip
    assert told.loc["VIMAE, uniform prior", "rate"] == "∞"  # a code beyond the prior
    gaps = chapter.by_factor(results, "gaps")
    assert list(gaps.columns) == list(FACTORS) and gaps.loc["VAE", "turn"] == pytest.approx(0.05 + 0.04 * 7)


def test_the_box_counts_what_came_out():
    """As claimed, the other way round, undecided, missing; and it does not take the undecided for refuted."""

    def box(changed: dict | None = None, keep: Callable = bool) -> str:
        results = chapter.together(groups(changed, keep))
        return words.briefly(chapter.judged(results, 5), results, nothing()["floors"])

    assert box().startswith("**Of 16 comparisons 8 come out as claimed, 4 the other way round, 4 undecided.**")
    less = {(m, s): by for m, by in (("VIMAE-l", 0.2), (NOISY[0], 0.4)) for s in chapter.SCORES}
    assert box(less).startswith("**All 16 comparisons come out as claimed.**")
    alike = {(m, s): -0.05 * MODELS.index(m) + 0.05 * (m == "VIMAE-l") for m in MODELS for s in chapter.SCORES}
    assert box(alike).startswith("**None of the 16 comparisons is decided:** that the models")
    found = groups({("AE", "sap"): 1.0})
    results = chapter.together(found)
    text = words.briefly(chapter.judged(results, 5), results, found["floors"])
    assert text.endswith("codes that no network had to learn: 6 in MIG, 6 in DCI, 7 in SAP, 6 in FactorVAE.")
    assert "Of 11 models so many have a higher mean" in text
    some = box(keep=lambda c: c.encoder_std is None)
    assert some.startswith("**Of 16 comparisons 8 come out as claimed, 0 the other way round, 8 without a word yet.**")
    assert box(keep=lambda c: c.seed != LAST).endswith("16 comparisons, runs are missing.")


def test_sentences_follow_the_records():
    """Of the comparisons, the floors, the information and the factors: each number is the records', each word too."""
    found = groups()
    results, floors = chapter.together(found), found["floors"]
    outcomes = chapter.judged(results, 5)
    lines = words.in_sentences(outcomes).splitlines()
    assert len(lines) == 4
    mean = outcomes["VIMAE-n − VAE, MIG"].outcome.difference
    assert (
        f"- **VIMAE-n − VAE:** holds in MIG by {mean.value:.2f} ({mean.low:.2f} to {mean.high:.2f}), DCI by" in lines[0]
    )
    assert lines[2] == "- **VIMAE-l − VIMAE-n:** undecided in MIG, DCI, SAP, FactorVAE."
    assert lines[3].startswith("- **σ = 1/2 − σ = 4:** contradicted in MIG by −0.0")

    mig, *others = words.of_floors(results, floors).splitlines()
    top = results.mean(NOISY[1], "mig", ".2f")
    assert mig == (
        f"- **MIG:** the highest mean is that of {NOISY[1]}, {top}; the best floor, independent components, has "
        "0.32 ± 0.02, and 6 of 11 models have a higher mean."
    )
    assert all("the best floor, principal components, has 0.32 ± 0.00" in line for line in others)

    told = words.of_information(results)
    assert told.startswith("3 of 11 models tell at least as much as the mixture can show, within 0.1 nats of its ceil")
    assert "AE (2.0 to 2.0); VAE (3.0 to 4.0)" in told and "InfoVAE (7.0 to 12.0)" in told
    means = results.table.groupby("model", sort=False)[["information_above", "sap"]].mean()
    assert f"{stats.spearmanr(*means.to_numpy().T).statistic:.2f} for SAP" in told
    two = chapter.together(groups(keep=lambda c: c.label in ("AE", "VAE")))
    assert words.of_information(two).endswith("AE (2.0 to 2.0); VAE (3.0 to 4.0).")

    mean = 0.05 * np.mean([i - (m == "VIMAE-l") for i, m in enumerate(MODELS)])
    assert words.of_factors(results) == (
        f"By the mean over the models the codes predict *background* (R² {1 - mean:.2f}) best and *glasses* (R² "
        f"{0.64 - mean:.2f}) least. The largest gap of all, 0.86, is that of *glasses* in {NOISY[1]}; the mean of all "
        f"gaps is {mean + 0.18:.2f}."
    )


def test_the_page_and_the_notebook_say_what_is_compared():
    """Four pairs of four scores, by the registered page's words, and the models that it names."""
    page = " ".join((ROOT / "book" / "third_analysis.md").read_text(encoding="utf-8").split())
    assert (
        "More disentangled is: VIMAE-n and VIMAE-l than the VAE; VIMAE-l than VIMAE-n; the prior of σ = 1/2 than that "
        "of 4: four comparisons of four scores, sixteen in one correction."
    ) in page
    assert len(chapter.PAIRS) == len(chapter.SCORES) == 4
    assert {m for pair in chapter.PAIRS.values() for m in pair} <= set(MODELS)
    notebook = (ROOT / "notebooks" / "08_disentanglement.ipynb").read_text(encoding="utf-8")
    assert all(f"**{title}** (" in notebook for title in chapter.SCORES.values())
    (ends,) = {c.lambda_ for c in chapter.runs(P)["models"] if c.method in ("vimae", "infovae")}
    assert f"their λ rising to {ends:,.0f} to bring" in notebook and len(FACTORS) == P.latent_dim == 10
    assert P.betas == [100] and "whose rate costs a hundred times as much" in notebook
    assert len(P.seeds) == 5 and "hence five, and intervals" in notebook
    of_unit_variance = {c.prior for of in chapter.runs(P).values() for c in of if c.prior_scale is None}
    entropies = {name: make_prior(name, 1).entropy() for name in of_unit_variance}
    assert "which of those of unit variance has the least entropy" in notebook
    assert min(entropies, key=entropies.get) == "uniform" and entropies["logistic"] < entropies["normal"]
