"""Does the training see q(z)? Eq. (15) takes a batch's codes for independent draws of it; batch norm ties them."""

import copy
import math

import torch
from jaxtyping import UInt8
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.data import Dataset
from vimae_core.mmd import kernel_of, mmd2
from vimae_core.networks import Autoencoder, as_pixels
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

    The first `n_test` test images, in random order, in batches of the training's size. `mmd2_in_batches` is the mean of
    what a training step minimises, with its standard error, `mmd2_pooled` beside it: batch norm has each batch's own
    moments, as in training. `fixed_*`: the same with the fixed moments of evaluation, where codes are independent draws
    and the two estimate the same.
    """
    images = data["test"][0][:n_test]
    # A copy for each: training mode moves the running moments.
    own, fixed = (_estimates(run, copy.deepcopy(run.network).cpu().train(mode), images) for mode in (True, False))
    whole = len(images) // run.config.batch_size
    return {"batches": whole, **own, **{name.replace("mmd2", "fixed"): value for name, value in fixed.items()}}


def _estimates(run: Run, network: Autoencoder, images: UInt8[Tensor, "n c h w"]) -> dict[str, float]:
    """Of the network in the mode that it is in; an incomplete batch is left out."""
    config, generator = run.config, torch.Generator().manual_seed(run.config.seed)
    kernel = kernel_of(config.kernel, run.prior)
    order = torch.randperm(len(images), generator=generator)[: len(images) // config.batch_size * config.batch_size]
    codes, draws, within = [], [], []
    for rows in order.split(config.batch_size):
        x = perturbed(as_pixels(images[rows]), config.input_noise, generator)
        codes.append(network.encode(x).sample(generator))
        draws.append(run.prior.sample(len(rows), generator))
        within.append(mmd2(codes[-1], draws[-1], kernel))
    by_batch = torch.stack(within).double()
    return {
        "mmd2_in_batches": by_batch.mean().item(),
        "mmd2_in_batches_error": by_batch.std().item() / math.sqrt(len(by_batch)),
        "mmd2_pooled": mmd2(torch.cat(codes), torch.cat(draws), kernel, block=250).item(),
    }
