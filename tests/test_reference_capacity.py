"""The committed records of Table 1 and Figure 2: whole, paired, and what the stored weights give when asked again."""

import json
import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.svm import SVC

from vimae_core import load_dataset
from vimae_core.chapters.capacity import runs
from vimae_core.chapters.capacity_figures import seeds_of_weights, sweep_points
from vimae_core.evaluation.probes import PROBES, draw_labels
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE as FOLDER
from vimae_core.reference import find_reference, reference_record
from vimae_core.report.results import reference_results

REFERENCE = parameters("capacity", "reference")
TABLE = runs(REFERENCE)["table"]


def test_every_run_of_the_table_has_its_whole_record():
    """All models and seeds, both protocols, all conditions, probes and draws; and the measures of Figure 2."""
    assert len(TABLE) == len(REFERENCE.methods) * len(REFERENCE.seeds)
    for config in TABLE:
        run = find_reference(config)
        found = reference_record(run, "probes")
        assert found["n"] == 10_000 and found["draws"] == REFERENCE.draws
        names = {"test": [*REFERENCE.conditions, *REFERENCE.curve], "both": REFERENCE.conditions}
        for protocol, conditions in names.items():
            for condition in conditions:
                by_probe = found["accuracy"][protocol][condition]
                assert list(by_probe) == list(PROBES)
                assert all(len(v) == len(REFERENCE.draws) and 0 < min(v) <= max(v) < 100 for v in by_probe.values())
        for measure in ("latent_fit", "generation"):
            values = reference_record(run, measure)
            assert values["n"] == 10_000 and all(math.isfinite(v) for v in values.values())


def test_the_sweep_has_at_least_a_seed_of_every_weight():
    """Both likelihoods, all weights of the rate."""
    data = load_dataset()
    results = reference_results("capacity", data)
    both = [*results["table"].runs, *results["sweep"].runs]
    found = {(r.config.likelihood, r.config.lambda_) for r in both if r.config.method in ("vae", "beta-vae")}
    assert found == {(name, w) for name in REFERENCE.sweep_likelihoods for w in REFERENCE.rate_weights}


def test_the_sweep_says_of_how_many_seeds_each_weight_is():
    """As the folders have it; in words, of counts by hand."""
    results = reference_results("capacity", None)
    points = sweep_points(results["table"], results["sweep"], "clean")
    configs = [json.loads(path.read_text()) for path in FOLDER.glob("*/config.json")]
    same = ("dataset", "architecture", "width", "latent_dim", "epochs")
    digits = [c for c in configs if all(c[name] == getattr(REFERENCE, name) for name in same)]
    first = [c for c in digits if c["seed"] < 10]  # from 10 on: the second analysis's
    vaes = [c for c in first if c["method"] in ("vae", "beta-vae") and c["prior"] == "normal"]
    counted = Counter((c["likelihood"], c["lambda_"]) for c in vaes)
    names = {"bernoulli": "Bernoulli", "gaussian": "Gaussian of unit variance"}
    found = points.groupby(["likelihood", "lambda"]).size().to_dict()
    assert found == {(names[likelihood], weight): n for (likelihood, weight), n in counted.items()}
    by_hand = pd.DataFrame({"likelihood": ["B"] * 4 + ["G"], "lambda": [1.0, 0.1, 1.0, 30.0, 10.0]})
    assert seeds_of_weights(by_hand) == "B: 1 seed at β = 0.1, 30; 2 seeds at β = 1. G: 1 seed at β = 10."
    assert seeds_of_weights(by_hand[:0]) == ""


@pytest.mark.parametrize("model", [c for c in TABLE if c.seed == 0], ids=lambda c: c.label)
def test_table_1_follows_from_the_stored_weights(model):
    """An own encoder pass, own standardisation, own SVM: the recorded accuracy of one draw, to 0.3 points."""
    run = find_reference(model)
    (train, train_labels), (test, test_labels) = load_dataset()["train"], load_dataset()["test"]
    draw = 3
    rows, _ = draw_labels(train_labels, REFERENCE.n_labels, 1, REFERENCE.draws[draw])
    mask = torch.empty(test.shape).uniform_(generator=torch.Generator().manual_seed(1)) >= 0.5
    with torch.no_grad():
        x, clean, masked = (
            torch.cat([run.network.encode(part).mean for part in images.split(1000)]).numpy()
            for images in (train[rows] / 255.0, test / 255.0, test / 255.0 * mask)
        )
    mean, std = x.mean(0), x.std(0, ddof=1)
    svm = SVC(**reference_record(run, "probes")["chosen"][draw]).fit((x - mean) / std, train_labels[rows].numpy())
    recorded = reference_record(run, "probes")["accuracy"]["test"]
    for condition, codes in (("clean", clean), ("mask 0.5", masked)):
        accuracy = 100 * np.mean(svm.predict((codes - mean) / std) == test_labels.numpy())
        assert recorded[condition]["svm"][draw] == pytest.approx(accuracy, abs=0.3)
