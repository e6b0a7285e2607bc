"""The probes of Table 1: the labels, the SVM, and accuracies by an own computation."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.svm import SVC

from tests.conftest import write_idx
from vimae_core import RunConfig, evaluate, fit, load_dataset
from vimae_core.evaluation.probes import FOLDS, GAMMA, PROBES, C, Probes, draw_labels, probes
from vimae_core.evaluation.record import check_measure
from vimae_core.evaluation.svm import fit_svm
from vimae_core.evaluation.tsvm import fit_tsvm
from vimae_core.networks import as_pixels
from vimae_core.runs import Run


def drawn_by_hand(labels: np.ndarray, each: int, n_unlabelled: int, seed: int) -> tuple[list[int], list[int]]:
    """Image after image in the seed's order: taken with its label while its class lacks some, else without."""
    chosen, others = {c: [] for c in sorted(set(labels.tolist()))}, []
    for row in torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed)).tolist():
        (chosen[labels[row]] if len(chosen[labels[row]]) < each else others).append(row)
    return [row for rows in chosen.values() for row in rows], others[:n_unlabelled]


def test_labels_are_balanced_drawn_by_seed_and_apart():
    """100 of each class, as a loop draws them; other rows for another draw; the unlabelled are others."""
    labels = torch.randint(10, (5000,), generator=torch.Generator().manual_seed(0))
    rows, others = draw_labels(labels, 1000, 3000, seed=4)
    assert (rows.tolist(), others.tolist()) == drawn_by_hand(labels.numpy(), 100, 3000, seed=4)
    assert labels[rows].bincount().tolist() == [100] * 10
    assert len(set(others.tolist())) == 3000 and not set(rows.tolist()) & set(others.tolist())
    assert not torch.equal(rows, draw_labels(labels, 1000, 3000, seed=5)[0])


@pytest.mark.parametrize("n", [1005, 40, 10_000])
def test_an_impossible_number_of_labels_is_refused(n):
    """Not balanced, too few for cross-validation, or more than there are."""
    labels = torch.randint(10, (5000,), generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=f"n_labels={n} is not possible: must be a multiple of the 10 classes"):
        draw_labels(labels, n, 100, seed=0)


@pytest.mark.parametrize(("classes", "spread"), [(2, 0.8), (4, 0.8), (10, 0.8), (4, 0.01)])
def test_svm_is_that_of_a_grid_search(classes, spread):
    """C, gamma and every prediction are sklearn's; of equal scores (the last case: all are perfect) the first."""
    rng = np.random.default_rng(classes)
    y = rng.permutation(np.arange(200) % classes)
    centres = rng.normal(size=(classes, 3))
    x = (centres[y] + spread * rng.normal(size=(200, 3))).astype(np.float32)
    z = (centres[rng.integers(classes, size=1300)] + spread * rng.normal(size=(1300, 3))).astype(np.float32)
    own = fit_svm(x, y, C, GAMMA, FOLDS)
    search = GridSearchCV(SVC(), {"C": C, "gamma": GAMMA}, cv=FOLDS).fit(x, y)
    assert own.chosen == search.best_params_
    assert np.array_equal(own.predict(z), search.predict(z))
    assert (spread > 0.1) == (len(set(search.cv_results_["mean_test_score"])) > 1)


def test_svm_refuses_what_is_not_a_number():
    """Before libsvm meets it, which would not end."""
    x = np.random.default_rng(0).normal(size=(20, 2))
    x[3, 1] = np.nan
    with pytest.raises(ValueError, match="contains NaN"):
        fit_svm(x, np.arange(20) % 2, C, GAMMA, FOLDS)


