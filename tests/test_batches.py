"""Whether a batch's codes are independent draws: the measure against NumPy, with and without batch norm; its words."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from torch import nn

from tests.test_latent_fit import N, linear_model, mmd2_by_numpy
from vimae_core.chapters import tied_codes
from vimae_core.chapters.conventions import digits
from vimae_core.config import RunConfig
from vimae_core.evaluation.batches import batches
from vimae_core.evaluation.record import evaluate
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE
from vimae_core.report.results import Results, reference_results
from vimae_core.runs import Run

B = 10  # images a batch
CONFIG = RunConfig(dataset="made-up", batch_size=B)


def of_pixels_tied(model, path):
    """The linear run with a batch norm of its pixels, not in training."""
    run = model.run(path, 8, CONFIG)
    norm = nn.BatchNorm1d(64, affine=False)
    norm.running_mean.fill_(0.2), norm.running_var.fill_(0.5)  # no batch's own
    run.network.encoder.insert(1, norm)
    run.network.eval()
    return run


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("moments", ["mmd2", "fixed"])
def test_both_estimates_are_recomputed_by_hand(tmp_path, batch_norm, moments):
    """Within batches and pooled, each among NumPy's for 30 other orders and draws; other than each other only where
    batch norm has the batch's own moments."""
    model, data = linear_model()
    model = replace(model, std=np.array([0.2, 0.3]))  # little noise, beneath which ties can be seen
    run = of_pixels_tied(model, tmp_path) if batch_norm else model.run(tmp_path, 8, CONFIG)
    record = evaluate(run, data=data, n_test=N, measure="batches")
    images, rng = (data["test"][0][:N] / 255.0).double().numpy().reshape(N, 64), np.random.default_rng(3)

    def by_numpy():
        x = rng.permutation(images).reshape(-1, B, 64)
        if batch_norm:
            mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
            mean, variance = (mean, variance) if moments == "mmd2" else (0.2, 0.5)
            x = (x - mean) / np.sqrt(variance + 1e-5)
        z = model.mean(x) + model.std * rng.normal(size=(N // B, B, 2))
        z_prior = stats.norm.rvs(size=z.shape, random_state=rng)
        within = [mmd2_by_numpy(*pair, (4,)) for pair in zip(z, z_prior, strict=True)]
        pooled = mmd2_by_numpy(z.reshape(-1, 2), z_prior.reshape(-1, 2), (4,))
        return {"in_batches": np.mean(within), "in_batches_error": stats.sem(within), "pooled": pooled}

    drawn = pd.DataFrame([by_numpy() for _ in range(30)])
    found = {name: record[f"{moments}_{name}"] for name in drawn}
    drawn["tied"], found["tied"] = (of["in_batches"] - of["pooled"] for of in (drawn, found))
    for name, values in drawn.items():
        assert found[name] == pytest.approx(values.mean(), abs=4.5 * values.std()), name
    shift = drawn["tied"].mean() / stats.sem(drawn["tied"])
    tied = batch_norm and moments == "mmd2"
    assert record["batches"] == N // B and (shift < -5 if tied else abs(shift) < 4)


def test_a_run_is_left_as_it_was(tmp_path):
    """Its running moments and its mode; and what does not fill a batch is left out."""
    model, data = linear_model()
    run = of_pixels_tied(model, tmp_path)
    assert batches(run, data, n_test=39)["batches"] == 3
    assert not run.network.training and (run.network.encoder[1].running_mean == 0.2).all()


def test_fewer_than_two_batches_are_refused(tmp_path):
    """Before anything is computed."""
    model, data = linear_model()
    with pytest.raises(ValueError, match=r"n_test=19 is not possible: batches are compared .* 20 images or more"):
        evaluate(model.run(tmp_path, 8, CONFIG), data=data, n_test=19, measure="batches")


def test_what_batch_norm_hides_is_told_from_the_files():
    """Counts and means of `wae` by a loop over the committed files; a code that is empty counts nowhere."""
    read = lambda folder, name: json.loads((folder / f"{name}.json").read_text())  # noqa: E731
    runs = {}
    for folder in (f.parent for f in REFERENCE.glob("*/config.json")):
        c = read(folder, "config")
        under_wae = c["likelihood"] == "wae" and c.get("pretraining") == 1000 and c["kernel"] == "imq"
        if under_wae and c["latent_dim"] == 8 and c["seed"] < 15 and c["method"] in ("vimae", "infovae"):
            record = read(folder, "record")
            runs[c["method"], c["prior"], c["seed"]] = {**record["batches"], **record["latent_fit"]}
    full = [r for r in runs.values() if r["rate"] >= 1]
    assert len(runs) == 15 and len(full) == 10
    n = sum(r["mmd2_in_batches"] < 0 and r["mmd2_pooled"] > r["mmd2_null_high"] for r in full)
    assert n == 10, "the second bold sentence stands on it"
    gap = 1e4 * np.mean([r["mmd2_pooled"] - r["mmd2_in_batches"] for r in full])
    r = reference_results("conventions", None)["digits"]
    text = " ".join(tied_codes.in_words(r).split())
    assert f"in {n} of 10 under `wae`" in text and f"lower by {gap:.1f} under `wae`" in text
    assert tied_codes.by_convention(r).keys() >= {"wae", "constrained"}


def test_the_control_shows_no_tie():
    """Of all committed runs: with fixed moments the lower one is as often either, and in the mean they are the same;
    with the batch's own, within batches is lower in each whose code is not empty."""
    records = [json.loads(path.read_text()) for path in REFERENCE.glob("*/record.json")]
    full = [{**r["batches"], **r["latent_fit"]} for r in records if "batches" in r]
    full = [r for r in full if not r["rate"] or r["rate"] >= 1]  # null: a deterministic encoder's, which is infinite
    own, fixed = (np.array([r[f"{m}_in_batches"] - r[f"{m}_pooled"] for r in full]) for m in ("mmd2", "fixed"))
    assert len(full) >= 40 and (own < 0).all(), "the first bold sentence stands on it"
    assert stats.binomtest(int((fixed < 0).sum()), len(full)).pvalue > 0.001
    assert abs(fixed.mean()) < 0.2 * abs(own.mean())


def made_up(gap: float) -> Results:
    """Every run of Table 1 under two conventions: a rate of 5 nats, and 2 pooled; within batches less by a gap."""
    p = parameters("conventions", "reference")
    configs = list(dict.fromkeys(c for name in ("wae", "constrained") for c in digits(p, name)))
    of = {"rate": 5.0, "mmd2_null_low": -1e-4, "mmd2_null_high": 1e-4, "mmd2_pooled": 2e-4}
    of |= {"fixed_pooled": 3e-4, "fixed_in_batches": 4e-4}
    rows = [
        {"model": c.label, "seed": c.seed, **of, "mmd2_in_batches": 2e-4 - gap * (2 if c.method == "vimae" else 1)}
        for c in configs
    ]
    return Results("reference", "n", "reference", [Run(c, REFERENCE, {}, {}) for c in configs], pd.DataFrame(rows))


def test_a_tie_of_either_sign_is_told_as_it_is():
    """With the MMD in the loss and without; more seeds do not count; nothing where seeds are missing."""
    text = " ".join(tied_codes.in_words(made_up(3e-4)).split())
    n = 2 * 5 * len(tied_codes.MODELS)
    assert f"in {n} of {n} runs whose code is not empty; as evaluated, in 0 (by" in text
    assert "it is lower by 5.0 under `wae`, 5.0 under `constrained`; without, by 3.0" in text
    assert "in 15 of 15 under `wae`, in 15 of 15 under `constrained`" in text
    assert f"in 0 of {n} runs" in " ".join(tied_codes.in_words(made_up(-3e-4)).split())
    some = made_up(3e-4)
    fewer = Results("reference", "n", "reference", some.runs[:9], some.table[:9])
    assert tied_codes.by_convention(fewer) == {} and tied_codes.in_words(fewer) == ""
