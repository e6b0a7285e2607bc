"""Five seeds of an MLP trained together: their weights stacked, each layer one batched product."""

from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import stack_module_state, vmap

from vimae_core import RunConfig
from vimae_core.datasets import Dataset
from vimae_core.layers import Float32Linear
from vimae_core.mmd import KERNELS, mmd2
from vimae_core.networks import DTYPES, Posterior, as_pixels
from vimae_core.objectives import distortion, rate
from vimae_core.training import Training


class StackedTraining:
    """Steps of several seeds at once; each draws and computes what it would alone, to rounding. MLPs only."""

    def __init__(self, config: RunConfig, seeds: range, data: Dataset):
        self.alone = [Training(replace(config, seed=seed), data["train"][0], torch.device("cpu")) for seed in seeds]
        stacked, _ = stack_module_state([training.network for training in self.alone])
        # Each transposed, [s, inputs, outputs]: so its gradient, too, is a product in its own layout.
        turned = {name: p.mT.contiguous() if name.endswith("weight") else p[:, None] for name, p in stacked.items()}
        self.weights = {name: p.detach().requires_grad_() for name, p in turned.items()}
        betas = (config.adam_beta1, 0.999)
        self.optimiser = torch.optim.Adam(self.weights.values(), config.learning_rate, betas=betas, fused=True)
        self.orders = torch.stack([training._epoch_order(0) for training in self.alone])
        self.config, self.step = config, 0

    def advance(self) -> dict[str, Tensor]:
        """One step of every seed; its loss terms, a value a seed. The first epoch only, again and again."""
        size, first = self.config.batch_size, self.alone[0]
        start = self.step % first.steps_per_epoch * size
        rows = self.orders[:, start : start + size]
        x = as_pixels(first.images.index_select(0, rows.flatten()))
        noise, z_prior = [], []
        for training in self.alone:
            noise.append(torch.empty(size, self.config.latent_dim).normal_(generator=training.generator))
            z_prior.append(training.prior.sample(size, training.generator))
        terms = self._losses(x, torch.stack(noise), torch.stack(z_prior))
        self.optimiser.zero_grad()
        terms["loss"].sum().backward()
        self.optimiser.step()
        self.step += 1
        return terms

    def _losses(self, x: Tensor, noise: Tensor, z_prior: Tensor) -> dict[str, Tensor]:
        """As `Training._losses`, with seeds in front: x [s n, c, h, w], noise and z_prior [s, n, d]."""
        config, seeds = self.config, len(self.alone)
        posterior = Posterior(*self._through("encoder", x.view(seeds, -1, x[0].numel())).chunk(2, dim=2))
        z = posterior.mean + noise * torch.exp(posterior.log_variance / 2)
        logits = self._through("decoder", z).view_as(x)
        terms = {"distortion": distortion(x, logits, config.likelihood).view(seeds, -1).mean(1)}
        loss = terms["distortion"]
        if config.alpha > 0:
            flat = Posterior(*(part.flatten(0, 1) for part in posterior))
            terms["rate"] = rate(flat, z.flatten(0, 1), self.alone[0].prior).view(seeds, -1).mean(1)
            loss = loss + config.alpha * terms["rate"]
        if config.lambda_ > config.alpha:
            terms["divergence"] = vmap(lambda a, b: mmd2(a, b, KERNELS[config.kernel]))(z, z_prior)
            loss = loss + (config.lambda_ - config.alpha) * terms["divergence"]
        return {"loss": loss, **terms}

    def _through(self, half: str, x: Tensor) -> Tensor:
        layers = self.alone[0].network.get_submodule(half)
        linear = [name for name, layer in layers.named_children() if isinstance(layer, nn.Linear)]
        x = x.to(DTYPES[self.alone[0].network.precision])
        for name in linear:
            if isinstance(layers.get_submodule(name), Float32Linear):
                x = x.float()
            weight, bias = (self.weights[f"{half}.{name}.{part}"].to(x.dtype) for part in ("weight", "bias"))
            x = torch.baddbmm(bias, x, weight)
            if name != linear[-1]:
                x = x.relu_()
        return x.float()
