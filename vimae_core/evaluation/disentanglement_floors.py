"""What disentanglement comes to without a training: of an untrained encoder, and of linear functions of the pixels."""

import warnings

import torch
from jaxtyping import Float
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.data import Dataset
from vimae_core.evaluation import disentanglement
from vimae_core.evaluation.disentanglement import Encode, scores
from vimae_core.evaluation.disentanglement_scores import VOTES
from vimae_core.networks import as_pixels, build_network
from vimae_core.runs import ROWS, Run


def check(config: RunConfig, data: Dataset, n_test: int | None = None, votes: int = VOTES) -> None:
    """Raises ValueError where a run's disentanglement could not be measured, or there are too few components."""
    disentanglement.check(config, data, n_test, votes)
    _check_components(config, data)


def _check_components(config: RunConfig, data: Dataset) -> None:
    n, pixels = len(data["train"][0][: config.n_train]), data.images[0].numel()
    if config.latent_dim > (most := min(n - 1, pixels)):
        raise ValueError(
            f"latent_dim={config.latent_dim} is not possible: {n} training images of {pixels} values have at most "
            f"{most} principal components"
        )


@torch.no_grad()
def disentanglement_floors(run: Run, data: Dataset, n_test: int | None = None, votes: int = VOTES) -> dict:
    """Each number of `disentanglement.scores`, of each of `floor_encoders`: what a run of that configuration must beat.

    Nothing of the training counts, so that one run of an architecture, latent_dim and seed stands for all of them.
    """
    floors = floor_encoders(data, run.config)
    found = {name: scores(encode, data, run.config, n_test, votes) for name, encode in floors.items()}
    counts = {count: found["pca"][count] for count in ("n", "fitted")}
    numbers = [name for name, value in found["pca"].items() if isinstance(value, float)]
    return {**counts, **{name: {floor: of[name] for floor, of in found.items()} for name in numbers}}


def floor_encoders(data: Dataset, config: RunConfig) -> dict[str, Encode]:
    """What no training of ours has given: the configuration's network untrained, and pixels linearly, in latent_dim.

    `pca`: principal components of the training images, `ica`: independent components among these (FastICA), both of
    unit variance. Raises ValueError where there are not as many components.
    """
    _check_components(config, data)
    images = data["train"][0][: config.n_train]
    network = build_network(config, tuple(data.images.shape[1:])).eval().requires_grad_(False)
    pixels = as_pixels(images).flatten(1).numpy()
    components = PCA(config.latent_dim, whiten=True, svd_solver="randomized", random_state=config.seed).fit(pixels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # components nearly Gaussian have no direction to find
        independent = FastICA(whiten="unit-variance", max_iter=500, random_state=config.seed)
        independent.fit(components.transform(pixels))

    def pca(images: Tensor) -> Float[Tensor, "n d"]:
        parts = [components.transform(as_pixels(part).flatten(1).numpy()) for part in images.split(ROWS)]
        return torch.cat([torch.from_numpy(part) for part in parts])

    return {
        "untrained": lambda images: torch.cat([network.encode(as_pixels(x)).mean for x in images.split(ROWS)]),
        "pca": pca,
        "ica": lambda images: torch.from_numpy(independent.transform(pca(images).numpy())),
    }
