"""How far each coordinate of a code stands for one known factor: MIG, DCI, SAP and the FactorVAE score.

All of codes z [n, d], posterior means as in Locatello et al. 2019, and of the factors v [n, k] that the same n images
were drawn from. A factor of two values is binary, any other is continuous. No score changes with the order, the sign or
the unit of the coordinates; of DCI that holds up to how a forest breaks ties between splits.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Float64, Int64
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestRegressor
from torch import Tensor

BINS = 20  # of a continuous quantity, as in Locatello et al. 2019
TREES, LEAF = 20, 5  # of a forest; images in a leaf, at least: a tree that goes on describes noise
VOTES, BATCH = 40, 64  # votes a factor, to learn from and as many to count; images a vote, as in Locatello et al. 2019
SCALED = 2000  # images whose codes give the coordinates' variances
CONSTANT = 1e-6  # of a coordinate's largest absolute value: a standard deviation that rounding alone makes


def equal_filled(values: Float[Tensor, "n c"], bins: int = BINS) -> Int64[Tensor, "n c"]:
    """The bin of each value within its column, 0 to bins - 1, by rank: as many in each; equal values share one."""
    ranks = torch.from_numpy(rankdata(values.double().numpy(), axis=0))
    return (bins * (ranks - 0.5) / len(values)).long()


def equal_wide(values: Float[Tensor, "n c"], bins: int = BINS) -> Int64[Tensor, "n c"]:
    """The same by value, from the smallest to the largest in equal steps, as Locatello et al. 2019 cut codes."""
    values = values.double()
    low, high = values.amin(0), values.amax(0)
    width = torch.where(high > low, high - low, 1.0)
    return (bins * (values - low) / width).long().clamp(max=bins - 1)


def information_gaps(
    codes: Float[Tensor, "n d"],
    factors: Float[Tensor, "n k"],
    cut: Callable[[Tensor, int], Tensor] = equal_filled,
    bins: int = BINS,
) -> Float64[Tensor, " k"]:
    """Of each factor, (I(z_a; v) - I(z_b; v)) / H(v) for the two coordinates a, b that tell most of it; in [0, 1].

    Their mean over the factors is the MIG of Chen et al. 2018. Information and entropy are those of the joint
    histogram, both sides cut into `bins`. Equal-filled bins leave a code's shape out of it, any monotone function of a
    factor being as good as another: equal steps would call codes of a heavy-tailed prior worse. What chance tells of a
    factor, about (bins - 1)^2 / 2n nats a coordinate, keeps even a perfect code below 1: at n = 2,000 by 0.04.
    Raises ValueError for fewer than two coordinates or factors, a constant factor, and what is not finite.
    """
    _check(codes, factors)
    z, v = (F.one_hot(cut(part, bins), bins).double() for part in (codes, factors))
    joint = (z.flatten(1).T @ v.flatten(1) / len(z)).unflatten(1, v.shape[1:]).unflatten(0, z.shape[1:])
    of_factors = _entropy(v.mean(0))
    information = _entropy(z.mean(0))[:, None] + of_factors - _entropy(joint.transpose(1, 2).flatten(2))
    return _gap(information) / of_factors


def mig(
    codes: Float[Tensor, "n d"], factors: Float[Tensor, "n k"], cut: Callable[[Tensor, int], Tensor] = equal_filled
) -> float:
    """The mutual information gap: the mean of `information_gaps`, 1 at best, 0 where no coordinate stands out."""
    return information_gaps(codes, factors, cut).mean().item()


def sap(codes: Float[Tensor, "n d"], factors: Float[Tensor, "n k"]) -> float:
    """Separated attribute predictability (Kumar et al. 2018): the mean gap between a factor's two best coordinates.

    A coordinate predicts a continuous factor by R^2 of a line, a binary one by the balanced accuracy of the best
    threshold: so the best of a continuous factor is 1, of a binary one 1/2, since any coordinate attains that much.
    That much, and not their 0, a constant coordinate has of a binary factor too: else a dead coordinate beside a live
    one would count as separation. Raises ValueError as `information_gaps`.
    """
    _check(codes, factors)
    live = ~_constant(codes)
    predicted = torch.stack([_accuracy(codes, v) if len(v.unique()) == 2 else _r2(codes, v) for v in factors.T], 1)
    floor = torch.tensor([0.5 if len(v.unique()) == 2 else 0.0 for v in factors.T], dtype=torch.float64)
    return _gap(torch.where(live[:, None], predicted, floor)).mean().item()


def _r2(codes: Float[Tensor, "n d"], factor: Float[Tensor, " n"]) -> Float64[Tensor, " d"]:
    z, v = codes.double() - codes.double().mean(0), factor.double() - factor.double().mean()
    return (v @ z).square() / (z.square().sum(0) * v.square().sum())


def _accuracy(codes: Float[Tensor, "n d"], factor: Float[Tensor, " n"]) -> Float64[Tensor, " d"]:
    """Balanced: half the difference of the two classes' shares below the best threshold, Kolmogorov's, above 1/2."""
    ordered, order = codes.sort(0)
    high = (factor == factor.max())[order].double()
    apart = (high.cumsum(0) / high.sum(0) - (1 - high).cumsum(0) / (1 - high).sum(0)).abs()
    between = torch.cat([ordered.diff(dim=0) > 0, torch.ones_like(ordered[:1], dtype=torch.bool)])  # not within ties
    return 0.5 + 0.5 * (apart * between).amax(0)


class DCI(NamedTuple):
    """Of Eastwood and Williams 2018, 1 at best."""

    disentanglement: float
    completeness: float
    informativeness: float
    explained: list[float]  # of each factor, the informativeness


def dci(
    codes: Float[Tensor, "n d"],
    factors: Float[Tensor, "n k"],
    held_codes: Float[Tensor, "m d"],
    held_factors: Float[Tensor, "m k"],
    seed: int = 0,
) -> DCI:
    """Disentanglement and completeness of the importances by which codes predict factors, and how well they do.

    A random forest a factor, one of the two regressors of Eastwood and Williams: it asks for no linear code, its
    importances (the share of the variance that the splits by a coordinate take away) are never negative, and for a
    binary factor that variance is half the Gini impurity, so that one regressor serves all. Informativeness is
    R^2 on the held-out images, below 0 where a forest does worse than the mean; they state sqrt(1 - R^2).
    Raises ValueError as `information_gaps`.
    """
    _check(codes, factors)
    _check(held_codes, held_factors)
    x, held = codes.double().numpy(), held_codes.double().numpy()
    importances, explained = [], []
    for v, held_v in zip(factors.double().numpy().T, held_factors.double().numpy().T, strict=True):
        forest = RandomForestRegressor(TREES, min_samples_leaf=LEAF, random_state=seed).fit(x, v)
        importances.append(forest.feature_importances_)
        explained.append(float(forest.score(held, held_v)))
    matrix = torch.from_numpy(np.array(importances)).T
    return DCI(disentanglement(matrix), completeness(matrix), float(np.mean(explained)), explained)


def disentanglement(importances: Float64[Tensor, "d k"]) -> float:
    """1 - H(P_i) in units of log k, P_i the importances of coordinate i as shares; weighed by their sum over factors.

    Zero where nothing is of importance.
    """
    weights, k = importances.sum(1), importances.shape[1]
    shares = importances / torch.where(weights > 0, weights, 1.0)[:, None]
    total = weights.sum().item()
    return ((1 - _entropy(shares) / np.log(k)) @ weights).item() / total if total > 0 else 0.0


def completeness(importances: Float64[Tensor, "d k"]) -> float:
    """The same of each factor, over the coordinates, in units of log d."""
    return disentanglement(importances.T)


def factor_vae(
    encode: Callable[[Tensor], Tensor],
    draw: Callable[[int, int], Tensor],
    seed: int = 0,
    votes: int = VOTES,
    batch: int = BATCH,
) -> float:
    """The accuracy of a majority vote on which factor was held fixed (Kim and Mnih 2018); 1/k is chance.

    `draw(n, seed)` gives factors [n, k], `encode` the codes [n, d] of images with given factors. A vote is for the
    coordinate that varies least over `batch` images with one factor in common, in units of its variance over all
    images. Each factor is held fixed equally often: `votes` times to learn which factor a coordinate's votes are
    mostly for, and `votes` more to count how often that is right. Constant coordinates have no vote; where all are,
    or there is none, the accuracy is that of a guess. Those that have collapsed are for the caller to leave out.
    """
    k = draw(1, seed).shape[1]
    everywhere, drawn = draw(SCALED + 2 * k * votes * batch, seed).tensor_split([SCALED])
    codes = encode(everywhere)
    keeps = ~_constant(codes)
    if not keeps.any():
        return 1 / k
    variance = codes[:, keeps].double().var(0)
    chosen = torch.empty(2, k, votes, dtype=torch.long)
    for half, given in enumerate(drawn.view(2, k, votes, batch, k)):
        for factor, faces in enumerate(given):
            faces[..., factor] = faces[:, :1, factor].clone()
            groups = encode(faces.flatten(0, 1))[:, keeps].double().unflatten(0, (votes, batch))
            chosen[half, factor] = (groups.var(1) / variance).argmin(1)
    learned, counted = F.one_hot(chosen, len(variance)).sum(2)  # [k, d] each
    return counted.gather(0, learned.argmax(0, keepdim=True)).sum().item() / (k * votes)


def _constant(codes: Float[Tensor, "n d"]) -> Bool[Tensor, " d"]:
    codes = codes.double()  # of no coordinates too, as where all have collapsed
    return (codes - codes.mean(0)).square().mean(0).sqrt() <= CONSTANT * codes.abs().amax(0)


def _entropy(shares: Float64[Tensor, "*c bins"]) -> Float64[Tensor, "*c"]:
    return torch.special.entr(shares).sum(-1)


def _gap(scores: Float64[Tensor, "d k"]) -> Float64[Tensor, " k"]:
    best, second = scores.topk(2, dim=0).values
    return best - second


def _check(codes: Float[Tensor, "n d"], factors: Float[Tensor, "n k"]) -> None:
    """Raises ValueError where a score of these is no number or compares nothing."""
    if codes.shape[1] < 2 or factors.shape[1] < 2:
        raise ValueError(
            f"{codes.shape[1]} coordinates and {factors.shape[1]} factors are not possible: must be 2 or more of each, "
            "since every score compares them"
        )
    if not (codes.isfinite().all() and factors.isfinite().all()):
        raise ValueError("codes and factors must be finite: there is a nan or an infinity among them")
    constant = (factors == factors[:1]).all(0).nonzero().flatten().tolist()
    if constant:
        raise ValueError(f"factor {constant[0]} is the same in all {len(factors)} rows: a code can tell nothing of it")
