"""The transductive SVM of Table 1, against brute force, liblinear and what it is for."""

import itertools

import numpy as np
import pytest
import torch
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, LinearSVC

from vimae_core.evaluation.tsvm import fit_tsvm


def supervised(kernel: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    """The minimum of |f|^2/2 + sum w max(0, 1 - y f)^2 at fixed labels, by liblinear on a square root of the kernel."""
    x = np.linalg.cholesky(kernel + 1e-10 * np.eye(len(y)))
    svm = LinearSVC(loss="squared_hinge", C=1, dual=False, tol=1e-9, max_iter=20_000).fit(x, y, weight)
    loss = (weight * np.maximum(0, 1 - y * svm.decision_function(x)) ** 2).sum()
    return 0.5 * (svm.coef_**2).sum() + 0.5 * svm.intercept_[0] ** 2 + loss


@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("c", "weight", "positive"), [(0.3, 1.0, 5), (1.0, 1.0, 5), (1.0, 0.5, 3)])
def test_tsvm_finds_the_best_labelling(seed, c, weight, positive):
    """Over all labelings of ten points with a given number of them positive: the optimum, and its labels."""
    rng = np.random.default_rng(seed)
    y = np.array([0, 1] * 2 + [0] * (10 - positive) + [1] * positive)
    x = 1.5 * rng.normal(size=(2, 2))[y] + 0.7 * rng.normal(size=(14, 2))
    points, labels = torch.from_numpy(x), torch.from_numpy(y)
    asked = {} if positive == 5 else {"fractions": torch.tensor([1 - positive / 10, positive / 10])}
    svm = fit_tsvm(points[:4], labels[:4], points[4:], c, gamma=0.5, tolerance=1e-9, weight=weight, **asked)
    kernel = np.exp(-0.5 * ((x[:, None] - x) ** 2).sum(-1))
    costs = np.r_[np.full(4, c), np.full(10, weight * c * 4 / 10)]
    best = {}
    for chosen in itertools.combinations(range(10), positive):
        signs = np.isin(np.arange(10), chosen) * 2.0 - 1
        best[tuple(signs)] = supervised(kernel, np.r_[2.0 * y[:4] - 1, signs], costs)
    optimum = min(best, key=best.get)
    assert svm.objective[1].item() == pytest.approx(best[optimum], rel=1e-6)
    assert svm.objective[0].item() == pytest.approx(best[optimum], rel=1e-6)  # of two classes, each the other's mirror
    assert tuple(svm.signs[:, 1].tolist()) == optimum
    f = svm.decide(points[4:])
    assert torch.equal(svm.predict(points[4:]), (f[:, 1] > f[:, 0]).long())


@pytest.mark.parametrize(("tolerance", "of_minimum", "of_f"), [(1e-4, 1e-4, 0.1), (1e-7, 1e-6, 1e-3)])
def test_tsvm_as_it_is_used(tolerance, of_minimum, of_f):
    """Ten classes, 300 landmarks: each class's minimum at its labels by liblinear on other features; labels at rest.

    At the first tolerance, the one used, in single precision; at the second in double.
    """
    rng = np.random.default_rng(0)
    y = np.r_[np.arange(300) % 10, rng.permutation(np.arange(1000) % 10)]
    x = 1.2 * rng.normal(size=(10, 8))[y] + rng.normal(size=(1300, 8))
    points, labels, c, gamma = torch.from_numpy(x), torch.from_numpy(y), 3.0, 1 / 8
    svm = fit_tsvm(points[:300], labels[:300], points[300:], c, gamma, 300, seed=4, tolerance=tolerance)
    landmarks = svm.landmarks.numpy()
    nearest = cdist(landmarks, x).argmin(1)
    assert len(set(nearest)) == 300 and np.array_equal(x[nearest], landmarks)
    assert 50 < (nearest < 300).sum() < 90  # drawn from all points: 69 of the labelled are expected

    def kernel(a, b):
        return np.exp(-gamma * cdist(a, b, "sqeuclidean")) + 1

    root = np.linalg.cholesky(kernel(landmarks, landmarks))
    features = solve_triangular(root, kernel(landmarks, x), lower=True).T
    weight = np.r_[np.full(300, c), np.full(1000, c * 300 / 1000)]
    decisions = svm.decide(points).numpy()
    for k in range(10):
        signs = svm.signs[:, k].numpy()
        assert np.array_equal(np.flatnonzero(signs > 0), np.sort(decisions[300:, k].argsort()[-100:]))
        target = np.r_[np.where(y[:300] == k, 1.0, -1.0), signs]
        linear = LinearSVC(loss="squared_hinge", C=1, dual=False, tol=1e-6, fit_intercept=False)
        f = features @ linear.fit(features, target, weight).coef_[0]
        minimum = 0.5 * (linear.coef_**2).sum() + (weight * np.maximum(0, 1 - target * f) ** 2).sum()
        assert svm.objective[k].item() == pytest.approx(minimum, rel=of_minimum)
        assert decisions[:, k] == pytest.approx(f, abs=of_f)
    assert np.array_equal(svm.predict(points).numpy(), decisions.argmax(1))
    assert np.mean(decisions[300:].argmax(1) == y[300:]) > 0.7


