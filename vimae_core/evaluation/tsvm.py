"""The transductive SVM of M1+TSVM (Kingma et al. 2014; Joachims 1999): one against the rest, on a kernel's features.

Each class minimises over its decision function f and over the labels of the unlabelled points

    |f|^2 / 2 + C sum_labelled max(0, 1 - y f)^2 + C_u sum_unlabelled max(0, 1 - y f)^2

where a given fraction of the unlabelled labels is positive. The labels make it a problem with many local minima.
Deterministic annealing (Sindhwani, Keerthi and Chapelle 2006) begins with all labels undecided and decides them as a
temperature falls; C grows meanwhile, so that f is smooth while labels are still open.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

TEMPERATURES = torch.logspace(0, -2, 24).tolist()  # of a loss of 4 for a point at -1 or 1 on the wrong side
SHARES = torch.logspace(-3, 0, 24).tolist()  # of C, at each temperature
RELABELLINGS = 30  # at most, at the end; mostly a few do
STEPS = 3000  # at most, to minimise over f at fixed labels


def rbf(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], gamma: float) -> Float[Tensor, "n m"]:
    """exp(-gamma |x - y|^2), plus 1 for the intercept, which is thereby regularised like the rest of f."""
    return torch.exp(-gamma * torch.cdist(x, y).square()) + 1


@dataclass(frozen=True)
class TransductiveSVM:
    """A fitted one: a decision function for each class, and what it took the unlabelled points for."""

    classes: Int64[Tensor, " k"]
    landmarks: Float[Tensor, "m d"]
    gamma: float
    expansion: Float[Tensor, "m k"]  # f(x) = sum_j k(x, landmark_j) expansion_j
    signs: Float[Tensor, "u k"]  # +1 or -1: each class's label of each unlabelled point
    objective: Float[Tensor, " k"]  # each class's minimum

    def decide(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """f of each class."""
        return rbf(x.double(), self.landmarks, self.gamma) @ self.expansion

    def predict(self, x: Float[Tensor, "n d"]) -> Int64[Tensor, " n"]:
        """The class whose f is largest."""
        return self.classes[self.decide(x).argmax(1)]


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Thousands of small products: several threads would mostly wait for each other, on a busy machine for minutes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@one_thread()
def fit_tsvm(
    labelled: Float[Tensor, "l d"],
    labels: Int64[Tensor, " l"],
    unlabelled: Float[Tensor, "u d"],
    c: float = 1.0,
    gamma: float = 1.0,
    n_landmarks: int | None = None,
    seed: int = 0,
    tolerance: float = 1e-4,
) -> TransductiveSVM:
    """Fits one class against the rest, for every class at once; kernel exp(-gamma d^2) + 1 of the distance d.

    C_u = C l / u: the unlabelled points together weigh as much as the labelled. The fraction of positives among
    them is that of the labels. f is a sum over `n_landmarks` of all points (Nystroem), over all of them where None:
    then the kernel is exact. Raises ValueError for c or gamma not above 0, a single class, or no unlabelled point.
    """
    classes = labels.unique()
    if c <= 0 or gamma <= 0 or len(classes) < 2 or len(unlabelled) == 0:
        raise ValueError(
            f"c={c}, gamma={gamma}, {len(classes)} class(es), {len(unlabelled)} unlabelled point(s) are not possible: "
            "c and gamma must be greater than 0, with two classes or more and at least one unlabelled point"
        )
    points = torch.cat([labelled, unlabelled]).double()
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))
    landmarks = points[order[:n_landmarks]]
    # Coordinates in which |f|^2 is |w|^2: f = features w.
    values, vectors = torch.linalg.eigh(rbf(landmarks, landmarks, gamma))
    kept = values > 1e-10 * values[-1]
    basis = vectors[:, kept] * values[kept].rsqrt()
    features = rbf(points, landmarks, gamma) @ basis

    weight = torch.full((len(points), 1), c, dtype=torch.double)
    weight[len(labelled) :] = c * len(labelled) / len(unlabelled)
    known = 2.0 * (labels[:, None] == classes).double() - 1
    positive = torch.where(known > 0, 1.0, 0.0).mean(0)
    gram = features.T @ (weight * features)
    w = torch.zeros(features.shape[1], len(classes), dtype=torch.double)
    for temperature, share in zip(TEMPERATURES, SHARES, strict=True):
        problem = _Problem(features, share * weight, share * gram)
        chance = _chances(_gain(features[len(labelled) :] @ w), positive, temperature)
        w = problem.minimise(w, torch.cat([known, 2 * chance - 1]), 1e-2)
    for _ in range(RELABELLINGS):
        signs = _decided(features[len(labelled) :] @ w, positive)
        w = problem.minimise(w, torch.cat([known, signs]), tolerance)
        if torch.equal(signs, _decided(features[len(labelled) :] @ w, positive)):
            break  # these labels are the best for this f, and this f for these labels
    objective = problem.value(w, torch.cat([known, signs]))
    return TransductiveSVM(classes, landmarks, gamma, basis @ w, signs, objective)


class _Problem:
    """The supervised problem at fixed labels in [-1, 1], an expected loss between -1 and 1; convex in w."""

    def __init__(self, features: Float[Tensor, "n m"], weight: Float[Tensor, "n 1"], gram: Float[Tensor, "m m"]):
        self.features, self.weight = features, weight
        # The squared hinge's curvature is at most 2: one matrix bounds the Hessian, whatever the class and the labels.
        bound = torch.eye(len(gram), dtype=torch.double) + 2 * gram
        self.factor = torch.linalg.cholesky(bound)

    def value(self, w: Tensor, labels: Tensor) -> Float[Tensor, " k"]:
        f = self.features @ w
        p = (1 + labels) / 2
        hinge = p * (1 - f).relu().square() + (1 - p) * (1 + f).relu().square()
        return 0.5 * w.square().sum(0) + (self.weight * hinge).sum(0)

    def gradient(self, w: Tensor, labels: Tensor) -> Float[Tensor, "m k"]:
        f = self.features @ w
        slope = (1 - labels) * (1 + f).relu() - (1 + labels) * (1 - f).relu()
        return w + self.features.T @ (self.weight * slope)

    def minimise(self, w: Tensor, labels: Tensor, tolerance: float) -> Float[Tensor, "m k"]:
        """Accelerated steps down the quadratic that bounds the objective from above, restarted where they overshoot."""
        ahead, momentum = w, 1.0
        for _ in range(STEPS):
            step = torch.cholesky_solve(self.gradient(ahead, labels), self.factor)
            following = ahead - step
            if (step * (following - w)).sum() > 0:
                momentum = 1.0
            grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            ahead = following + (momentum - 1) / grown * (following - w)
            w, momentum = following, grown
            if step.abs().max() <= tolerance * w.abs().max():
                break
        return w


def _gain(f: Tensor) -> Tensor:
    """By how much the label -1 costs more than the label +1."""
    return (1 + f).relu().square() - (1 - f).relu().square()


def _chances(gain: Float[Tensor, "u k"], positive: Float[Tensor, " k"], temperature: float) -> Float[Tensor, "u k"]:
    """Each point's chance of a positive label at a temperature, their mean as given: a bisection for the offset."""
    low, high = gain.min(0).values - 50 * temperature, gain.max(0).values + 50 * temperature
    for _ in range(40):
        middle = (low + high) / 2
        above = torch.sigmoid((gain - middle) / temperature).mean(0) > positive
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return torch.sigmoid((gain - (low + high) / 2) / temperature)


def _decided(f: Float[Tensor, "u k"], positive: Float[Tensor, " k"]) -> Float[Tensor, "u k"]:
    """+1 for the given fraction of points with the largest f, -1 for the others: the best labels for that f."""
    rank = f.argsort(0, descending=True).argsort(0)
    return torch.where(rank < (positive * len(f)).round(), 1.0, -1.0).double()
