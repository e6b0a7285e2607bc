"""lambda over a training: the multiplier of the constraint q(z) = p(z) of Eq. (8), raised or found."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.mmd import kernel_of, null_band
from vimae_core.priors import Prior

RISE = 0.5  # of the steps: after them the ramp is at its end


class Ramp:
    """From 0 by the cube of the step over the first half of training, then held."""

    tolerance = math.nan  # of the MMD^2: none

    def __init__(self, config: RunConfig, prior: Prior, total_steps: int):
        self.end, self.total_steps = config.lambda_ - config.alpha, total_steps

    def __call__(self, past: Float[Tensor, " k"], estimates: Float[Tensor, " k"]) -> Float[Tensor, ""]:
        """(lambda - alpha) of the next step, from those of the k before and their estimates of the divergence.

        On their device: nothing waits for it.
        """
        if len(past) == 0:
            return past.sum()
        done = (past[-1] / self.end) ** (1 / 3) + 1 / (RISE * self.total_steps)
        return self.end * done.clamp(max=1) ** 3


class Constrained(Ramp):
    """As in the ramp wherever the running mean of the estimate is above the tolerance, and held wherever it is not.

    It never falls: an estimate's noise, which a multiplier that goes both ways runs after, can only make it wait.
    """

    def __init__(self, config: RunConfig, prior: Prior, total_steps: int):
        super().__init__(config, prior, total_steps)
        self.window = window(total_steps)
        self.tolerance = tolerance(config, prior, self.window)

    def __call__(self, past: Float[Tensor, " k"], estimates: Float[Tensor, " k"]) -> Float[Tensor, ""]:
        rising = super().__call__(past, estimates)
        if len(past) < self.window:
            return rising
        return torch.where(estimates[-self.window :].mean() > self.tolerance, rising, past[-1])


LAMBDA_SCHEDULES = {"ramp": Ramp, "constrained": Constrained}


def window(total_steps: int) -> int:
    """Over how many steps the running mean of the estimate goes."""
    return max(1, total_steps // 20)


def tolerance(config: RunConfig, prior: Prior, steps: int) -> float:
    """The configuration's, in the smallest MMD^2 that the mean of so many steps' estimates tells from none.

    That is where the 95 % band of one estimate by as many pairs ends, at q = p. A step compares n new codes with n + m,
    where m others stand beside them: in w steps as many pairs as sqrt(w n (n + m)) codes make. The mean of many steps
    scatters as much and is less skewed: the tolerance is some 2.4 of its standard deviations, past its own band.
    """
    n, m = config.batch_size, config.memory + config.more_codes
    band = null_band(prior, round(math.sqrt(steps * n * (n + m))), kernel_of(config.kernel, prior))
    return config.tolerance * band.high
