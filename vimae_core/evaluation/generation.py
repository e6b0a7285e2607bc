"""Figure 2 in numbers: reconstructions, those of corrupted digits, and samples of the prior and of the codes."""

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from sklearn.decomposition import PCA
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.corruptions import Corruption, corrupt
from vimae_core.datasets import Dataset
from vimae_core.evaluation.digit_network import DigitNetwork, check_digits, digit_network
from vimae_core.evaluation.frechet import NEIGHBOURS, frechet_distance, precision_recall, squared_error
from vimae_core.networks import as_pixels
from vimae_core.runs import Run


def check(config: RunConfig, data: Dataset, n_test: int | None = None, condition: str = "mask 0.5") -> None:
    """Raises ValueError for data that the digit network does not read, and for too few images."""
    Corruption.of(condition)
    check_digits(data)
    n, train = len(data["test"][0][:n_test]), len(data["train"][0][: config.n_train])
    if not NEIGHBOURS < n <= train:
        raise ValueError(f"n_test={n} is not possible: must be more than {NEIGHBOURS} images, at most n_train={train}")
    if config.latent_dim > min(train, data.images[0].numel()):
        raise ValueError(f"latent_dim={config.latent_dim} is not possible: so many principal components are not there")


def pca_errors(
    train: Float[Tensor, "n p"], test: Float[Tensor, "m p"], corrupted: Float[Tensor, "m p"], dim: int
) -> tuple[float, float]:
    """The squared error of test images rebuilt from `dim` principal components of the training images.

    Of the images themselves, and of what is rebuilt from corrupted ones, both against the images.
    """
    pca = PCA(dim, svd_solver="covariance_eigh").fit(train.numpy())
    rebuilt = (pca.inverse_transform(pca.transform(images.numpy())) for images in (test, corrupted))
    own, mended = (float(np.square(images - test.numpy()).sum(1).mean()) for images in rebuilt)
    return own, mended


@torch.no_grad()
def generation(run: Run, data: Dataset, n_test: int | None = None, condition: str = "mask 0.5") -> dict:
    """Measures on the test split (its first `n_test` images), and on as many samples.

    Reconstructions are decoded from posterior means. `*_label_kept` is the part, in percent, that the digit
    network takes for the class of the original. `corrupted_*`: the reconstruction of the image under `condition`,
    against the clean image. `prior_*`: decoded from draws of p(z); `aggregate_*`: decoded from draws of q(z|x) of
    training images; `real_*`: those training images themselves. Each is held against the test images.
    """
    network = digit_network(data)
    images, labels = (part[:n_test] for part in data["test"])
    n = len(images)
    x, generator = as_pixels(images), torch.Generator().manual_seed(run.config.seed)
    train = data["train"][0][: run.config.n_train]
    pixels = as_pixels(train).flatten(1)
    train = train[torch.randperm(len(train), generator=generator)[:n]]
    corrupted = corrupt(images, condition, seed=1)
    error, kept = given_back(run, images, x, labels, network)
    corrupted_error, corrupted_kept = given_back(run, corrupted, x, labels, network)
    of_pca, corrupted_of_pca = pca_errors(pixels, x.flatten(1), corrupted.flatten(1), run.config.latent_dim)
    record = {
        "n": n,
        "reconstruction_error": error,
        "pca_error": of_pca,
        "corrupted_pca_error": corrupted_of_pca,
        "label_kept": kept,
        "original_label_kept": _kept(network, x, labels),
        "corrupted_input_error": squared_error(corrupted, x),
        "corrupted_error": corrupted_error,
        "corrupted_label_kept": corrupted_kept,
        "corrupted_input_label_kept": _kept(network, corrupted, labels),
    }
    real = network.describe(x)[0]
    samples = {
        "prior": run.sample(n, generator),
        "aggregate": run.decode(run.posterior(train).sample(generator), generator),
        "real": as_pixels(train),
    }
    for name, sample in samples.items():
        features = network.describe(sample)[0]
        record[f"{name}_frechet"] = frechet_distance(features, real)
        record[f"{name}_precision"], record[f"{name}_recall"] = precision_recall(features, real)
    return record


@torch.no_grad()
def given_back(
    run: Run,
    images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"],
    x: Float[Tensor, "n c h w"],
    labels: Int64[Tensor, " n"],
    network: DigitNetwork,
) -> tuple[float, float]:
    """Of reconstructions: the squared error to the clean images x, and the part that keeps its label, in percent."""
    rebuilt = run.decode(run.encode(images))
    return squared_error(rebuilt, x), _kept(network, rebuilt, labels)


def _kept(network, images: Float[Tensor, "n c h w"], labels: Int64[Tensor, " n"]) -> float:
    return 100 * (network.describe(images)[1] == labels).float().mean().item()
