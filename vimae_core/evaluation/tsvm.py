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
from jaxtyping import Float, Float64, Int64
from torch import Tensor

TEMPERATURES = torch.logspace(0, -2, 24).tolist()  # of a loss of 4 for a point at -1 or 1 on the wrong side
SHARES = torch.logspace(-3, 0, 24).tolist()  # of C, at each temperature
RELABELLINGS = 30  # at most, at the end; mostly a few do
STEPS = 3000  # at most, to minimise over f at fixed labels
OFFSETS = 60  # at most, to find the one that makes the chances' mean right
ROWS = 500  # decided at a time


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
        parts = x.double().split(ROWS)  # whose kernel stays in the cache
        return torch.cat([rbf(part, self.landmarks, self.gamma) @ self.expansion for part in parts])

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
    fractions: Float[Tensor, " k"] | None = None,
    weight: float = 1.0,
) -> TransductiveSVM:
    """Fits one class against the rest, for every class at once; kernel exp(-gamma d^2) + 1 of the distance d.

    C_u = `weight` C l / u: at 1 the unlabelled points together weigh as much as the labelled. `fractions` of them are
    positive, a number a class in ascending order; where None, as many as of the labels, which is right only where the
    labelled points were drawn like the others. f is a sum over `n_landmarks` of all points (Nystroem), over all of
    them where None: then the kernel is exact. Raises ValueError for c or gamma not above 0, weight below 0, a single
    class, no unlabelled point, or fractions that are not one in [0, 1] a class.
    """
    classes = labels.unique()
    if c <= 0 or gamma <= 0 or len(classes) < 2 or len(unlabelled) == 0:
        raise ValueError(
            f"c={c}, gamma={gamma}, {len(classes)} class(es), {len(unlabelled)} unlabelled point(s) are not possible: "
            "c and gamma must be greater than 0, with two classes or more and at least one unlabelled point"
        )
    known = 2.0 * (labels == classes[:, None]).double() - 1
    positive = (known > 0).double().mean(1) if fractions is None else fractions.double()
    if weight < 0 or len(positive) != len(classes) or not ((positive >= 0) & (positive <= 1)).all():
        raise ValueError(
            f"weight={weight}, fractions={positive.tolist()} are not possible: weight must be 0 or greater, and "
            f"fractions one number in [0, 1] for each of {len(classes)} classes"
        )
    positive = positive[:, None]
    points = torch.cat([labelled, unlabelled]).double()
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))
    landmarks = points[order[:n_landmarks]]
    # Coordinates in which |f|^2 is |w|^2: f = features w.
    values, vectors = torch.linalg.eigh(rbf(landmarks, landmarks, gamma))
    kept = values > 1e-10 * values[-1]
    basis = vectors[:, kept] * values[kept].rsqrt()
    features = rbf(points, landmarks, gamma) @ basis

    costs = torch.full((len(points),), c, dtype=torch.double)
    costs[len(labelled) :] = weight * c * len(labelled) / len(unlabelled)
    # Single precision errs far less than its own tolerance allows, and costs a third.
    dtype = torch.float32 if tolerance >= 1e-5 else torch.double
    features, costs, known = features.to(dtype), costs.to(dtype), known.to(dtype)
    of_unlabelled = features[len(labelled) :].T
    gram = features.T @ (costs[:, None] * features)
    w = torch.zeros(len(classes), features.shape[1], dtype=dtype)
    for temperature, share in zip(TEMPERATURES, SHARES, strict=True):
        problem = _Problem(features, share * costs, share * gram)
        chance = _chances(_gain(w @ of_unlabelled).double(), positive, temperature)
        w = problem.minimise(w, torch.cat([known, (2 * chance - 1).to(dtype)], 1), 1e-2)
    following = _decided(w @ of_unlabelled, positive)
    for _ in range(RELABELLINGS):
        signs = following
        w = problem.minimise(w, torch.cat([known, signs], 1), tolerance)
        following = _decided(w @ of_unlabelled, positive)
        if torch.equal(signs, following):
            break  # these labels are the best for this f, and this f for these labels
    objective = problem.value(w, torch.cat([known, signs], 1))
    return TransductiveSVM(classes, landmarks, gamma, basis @ w.T.double(), signs.T.double(), objective.double())


class _Problem:
    """The supervised problem at fixed labels in [-1, 1], an expected loss between -1 and 1; convex in w."""

    def __init__(self, features: Float[Tensor, "n m"], weight: Float[Tensor, " n"], gram: Float[Tensor, "m m"]):
        self.features, self.weight = features, weight
        # The squared hinge's curvature is at most 2: one matrix bounds the Hessian, whatever the class and the labels.
        bound = torch.eye(len(gram), dtype=gram.dtype) + 2 * gram
        self.factor = torch.linalg.cholesky(bound)

    def value(self, w: Float[Tensor, "k m"], labels: Float[Tensor, "k n"]) -> Float[Tensor, " k"]:
        f = w @ self.features.T
        p = (1 + labels) / 2
        hinge = p * (1 - f).relu().square() + (1 - p) * (1 + f).relu().square()
        return 0.5 * w.square().sum(1) + hinge @ self.weight

    def minimise(self, w: Float[Tensor, "k m"], labels: Float[Tensor, "k n"], tolerance: float) -> Float[Tensor, "k m"]:
        """Accelerated steps down the quadratic that bounds the objective from above, restarted where they overshoot."""
        above, below = (1 - labels) * self.weight, (1 + labels) * self.weight
        ahead, momentum = w, 1.0
        for _ in range(STEPS):
            # Classes as rows, points as columns: the two products, in which the time goes, are then fastest.
            f = ahead @ self.features.T
            slope = (1 + f).relu_().mul_(above).addcmul_((1 - f).relu_(), below, value=-1)
            gradient = torch.addmm(ahead, slope, self.features)
            step = torch.cholesky_solve(gradient.T, self.factor).T
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


def _chances(
    gain: Float64[Tensor, "k u"], positive: Float64[Tensor, "k 1"], temperature: float
) -> Float64[Tensor, "k u"]:
    """Each point's chance of a positive label at a temperature, their mean as given.

    Newton's method for the offset from which gains count; where a step would leave the interval that holds it, a
    bisection instead.
    """
    low, high = gain.amin(1, keepdim=True) - 50 * temperature, gain.amax(1, keepdim=True) + 50 * temperature
    offset = (low + high) / 2
    for _ in range(OFFSETS):
        chance = torch.sigmoid((gain - offset) / temperature)
        excess = chance.mean(1, keepdim=True) - positive
        if excess.abs().max() < 1e-11:
            break
        low, high = torch.where(excess > 0, offset, low), torch.where(excess > 0, high, offset)
        offset = offset + temperature * excess / (chance * (1 - chance)).mean(1, keepdim=True)
        offset = torch.where((low <= offset) & (offset <= high), offset, (low + high) / 2)
    return chance


def _decided(f: Float[Tensor, "k u"], positive: Float64[Tensor, "k 1"]) -> Float[Tensor, "k u"]:
    """+1 for the given fraction of points with the largest f, -1 for the others: the best labels for that f."""
    largest = torch.arange(f.shape[1]) < (positive * f.shape[1]).round()
    return torch.empty_like(f).scatter_(1, f.argsort(1, descending=True), 2 * largest.to(f.dtype) - 1)
