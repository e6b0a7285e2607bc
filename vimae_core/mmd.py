"""The maximum mean discrepancy, Eq. (10): its kernels, its unbiased estimator, Eq. (15), and its null band."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from vimae_core.priors import Prior

Kernel = Callable[[Tensor, Tensor], Tensor]

WAE_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def squared_distances(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """|x_i - y_j|^2, by one matrix product: (x, |x|^2, 1) times (-2y, 1, |y|^2)."""
    # |x|^2 + |y|^2 - 2xy loses digits far from the origin: move the origin into the data.
    centre = y.detach().mean(0)
    x, y = x - centre, y - centre
    x_square, y_square = x.square().sum(1, keepdim=True), y.square().sum(1, keepdim=True)
    left = torch.cat([x, x_square, torch.ones_like(x_square)], 1)
    right = torch.cat([-2 * y, torch.ones_like(y_square), y_square], 1)
    return (left @ right.T).clamp_min_(0)


def imq_kernel(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], scale: float | None = None) -> Float[Tensor, "n m"]:
    """Inverse multiquadratic kernel C / (C + d^2) of section 5, d from x to y, with C = `scale` = 2 dim(Z)."""
    unit = math.sqrt(2.0 * x.shape[1] if scale is None else scale)
    return squared_distances(x / unit, y / unit).add_(1).reciprocal_()  # in place: a large MMD is all memory traffic


def gaussian_kernel(
    x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], scale: float | None = None
) -> Float[Tensor, "n m"]:
    """exp(-d^2 / C), d from x to y, with C = `scale` = 2 dim(Z), the mean of d^2 under a unit-variance prior."""
    c = 2.0 * x.shape[1] if scale is None else scale
    return torch.exp(-squared_distances(x, y) / c)


def wae_kernel(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], scale: float | None = None) -> Float[Tensor, "n m"]:
    """The WAE code's kernel: a sum of seven inverse multiquadratics around C = `scale` = 2 dim(Z)."""
    distances = squared_distances(x, y)
    around = 2.0 * x.shape[1] if scale is None else scale
    return sum(c / (c + distances) for c in (around * s for s in WAE_SCALES))


KERNELS = {"imq": imq_kernel, "gaussian": gaussian_kernel, "wae": wae_kernel}


def kernel_of(name: str, prior: Prior) -> Kernel:
    """The kernel of that name for a prior: C = 2 dim(Z) var, the mean of |z - z'|^2 for two draws of it."""
    return partial(KERNELS[name], scale=2.0 * prior.dim * prior.std**2)


def mmd2(
    z: Float[Tensor, "n d"],
    z_prior: Float[Tensor, "m d"],
    kernel: Kernel = imq_kernel,
    block: int | None = None,
) -> Float[Tensor, ""]:
    """Unbiased estimate of MMD^2(q(z), p(z)): Eq. (15) with its cross term mended to 2/(nm).

    Zero in the mean at q = p, so it may be negative. `block` bounds the memory to O(block * m) where
    no gradient is asked for; the value stays. Rows are summed up as they are and
    then added in float64. Raises ValueError for samples
    of fewer than two, and for a block below 1. (Gretton et al. 2012, Eq. 3.)
    """
    n, m = len(z), len(z_prior)
    if min(n, m) < 2:
        raise ValueError(f"n={n}, m={m}: the unbiased MMD compares pairs within each sample, so both need 2 or more")
    if block is not None and block < 1:
        raise ValueError(f"block={block!r} is not possible: must be 1 or more rows, or None for all")
    within = _pair_sum(z, z, kernel, block) / (n * (n - 1)) + _pair_sum(z_prior, z_prior, kernel, block) / (m * (m - 1))
    return (within - 2 * _pair_sum(z, z_prior, kernel, block) / (n * m)).to(z.dtype)


