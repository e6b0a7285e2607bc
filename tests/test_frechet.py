"""The distances between features: by scipy, by closed forms, by loops; extrapolated ones where the truth is known."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_prc import calculate_precision_recall_full

from vimae_core.evaluation import frechet
from vimae_core.evaluation.frechet import extrapolated, frechet_distance, kernel_distance, precision_recall


def draws(n: int, f: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, f, generator=torch.Generator().manual_seed(seed))


def whitened(n: int, f: int, seed: int = 0) -> torch.Tensor:
    """A sample whose own mean is 0 and whose own covariance is the identity."""
    x = draws(n, f, seed).double()
    x -= x.mean(0)
    return x @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov())).T


def by_scipy(a: torch.Tensor, b: torch.Tensor) -> float:
    """The formula, with scipy's matrix square root."""
    a, b = a.double().numpy(), b.double().numpy()
    s, t = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(s + t - 2 * sqrtm(s @ t).real)


@pytest.mark.parametrize(("n", "m"), [(400, 300), (12, 9), (9, 50), (7, 6)])
def test_frechet_distance_is_scipys_and_torch_fidelitys(n, m):
    """More rows than features and hardly more; fewer of one side or both, where no covariance has an inverse."""
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(n, 8, generator=generator), 0.3 + 1.5 * torch.randn(m, 8, generator=generator)
    one, other = (fid_features_to_statistics(part.double()) for part in (a, b))
    theirs = fid_statistics_to_metric(one, other, verbose=False)["frechet_inception_distance"]
    assert frechet_distance(a, b) == pytest.approx(theirs, rel=1e-6)
    assert frechet_distance(b, a) == pytest.approx(theirs, rel=1e-6)
    if min(n, m) > 8:  # scipy's root of a singular matrix is not to be relied on
        assert frechet_distance(a, b) == pytest.approx(by_scipy(a, b), rel=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_a_distance_to_one_row_is_refused():
    """It has no covariance; the message says how many rows there were."""
    with pytest.raises(ValueError, match="samples of 5 and 1 rows: a covariance takes 2 rows or more"):
        frechet_distance(draws(5, 3), draws(1, 3))


def test_frechet_distance_of_commuting_covariances_has_a_closed_form():
    """The squared differences of means and of standard deviations along shared axes, whatever those axes are."""
    axes = torch.linalg.qr(draws(5, 5).double())[0]
    one, other = torch.tensor([1.0, 2, 3, 4, 5]).double(), torch.tensor([2.0, 2, 1, 0.5, 7]).double()
    shift = torch.tensor([0.0, 1, 0, -2, 0]).double()
    a, b = whitened(50, 5) * one @ axes, whitened(70, 5, seed=1) * other @ axes + shift
    wanted = (one - other).square().sum() + shift.square().sum()
    assert frechet_distance(a, b) == pytest.approx(wanted.item(), rel=1e-6)


def test_distance_of_samples_of_one_gaussian_is_the_known_bias():
    """2 f / n from the means and f (f + 1) / (2 (n - 1)) from the covariances, to first order in 1/n."""
    n, f = 1000, 12
    found = np.mean([frechet_distance(draws(n, f, seed), draws(n, f, 100 + seed)) for seed in range(20)])
    assert found == pytest.approx(2 * f / n + f * (f + 1) / (2 * (n - 1)), rel=0.1)


@pytest.mark.parametrize("parts", [2, 3])
def test_extrapolated_distance_is_nearer_to_the_truth(parts):
    """Of Gaussians whose distance is known: the plain one is far too large, the line's end right to a tenth of that."""
    f, n = 32, 300
    deviations = torch.linspace(0.5, 1.5, f)
    truth = (1 - deviations).square().sum().item() + 0.1**2 * f
    pairs = [(draws(n, f, seed), draws(n + 50, f, 100 + seed) * deviations + 0.1) for seed in range(10)]
    plain = np.array([frechet_distance(a, b[:n]) for a, b in pairs])
    line = np.array([extrapolated(a, b, parts) for a, b in pairs])
    assert (np.abs(line - truth) < np.abs(plain - truth) / 2).all()
    assert abs(line.mean() - truth) < (plain.mean() - truth) / 10


@pytest.mark.parametrize("sizes", [(41, 20), (41, 20, 13)])
def test_extrapolated_distance_is_the_lines_end(sizes):
    """Least squares through the mean distances of whole parts, left-over rows aside; the seed alone decides on them."""
    a, b = draws(41, 3), 1 + draws(60, 3, seed=1)
    generator = torch.Generator().manual_seed(5)
    one, other = (rows[torch.randperm(len(rows), generator=generator)] for rows in (a, b))
    means = []
    for k, size in enumerate(sizes, start=1):
        rows = [slice(i * size, (i + 1) * size) for i in range(k)]
        means.append(sum(by_scipy(one[part], other[part]) for part in rows) / k)
    wanted = np.linalg.lstsq(np.array([[1, 1 / size] for size in sizes]), np.array(means), rcond=None)[0][0]
    assert extrapolated(a, b, len(sizes), seed=5) == pytest.approx(wanted, rel=1e-6)
    assert extrapolated(a, b, seed=5) == extrapolated(a, b, seed=5) != extrapolated(a, b, seed=6)


@pytest.mark.parametrize(("n", "parts"), [(40, 1), (5, 3)])
def test_a_line_through_too_little_is_refused(n, parts):
    """One size makes no line, one image no covariance; the message says how many there were."""
    with pytest.raises(ValueError, match=f"parts={parts} of {n} images: a line takes 2 parts or more"):
        extrapolated(draws(n, 3), draws(40, 3), parts)


def test_kernel_distance_by_loops(monkeypatch):
    """The unbiased squared MMD under (x.y / f + 1)^3, each pair of rows by itself; no spread where subsets are all."""
    a, b = draws(12, 4).double(), 0.5 + draws(12, 4, seed=1).double()

    def mean_kernel(x, y, same):
        values = [
            (float(p @ q) / 4 + 1) ** 3 for i, p in enumerate(x) for j, q in enumerate(y) if not (same and i == j)
        ]
        return sum(values) / len(values)

    wanted = mean_kernel(a, a, True) + mean_kernel(b, b, True) - 2 * mean_kernel(a, b, False)
    mean, deviation = kernel_distance(a, b)
    assert mean == pytest.approx(wanted, rel=1e-9) and deviation == 0
    assert kernel_distance(a, draws(13, 4, seed=2))[1] > 0 and kernel_distance(draws(13, 4, seed=2), a)[1] > 0
    monkeypatch.setattr(frechet, "SUBSET_SIZE", 6)
    mean, deviation = kernel_distance(a, b)
    assert mean == pytest.approx(wanted, rel=0.3) and deviation > 0.01
    assert (mean, deviation) == kernel_distance(a, b) != kernel_distance(a, b, seed=1)


def test_precision_and_recall_by_loops():
    """A generated point counts where a real point's third neighbour is at least as far from that point as it is."""
    generator = torch.Generator().manual_seed(0)
    generated, real = torch.randn(60, 2, generator=generator), 1 + 2 * torch.randn(50, 2, generator=generator)
    g, r = generated.double().numpy(), real.double().numpy()

    def part_among(points, others):
        radius = np.sort(cdist(others, others), axis=1)[:, 3]
        return np.mean([any(np.linalg.norm(p - o) <= d for o, d in zip(others, radius, strict=True)) for p in points])

    assert precision_recall(generated, real) == pytest.approx((part_among(g, r), part_among(r, g)), abs=1e-6)


def test_precision_and_recall_are_torch_fidelitys():
    """To the bit, of more rows than are compared at a time."""
    generator = torch.Generator().manual_seed(1)
    generated, real = torch.randn(1200, 32, generator=generator), 0.9 * torch.randn(1100, 32, generator=generator)
    wanted = calculate_precision_recall_full(generated, real)
    assert precision_recall(generated, real) == wanted and min(wanted) > 0.1 and max(wanted) < 0.9
