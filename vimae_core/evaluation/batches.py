"""Does the training see q(z)? Eq. (15) takes a batch's codes for independent draws of it; batch norm ties them."""

import copy
import math

import torch

from vimae_core.config import RunConfig
from vimae_core.data import Dataset
from vimae_core.mmd import KERNELS, mmd2
from vimae_core.networks import as_pixels
from vimae_core.pretraining import perturbed
from vimae_core.runs import Run


def check(config: RunConfig, data: Dataset, n_test: int | None = None) -> None:
    """Raises ValueError for fewer images than two batches have."""
    n, fewest = len(data["test"][0][:n_test]), 2 * config.batch_size
    if n < fewest:
        raise ValueError(f"n_test={n} is not possible: batches are compared with each other, {fewest} images or more")


@torch.no_grad()
def batches(run: Run, data: Dataset, n_test: int | None = None) -> dict[str, int | float]:
    """The MMD^2 by Eq. (15) within batches, and of the same codes and prior draws pooled, almost all pairs across them.

    The first `n_test` test images, in random order and in batches of the training's size, encoded as in training:
    batch norm by the batch's own moments. Where codes are independent draws both estimate the same and differ by chance
    alone; in_batches is the mean of what the training minimises, with its standard error.
    """
    config, generator = run.config, torch.Generator().manual_seed(run.config.seed)
    network = copy.deepcopy(run.network).cpu().train()  # a copy: training mode moves the running moments
    images, kernel = data["test"][0][:n_test], KERNELS[config.kernel]
    order = torch.randperm(len(images), generator=generator)[: len(images) // config.batch_size * config.batch_size]
    codes, draws, estimates = [], [], []
    for rows in order.split(config.batch_size):
        x = perturbed(as_pixels(images[rows]), config.input_noise, generator)
        codes.append(network.encode(x).sample(generator))
        draws.append(run.prior.sample(len(rows), generator))
        estimates.append(mmd2(codes[-1], draws[-1], kernel))
    within = torch.stack(estimates).double()
    return {
        "batches": len(within),
        "mmd2_in_batches": within.mean().item(),
        "mmd2_in_batches_error": within.std().item() / math.sqrt(len(within)),
        "mmd2_pooled": mmd2(torch.cat(codes), torch.cat(draws), kernel, block=250).item(),
    }
