"""A training: its state, the step that changes it, and the learning rate. It computes, and neither loads nor stores."""

import math

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vimae_core.config import RunConfig
from vimae_core.multiplier import LAMBDA_SCHEDULES
from vimae_core.networks import as_pixels, build_network, pick_precision
from vimae_core.objectives import DIVERGENCES, loss_terms
from vimae_core.pretraining import perturbed, pretrain
from vimae_core.priors import make_prior


def check_images(config: RunConfig, images: UInt8[Tensor, "n c h w"]) -> None:
    """Raises ValueError for fewer images than are asked for, or than a batch, and for a size that no network takes."""
    n = len(images)
    if config.n_train is not None and config.n_train > n:
        raise ValueError(f"n_train={config.n_train} is not possible: {config.dataset} has {n} training images")
    if config.batch_size > (config.n_train or n):
        raise ValueError(f"batch_size={config.batch_size} is not possible: only {config.n_train or n} training images")
    if config.pretraining > (config.n_train or n):
        raise ValueError(
            f"pretraining={config.pretraining} is not possible: only {config.n_train or n} training images"
        )
    with torch.device("meta"):  # described, not made
        build_network(config, images.shape[1:])


class Training:
    """A training in progress: what a checkpoint holds, and the step that changes it.

    `images` are the bytes of the training images, (n, channels, height, width), of which the first `n_train` are
    used. Raises ValueError for images that cannot be trained on.
    """

    def __init__(self, config: RunConfig, images: UInt8[Tensor, "n c h w"], device: torch.device):
        check_images(config, images)
        self.config, self.device = config, device
        self.images = images[: config.n_train].to(device)
        self.steps_per_epoch = len(self.images) // config.batch_size  # an incomplete batch is left out
        self.total_steps = config.epochs * self.steps_per_epoch
        self.prior = make_prior(config.prior, config.latent_dim, config.prior_scale, config.prior_shape)
        self.network = build_network(config, images.shape[1:])
        self.network.precision = pick_precision(config.precision, device)
        self.divergence = DIVERGENCES[config.divergence](config, self.prior)
        # What has weights, each with a learning rate of its own; a divergence has some if it is adversarial.
        self.learners = nn.ModuleDict({"network": self.network, "divergence": self.divergence}).to(device)
        self.weights = {name: p for name, p in self.learners.named_parameters() if p.requires_grad}
        groups = [{"params": [p for p in part.parameters() if p.requires_grad]} for part in self.learners.values()]
        self.optimiser = torch.optim.Adam(groups, config.learning_rate, betas=(config.adam_beta1, 0.999), fused=True)
        self.generator = torch.Generator(device).manual_seed(config.seed)  # posterior and prior samples
        # On a GPU one compiled graph a step; on a CPU compiling costs more than it saves (benchmarks/README.md).
        self.losses = torch.compile(self._losses, mode="reduce-overhead") if device.type == "cuda" else self._losses
        self.terms = terms_used(config)
        self.log = torch.full((self.total_steps, len(self.terms)), torch.nan, device=device)  # read seldom: no sync
        self.order: Tensor | None = None  # of this epoch's images
        schedule = LAMBDA_SCHEDULES.get(config.lambda_schedule)
        self.multiplier = schedule and schedule(config, self.prior, self.total_steps)  # None: lambda is constant
        self.memory = torch.empty(0, config.latent_dim, device=device)  # codes of the steps before
        self.pretraining = torch.empty(0, device=device)  # its losses
        self.step = 0

    def advance(self) -> None:
        """One step of Adam on the next batch; before the first one, the encoder's pretraining."""
        if self.step == 0 and self.config.pretraining:
            self.pretraining = pretrain(self.config, self.network, self.images, self.prior, self.generator)
        epoch, batch = divmod(self.step, self.steps_per_epoch)
        if batch == 0 or self.order is None:
            self.order = self._epoch_order(epoch)
        rows = self.order[batch * self.config.batch_size : (batch + 1) * self.config.batch_size]
        x = as_pixels(self.images.index_select(0, rows))
        noise = torch.empty(len(x), self.config.latent_dim, device=self.device).normal_(generator=self.generator)
        others = self._other_codes()
        z_prior = self.prior.sample(len(x) + len(others), self.generator)
        seen, weight = perturbed(x, self.config.input_noise, self.generator), self._divergence_weight()
        terms, z = self.losses(x, seen, noise, z_prior, weight, others, *self._given(x))
        self.optimiser.zero_grad()
        torch.autograd.backward([terms[t] for t in ("loss", "discriminator") if t in terms])  # of separate weights
        rates = learning_rates(self.config, self.step, self.total_steps)
        for group, rate in zip(self.optimiser.param_groups, rates, strict=True):
            group["lr"] = rate
        self.optimiser.step()
        if self.config.memory:
            self.memory = torch.cat([self.memory, z.detach()])[-self.config.memory :]
        if weight is not None:
            terms["lambda"] = self.config.alpha + weight
        self.log[self.step] = torch.stack([terms[t].detach() for t in self.terms])
        self.step += 1

    def _losses(
        self,
        x: Tensor,
        seen: Tensor,
        noise: Tensor,
        z_prior: Tensor,
        weight: Tensor | None,
        others: Tensor,
        *given: Tensor,
    ) -> tuple[dict[str, Float[Tensor, ""]], Float[Tensor, "n d"]]:
        """The loss and its terms, and the codes; no draw of a random number, and nothing that waits for the device."""
        posterior = self.network.encode(seen)
        z = posterior.at(noise)
        logits = self.network.decode(z, *given)
        terms = loss_terms(self.config, self.prior, x, logits, posterior, z, z_prior, weight, others, self.divergence)
        return terms, z

    def _given(self, x: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n c h w"], ...]:
        """What the decoder takes beside z: nothing, or uniform thresholds that draw the pixels of x, and x."""
        if self.config.decoder == "plain":
            return ()
        return torch.rand(x.shape, generator=self.generator, device=self.device), x

    def _other_codes(self) -> Float[Tensor, "m d"]:
        """What the MMD takes beside the batch's codes: those of other images by today's encoder, or recent ones."""
        if not self.config.more_codes:
            return self.memory
        rows = torch.randint(len(self.images), (self.config.more_codes,), generator=self.generator, device=self.device)
        x = as_pixels(self.images.index_select(0, rows))
        with torch.no_grad():
            return self.network.encode(perturbed(x, self.config.input_noise, self.generator)).sample(self.generator)

    def _divergence_weight(self) -> Float[Tensor, ""] | None:
        """(lambda - alpha) of this step; None where it is the configuration's in every step."""
        if self.multiplier is None:
            return None
        lambda_, divergence = (self.log[: self.step, self.terms.index(t)] for t in ("lambda", "divergence"))
        return self.multiplier(lambda_ - self.config.alpha, divergence)

    def _epoch_order(self, epoch: int) -> Tensor:
        """A permutation of the training images that seed and epoch determine, on any device."""
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + epoch)
        return torch.randperm(len(self.images), generator=generator).to(self.device)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, but for its number."""
        tensors = dict(self.learners.state_dict())
        for name, parameter in self.weights.items():
            tensors |= {f"adam.{name}.{k}": v for k, v in self.optimiser.state[parameter].items()}
        own = {"generator": self.generator.get_state(), "log": self.log[: self.step]}
        return {**tensors, **own, "memory": self.memory, "pretraining": self.pretraining}

    def restore(self, tensors: dict[str, Tensor], step: int) -> None:
        """Goes back to a state."""
        self.step = step
        self.learners.load_state_dict({name: tensors[name] for name in self.learners.state_dict()})
        for name, parameter in self.weights.items():
            state = {k: tensors[f"adam.{name}.{k}"] for k in ("step", "exp_avg", "exp_avg_sq")}
            for k in ("exp_avg", "exp_avg_sq"):  # in the parameter's own layout, which fused Adam takes for granted
                state[k] = torch.empty_like(parameter).copy_(state[k])
            self.optimiser.state[parameter] = {k: v.to(self.device) for k, v in state.items()}
        self.generator.set_state(tensors["generator"])
        self.log[: self.step] = tensors["log"].to(self.device)
        self.memory, self.pretraining = (tensors[name].to(self.device) for name in ("memory", "pretraining"))


def learning_rates(config: RunConfig, step: int, total_steps: int) -> tuple[float, float]:
    """The learning rates of a step: the network's, and that of a divergence that learns."""
    first = config.learning_rate, config.adversary_learning_rate
    network, divergence = (SCHEDULES[config.schedule](rate, step, total_steps) for rate in first)
    return network, divergence


