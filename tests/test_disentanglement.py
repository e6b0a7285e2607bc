"""The disentanglement scores: each against its definition in loops, and what it must be of codes made to be known."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.ensemble import RandomForestRegressor

from vimae_core.evaluation.disentanglement_scores import (
    LEAF,
    SCALED,
    TREES,
    completeness,
    dci,
    disentanglement,
    equal_filled,
    equal_wide,
    factor_vae,
    information_gaps,
    mig,
    sap,
)
from vimae_core.toy_faces import FACTORS, draw_factors

N, K = 2000, len(FACTORS)
V = draw_factors(N, seed=3).double()
ROTATION = torch.from_numpy(stats.ortho_group.rvs(K, random_state=0))
NOISE = torch.randn(N, K, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
MONOTONE = {"cube": lambda z: z**3, "tails": lambda z: torch.special.ndtri(0.001 + 0.998 * z)}


def standard(v: torch.Tensor) -> torch.Tensor:
    """By the factors' own moments, 1/12 and of the glasses 1/4."""
    std = torch.full((K,), math.sqrt(1 / 12), dtype=torch.float64)
    std[FACTORS.index("glasses")] = 0.5
    return (v.double() - 0.5) / std


def turned(v: torch.Tensor) -> torch.Tensor:
    """Each two neighbouring factors by 45 degrees: both coordinates of a pair tell as much of either."""
    z = standard(v)
    return torch.cat([z[:, ::2] + z[:, 1::2], z[:, ::2] - z[:, 1::2]], 1) / math.sqrt(2)


def twice(v: torch.Tensor) -> torch.Tensor:
    """Of each factor two copies, of which each has a little noise of its own."""
    z, generator = standard(v), torch.Generator().manual_seed(len(v))
    return torch.cat([z + 0.1 * torch.randn(z.shape, generator=generator).double() for _ in range(2)], 1)


def mixed(v: torch.Tensor) -> torch.Tensor:
    return standard(v) @ ROTATION


