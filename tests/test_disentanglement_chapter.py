"""Chapter 8: models by name, the sixteen comparisons and the floors by hand, tables, figures and sentences."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from tests.conftest import ROOT
from vimae_core import RunConfig
from vimae_core.chapters import disentanglement as chapter
from vimae_core.chapters import disentanglement_figures as figures
from vimae_core.chapters import disentanglement_traversals as traversals
from vimae_core.chapters import disentanglement_words as words
from vimae_core.data import Dataset
from vimae_core.evaluation.disentanglement_scores import information_gaps
from vimae_core.networks import Posterior
from vimae_core.priors import make_prior
from vimae_core.profiles import parameters
from vimae_core.report import show
from vimae_core.report.results import Results
from vimae_core.runs import Run
from vimae_core.toy_faces import FACTORS, draw_factors

P = parameters("disentanglement", "reference")
FIRST, LAST = P.seeds[0], P.seeds[-1]
ENVIRONMENT = {"commit": "c", "time": "2026-11-27", "data_digest": "d" * 64, "torch": "t", "device": "d"}
NOISY = [f"VIMAE-n, σ = {scale}, noise 1/4" for scale in ("1/2", "4")]
MODELS = [
    "AE", "VAE", "VAE-l", "β-VAE, β = 10", "β-VAE, β = 100", "InfoVAE", "VIMAE-n", "VIMAE-l", "VIMAE, uniform prior",
    *NOISY,
]  # fmt: skip
NAMES = [f"{pair}, {score}" for pair in chapter.PAIRS for score in chapter.SCORES.values()]


def record(name: str, rng: np.random.Generator) -> dict:
    """Scores that rise with a model's place, those of VIMAE-l as VIMAE-n's; what it tells; and factors in order."""
    place = MODELS.index(name) - (name == "VIMAE-l")
    own = {
        "n": 2000,
        "rate": np.inf if "uniform" in name else 20.0,
        "mmd2": 1e-4,
        "squared_error": 300.0,
        "active": 10,
        "live": place,
    }
    told = {"information": min(8.95, 2.0 + place), "information_above": 2.0 + 2 * place, "ceiling": 9.0}
    scores = {
        score: 0.1 + 0.05 * place + float(rng.normal(0, 0.01))
        for score in (*chapter.SCORES, "mig_equal_wide", "completeness", "informativeness")
    }
    rising = {f: 0.05 * place + 0.04 * i for i, f in enumerate(FACTORS)}
    return {**own, **told, **scores, "gaps": rising, "explained": {f: 1 - v for f, v in rising.items()}}


def floors_record(seed: int) -> dict:
    """In MIG the independent components are best, in every other score the principal ones."""
    of = {"untrained": 0.05, "pca": 0.32, "ica": 0.2}
    best_in_mig = {"untrained": 0.05, "pca": 0.2, "ica": 0.32 + 0.01 * (seed - FIRST - 2)}
    others = (*chapter.SCORES, "mig_equal_wide", "completeness", "informativeness")
    return {"n": 2000, **dict.fromkeys(others, of), "mig": best_in_mig}


def groups(changed: dict[tuple[str, str], float] | None = None, keep: Callable = bool) -> dict[str, Results]:
    """The reference's runs by group, as if they had been measured; `changed` adds to a model's score."""
    rng = np.random.default_rng(0)

    def measured(run: Run) -> dict:
        name = chapter.model_name(run.config)
        found = record(name, rng)
        return found | {score: found[score] + by for (model, score), by in (changed or {}).items() if model == name}

    def of(group: str, configs: list[RunConfig]) -> Results:
        found = [Run(c, ROOT / f"{group}{i}", {}, ENVIRONMENT) for i, c in enumerate(configs) if keep(c)]
        measure = (lambda run: floors_record(run.config.seed)) if group == "floors" else measured
        return Results.of("reference", "08_disentanglement", "reference", found, measure)

    return {group: of(group, configs) for group, configs in chapter.runs(P).items()}


def nothing() -> dict[str, Results]:
    return groups(keep=lambda config: False)


@pytest.fixture
def shown(monkeypatch) -> list[str]:
    """What is displayed, as MyST."""
    blocks: list[str] = []
    monkeypatch.setattr(show, "display", lambda bundle, raw: blocks.append(bundle["text/markdown"]))
    return blocks


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


def test_the_scores_are_drawn_where_they_are():
    """A panel a score, a row a model: its mean, its interval's ends, its seeds; three lines for the floors."""
    found = groups()
    results = chapter.together(found)
    figure = figures.scores_figure(results, found["floors"])
    assert [axis.get_title("left") for axis in figure.axes] == list(chapter.SCORES.values())
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == MODELS
    axis, y = figure.axes[2], MODELS.index("VIMAE-l")
    values = np.array(results.values("VIMAE-l", "sap"))
    half = stats.sem(values) * stats.t.isf(0.025, 4)
    drawn = [line.get_xdata() for line in axis.lines if list(line.get_ydata()) in ([y], [y, y])]
    np.testing.assert_allclose(np.concatenate(drawn), [values.mean() - half, values.mean() + half, values.mean()])
    seeds = next(c.get_offsets() for c in axis.collections if (c.get_offsets()[:, 1] == y).all())
    np.testing.assert_allclose(seeds[:, 0], values)
    floors = {line.get_linestyle(): line.get_xdata()[0] for line in axis.lines if list(line.get_ydata()) == [0, 1]}
    assert floors == {":": 0.05, "--": 0.32, "-": pytest.approx(0.2)}
    assert len(figures.scores_figure(results, nothing()["floors"]).axes[0].lines) == 2 * len(MODELS)


