"""The SVM of Table 1, C and gamma by cross-validation: libsvm's, with its kernel matrices computed once and shared."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, Float64, Int64
from scipy.spatial.distance import cdist
from sklearn import config_context
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC
from sklearn.utils import check_array

ROWS = 500  # predicted at a time: their kernel stays in the cache


@dataclass(frozen=True)
class SVM:
    """One class against another, for every two; a point is of the class that wins most often."""

    chosen: dict[str, float]  # C and gamma
    vectors: Float64[np.ndarray, "l d"]  # what it was fitted to
    votes: "_Votes"

    def predict(self, x: Float[np.ndarray, "n d"]) -> Int64[np.ndarray, " n"]:
        """The classes that sklearn's SVC predicts; kernel exp(-gamma d^2) of the distance d."""
        vectors, gamma = self.vectors[self.votes.support].T, self.chosen["gamma"]
        right = np.vstack([2 * vectors, -np.ones(vectors.shape[1]), -(vectors**2).sum(0)]) * gamma
        found = []
        for start in range(0, len(x), ROWS):
            part = x[start : start + ROWS].astype(np.float64)
            left = np.column_stack([part, (part**2).sum(1), np.ones(len(part))])  # left right = -gamma d^2
            kernel = left @ right
            found.append(self.votes.of(np.exp(kernel, out=kernel)))
        return np.concatenate(found)


def fit_svm(
    x: Float[np.ndarray, "l d"], y: Int64[np.ndarray, " l"], c: Sequence[float], gamma: Sequence[float], folds: int
) -> SVM:
    """As GridSearchCV(SVC(), {"C": c, "gamma": gamma}, cv=folds) chooses and fits it, the first of the best.

    Raises ValueError for features that are not finite, and where no class has as many points as folds.
    """
    x = check_array(x, dtype=np.float64)
    squares = cdist(x, x, "sqeuclidean")  # by differences: libsvm's path depends on an exact 0 on the diagonal
    kernels = [np.exp(-g * squares) for g in gamma]
    grid = [(i, j) for i in range(len(c)) for j in range(len(gamma))]
    score = np.zeros((len(grid), folds))
    for fold, (seen, held) in enumerate(StratifiedKFold(folds).split(x, y)):
        for j, kernel in enumerate(kernels):
            inner, outer = (kernel.take(rows, 0).take(seen, 1) for rows in (seen, held))
            for i in range(len(c)):
                votes = _Votes.fit(inner, y[seen], c[i])
                score[grid.index((i, j)), fold] = np.mean(votes.of(outer.take(votes.support, 1)) == y[held])
    i, j = grid[score.mean(1).argmax()]
    return SVM({"C": c[i], "gamma": gamma[j]}, x, _Votes.fit(kernels[j], y, c[i]))


@dataclass(frozen=True)
class _Votes:
    """A fitted SVC's decisions from kernel values, by matrix products: its own take five times as long."""

    classes: Int64[np.ndarray, " k"]
    support: np.ndarray  # rows of the support vectors, class by class
    ends: np.ndarray  # where in these the classes end
    weights: Float64[np.ndarray, "k-1 s"]  # of a vector in the decisions between its class and each other
    intercepts: Float64[np.ndarray, " pairs"]

    @classmethod
    def fit(cls, kernel: Float64[np.ndarray, "l l"], y: Int64[np.ndarray, " l"], c: float) -> "_Votes":
        with config_context(assume_finite=True, skip_parameter_validation=True):  # known here, 46 times a grid
            svc = SVC(C=c, kernel="precomputed").fit(kernel, y)
        sign = -1 if len(svc.classes_) == 2 else 1  # sklearn turns libsvm's decision around where there is but one
        return cls(
            svc.classes_, svc.support_, svc.n_support_.cumsum()[:-1], sign * svc.dual_coef_, sign * svc.intercept_
        )

    def of(self, kernel: Float64[np.ndarray, "n s"]) -> Int64[np.ndarray, " n"]:
        """The class with most votes, the first of several, as in libsvm."""
        k = len(self.classes)
        parts = zip(np.split(kernel, self.ends, 1), np.split(self.weights, self.ends, 1), strict=True)
        share = np.concatenate([part @ weights.T for part, weights in parts], 1)  # column i (k - 1) + that of the other
        first, second, won, lost = _pairs(k)
        decision = share.take(first * (k - 1) + second - 1, 1) + share.take(second * (k - 1) + first, 1)
        decision += self.intercepts
        return self.classes[((decision > 0) @ (won - lost) + lost.sum(0)).argmax(1)]


@cache
def _pairs(k: int) -> tuple[np.ndarray, ...]:
    """First and second class of each pair, and a vote for either, pairs as rows and classes as columns."""
    first, second = np.triu_indices(k, 1)
    return first, second, np.eye(k)[first], np.eye(k)[second]
