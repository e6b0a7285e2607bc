"""What the notebooks show: means and intervals, verdicts, parameters, provenance, tables and figures."""

import math
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.conftest import write_idx
from vimae_core import RunConfig, evaluate, fit, load_dataset
from vimae_core.chapters import latent_shape_figures, training_figures
from vimae_core.chapters.latent_shape import choose_lambda, chosen_lambda, claim_1, fits, verdict_on_claim_1, verdicts
from vimae_core.chapters.training import reference_of as training_reference
from vimae_core.networks import build_network
from vimae_core.profiles import parameters
from vimae_core.report.provenance import SIGN, provenance
from vimae_core.report.results import Results, bands, compare, reference_results
from vimae_core.report.show import show_figure, show_folded, show_table, show_tabs, show_text
from vimae_core.report.statistics import crossed_mean, mean_over_seeds

INF, NAN = math.inf, math.nan


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=8).filter(lambda v: np.std(v) > 1e-6))
def test_interval_is_scipys(values):
    """The 95 % interval over seeds is scipy's t interval."""
    mean = mean_over_seeds(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    np.testing.assert_allclose([mean.value, mean.low, mean.high], [np.mean(values), low, high], rtol=1e-9, atol=1e-9)


def test_one_seed_has_no_interval():
    """It is shown by itself; several with half the interval's width; none is refused."""
    assert f"{mean_over_seeds([0.25]):.2f}" == "0.25"
    assert f"{mean_over_seeds([0.0, 1.0]):.2f}" == "0.50 ± 6.35"
    with pytest.raises(ValueError, match="at least one seed"):
        mean_over_seeds([])


@pytest.mark.parametrize(("values", "shown"), [([INF], "∞"), ([INF, 0.1], "∞"), ([INF] * 3, "∞"), ([NAN, 1.0], "nan")])
def test_an_infinite_mean_has_no_interval(values, shown):
    """Of one seed or more, whether all are infinite or one; a table of draws has none either. It is shown by itself."""
    for mean in (mean_over_seeds(values), crossed_mean(np.array(values, dtype=float)[:, None] + np.zeros(4))):
        assert f"{mean:.2f}" == shown and mean.n == len(values)
        assert math.isnan(mean.low) and math.isnan(mean.high)


@pytest.mark.parametrize(
    ("kl", "expected"),
    [
        ([0.09], True), ([0.11], False), ([0.05, 0.06, 0.05], True), ([0.05, 0.2], None), ([0.3, 0.31, 0.32], False),
        ([0.1, 0.1], True), ([INF], False), ([0.05, INF, 0.05], False), ([INF, INF], False),
        ([NAN], None), ([0.05, NAN], None), ([INF, NAN], None),
    ],
)  # fmt: skip
def test_fits_by_the_interval(kl, expected):
    """One seed by its value; several by the whole interval, undecided where it holds the threshold.

    Infinite does not fit; nan is undecided.
    """
    assert fits(kl, 0.1) is expected


def test_rule_chooses_the_smallest_lambda_that_fits():
    """By the mean over seeds; where none fits, the best one."""
    assert choose_lambda({1000.0: [0.05], 10.0: [4.0], 100.0: [0.02, 0.12]}, 0.1) == 100.0
    assert choose_lambda({10.0: [4.0], 100.0: [0.2], 1000.0: [0.3]}, 0.1) == 100.0


@pytest.mark.parametrize(
    ("vae", "beta_vae", "vimae", "expected"),
    [
        ([0.3], [0.05], [0.05], "sign agrees (3 of 3 statements, one seed)"),
        ([0.3], [0.05], [5.0], "sign agrees in part (2 of 3 statements, one seed)"),
        ([0.01], [0.05], [5.0], "sign disagrees (1 of 3 statements, one seed)"),
        (
            [0.01, 0.01], [0.5, 0.5], [5.0, 5.0],
            "not reproduced (0 of 3 statements hold, 3 contradicted; 2 seeds)",
        ),
        (
            [0.01, 0.01], [0.05, 0.2], [5.0, INF],
            "not reproduced (0 of 3 statements hold, 2 contradicted, 1 undecided; 2 seeds)",
        ),
        ([0.3], [0.05], [], "not tested: no run of VIMAE-n"),
    ],
)  # fmt: skip
def test_verdict_on_claim_1(vae, beta_vae, vimae, expected):
    """Three statements, each by the protocol's criterion."""
    assert claim_1({"VAE": vae, "beta-VAE": beta_vae, "VIMAE-n": vimae}, 0.1) == expected


@pytest.fixture
def results(tiny) -> Results:
    models = ({"method": "vae"}, {"method": "beta-vae"}, {"lambda_": 10.0}, {"lambda_": 100.0})
    common = {"dataset": "tiny", "data_root": str(tiny), "epochs": 1, "batch_size": 16, "width": 0.1}
    runs = [fit(RunConfig(**m, seed=s, **common), progress=False) for m in models for s in (0, 1)]
    return Results.of("this build", "01_latent_shape", "smoke", runs, evaluate)


def test_tables_hold_the_means_of_the_records(results):
    """Each cell is mean and interval over the seeds' records; a model without runs has a dash."""
    table = compare(["VAE", "AE"], {"KL": ("kl", ".3f")}, [results])
    kl = [evaluate(r)["kl"] for r in results.runs if r.config.label == "VAE"]
    half = stats.t.ppf(0.975, 1) * np.std(kl, ddof=1) / np.sqrt(2)
    assert table.loc["VAE", "KL, this build"] == f"{np.mean(kl):.3f} ± {half:.3f}"
    assert table.loc["AE", "KL, this build"] == "—"
    assert verdicts(["VAE", "AE"], results, max_kl=1e9) == ["fits", "—"]
    assert bands(["AE"], results, "kl") == ["—"]
    records = [evaluate(r) for r in results.runs if r.config.label == "VAE"]
    low, high = min(r["kl_null_low"] for r in records), max(r["kl_null_high"] for r in records)
    assert bands(["VAE"], results, "kl") == [f"[{low:.3f}, {high:.3f}]".replace("-", "−")]


def test_choices_and_verdicts_read_the_records(results):
    """The rule sees VIMAE-n's training divergence; the verdict the three models' test divergence."""
    kl = {r.config.lambda_: [] for r in results.runs if r.config.label == "VIMAE-n"}
    for r in results.runs:
        if r.config.label == "VIMAE-n":
            kl[r.config.lambda_].append(evaluate(r)["kl_train"])
    assert chosen_lambda(results, "bernoulli", 0.1) == choose_lambda(kl, 0.1)
    place = results.table["lambda"]
    table = results.table.assign(kl=np.where(place == 10, 0.01, 5.0), kl_train=np.where(place == 100, 0.01, 5.0))
    assert chosen_lambda(replace(results, table=table), "bernoulli", 0.1) == 100.0
    assert "(2 of 3 statements hold, 1 contradicted; 2 seeds)" in verdict_on_claim_1(results, 0.1)
    assert len(results.where(100.0, "bernoulli").runs) == 2 and not results.where(100.0, "gaussian")


def test_provenance_names_everything(results):
    """Notebook, profile, runs, seeds, epochs, images, data, code, torch, machine and date."""
    text = provenance("01_latent_shape", "smoke", results.runs)
    environment = results.runs[0].environment
    on = f"torch {torch.__version__}, {environment['precision']} on {environment['device']}"
    for part in ("notebooks/01_latent_shape.ipynb", "profile smoke", "8 runs", "seeds 0, 1", "1 epoch on all", "tiny",
                 environment["data_digest"][:8], environment["commit"], on, environment["time"][:10]):  # fmt: skip
        assert part in text
    paths = [Path(f"store/{i}a") for i in range(5)]
    many = [replace(results.runs[0], path=p, environment={**environment, "commit": f"c{p.name}"}) for p in paths]
    mixed = [
        replace(run, environment={**environment, "precision": p})
        for run, p in zip(many[:2], ["bf16", "fp32"], strict=True)
    ]
    assert ", bf16, fp32 on " in provenance("n", "smoke", mixed)
    assert "code of 5 commits, named there;" in provenance("n", "smoke", many)
    assert "code [c0a](commit:c0a), [c1a](commit:c1a);" in provenance("n", "smoke", many[:2])
    assert "[2 runs](runs:0a+1a), seed " in provenance("n", "smoke", [many[1], many[0], many[1]])
    assert text.startswith("Provenance: [notebooks/01_latent_shape.ipynb](notebook:01_latent_shape), ")


def test_a_figure_has_caption_alt_text_and_provenance(displayed):
    """In the book as a MyST figure, in JupyterLab as HTML with the same image; the figure is closed."""
    figure, _ = plt.subplots()
    show_figure(figure, "fig-x", "A caption with $z$.", 'An "alt" text', "Provenance: [1 run](runs:0a) here.")
    (bundle,) = displayed
    assert bundle["text/markdown"].startswith("```{figure} data:image/png;base64,")
    assert all(part in bundle["text/markdown"] for part in (":name: fig-x", ':alt: An "alt" text', "A caption", "Prov"))
    assert 'alt="An &quot;alt&quot; text"' in bundle["text/html"] and "Provenance: 1 run here." in bundle["text/html"]
    folded = (
        f'<details class="provenance"><summary>{SIGN}</summary>\n\nProvenance: [1 run](runs:0a) here.\n\n</details>'
    )
    assert folded in bundle["text/markdown"] and f"<details><summary>{SIGN}</summary>" in bundle["text/html"]
    assert not plt.fignum_exists(figure.number)


def test_a_table_keeps_its_cells(displayed):
    """A bar within a cell does not become a column; a fence of tildes lets a caption hold `code`."""
    show_table(pd.DataFrame({"p(x|z)": ["1 | 2"]}, index=pd.Index(["a"], name="model")), "tab-x", "Caption", "Prov.")
    assert r"| a | 1 \| 2 |" in displayed[0]["text/markdown"] and r"p(x\|z)" in displayed[0]["text/markdown"]
    assert displayed[0]["text/markdown"].startswith("~~~~{table} Caption\n")


def test_tabs_and_folds_hold_what_their_calls_show(displayed):
    """One display; fences longer than those within; what shows nothing has no tab, and one alone needs none."""
    calls = {name: lambda name=name: show_text(f"of {name}") for name in ("reference", "this build")}
    show_tabs({**calls, "nothing": lambda: None})
    show_folded("numbers", lambda: show_tabs(calls))
    show_tabs({"reference": calls["reference"], "nothing": lambda: None})
    show_folded("nothing", lambda: None)
    tabbed, fold, alone = (bundle["text/markdown"] for bundle in displayed)
    assert tabbed == (
        "::::{tab-set} \n:::{tab-item} reference\nof reference\n:::\n:::{tab-item} this build\nof this build\n:::\n::::"
    )
    assert fold == f":::::{{dropdown}} numbers\n{tabbed}\n:::::"
    assert alone == "of reference"
    with pytest.raises(ZeroDivisionError):
        show_folded("fails", lambda: 1 / 0)
    show_text("shown again")
    assert displayed[-1]["text/markdown"] == "shown again"


def test_figures_draw_every_run(results, displayed):
    """A panel a model of the first seed, with every digit as a point; a line a model and likelihood in the grid."""
    data = load_dataset("tiny", results.runs[0].config.data_root)
    runs, records = results.drawn()
    assert [r.config.seed for r in runs] == [0] * 4
    figure = latent_shape_figures.posterior_figure(runs, records, *data["test"])
    points = [len(a.collections[0].get_offsets()) for a in figure.axes if a.get_xlabel() == "$z_1$"]
    assert points == [64] * 4
    plt.close(figure)
    latent_shape_figures.show_posteriors(results, "fig-a", "Figure 1", *data["test"])
    latent_shape_figures.show_planes(results, "fig-b")
    latent_shape_figures.show_grid(results, results, 0.1, "fig-c")
    assert len(displayed) == 3
    assert all("this build, seed 0.**" in bundle["text/markdown"] for bundle in displayed[:2])
    assert all("β-VAE" in b["text/markdown"] or "Three panels" in b["text/markdown"] for b in displayed)


def test_training_figures_draw_every_term(results, displayed):
    """The loss and each weighted term of every run as a curve, whose terms add up to the loss; marks for all models."""
    figure = training_figures.terms_figure(results, ["VAE", "VIMAE-n"])
    assert [len(axis.lines) for axis in figure.axes] == [
        2 * 3,
        4 * 3,
    ]  # seeds (and lambdas) x loss, distortion, one more
    plt.close(figure)
    run = next(r for r in results.runs if r.config.lambda_ == 100.0)
    (x, loss), (_, distortion), (_, mmd) = (
        training_figures.curve(run, t) for t in ("loss", "distortion", "divergence")
    )
    np.testing.assert_allclose(loss, distortion + 100 * mmd, rtol=1e-5)
    assert len(x) == 16 and 0 < x[0] < x[-1] < 1  # one epoch of 16 steps
    assert np.mean(loss) == pytest.approx(run.history["epochs"]["loss"][0], rel=1e-6)
    training_figures.show_terms(results, "fig-a")
    training_figures.show_rate_and_mmd(results, "fig-b")
    training_figures.show_size([results], "tab-d")
    full, here = (f"{sum(p.numel() for p in n.encoder.parameters()):,}" for n in (
        build_network(RunConfig(), (1, 8, 8)), run.network))  # fmt: skip
    assert f"| {full} | {here} |" in displayed[2]["text/markdown"]


def test_the_watched_reference_is_that_of_table_1(displayed, tiny):
    """Of the models that are asked for, each with its whole curve; of other data or networks none, and no figure."""
    p = parameters("training", "smoke", methods=["VAE", "VIMAE-n"])
    found = training_reference(p, load_dataset())
    assert set(found.table["model"]) == {"VAE", "VIMAE-n"} and {r.config.architecture for r in found.runs} == {"conv"}
    assert all(len(training_figures.curve(run, "loss")[1]) == 100 for run in found.runs)
    none = training_reference(p, load_dataset("tiny", tiny))
    assert not training_reference(parameters("training", "smoke", architecture="mlp"), load_dataset())
    training_figures.show_terms(none, "fig-a")
    training_figures.show_rate_and_mmd(none, "fig-b")
    assert not none and displayed == []
    training_figures.show_terms(found, "fig-a")
    assert "reference" in displayed[0]["text/markdown"]


def test_a_measure_is_told_in_another_unit_with_its_band(results):
    """And nothing else is."""
    table = pd.DataFrame({"model": ["VAE"], "mmd2": [3e-4], "mmd2_null_low": [-2e-5], "mmd2_null_high": [5e-5]})
    scaled = replace(results, table=table.assign(mmd2_pooled=1.0)).scaled("mmd2", 1e4)
    assert bands(["VAE"], scaled, "mmd2", ".1f") == ["[−0.2, 0.5]"] and scaled.mean("VAE", "mmd2", ".1f") == "3.0"
    assert scaled.values("VAE", "mmd2_pooled") == [1.0]


def test_a_reference_is_of_the_same_data(tiny):
    """Records of MNIST do not stand beside another data set's results; they do beside MNIST's."""
    assert not any(reference_results("latent_shape", load_dataset("tiny", tiny)).values())
    found = {group: len(r.runs) for group, r in reference_results("latent_shape", load_dataset()).items()}
    assert found == {"figure": 25, "grid": 64}


def test_empty_results_show_nothing(displayed):
    """Where no reference was published, its figures are left out, and its cells are dashes."""
    empty = Results.of("reference", "01_latent_shape", "reference", [], evaluate)
    latent_shape_figures.show_posteriors(
        empty, "a", "b", torch.zeros(1, 1, 8, 8, dtype=torch.uint8), torch.zeros(1).long()
    )
    latent_shape_figures.show_planes(empty, "a")
    latent_shape_figures.show_grid(empty, empty, 0.1, "a")
    assert displayed == [] and not empty
    assert compare(["VAE"], {"KL": ("kl", ".3f")}, [empty]).iloc[0, 0] == "—"


def test_more_than_ten_classes_are_told_apart(displayed, tmp_path):
    """Twenty-six letters: each its own pair of colour and mark, in panel and key; of sixty-four it says they share."""
    write_idx(tmp_path / "letters")
    data = load_dataset("letters", tmp_path)
    config = RunConfig(dataset="letters", data_root=str(tmp_path), epochs=1, batch_size=16, width=0.1)
    results = Results.of("this build", "01_latent_shape", "smoke", [fit(config, data, progress=False)], evaluate)
    images, letters = data["test"][0], torch.arange(64) % 26
    figure = latent_shape_figures.posterior_figure(*results.drawn(), images, letters)
    panel = next(axis for axis in figure.axes if axis.get_xlabel() == "$z_1$")
    clouds = panel.collections[:3]  # a mark each
    drawn = [(i, tuple(colour)) for i, cloud in enumerate(clouds) for colour in cloud.get_facecolors()]
    assert len(drawn) == 64 and len(set(drawn)) == 26
    keys = [(t.get_text(), h.get_marker(), h.get_color()) for a in figure.axes if a.get_legend() is not None
            for t, h in zip(a.get_legend().get_texts(), a.get_legend().legend_handles, strict=True)]  # fmt: skip
    assert len({key[1:] for key in keys if key[0].isdigit()}) == 26
    plt.close(figure)
    latent_shape_figures.show_posteriors(results, "fig-a", "Letters", images, letters)
    latent_shape_figures.show_posteriors(results, "fig-b", "Letters", images, torch.arange(64))
    told = [bundle["text/markdown"] for bundle in displayed]
    assert ["share a colour and a mark" in text for text in told] == [False, True]