def test_models_are_told_apart_by_what_bounds_them():
    """Four kinds, each with a colour and a mark of its own."""
    kinds = {m: figures.kind(m) for m in MODELS}
    assert {kinds[m] for m in NOISY} == {"VIMAE, noise given"} and kinds["AE"] == "AE"
    assert {m for m in MODELS if kinds[m] == "VIMAE"} == {"VIMAE-n", "VIMAE-l", "VIMAE, uniform prior"}
    assert len(set(figures.KINDS.values())) == len(set(zip(*figures.KINDS.values(), strict=True))) * 2 == 4


def test_information_is_drawn_between_its_bounds():
    """A bar a run from below to above at its score, and a mark halfway."""
    results = chapter.together(groups())
    axis = figures.information_figure(results).axes[0]
    bars = np.concatenate([c.get_segments() for c in axis.collections])
    table = results.table
    expected = {(r.information, r.mig, r.information_above) for r in table.itertuples()}
    assert {(x, y, end) for (x, y), (end, _) in bars.tolist()} == expected
    marks = {(x, y) for line in axis.lines for x, y in zip(*line.get_data(), strict=True)}
    assert {((r.information + r.information_above) / 2, r.mig) for r in table.itertuples()} <= marks


def test_every_factor_has_its_number():
    """In each grid a cell a model and factor."""
    tables = {m: chapter.by_factor(chapter.together(groups()), m) for m in ("gaps", "explained")}
    for axis, table in zip(figures.factors_figure(tables).axes, tables.values(), strict=True):
        texts = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axis.texts}
        assert len(texts) == table.size
        for (y, x), value in np.ndenumerate(table.to_numpy()):
            assert texts[y, x] == f"{value:.2f}".replace("0.", ".")


