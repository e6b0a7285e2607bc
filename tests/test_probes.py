"""The probes of Table 1: the transductive SVM against brute force, the labels, and accuracies by an own computation."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.svm import SVC, LinearSVC

from tests.conftest import write_idx
from vimae_core import RunConfig, evaluate, fit, load_dataset
from vimae_core.corruptions import corrupt
from vimae_core.evaluation.probes import FOLDS, GAMMA, PROBES, C, Probes, draw_labels, probes
from vimae_core.evaluation.tsvm import fit_tsvm


def supervised(kernel: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """The minimum of |f|^2/2 + sum w max(0, 1 - y f)^2 at fixed labels, by liblinear on a square root of the kernel."""
    x = np.linalg.cholesky(kernel + 1e-10 * np.eye(len(y)))
    svm = LinearSVC(loss="squared_hinge", C=1, dual=False, tol=1e-9, max_iter=20_000).fit(x, y, weight)
    loss = (weight * np.maximum(0, 1 - y * svm.decision_function(x)) ** 2).sum()
    return 0.5 * (svm.coef_**2).sum() + 0.5 * svm.intercept_[0] ** 2 + loss


@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("c", [0.3, 1.0])
def test_tsvm_finds_the_best_labelling(seed, c):
    """Over all labelings of ten points with half of them positive: the optimum, and its labels."""
    rng = np.random.default_rng(seed)
    y = np.array([0, 1] * 2 + [0] * 5 + [1] * 5)
    x = 1.5 * rng.normal(size=(2, 2))[y] + 0.7 * rng.normal(size=(14, 2))
    points, labels = torch.from_numpy(x), torch.from_numpy(y)
    svm = fit_tsvm(points[:4], labels[:4], points[4:], c, gamma=0.5, tolerance=1e-9)
    kernel = np.exp(-0.5 * ((x[:, None] - x) ** 2).sum(-1))
    weight = np.r_[np.full(4, c), np.full(10, c * 4 / 10)]
    best = {}
    for chosen in itertools.combinations(range(10), 5):
        signs = np.isin(np.arange(10), chosen) * 2.0 - 1
        best[tuple(signs)] = supervised(kernel, np.r_[2.0 * y[:4] - 1, signs], weight)
    optimum = min(best, key=best.get)
    assert svm.objective[1].item() == pytest.approx(best[optimum], rel=1e-6)
    assert svm.objective[0].item() == pytest.approx(best[optimum], rel=1e-6)  # of two classes, each the other's mirror
    assert tuple(svm.signs[:, 1].tolist()) == optimum
    f = svm.decide(points[4:])
    assert torch.equal(svm.predict(points[4:]), (f[:, 1] > f[:, 0]).long())


def test_tsvm_beats_the_svm_on_two_moons():
    """Three labels a moon: mostly without an error, where the SVM makes many; mean over ten sets of moons."""
    found = []
    for seed in range(10):
        x, y = make_moons(300, noise=0.08, random_state=seed)
        rows = np.concatenate([np.flatnonzero(y == c)[:3] for c in (0, 1)])
        rest = np.setdiff1d(np.arange(300), rows)
        points, labels = torch.from_numpy(x), torch.from_numpy(y)
        tsvm = fit_tsvm(points[rows], labels[rows], points[rest], c=10.0, gamma=10.0)
        svm = SVC(C=10.0, gamma=10.0).fit(x[rows], y[rows])
        found.append(((tsvm.predict(points[rest]) == labels[rest]).double().mean(), svm.score(x[rest], y[rest])))
    tsvm, svm = np.mean(found, 0)
    assert tsvm > 0.9 > svm + 0.1


def test_landmarks_approximate_the_kernel():
    """With a third of the points as landmarks nearly the same decisions as with all."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(300) % 3
    points = 2 * torch.eye(3)[labels] + 0.6 * torch.randn(300, 3, generator=generator)
    whole, some = (fit_tsvm(points[:60], labels[:60], points[60:], 1.0, 0.2, n) for n in (None, 100))
    assert (whole.predict(points) == some.predict(points)).float().mean() > 0.99
    assert (whole.predict(points[60:]) == labels[60:]).float().mean() > 0.9