def rearranged(v: torch.Tensor) -> torch.Tensor:
    """In another order, every second one the other way round, in units from 0.01 to 300, and moved."""
    signs = torch.tensor([1.0, -1.0]).repeat(K // 2)
    return (v.double() * signs * torch.logspace(-2, 2.5, K) + torch.arange(K)).flip(1)


def unlike(v: torch.Tensor) -> torch.Tensor:
    return torch.randn(len(v), K, generator=torch.Generator().manual_seed(len(v)), dtype=torch.float64)


def gaps_by_loops(codes: np.ndarray, factors: np.ndarray, filled: bool, bins: int = 20) -> list[float]:
    """Chen et al.'s, from np.histogram2d, of as many values in a bin or of equal steps."""

    def edges(column):
        if len(np.unique(column)) == 2:
            return [column.min(), column.mean(), column.max()]
        return np.quantile(column, np.linspace(0, 1, bins + 1), method="hazen") if filled else bins

    found = []
    for v in factors.T:
        told = []
        for z in codes.T:
            joint = np.histogram2d(z, v, [edges(z), edges(v)])[0] / len(v)
            told.append(sum(
                p * math.log(p / (joint[i].sum() * joint[:, j].sum())) for (i, j), p in np.ndenumerate(joint) if p > 0
            ))  # fmt: skip
        best, second = sorted(told)[:-3:-1]
        found.append((best - second) / stats.entropy(np.histogram(v, edges(v))[0]))
    return found


@pytest.mark.parametrize("codes", [V, mixed(V), NOISE], ids=["perfect", "mixed", "noise"])
@pytest.mark.parametrize("cut", [equal_filled, equal_wide])
def test_mig_is_its_definition(codes, cut):
    """Of each factor, and their mean."""
    expected = gaps_by_loops(codes.numpy(), V.numpy(), cut is equal_filled)
    np.testing.assert_allclose(information_gaps(codes, V, cut), expected, atol=1e-9)
    assert mig(codes, V, cut) == pytest.approx(np.mean(expected))


def test_bins_hold_as_many_each():
    """However the values lie; equal ones are together, and equal steps go from the smallest to the largest."""
    values = torch.stack([V[:, 0], V[:, 0] ** 9, V[:, 9], torch.full((N,), 0.3, dtype=torch.float64)], 1)
    filled = equal_filled(values)
    for column in (0, 1):
        assert filled[:, column].bincount().tolist() == [N // 20] * 20
    assert len(filled[:, 2].unique()) == 2 and len(filled[:, 3].unique()) == 1
    assert equal_wide(torch.tensor([[0.0], [0.26], [0.5], [1.0]]), 4).flatten().tolist() == [0, 1, 2, 3]
    assert len(equal_wide(values)[:, 3].unique()) == 1


@pytest.mark.parametrize("curve", MONOTONE)
def test_mig_leaves_a_codes_shape_out_of_it(curve):
    """Any increasing function of a factor tells as much of it: so in bins equally filled, and not in equal steps."""
    bent = MONOTONE[curve](V)
    assert mig(bent, V) == mig(V, V)
    assert mig(bent, V, equal_wide) < mig(V, V, equal_wide) - 0.1


def sap_by_loops(codes: np.ndarray, factors: np.ndarray) -> float:
    """Kumar et al.'s, by scipy's regression, and for the glasses by every threshold, either way round."""
    gaps = []
    for v in factors.T:
        found = []
        for z in codes.T:
            if len(set(v)) > 2:
                found.append(stats.linregress(z, v).rvalue ** 2)
                continue
            said = [z > threshold for threshold in z] + [z <= threshold for threshold in z]
            found.append(max((one[v == 1].mean() + (~one)[v == 0].mean()) / 2 for one in said))
        best, second = sorted(found)[:-3:-1]
        gaps.append(best - second)
    return np.mean(gaps)


@pytest.mark.parametrize("make", [standard, turned, mixed, unlike], ids=lambda f: f.__name__)
def test_sap_is_its_definition(make):
    """And so where many codes are equal."""
    v = V[:300]
    for codes in (make(v), (4 * make(v)).round()):
        assert sap(codes, v) == pytest.approx(sap_by_loops(codes.numpy(), v.numpy()), abs=1e-9)


def entropies_by_loops(importances: np.ndarray) -> tuple[float, float]:
    """Disentanglement and completeness, with scipy's entropies."""
    d, k = importances.shape
    rows = [(importances[i].sum(), 1 - stats.entropy(importances[i], base=k)) for i in range(d) if importances[i].any()]
    columns = [(column.sum(), 1 - stats.entropy(column, base=d)) for column in importances.T if column.any()]
    return tuple(sum(w * x for w, x in parts) / sum(w for w, _ in parts) for parts in (rows, columns))


@pytest.mark.parametrize("seed", range(3))
def test_disentanglement_and_completeness_are_weighed_entropies(seed):
    """Of any importances, with coordinates of none among them; none at all is 0."""
    importances = np.random.default_rng(seed).gamma(0.3, size=(6, 4))
    importances[seed] = 0
    found = [f(torch.from_numpy(importances)) for f in (disentanglement, completeness)]
    np.testing.assert_allclose(found, entropies_by_loops(importances))
    assert disentanglement(torch.zeros(6, 4).double()) == completeness(torch.zeros(6, 4).double()) == 0


def test_entropies_of_importances_by_hand():
    """One coordinate for two factors of three, one for the third."""
    importances = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]).double()
    assert disentanglement(importances) == pytest.approx((1 - math.log(2, 3) + 1) / 2)
    assert completeness(importances) == pytest.approx(1)
    assert completeness(torch.full((4, 3), 0.25).double()) == pytest.approx(0)


