"""How far pictures are from others, or their features: squared error, Frechet, kernel, precision, recall."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

NEIGHBOURS = 3  # of precision and recall (Kynkaanniemi et al. 2019)
ROWS = 500  # whose distances are computed at a time
SUBSETS, SUBSET_SIZE = 100, 1000  # of the kernel distance (Binkowski et al. 2018)


def squared_error(x: Float[Tensor, "n c h w"], y: Float[Tensor, "n c h w"]) -> float:
    """Summed over an image's pixels in [0, 1], mean over images."""
    return (x - y).square().flatten(1).sum(1).mean().item()


def frechet_distance(features: Float[Tensor, "n f"], others: Float[Tensor, "m f"]) -> float:
    """Between the Gaussians with the two samples' means and covariances; the FID where the features are Inception's.

    torch-fidelity's value, without its f x f matrices: with covariances X'X and Y'Y, the trace of the root of their
    product is the sum of the singular values of XY'. Raises ValueError where a sample has fewer than two rows.
    """
    if min(len(features), len(others)) < 2:
        raise ValueError(f"samples of {len(features)} and {len(others)} rows: a covariance takes 2 rows or more")
    shift = (features.double().mean(0) - others.double().mean(0)).square().sum()
    x, y = _covariance_factor(features), _covariance_factor(others)
    return float(shift + x.square().sum() + y.square().sum() - 2 * torch.linalg.svdvals(x @ y.T).sum())


def _covariance_factor(features: Float[Tensor, "n f"]) -> Float[Tensor, "r f"]:
    """X of min(n, f) rows, where X'X is the covariance."""
    centred = features.double() - features.double().mean(0)
    x = centred / (len(features) - 1) ** 0.5
    return x if len(x) <= x.shape[1] else torch.linalg.qr(x, mode="r").R


def extrapolated(features: Float[Tensor, "n f"], others: Float[Tensor, "m f"], parts: int = 2, seed: int = 0) -> float:
    """The Frechet distance at infinitely many images, by a straight line in 1/n.

    That of finite samples is too large by nearly c/n (Chong & Forsyth 2020, "Effectively Unbiased FID and Inception
    Score and Where to Find Them", CVPR). As many rows of both sides, in an order of `seed`, are cut into 1, ...,
    `parts` disjoint parts; the mean distance of the pairs of parts is a point of the line. Two parts take 3
    distances and give 2 F(n) - F(n/2); more parts take more and reach down to where the line bends. Raises
    ValueError where a part would hold fewer than two rows.
    """
    n = min(len(features), len(others))
    if parts < 2 or n < 2 * parts:
        raise ValueError(f"parts={parts} of {n} images: a line takes 2 parts or more, of at least 2 images")
    generator = torch.Generator().manual_seed(seed)
    one, other = (rows[torch.randperm(len(rows), generator=generator)[:n]] for rows in (features, others))
    sizes = [n // k for k in range(1, parts + 1)]
    means = []
    for size in sizes:
        pairs = zip(one.split(size), other.split(size), strict=True)
        means.append(np.mean([frechet_distance(a, b) for a, b in pairs if len(a) == size]))
    return float(np.polyfit([1 / size for size in sizes], means, 1)[1])


def kernel_distance(features: Float[Tensor, "n f"], others: Float[Tensor, "m f"], seed: int = 0) -> tuple[float, float]:
    """Unbiased squared MMD under the kernel (x.y / f + 1)^3, mean and standard deviation over 100 random subsets.

    The KID where the features are Inception's (Binkowski et al. 2018, "Demystifying MMD GANs", ICLR). Subsets hold
    1000 rows of each side, or all of the smaller: where both sides have no more, there is one subset, and the
    deviation is 0 and means nothing.
    """
    size = min(SUBSET_SIZE, len(features), len(others))
    value = kid_features_to_metric(
        features,
        others,
        kid_subsets=SUBSETS if max(len(features), len(others)) > size else 1,
        kid_subset_size=size,
        rng_seed=seed,
        verbose=False,
    )
    return value[KEY_METRIC_KID_MEAN], value[KEY_METRIC_KID_STD]


def precision_recall(generated: Float[Tensor, "n f"], real: Float[Tensor, "m f"]) -> tuple[float, float]:
    """Which part of the generated lies among the real, and of the real among the generated; from 0 to 1.

    Among: within the distance of a point's third neighbour to it (Kynkaanniemi et al. 2019). torch-fidelity's values,
    by `topk`, which takes a third of the time of its `kthvalue`.
    """
    return _among(generated, real), _among(real, generated)


def _among(points: Float[Tensor, "n f"], others: Float[Tensor, "m f"]) -> float:
    nearest = (torch.cdist(rows, others).topk(NEIGHBOURS + 1, largest=False).values for rows in others.split(ROWS))
    radius = torch.cat([distances[:, -1] for distances in nearest])  # the nearest of all is the point itself
    inside = [(torch.cdist(rows, others) <= radius).any(1) for rows in points.split(ROWS)]
    return torch.cat(inside).float().mean().item()
