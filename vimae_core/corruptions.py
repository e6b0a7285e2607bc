"""Section 5.2's two corruptions of an image: Gaussian noise added to each pixel, and pixels forced to 0."""

import re
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from vimae_core.networks import as_pixels

FORMS = "clean, gaussian SIGMA (SIGMA above 0, as in gaussian 0.2), mask P (P in (0, 1], as in mask 0.5)"


class Corruption(NamedTuple):
    """Done to every pixel: gaussian noise of standard deviation `level`, mask with probability `level`, or nothing."""

    kind: str
    level: float

    @classmethod
    def of(cls, name: str) -> "Corruption":
        """From its name: "clean", "gaussian 0.2", "mask 0.5". Raises ValueError."""
        found = re.fullmatch(r"(gaussian|mask)[ _]+(\d*\.?\d+)", name.strip())
        corruption = cls("clean", 0.0) if name.strip() == "clean" else found and cls(found[1], float(found[2]))
        if not corruption or (found and corruption.level == 0) or (corruption.kind == "mask" and corruption.level > 1):
            raise ValueError(f"condition {name!r} is not possible: must be one of {FORMS}")
        return corruption

    @property
    def name(self) -> str:
        return self.kind if self.kind == "clean" else f"{self.kind} {self.level:g}"


def corrupt(
    images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"],
    condition: str,
    seed: int = 0,
    clip: bool = False,
) -> Float[Tensor, "n c h w"]:
    """Images under a condition: "clean", "gaussian 0.2", "mask 0.5" (section 5.2).

    Pixels are in [0, 1]; Gaussian noise leads out of it unless `clip` is set, as in the paper, which does not clip.
    The same seed gives the same noise, whatever the images and whatever the level: a stronger condition adds
    more of it. Raises ValueError for an unknown condition.
    """
    corruption = Corruption.of(condition)
    x = as_pixels(images)
    generator = torch.Generator().manual_seed(seed)
    if corruption.kind == "gaussian":
        x = torch.empty(x.shape).normal_(generator=generator).mul_(corruption.level).add_(x)  # in place: all memory
    if corruption.kind == "mask":
        x = x * (torch.empty(x.shape).uniform_(generator=generator) >= corruption.level)
    return x.clamp(0, 1) if clip else x
