"""Five seeds of a network trained together: their weights stacked, each layer one batched product."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from vimae_core import RunConfig
from vimae_core.datasets import Dataset
from vimae_core.runs import as_pixels
from vimae_core.training import Training


class StackedTraining:
    """Steps of several seeds at once; each draws and computes what it would alone. Networks without batch norm only."""

    def __init__(self, config: RunConfig, seeds: range, data: Dataset):
        self.alone = [Training(replace(config, seed=seed), data, torch.device("cpu")) for seed in seeds]
        stacked, _ = stack_module_state([training.network for training in self.alone])
        self.weights = {name: weight.detach().requires_grad_() for name, weight in stacked.items()}
        betas = (config.adam_beta1, 0.999)
        self.optimiser = torch.optim.Adam(self.weights.values(), config.learning_rate, betas=betas, fused=True)
        self.orders = torch.stack([training._epoch_order(0) for training in self.alone])
        self.losses = _Losses(self.alone[0])
        self.config, self.step = config, 0

    def advance(self) -> dict[str, Tensor]:
        """One step of every seed; its loss terms, a value a seed. The first epoch only, again and again."""
        size, first = self.config.batch_size, self.alone[0]
        start = self.step % first.steps_per_epoch * size
        rows = self.orders[:, start : start + size]
        x = as_pixels(first.images.index_select(0, rows.flatten())).unflatten(0, rows.shape)
        noise, z_prior = [], []
        for training in self.alone:
            noise.append(torch.empty(size, self.config.latent_dim).normal_(generator=training.generator))
            z_prior.append(training.prior.sample(size, training.generator))
        terms = vmap(self._losses)(self.weights, x, torch.stack(noise), torch.stack(z_prior))
        self.optimiser.zero_grad()
        terms["loss"].sum().backward()
        self.optimiser.step()
        self.step += 1
        return terms

    def _losses(self, weights: dict[str, Tensor], x: Tensor, noise: Tensor, z_prior: Tensor) -> dict[str, Tensor]:
        named = {f"network.{name}": weight for name, weight in weights.items()}
        return functional_call(self.losses, named, (x, noise, z_prior))


class _Losses(nn.Module):
    """What `functional_call` calls with the weights of one seed."""

    def __init__(self, training: Training):
        super().__init__()
        self.network, self.terms = training.network, training._losses

    def forward(self, *batch: Tensor) -> dict[str, Tensor]:
        return self.terms(*batch)