def test_dci_is_its_definition():
    """Scipy's entropies of the importances of scikit-learn's forests, and R^2 of what these predict, in NumPy."""
    codes, held = mixed(V[:400]).numpy(), mixed(V[400:700]).numpy()
    v, held_v = V[:400].numpy(), V[400:700].numpy()
    forests = [RandomForestRegressor(TREES, min_samples_leaf=LEAF, random_state=7).fit(codes, y) for y in v.T]
    r2 = [
        1 - np.square(y - forest.predict(held)).sum() / np.square(y - y.mean()).sum()
        for forest, y in zip(forests, held_v.T, strict=True)
    ]
    expected = [*entropies_by_loops(np.array([f.feature_importances_ for f in forests]).T), np.mean(r2)]
    found = dci(*map(torch.from_numpy, (codes, v, held, held_v)), seed=7)
    np.testing.assert_allclose(found[:3], expected)
    np.testing.assert_allclose(found.explained, r2)


def factor_vae_by_loops(encode, seed: int, votes: int, batch: int) -> float:
    """Kim and Mnih's, vote by vote: from the same faces."""
    drawn = draw_factors(SCALED + 2 * K * votes * batch, seed)
    variance = np.var(encode(drawn[:SCALED]).numpy(), axis=0, ddof=1)
    rows, counts = iter(drawn[SCALED:].split(batch)), []
    for _ in range(2):
        count = Counter()
        for factor in range(K):
            for _ in range(votes):
                faces = next(rows).clone()
                faces[:, factor] = faces[0, factor]
                least = np.argmin(np.var(encode(faces).numpy(), axis=0, ddof=1) / variance)
                count[int(least), factor] += 1
        counts.append(count)
    learned, counted = counts
    majority = {z: max(range(K), key=lambda f: learned[z, f]) for z in range(len(variance))}
    return sum(n for (z, factor), n in counted.items() if majority[z] == factor) / counted.total()


@pytest.mark.parametrize("encode", [turned, mixed], ids=lambda f: f.__name__)
def test_factor_vae_is_its_definition(encode):
    """With numbers of votes and images of its own."""
    found = factor_vae(encode, draw_factors, seed=5, votes=7, batch=16)
    assert found == pytest.approx(factor_vae_by_loops(encode, 5, 7, 16))
    assert 0.1 < found < 1


def all_scores(make, seed: int = 0) -> dict[str, float]:
    v, held = draw_factors(1500, seed=11), draw_factors(500, seed=12)
    found = dci(make(v), v, make(held), held, seed)
    return {
        "mig": mig(make(V), V), "mig_equal_wide": mig(make(V), V, equal_wide), "sap": sap(make(V), V),
        "disentanglement": found.disentanglement, "completeness": found.completeness,
        "informativeness": found.informativeness, "factor_vae": factor_vae(make, draw_factors, seed),
    }  # fmt: skip


@pytest.mark.parametrize("make", [standard, rearranged], ids=lambda f: f.__name__)
def test_a_coordinate_a_factor_is_best(make):
    """In any order, sign and unit. The gaps fall short by chance alone; a binary factor's share of SAP is a half."""
    found = all_scores(make)
    chance = 19**2 / (2 * N) / math.log(20)  # of the second coordinate's information
    assert found["mig"] == pytest.approx(1 - chance, abs=0.02)
    assert found["mig_equal_wide"] == pytest.approx(1 - chance, abs=0.02)
    assert found["sap"] == pytest.approx((9 + 0.5) / 10, abs=0.015)
    assert found["disentanglement"] > 0.98 and found["completeness"] > 0.98 and found["informativeness"] > 0.99
    assert found["factor_vae"] == 1


def test_two_coordinates_for_two_factors_each():
    """No gaps; importances by halves, 1 - log 2 / log 10; and every other vote right."""
    found = all_scores(turned)
    assert max(found["mig"], found["mig_equal_wide"], found["sap"]) < 0.03
    for name in ("disentanglement", "completeness"):
        assert found[name] == pytest.approx(1 - math.log10(2), abs=0.06)
    assert found["informativeness"] > 0.9
    assert found["factor_vae"] == pytest.approx(0.5, abs=0.1)