def test_tsvm_without_weight_is_the_supervised_machine():
    """C_u = 0: the minimum over the labelled alone, by liblinear; what the unlabelled are has no part in f."""
    rng = np.random.default_rng(3)
    y = np.arange(20) % 2
    x = rng.normal(size=(2, 2))[y] + 0.7 * rng.normal(size=(20, 2))
    points, labels, z = torch.from_numpy(x), torch.from_numpy(y), torch.from_numpy(rng.normal(size=(9, 2)))
    one, other = (fit_tsvm(points, labels, u, 2.0, 0.5, tolerance=1e-9, weight=0.0) for u in (z, 1 - 2 * z))
    minimum = supervised(np.exp(-0.5 * cdist(x, x, "sqeuclidean")), 2.0 * y - 1, np.full(20, 2.0))
    assert one.objective.numpy() == pytest.approx(minimum, rel=1e-6)
    assert one.decide(z).numpy() == pytest.approx(other.decide(z).numpy(), abs=1e-4)


def test_fractions_of_the_unlabelled_need_not_be_those_of_the_labels():
    """As many labels of either, one in ten of the others positive: told so, it errs less than half as often."""
    rng, errors = np.random.default_rng(0), []
    y = np.r_[np.arange(20) % 2, rng.permutation(np.arange(400) % 10 == 0)].astype(int)
    points = torch.from_numpy(np.array([[0, 0], [2.5, 0]])[y] + rng.normal(size=(420, 2)))
    labels, rest = torch.from_numpy(y[:20]), torch.from_numpy(y[20:])
    for fractions in (torch.tensor([0.9, 0.1]), None):
        svm = fit_tsvm(points[:20], labels, points[20:], 1.0, 0.1, fractions=fractions)
        assert (svm.signs > 0).sum(0).tolist() == ([200, 200] if fractions is None else [360, 40])
        errors.append((svm.predict(points[20:]) != rest).double().mean().item())
    assert errors[0] < 0.1 and errors[0] < errors[1] / 2


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


@pytest.mark.parametrize(
    "changes",
    [{"weight": -0.1}, {"fractions": torch.tensor([0.5])}, {"fractions": torch.tensor([-0.1, 1.1])},
     {"fractions": torch.tensor([torch.nan, 0.5])}],
)  # fmt: skip
def test_tsvm_refuses_impossible_fractions(changes):
    """A weight below 0; fractions that are not one a class, not in [0, 1], not numbers."""
    with pytest.raises(ValueError, match=r"are not possible: weight must be 0 or greater, and fractions one number"):
        fit_tsvm(torch.randn(4, 2), torch.tensor([0, 1, 0, 1]), torch.randn(5, 2), **changes)
