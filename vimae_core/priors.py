"""The priors p(z): independent coordinates, unit variance unless a scale is given (section 3.2)."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Prior(ABC):
    """p(z) on R^dim, a product of `dim` copies of one symmetric density with location 0.

    `scale` is the family's own parameter (the normal's sigma, the logistic's s, the Laplace's b,
    the uniform's half width, the generalised normal's a); None means unit variance.
    """

    dim: int
    scale: float | None = None

    unit_scale = 1.0  # the family's scale at unit variance
    unit_entropy = 0.0  # differential entropy of one coordinate at scale 1, nats

    def __post_init__(self):
        if not (isinstance(self.dim, int) and self.dim > 0):
            raise ValueError(f"dim={self.dim!r} is not possible: must be a whole number greater than 0")
        if self.scale is None:
            object.__setattr__(self, "scale", self.unit_scale)
        if not 0 < self.scale < math.inf:
            raise ValueError(f"scale={self.scale!r} is not possible: must be positive and finite")

    @property
    def name(self) -> str:
        """What it is called in PRIORS."""
        return type(self).__name__.lower()

    @property
    def std(self) -> float:
        """Standard deviation of a coordinate."""
        return self.scale / self.unit_scale

    def sample(
        self, n: int, generator: torch.Generator | None = None, dtype=torch.float32
    ) -> Float[Tensor, "n {self.dim}"]:
        """n draws, on the generator's device."""
        device = generator.device if generator else "cpu"
        return self._unit_sample(torch.empty(n, self.dim, dtype=dtype, device=device), generator) * self.scale

    def log_density(self, z: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Log density of each coordinate by itself, nats."""
        return self._unit_log_density(z / self.scale) - math.log(self.scale)

    def log_prob(self, z: Float[Tensor, "n {self.dim}"]) -> Float[Tensor, " n"]:
        """log p(z), nats."""
        return self.log_density(z).sum(1)

    def cdf(self, z: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Cumulative distribution of each coordinate: the f of Eq. (12)."""
        return self._unit_cdf(z / self.scale)

    def entropy(self) -> float:
        """Differential entropy of all coordinates together, nats: the capacity bound of section 3.2."""
        return self.dim * (self.unit_entropy + math.log(self.scale))

    @abstractmethod
    def _unit_sample(self, empty, generator): ...

    @abstractmethod
    def _unit_log_density(self, u): ...

    @abstractmethod
    def _unit_cdf(self, u): ...


class Normal(Prior):
    unit_entropy = 0.5 * math.log(2 * math.pi * math.e)

    def _unit_sample(self, empty, generator):
        return empty.normal_(generator=generator)

    def _unit_log_density(self, u):
        return -0.5 * u.square() - 0.5 * math.log(2 * math.pi)

    def _unit_cdf(self, u):
        return 0.5 * torch.special.erfc(-u / math.sqrt(2))  # torch's ndtr loses the lower tail


class Logistic(Prior):
    unit_scale = math.sqrt(3) / math.pi
    unit_entropy = 2.0

    def _unit_sample(self, empty, generator):
        # The logit of a uniform is the log ratio of two exponentials, which has both tails.
        return _exponential(empty, generator).log() - _exponential(empty, generator).log()

    def _unit_log_density(self, u):
        return -u.abs() - 2 * softplus(-u.abs())

    def _unit_cdf(self, u):
        return torch.sigmoid(u)


class Laplace(Prior):
    unit_scale = 1 / math.sqrt(2)
    unit_entropy = 1 + math.log(2)

    def _unit_sample(self, empty, generator):
        return _exponential(empty, generator) - _exponential(empty, generator)

    def _unit_log_density(self, u):
        return -u.abs() - math.log(2)

    def _unit_cdf(self, u):
        tail = 0.5 * torch.exp(-u.abs())  # of the nearer side, so that neither end loses its digits
        return torch.where(u < 0, tail, 1 - tail)


class Uniform(Prior):
    unit_scale = math.sqrt(3)
    unit_entropy = math.log(2)

    def _unit_sample(self, empty, generator):
        return empty.uniform_(-1, 1, generator=generator)

    def _unit_log_density(self, u):
        return torch.full_like(u, -math.log(2)).masked_fill(u.abs() > 1, -math.inf)

    def _unit_cdf(self, u):
        return ((u + 1) / 2).clamp(0, 1)


@dataclass(frozen=True)
class GeneralisedNormal(Prior):
    """Of density exp(-|u|^shape): a Laplace at shape 1, a normal at 2, and a uniform as the shape grows."""

    shape: float = 2.0

    name = "generalised-normal"

    def __post_init__(self):
        if not 0 < self.shape < math.inf:
            raise ValueError(f"shape={self.shape!r} is not possible: must be positive and finite")
        super().__post_init__()

    @property
    def unit_scale(self) -> float:
        return math.exp((math.lgamma(1 / self.shape) - math.lgamma(3 / self.shape)) / 2)

    @property
    def unit_entropy(self) -> float:
        return 1 / self.shape + self._log_volume

    @property
    def _log_volume(self) -> float:
        return math.log(2) + math.lgamma(1 + 1 / self.shape)

    def _unit_sample(self, empty, generator):
        # A mixture of uniforms; the power of a gamma of 1 / shape would underflow to 0 where the shape is large.
        gamma = torch._standard_gamma(torch.full_like(empty, 1 + 1 / self.shape), generator=generator)
        return empty.uniform_(-1, 1, generator=generator) * gamma ** (1 / self.shape)

    def _unit_log_density(self, u):
        return -(u.abs() ** self.shape) - self._log_volume

    def _unit_cdf(self, u):
        power = u.double().abs() ** self.shape
        tail = 0.5 * torch.special.gammaincc(torch.full_like(power, 1 / self.shape), power)
        # Where the power underflows the density is flat.
        tail = torch.where(power < 1e-30, 0.5 - u.double().abs() * math.exp(-self._log_volume), tail)
        return torch.where(u < 0, tail, 1 - tail).to(u.dtype)


def _exponential(empty, generator):
    return torch.empty_like(empty).exponential_(generator=generator)


PRIORS = {
    "normal": Normal,
    "logistic": Logistic,
    "laplace": Laplace,
    "uniform": Uniform,
    "generalised-normal": GeneralisedNormal,
}


def make_prior(name: str, dim: int, scale: float | None = None, shape: float | None = None) -> Prior:
    """The prior of that name on R^dim; unit variance unless `scale` is given. Raises ValueError."""
    if name not in PRIORS:
        raise ValueError(f"prior {name!r} is unknown: must be one of {', '.join(PRIORS)}")
    if shape is None:
        return PRIORS[name](dim, scale)
    if not hasattr(PRIORS[name], "shape"):
        shaped = ", ".join(other for other, prior in PRIORS.items() if hasattr(prior, "shape"))
        raise ValueError(f"shape={shape!r} is not possible: the {name} prior has none; {shaped} has")
    return PRIORS[name](dim, scale, shape)