def _wae(rate: float, step: int, total_steps: int) -> float:
    """Halved after 30 % of the steps and divided by 5 after 50 %, the WAE code's rule for 100 epochs."""
    done = step / total_steps
    return rate / (1 if done < 0.3 else 2 if done < 0.5 else 10)


def _exponential(rate: float, step: int, total_steps: int) -> float:
    """By a constant factor a step, in all divided by 100; the WAE code's smooth rule."""
    return rate * 100 ** -(step / total_steps)


def _one_cycle(rate: float, step: int, total_steps: int) -> float:
    """Up in a line for 10 % of the steps, then down to 0 along a cosine."""
    done = step / total_steps
    if done < 0.1:
        return rate * min(1.0, (step + 1) / (0.1 * total_steps))
    return rate * 0.5 * (1 + math.cos(math.pi * (done - 0.1) / 0.9))


def _constant(rate: float, step: int, total_steps: int) -> float:
    return rate


SCHEDULES = {"wae": _wae, "exponential": _exponential, "one-cycle": _one_cycle, "constant": _constant}


def terms_used(config: RunConfig) -> list[str]:
    """The terms of the loss whose weight is not zero, the loss first; at last lambda, where it changes."""
    used = {
        "loss": True,
        "distortion": True,
        "rate": config.alpha > 0,
        "divergence": config.lambda_ > config.alpha,
        "lambda": config.lambda_schedule != "constant",
    }
    return [term for term, weighed in used.items() if weighed]