@pytest.mark.parametrize("changes", [{"c": 0.0}, {"gamma": -1.0}, {"labels": torch.zeros(4).long()}, {"n": 0}])
def test_tsvm_refuses_what_is_no_problem(changes):
    """No weight, no kernel, one class, nothing unlabelled."""
    labels, n = changes.pop("labels", torch.tensor([0, 1, 0, 1])), changes.pop("n", 5)
    with pytest.raises(ValueError, match="are not possible: c and gamma must be greater than 0"):
        fit_tsvm(torch.randn(4, 2), labels, torch.randn(n, 2), **changes)


def test_labels_are_balanced_drawn_by_seed_and_apart():
    """100 of each class; other rows for another draw; the unlabelled are others."""
    labels = torch.randint(10, (5000,), generator=torch.Generator().manual_seed(0))
    rows, others = draw_labels(labels, 1000, 3000, seed=4)
    assert labels[rows].bincount().tolist() == [100] * 10
    assert len(others) == 3000 and not set(rows.tolist()) & set(others.tolist())
    assert torch.equal(rows, draw_labels(labels, 1000, 3000, seed=4)[0])
    assert not torch.equal(rows, draw_labels(labels, 1000, 3000, seed=5)[0])


@pytest.mark.parametrize("n", [1005, 40, 10_000])
def test_an_impossible_number_of_labels_is_refused(n):
    """Not balanced, too few for cross-validation, or more than there are."""
    labels = torch.randint(10, (5000,), generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=f"n_labels={n} is not possible: must be a multiple of the 10 classes"):
        draw_labels(labels, n, 100, seed=0)


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
    """All protocols and probes; the SVM's accuracies follow from an own encoder pass, standardisation and SVM."""
    write_idx(tmp_path / "data" / "tiny", train=600, test=200)
    config = RunConfig(dataset="tiny", data_root=str(tmp_path / "data"), epochs=3, batch_size=16, width=0.1, seed=2)
    run, data = fit(config, progress=False), load_dataset("tiny", tmp_path / "data")
    settings = {"conditions": ["clean", "mask 0.5"], "curve": ["gaussian 0.3"], "n_labels": 40, "draws": [0, 7]}
    record = evaluate(run, measure="probes", data=data, **settings)
    assert record == evaluate(run, measure="probes", **settings)
    assert {p: list(c) for p, c in record["accuracy"].items()} == {
        "test": ["clean", "mask 0.5", "gaussian 0.3"], "both": ["clean", "mask 0.5"],
    }  # fmt: skip
    assert all(list(by) == list(PROBES) for c in record["accuracy"].values() for by in c.values())
    assert record["accuracy"]["test"]["clean"] == record["accuracy"]["both"]["clean"]
    (train, train_labels), (test, test_labels) = data["train"], data["test"]
    rows, _ = draw_labels(train_labels, 40, 100, seed=7)
    for protocol, condition, seed in (
        ("test", "mask 0.5", None),
        ("both", "mask 0.5", 0),
        ("test", "gaussian 0.3", None),
    ):
        seen = train / 255.0 if seed is None else corrupt(train, condition, seed=seed)
        x, z = (run.network.encode(i).mean.numpy() for i in (seen[rows], corrupt(test, condition, seed=1)))
        mean, std, y = x.mean(0), x.std(0, ddof=1), train_labels[rows].numpy()
        chosen = record["chosen"][1] if seed is None else None
        grid = [chosen] if chosen else [{"C": c, "gamma": g / 2} for c in C for g in GAMMA]
        scores = [cross_val_score(SVC(**g), (x - mean) / std, y, cv=FOLDS).mean() for g in grid]
        svm = SVC(**grid[int(np.argmax(scores))]).fit((x - mean) / std, y)
        accuracy = 100 * np.mean(svm.predict((z - mean) / std) == test_labels.numpy())
        assert record["accuracy"][protocol][condition]["svm"][1] == pytest.approx(accuracy, abs=0.5)  # one image of 200


def test_models_share_labels_and_noise(tmp_path):
    """Two runs of one training set meet the same rows: a comparison is paired."""
    write_idx(tmp_path / "data" / "tiny", train=600, test=200)
    config = {"dataset": "tiny", "data_root": str(tmp_path / "data"), "epochs": 1, "batch_size": 16, "width": 0.1}
    data = load_dataset("tiny", tmp_path / "data")
    one, same = (fit(RunConfig(**config, lambda_=lam), progress=False) for lam in (10, 10))
    settings = {"conditions": ["clean"], "n_labels": 40, "draws": [3]}
    assert probes(one, data, **settings) == probes(same, data, **settings)


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