def mmd2_beside(
    z: Float[Tensor, "n d"],
    others: Float[Tensor, "m d"],
    z_prior: Float[Tensor, "nm d"],
    kernel: Kernel = imq_kernel,
) -> Float[Tensor, ""]:
    """Estimate of MMD^2 from the pairs that n new codes and draws make with each other and with m other codes.

    Unbiased where the others are draws of the same q(z); `z_prior` are n + m draws, the first n the new ones.
    The gradient in z is that of all n + m codes' MMD^2 if the others, which ask for none, moved as the new ones do.
    """
    n, everyone = len(z), torch.cat([z, others]).detach()
    within = _mean_of_others(kernel(z, everyone))
    across = kernel(z, z_prior).mean()
    pull = 2 * (within - across)
    with torch.no_grad():
        # Both kinds of new points stand against all of the other: at q = p what a single point adds cancels.
        value = within + _mean_of_others(kernel(z_prior[:n], z_prior)) - across - kernel(everyone, z_prior[:n]).mean()
    return value.detach() + pull - pull.detach()


def _mean_of_others(k: Float[Tensor, "n m"]) -> Float[Tensor, ""]:
    """Over all pairs but those of a point with itself."""
    n, m = k.shape
    return (k.sum() - k.diagonal().sum()) / (n * (m - 1))


def mmd2_as_printed(
    z: Float[Tensor, "n d"], z_prior: Float[Tensor, "n d"], kernel: Kernel = imq_kernel
) -> Float[Tensor, ""]:
    """Eq. (15) as it is printed, with 1/n^2 before the cross term: at q = p its mean is E k(z, z'), not zero."""
    n = len(z)
    return mmd2(z, z_prior, kernel) + (_pair_sum(z, z_prior, kernel, None) / n**2).to(z.dtype)


def _pair_sum(x: Tensor, y: Tensor, kernel: Kernel, block: int | None) -> Float[Tensor, ""]:
    """Sum of k(x_i, y_j) over all pairs; over i != j where y is x itself."""
    total = torch.zeros((), dtype=torch.float64, device=x.device)
    size = block or len(x)
    for start in range(0, len(x), size):
        rows = x[start : start + size]
        k = kernel(rows, x[start:] if y is x else y)
        total = total + _sum(k)
        if y is x:
            total = total - k.diagonal().sum(dtype=torch.float64)
            if start + size < len(x):  # what lies right of the block stands for its mirror image too
                total = total + _sum(k[:, len(rows) :])
    return total


def _sum(k: Float[Tensor, "n m"]) -> Float[Tensor, ""]:
    return k.sum(1).sum(dtype=torch.float64)  # rows first: to turn all of k into float64 takes as long as k itself


class NullBand(NamedTuple):
    """The central interval of the MMD^2 estimate at q = p."""

    low: float
    high: float


def null_band(
    prior,
    n: int,
    kernel: Kernel = imq_kernel,
    repeats: int = 200,
    level: float = 0.95,
    seed: int = 0,
    n_simulated: int = 1000,
) -> NullBand:
    """Where `mmd2` of n draws against n others of the same prior lies with probability `level`.

    At q = p the estimate is a degenerate U-statistic: n MMD^2 has a limit law, so `repeats` draws of
    size min(n, n_simulated) give the band of any larger n by the factor n_simulated / n.
    """
    if n < 2 or repeats < 2 or not 0 < level < 1:
        raise ValueError(f"n={n}, repeats={repeats}, level={level}: need n and repeats of 2 or more, level in (0, 1)")
    generator = torch.Generator().manual_seed(seed)
    size = min(n, n_simulated)
    with torch.no_grad():
        null = torch.stack(
            [mmd2(prior.sample(size, generator), prior.sample(size, generator), kernel) for _ in range(repeats)]
        )
    low, high = torch.quantile(null.double() * size / n, torch.tensor([(1 - level) / 2, (1 + level) / 2]).double())
    return NullBand(low.item(), high.item())
