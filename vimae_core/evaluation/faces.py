"""Figure 3 and Table 2 in numbers: how far generated faces are from held-out ones, and on what scale to read it."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur, rgb_to_grayscale

from vimae_core.config import RunConfig
from vimae_core.corruptions import corrupt
from vimae_core.datasets import Dataset
from vimae_core.evaluation.features import described_once, feature_network
from vimae_core.evaluation.frechet import (
    NEIGHBOURS,
    extrapolated,
    frechet_distance,
    kernel_distance,
    precision_recall,
    squared_error,
)
from vimae_core.networks import as_pixels
from vimae_core.runs import Run
from vimae_core.store import RunError

SHOWN = 8  # test pictures whose codes are recorded, so that a figure can show their reconstructions without them

# What makes real pictures worse by a known amount, pixels in [0, 1]: the scale on which a distance is read.
LADDER: dict[str, Callable[[Tensor], Tensor]] = {
    "noise of 0.05": lambda x: corrupt(x, "gaussian 0.05", seed=1, clip=True),
    "noise of 0.2": lambda x: corrupt(x, "gaussian 0.2", seed=1, clip=True),
    "blurred by 1 pixel": lambda x: gaussian_blur(x, 9, 1.0),
    "blurred by 2 pixels": lambda x: gaussian_blur(x, 17, 2.0),
    "blocks of 4 pixels": lambda x: F.interpolate(F.avg_pool2d(x, 4), scale_factor=4),
    "without colour": lambda x: rgb_to_grayscale(x, 3),
    "a tenth of them, ten times": lambda x: x[: -(-len(x) // 10)].repeat(10, 1, 1, 1)[: len(x)],
}


def sharpness(images: Float[Tensor, "n 3 h w"]) -> float:
    """Variance of the Laplacian of the grey picture, pixels in [0, 1], mean over pictures (Tolstikhin et al. 2018)."""
    laplacian = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
    return F.conv2d(rgb_to_grayscale(images), laplacian).flatten(1).var(1).mean().item()


def check(config: RunConfig, data: Dataset, n_test: int | None = None, **features) -> None:
    """Raises ValueError for pictures that the features do not take, and for too few of them."""
    shape = tuple(data.images.shape[1:])
    if shape != (3, 64, 64):
        raise ValueError(f"{data.name} has images of {shape}: faces have (3, 64, 64)")
    n = min(len(data["test"][0][:n_test]), len(data["train"][0][: config.n_train]))
    if n <= NEIGHBOURS:
        raise ValueError(f"n_test={n} is not possible: the distances need more than {NEIGHBOURS} pictures of each kind")


@torch.no_grad()
def faces(
    run: Run,
    data: Dataset,
    n_test: int | None = None,
    features: str = "auto",
    weights: str | None = None,
    digest: str | None = None,
) -> dict:
    """Measures on the test split (its first `n_test` pictures), and on as many samples.

    `features`, `weights` and `digest`: the network that describes pictures, see `feature_network`, and the digest that
    its weights must have. Decoded from draws of p(z): `prior_*`; from draws of q(z|x) of training pictures:
    `aggregate_*`; those training pictures themselves: `real_*`. `*_distance` is the Fréchet distance to the test
    pictures, `*_extrapolated` the same for infinitely many of both. `ladder`: the distances of the training pictures
    made worse in known ways. `codes`: posterior means of the first test pictures. Raises RunError for other weights.
    """
    network = feature_network(features, weights, run.config.device)
    if digest not in (None, network.digest):
        raise RunError(f"features {network.name}: weights {network.digest} are here, {digest} were asked for")
    train, test = data["train"][0][: run.config.n_train], data["test"][0][:n_test]
    n = min(len(test), len(train))
    generator = torch.Generator().manual_seed(run.config.seed)
    chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:n]  # the same for every run
    train, test, key = train[chosen], test[:n], f"{data.digest[:12]}-{run.config.n_train or 'all'}"
    codes = run.encode(test)
    rebuilt, x = run.decode(codes), as_pixels(test)
    record = {
        "n": n,
        "features": network.name,
        "title": network.title,
        "reconstruction_error": squared_error(rebuilt, x),
        "reconstruction_sharpness": sharpness(rebuilt),
        "test_sharpness": sharpness(x),
        "codes": codes[:SHOWN].tolist(),
    }
    x_train = as_pixels(train)
    worse = {name: f"{key}-{name.replace(' ', '_')}" for name in LADDER}
    fixed = {f"{data.digest[:12]}-test": lambda: test, f"{key}-train": lambda: train}
    fixed |= {worse[name]: partial(LADDER[name], x_train) for name in LADDER}
    of_fixed = described_once(network, fixed)
    held_out = of_fixed[f"{data.digest[:12]}-test"]
    samples = {
        "prior": run.sample(n, generator),
        "aggregate": run.decode(run.posterior(train).sample(generator), generator),
    }
    described = {name: network.describe(sample, progress=True) for name, sample in samples.items()}
    described["real"] = of_fixed[f"{key}-train"]
    for name, found in described.items():
        record[f"{name}_distance"] = frechet_distance(found, held_out)
        record[f"{name}_extrapolated"] = extrapolated(found, held_out)
        record[f"{name}_kernel"], record[f"{name}_kernel_deviation"] = kernel_distance(found, held_out)
        record[f"{name}_precision"], record[f"{name}_recall"] = precision_recall(found, held_out)
    return {
        **record,
        **{f"{name}_sharpness": sharpness(sample) for name, sample in samples.items()},
        "ladder": {name: frechet_distance(of_fixed[worse[name]], held_out) for name in LADDER},
    }