def test_the_comparisons_are_shown_with_their_numbers(shown):
    """Sixteen rows with difference, interval, p and word; the figure's words are the table's; none without a run."""
    results = chapter.together(groups())
    found = chapter.judged(results, 5)
    figures.show_comparisons(found, results, "pairs-reference")
    figure, table = shown
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith(("| VIMAE", "| σ"))]
    assert [row[0].removeprefix("| ") for row in rows] == NAMES
    assert [row[-1].removesuffix(" |") for row in rows] == [found[n].outcome.word for n in NAMES]
    assert all(f"{n}, {found[n].outcome.word}" in figure for n in NAMES)
    mean = found[NAMES[0]].outcome.difference
    assert rows[0][1] == f"{mean.value:.3f} [{mean.low:.3f}, {mean.high:.3f}]"
    one = chapter.together(groups(keep=lambda c: c.seed == FIRST and c.encoder_std is None))
    shown.clear()
    figures.show_comparisons(chapter.judged(one, 1), one, "pairs")
    assert "σ = 1/2 − σ = 4, MIG | — | — | — | not yet run" in shown[1] and "sign agrees" in shown[0]
    assert "σ = 1/2 − σ = 4, MIG" not in shown[0].partition("\n\n")[0]


def test_nothing_is_shown_without_runs(shown):
    """No figure, no table; the box says that nothing was run."""
    empty, floors = chapter.together(nothing()), nothing()["floors"]
    found = chapter.judged(empty, 5)
    figures.show_scores(empty, floors, "scores")
    figures.show_comparisons(found, empty, "pairs")
    figures.show_information(empty, "information")
    figures.show_factors(empty, "factors")
    assert shown == [] and words.briefly(found, empty, floors).endswith("16 comparisons, not yet run.")


def test_captions_tell_what_was_run(shown):
    """Each figure with its folded numbers has a caption, an alternative text and a line of provenance."""
    found = groups()
    results = chapter.together(found)
    figures.show_scores(results, found["floors"], "scores")
    figures.show_information(results, "information")
    figures.show_factors(results, "factors")
    scores, tables, information, told, factors = shown
    assert "20 epochs on all training images at 0.0625 of the paper's width, 5 seeds" in scores
    assert "β-VAE, β = 100: 0.3" in scores and tables.count("~~~~{table}") == 2
    assert "9.0 nats at most" in information and "VAE, 3.0 ± 0.0 to 4.0 ± 0.0 nats" in information
    assert "AE, glasses 0.36" in factors and told.startswith(":::{dropdown} The numbers")
    assert all(block.count("Provenance: [notebooks/08_disentanglement.ipynb]") for block in shown)


