"""Chapter 8 as it is shown: its figures, traversals and captions, and its notebook beside a reference."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from tests.conftest import ROOT
from tests.made_up_faces import ENVIRONMENT, FIRST, MODELS, NAMES, NOISY, P, groups, nothing
from vimae_core import RunConfig
from vimae_core.chapters import disentanglement as chapter
from vimae_core.chapters import disentanglement_figures as figures
from vimae_core.chapters import disentanglement_traversals as traversals
from vimae_core.chapters import disentanglement_words as words
from vimae_core.chapters import thesis
from vimae_core.data import Dataset
from vimae_core.evaluation.disentanglement_scores import information_gaps
from vimae_core.networks import Posterior
from vimae_core.profiles import parameters
from vimae_core.report import parameters as parameters_of_notebooks
from vimae_core.report import results as results_of_runs
from vimae_core.report import show
from vimae_core.report.results import Results
from vimae_core.runs import Run
from vimae_core.toy_faces import draw_factors

DATA = Dataset("toy", torch.zeros(2, 3, 8, 8, dtype=torch.uint8), None, {}, "0" * 64)


@pytest.fixture
def shown(monkeypatch) -> list[str]:
    """What is displayed, as MyST."""
    blocks: list[str] = []
    monkeypatch.setattr(show, "display", lambda bundle, raw: blocks.append(bundle["text/markdown"]))
    return blocks


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
    assert rows[0][1:3] == [f"{mean.value:.3f} [{mean.low:.3f}, {mean.high:.3f}]", "5"]
    one = chapter.together(groups(keep=lambda c: c.seed == FIRST and c.encoder_std is None))
    shown.clear()
    figures.show_comparisons(chapter.judged(one, 1), one, "pairs")
    assert "σ = 1/2 − σ = 4, MIG | — | — | — | — | not yet run" in shown[1] and "sign agrees" in shown[0]
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
    traversals.show_traversals(results, DATA, "traversals")
    assert shown == [] == asked
    for i, run in enumerate(results.runs):
        results.runs[i] = Run(run.config, tmp_path / str(i), {}, ENVIRONMENT)
        results.runs[i].path.mkdir()
        (results.runs[i].path / "weights.safetensors").touch()
    traversals.show_traversals(results, DATA, "traversals")
    assert asked == [(FIRST, 2000)] * 4 and f"reference, seed {FIRST}" in shown[0]
    assert "; ".join(f"{m}: {', '.join(['skin 0.50'] * 5)}" for m in MODELS if m in traversals.DRAWN) in shown[0]
    figure = traversals.traversals_figure({"VAE": faces})
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == faces[1]


def run_notebook(monkeypatch, reference: dict[str, Results]) -> None:
    """All of its cells, beside these results and a build of one seed."""
    p = parameters("disentanglement", "reference", seeds=[FIRST])
    own = groups(keep=lambda c: c.seed == FIRST)
    build = {group: replace(r, title="this build") for group, r in own.items()}
    monkeypatch.setattr(parameters_of_notebooks, "prepare", lambda chapter, names: (p, DATA))
    on_digits, _ = thesis.of_the_reference()
    faces = chapter.judged(chapter.together(reference), len(P.seeds))
    monkeypatch.setattr(thesis, "of_the_reference", lambda: (on_digits, faces))
    monkeypatch.setattr(results_of_runs, "build_results", lambda chapter, p, data: build)
    monkeypatch.setattr(results_of_runs, "reference_results", lambda chapter, data: reference)
    names: dict = {}
    for cell in json.loads((ROOT / "notebooks" / "08_disentanglement.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)


def test_the_notebook_tells_beside_a_reference_alone(monkeypatch, shown):
    """Both in tabs, the reference first, and below each figure what it shows; without it no conclusion, one box."""
    run_notebook(monkeypatch, groups())
    tabs = [block for block in shown if "{tab-set}" in block]
    assert len(tabs) == 4 and all(re.findall(r"{tab-item} (\w+)", block) == ["Reference", "This"] for block in tabs)
    told = [block for block in shown if block not in tabs]
    results = chapter.together(groups())
    assert told[0].startswith(":::{admonition} In short") and "8 come out as claimed" in told[0]
    assert "**Claim 8.** Small capacity learns" in told[0]
    assert told[1:] == [
        words.of_floors(results, groups()["floors"]),
        words.in_sentences(chapter.judged(results, 5)),
        words.of_information(results),
        words.of_factors(results),
    ]
    assert not [block for block in told if re.search(r"\bnan\b|—", block)]
    shown.clear()
    run_notebook(monkeypatch, nothing())
    box, *figures_of_the_build = shown
    assert "not yet run" in box and all("{figure}" in b or "{dropdown}" in b for b in figures_of_the_build)