def test_two_coordinates_for_one_factor_each():
    """Each tells of its factor alone, which is all that DCI and FactorVAE ask; no gap between the two is left."""
    found = all_scores(twice)
    assert max(found["mig"], found["mig_equal_wide"], found["sap"]) < 0.03
    assert found["disentanglement"] > 0.95 and found["factor_vae"] > 0.95


def test_any_rotation_is_in_between():
    """Above what is useless, below what is best."""
    found, best, useless = map(all_scores, (mixed, standard, unlike))
    for name in found:
        assert useless[name] + 0.02 < found[name] < best[name] - 0.02, name


def test_useless_codes_are_worst():
    """Noise is as good as nothing, and guesses one factor in ten; constant codes are nothing to the digit."""
    found = all_scores(unlike)
    assert max(found[name] for name in ("mig", "mig_equal_wide", "sap", "informativeness")) < 0.02
    assert max(found["disentanglement"], found["completeness"]) < 0.03
    assert found["factor_vae"] == pytest.approx(0.1, abs=0.06)
    constant = all_scores(lambda v: torch.full((len(v), 4), 0.3, dtype=torch.float64))
    assert constant.pop("informativeness") == pytest.approx(0, abs=0.01)
    assert constant.pop("factor_vae") == 0.1 == factor_vae(lambda v: v[:, :0], draw_factors)  # as without any
    assert set(constant.values()) == {0}


def test_order_sign_and_unit_do_not_count():
    """Of a mixed code; a forest may break a tie between two splits otherwise."""
    found, other = all_scores(mixed), all_scores(lambda v: rearranged(mixed(v)))
    for name in found:
        room = 0.02 if name in ("disentanglement", "completeness", "informativeness") else 1e-6
        assert other[name] == pytest.approx(found[name], abs=room), name


def test_dead_coordinates_do_not_count():
    """Constant ones, whatever rounding makes of them; only completeness is in units of how many there are."""

    def with_dead(v):
        trembling = 5 + 1e-7 * torch.rand(len(v), 1, generator=torch.Generator().manual_seed(1)).double()
        return torch.cat([torch.full((len(v), 1), 0.1).double(), mixed(v), trembling], 1)

    assert sap(with_dead(V), V) == sap(mixed(V), V)
    assert factor_vae(with_dead, draw_factors) == factor_vae(mixed, draw_factors)
    assert mig(with_dead(V)[:, :-1], V) == mig(mixed(V), V)
    importances = torch.rand(5, K, generator=torch.Generator().manual_seed(1)).double()
    dead = torch.cat([importances, torch.zeros(2, K)])
    assert disentanglement(dead) == pytest.approx(disentanglement(importances))
    assert 1 - completeness(dead) == pytest.approx((1 - completeness(importances)) * math.log(5, 7))


@pytest.mark.parametrize("d", [2, 5])
def test_votes_are_right_for_as_many_factors_as_there_are_coordinates(d):
    """d of k, where each coordinate is a factor; and one factor in two coordinates leaves no gap."""
    assert factor_vae(lambda v: v[:, :d], draw_factors) == d / K
    twice = torch.cat([V, V[:, :3]], 1)
    assert information_gaps(twice, V)[:3].tolist() == [0, 0, 0] and (information_gaps(twice, V)[3:] > 0.85).all()


@pytest.mark.parametrize(
    ("codes", "factors", "told"),
    [
        (V[:, :1], V, "1 coordinates and 10 factors are not possible: must be 2 or more of each"),
        (V, V[:, :1], "10 coordinates and 1 factors are not possible"),
        (V.log10(), V, "codes and factors must be finite"),  # of glasses, 0
        (V, torch.cat([V, V[:1].expand(N, -1)[:, :1]], 1), "factor 10 is the same in all 2000 rows"),
    ],
    ids=["coordinate", "factor", "infinite", "constant"],
)
def test_what_no_score_compares_is_refused(codes, factors, told):
    """By every score of codes and factors."""
    for score in (mig, sap, lambda z, v: dci(z, v, z, v)):
        with pytest.raises(ValueError, match=told):
            score(codes, factors)
