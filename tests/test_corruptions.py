"""The noise of section 5.2: its moments, its seeds, its names."""

import pytest
import torch
from scipy import stats

from vimae_core.corruptions import Corruption, corrupt

IMAGES = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sigma", [0.2, 0.4, 1.5])
def test_gaussian_noise_is_added_to_each_pixel(sigma):
    """Mean 0, the standard deviation asked for, normal, independent of the pixel, and not clipped."""
    noise = (corrupt(IMAGES, f"gaussian {sigma}", seed=3) - IMAGES).flatten() / sigma
    assert abs(noise.mean()) < 0.02 and noise.std() == pytest.approx(1, abs=0.02)
    assert stats.kstest(noise.numpy(), "norm").pvalue > 1e-3
    assert abs(stats.pearsonr(noise.numpy(), IMAGES.flatten().numpy()).statistic) < 0.02
    noisy = corrupt(IMAGES, f"gaussian {sigma}", seed=3)
    assert noisy.min() < 0 and noisy.max() > 1
    torch.testing.assert_close(corrupt(IMAGES, f"gaussian {sigma}", seed=3, clip=True), noisy.clamp(0, 1))


@pytest.mark.parametrize("p", [0.2, 0.5, 1.0])
def test_mask_forces_a_fraction_to_zero(p):
    """Each pixel is 0 with probability p, and else as it was."""
    masked = corrupt(IMAGES, f"mask {p}", seed=3)
    gone = masked == 0
    assert gone.float().mean() == pytest.approx(p, abs=0.01)
    torch.testing.assert_close(masked[~gone], IMAGES[~gone])


def test_the_seed_determines_the_noise():
    """The same seed, the same noise, in more images too and at another level; another seed, other noise."""
    for name, stronger in (("gaussian 0.2", "gaussian 0.4"), ("mask 0.2", "mask 0.5")):
        first = corrupt(IMAGES, name, seed=1)
        assert torch.equal(first, corrupt(IMAGES, name, seed=1))
        assert torch.equal(first[:7], corrupt(IMAGES[:7], name, seed=1))
        assert not torch.equal(first, corrupt(IMAGES, name, seed=2))
        assert ((first - IMAGES).abs() <= (corrupt(IMAGES, stronger, seed=1) - IMAGES).abs() + 1e-6).all()


def test_clean_is_untouched_and_bytes_become_pixels():
    """uint8 images come back in [0, 1]."""
    images = (IMAGES * 255).byte()
    torch.testing.assert_close(corrupt(images, "clean"), images / 255.0)
    assert corrupt(images, "mask 0.2").max() <= 1


@pytest.mark.parametrize("name", ["gausian 0.2", "gaussian", "gaussian -1", "gaussian 0", "mask 1.5", "mask x", ""])
def test_an_impossible_condition_is_refused(name):
    """By name, with what is possible."""
    with pytest.raises(ValueError, match=f"condition '{name}' is not possible: must be one of clean, gaussian SIGMA"):
        Corruption.of(name)


def test_names_are_read_back():
    """The name of a corruption names it."""
    for name in ("clean", "gaussian 0.2", "mask 0.5", "gaussian 1"):
        assert Corruption.of(name).name == name
    assert Corruption.of("mask_0.50").name == "mask 0.5"