def test_svm_is_chosen_by_cross_validation_on_the_labels():
    """C and gamma are those whose five-fold accuracy on the standardised labelled points is best."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(100) % 4
    x = torch.tensor([5.0, 0.1]) * (torch.eye(4)[:, :2][labels] + 0.5 * torch.randn(100, 2, generator=generator)) + 7
    fitted = Probes(x, labels, x + 0.1)
    standard = ((x - x.mean(0)) / x.std(0)).numpy()
    score = {
        (c, g / 2): cross_val_score(SVC(C=c, gamma=g / 2), standard, labels.numpy(), cv=FOLDS).mean()
        for c in C
        for g in GAMMA
    }
    assert score[fitted.chosen["C"], fitted.chosen["gamma"]] == max(score.values())


def test_accuracies_are_recomputed_by_hand(tmp_path):
    """Every probe of both protocols, from rows drawn by a loop, noise and standardisation written out, and sklearn."""
    write_idx(tmp_path / "data" / "tiny", train=600, test=200)
    config = RunConfig(dataset="tiny", data_root=str(tmp_path / "data"), epochs=3, batch_size=16, width=0.1, seed=2)
    run, data = fit(config, progress=False), load_dataset("tiny", tmp_path / "data")
    settings = {"conditions": ["clean", "mask 0.8"], "curve": ["gaussian 0.9"], "n_labels": 40, "draws": [0, 7]}
    record = evaluate(run, measure="probes", data=data, **settings)
    assert record == evaluate(run, measure="probes", **settings)
    assert {p: list(c) for p, c in record["accuracy"].items()} == {
        "test": ["clean", "mask 0.8", "gaussian 0.9"], "both": ["clean", "mask 0.8"],
    }  # fmt: skip
    assert all(list(by) == list(PROBES) for c in record["accuracy"].values() for by in c.values())
    assert record["accuracy"]["test"]["clean"] == record["accuracy"]["both"]["clean"]

    def pixels(part: str, condition: str) -> torch.Tensor:
        x = data[part][0] / 255.0
        generator = torch.Generator().manual_seed({"train": 0, "test": 1}[part])
        if condition == "mask 0.8":
            return x * (torch.empty(x.shape).uniform_(generator=generator) >= 0.8)
        return x + 0.9 * torch.empty(x.shape).normal_(generator=generator) if condition == "gaussian 0.9" else x

    labels, test_labels = data["train"][1].numpy(), data["test"][1].numpy()
    rows, others = drawn_by_hand(labels, 10, 3000, seed=7)
    for protocol, fitted_to, condition in (
        ("test", "clean", "mask 0.8"), ("both", "mask 0.8", "mask 0.8"), ("test", "clean", "gaussian 0.9"),
    ):  # fmt: skip
        seen = run.network.encode(pixels("train", fitted_to)).mean.numpy()
        mean, std, y = seen[rows].mean(0), seen[rows].std(0, ddof=1), labels[rows]
        tested = run.network.encode(pixels("test", condition)).mean.numpy()
        x, u, z = ((codes - mean) / std for codes in (seen[rows], seen[others], tested))
        search = GridSearchCV(SVC(), {"C": C, "gamma": [g / x.shape[1] for g in GAMMA]}, cv=FOLDS).fit(x, y)
        if protocol == "test":
            assert record["chosen"][1] == search.best_params_
        fractions = torch.from_numpy(np.bincount(search.predict(u), minlength=4) / len(u))
        assert (fractions - 1 / 4).abs().max() > 0.02
        c, gamma = search.best_params_["C"], search.best_params_["gamma"]
        tsvm = fit_tsvm(*map(torch.from_numpy, (x, y, u)), c, gamma, 300, seed=7, fractions=fractions)
        nearest = y[cdist(z, x).argsort(1)[:, :5]]
        predicted = {
            "svm": search.predict(z),
            "tsvm": tsvm.predict(torch.from_numpy(z)).numpy(),
            "knn": (nearest[:, :, None] == np.arange(4)).sum(1).argmax(1),
            "linear": LogisticRegression(max_iter=1000).fit(x, y).predict(z),
        }
        for probe, classes in predicted.items():
            accuracy = 100 * np.mean(classes == test_labels)
            assert record["accuracy"][protocol][condition][probe][1] == pytest.approx(accuracy, abs=0.5)  # one image
            assert accuracy < 98  # at noise that tells draws apart


def test_models_share_labels_and_noise(tmp_path, monkeypatch):
    """Two models that encode alike are as good: they meet the same labels and the same noise, and so are paired."""
    write_idx(tmp_path / "data" / "tiny", train=600, test=200)
    config = {"dataset": "tiny", "data_root": str(tmp_path / "data"), "epochs": 1, "batch_size": 16, "width": 0.1}
    data = load_dataset("tiny", tmp_path / "data")
    one, other = (fit(RunConfig(**config, lambda_=lam), progress=False) for lam in (1, 10))
    settings = {"conditions": ["clean", "mask 0.5"], "n_labels": 40, "draws": [3]}
    assert one.path != other.path and probes(one, data, **settings) != probes(other, data, **settings)
    pixels = torch.randn(data["train"][0][0].numel(), 2, generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(Run, "encode", lambda run, images: as_pixels(torch.as_tensor(images)).flatten(1) @ pixels)
    assert probes(one, data, **settings) == probes(other, data, **settings)


def test_command_line_measures(tiny, capsys):
    """`evaluate --measure probes={...}`; an unknown measure or setting is refused before anything is trained."""
    from vimae_core.__main__ import main

    flags = ["--dataset", "tiny", "--data-root", str(tiny), "--epochs", "1", "--batch-size", "16", "--width", "0.1"]
    asked = 'probes={"conditions": ["clean"], "n_labels": 20, "draws": [0]}'
    for wrong in ("probe", 'probes={"draw": [0]}', "probes={"):
        assert main(["evaluate", *flags, "--measure", wrong]) == 2
        error = capsys.readouterr().err
        assert f"measure={wrong!r} is not possible" in error and "'latent_fit': ['n_test']" in error
    assert main(["show"]) == 0 and not capsys.readouterr().out
    assert main(["evaluate", *flags, "--n-test", "32", "--measure", "latent_fit", "--measure", asked]) == 0
    out = capsys.readouterr().out
    assert "accuracy test clean svm" in out and "kl_null_low" in out


def test_a_dead_coordinate_changes_nothing():
    """A code's coordinate that is the same for every image, but for rounding, has no part in any decision."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 4
    x = torch.eye(4)[labels] + 0.5 * torch.randn(200, 4, generator=generator)
    dead = torch.full((200, 1), 0.3) + 1e-8 * torch.randn(200, 1, generator=generator)
    fitted = Probes(torch.cat([x, dead], 1)[:100], labels[:100], torch.cat([x, dead], 1)[100:])
    found = fitted.accuracy(torch.cat([x, dead], 1)[100:], labels[100:])
    far = fitted.accuracy(torch.cat([x, dead + 1e-7], 1)[100:], labels[100:])
    assert found == far and min(found.values()) > 60


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"draws": [0, 0]}, "draws=.* names one of them twice"),
        ({"conditions": ["mask 0.5", "mask_0.50"]}, "conditions=.*twice"),
        ({"curve": ["fog 1"]}, "condition 'fog 1' is not possible"),
        ({"n_labels": 1000}, "n_labels=1000 is not possible"),
        ({"n_test": -5}, "n_test=-5 is not possible: must be a whole number from 1 on; tiny has 64 test images"),
        ({"n_test": 5.5}, "n_test=5.5 is not possible: must be a whole number from 1 on"),
        ({"n_test": True}, "n_test=True is not possible: must be a whole number from 1 on"),
        ({"draws": []}, r"draws=\[\] is not possible: must be a list of whole numbers, at least one"),
        ({"draws": [0.5]}, "draws=0.5 is not possible: must be a whole number from 0 on"),
        ({"draws": 3}, "draws=3 is not possible: must be a list of whole numbers"),
        ({"n_labels": 20.0}, "n_labels=20.0 is not possible: must be a whole number"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_training(tiny, settings, message):
    """By name; what is repeated is no independent measurement."""
    config, data = RunConfig(dataset="tiny", data_root=str(tiny), batch_size=16), load_dataset("tiny", tiny)
    with pytest.raises(ValueError, match=message):
        check_measure("probes", config, data, **{"n_labels": 20, **settings})
