"""Codes drawn for a few training images: what a figure decodes where the images themselves may not be passed on."""

import torch

from vimae_core.datasets import Dataset
from vimae_core.runs import Run

N = 16
DIGITS = 3  # after the point: a picture shows no more


def drawn_codes(run: Run, data: Dataset, n_test: int | None = None) -> dict:
    """`codes`: one draw z ~ q(z|x) for each of N training images, which the run's seed chooses; of test images none.

    For display. Of a run to be published, `evaluate --measure drawn_codes` records them beforehand.
    """
    train = data["train"][0][: run.config.n_train]
    generator = torch.Generator().manual_seed(run.config.seed)
    chosen = train[torch.randperm(len(train), generator=generator)[:N]]
    return {"codes": run.posterior(chosen).sample(generator).double().round(decimals=DIGITS).tolist()}