def codes_of(v: torch.Tensor) -> torch.Tensor:
    """A factor each but the first two: coordinate 0 both in part, and coordinate 1 none."""
    z = v.double().clone()
    z[:, 0] += z[:, 1]
    z[:, 1] = torch.rand(len(v), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return z


def test_shares_are_those_whose_gaps_are_the_migs():
    """Of each factor the two largest differ by its gap; of one that no coordinate holds all are chance's."""
    v = draw_factors(2000, seed=1)
    told = traversals.shares(codes_of(v), v)
    two = np.sort(told, axis=0)[-2:]
    np.testing.assert_allclose(two[1] - two[0], information_gaps(codes_of(v), v), atol=1e-9)
    assert np.median(told[1, :9]) == pytest.approx(traversals.chance(2000), rel=0.15)
    assert told[2:].argmax(1).tolist() == list(range(2, 10)) and told.max() == pytest.approx(1)


def test_a_row_goes_along_one_coordinate_of_the_codes(monkeypatch):
    """From quantile to quantile in equal steps, the others at their medians; the most telling first, by its factor,
    and what has collapsed last."""
    v = draw_factors(500, seed=1)
    codes = codes_of(v)[:, [0, 1, 9, 5]].float()
    log_variance = torch.full_like(codes, -10.0)
    log_variance[:, 3] = 10.0
    monkeypatch.setattr(Run, "posterior", lambda run, x: Posterior(codes[: len(x)], log_variance[: len(x)]))
    monkeypatch.setattr(Run, "decode", lambda run, z: z[:, :, None, None])
    data = Dataset("toy", torch.zeros(600, 3, 4, 4, dtype=torch.uint8), None,
                   {"train": slice(0, 100), "test": slice(100, 600)}, "0" * 64, torch.cat([v[:100], v]))  # fmt: skip
    faces, labels = traversals.traversal(Run(RunConfig(latent_dim=4), ROOT, {}, {}), data, 400)
    rows = faces[:, :, 0, 0].unflatten(0, (4, traversals.STEPS)).numpy()
    z, told = codes[:400].numpy(), traversals.shares(codes[:400], v[:400])
    assert told[3].max() > told[0].max() > told[1].max()  # what has collapsed told as much as any
    assert labels[0] == "glasses\n1.00" and labels[1].startswith(("background\n0.", "skin\n0."))
    assert labels[3] == "collapsed" and labels[1].endswith(f"{told[0].max():.2f}")
    for row, i in zip(rows, (2, 0, 1, 3), strict=True):
        expected = np.tile(np.sort(z, axis=0)[199], (traversals.STEPS, 1))  # torch's median is the lower
        expected[:, i] = np.linspace(*np.quantile(z[:, i], [0.05, 0.95]), traversals.STEPS)
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_traversals_are_of_the_drawn_models_of_the_first_seed(monkeypatch, tmp_path, shown):
    """Whose weights are there; a row of faces a coordinate with its label; none without weights."""
    results = chapter.together(groups())
    faces = (torch.zeros(traversals.TRAVERSED * traversals.STEPS, 3, 8, 8), ["skin\n0.50"] * traversals.TRAVERSED)
    asked = []
    monkeypatch.setattr(traversals, "traversal", lambda run, data, n: asked.append((run.config.seed, n)) or faces)
    data = Dataset("toy", torch.zeros(2, 3, 8, 8, dtype=torch.uint8), None, {}, "0" * 64)
    traversals.show_traversals(results, data, "traversals")
    assert shown == [] == asked
    for i, run in enumerate(results.runs):
        results.runs[i] = Run(run.config, tmp_path / str(i), {}, ENVIRONMENT)
        results.runs[i].path.mkdir()
        (results.runs[i].path / "weights.safetensors").touch()
    traversals.show_traversals(results, data, "traversals")
    assert asked == [(FIRST, 2000)] * 4 and f"reference, seed {FIRST}" in shown[0]
    assert "; ".join(f"{m}: {', '.join(['skin 0.50'] * 5)}" for m in MODELS if m in traversals.DRAWN) in shown[0]
    figure = traversals.traversals_figure({"VAE": faces})
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == faces[1]


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
    assert text.endswith("codes that nobody trained: 6 in MIG, 6 in DCI, 7 in SAP, 6 in FactorVAE.")
    assert "Of 11 models so many have a higher mean" in text
    some = box(keep=lambda c: c.encoder_std is None)
    assert some.startswith("**Of 16 comparisons 8 come out as claimed, 0 the other way round, 8 lack runs.**")
    assert box(keep=lambda c: c.seed != LAST).endswith("16 comparisons, runs are missing.")


def test_a_page_may_cite_what_came_out(monkeypatch):
    """In as few words as chapter 6's."""
    glued = {}
    monkeypatch.setattr(words, "glue", lambda name, value, display: glued.update({name: value}))
    words.glue_claim(chapter.judged(chapter.together(groups()), 6))
    assert glued == {"third_8_disentangled": "runs are missing"}
    words.glue_claim(chapter.judged(chapter.together(groups()), 5))
    assert glued == {"third_8_disentangled": "8 hold, 4 undecided, 4 contradicted"}


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
    assert told.startswith("Of 11 models 3 tell as much as the mixture can show, within 0.1 nats of its ceiling")
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
    entropies = {c.prior: make_prior(c.prior, 1).entropy() for of in chapter.runs(P).values() for c in of}
    assert min(entropies, key=entropies.get) == "uniform" and entropies["logistic"] < entropies["normal"]
