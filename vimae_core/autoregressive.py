"""An autoregressive p(x|z), prod_i p(x_i|x_<i, z) over the pixels row by row: a masked network (Germain et al. 2015).

Masked products rather than masked convolutions: on a CPU an epoch takes a small part of their time, and with one
hidden unit a pixel an image is generated at the cost of a single pass, where convolutions need one a pixel.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from vimae_core.layers import Linear


class Masked(nn.Linear):
    """p units to p, without bias: the i-th sees those before the i-th, and itself where `own`."""

    def __init__(self, units: int, own: bool):
        super().__init__(units, units, bias=False)
        self.own = own

    def forward(self, x: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        return F.linear(x, self.weight.tril(0 if self.own else -1).to(x.dtype))

    def unit(self, i: int, x: Float[Tensor, "n p"]) -> Float[Tensor, " n"]:
        """The i-th output alone."""
        seen = i + self.own
        return x[:, :seen] @ self.weight[i, :seen].to(x.dtype)


class Autoregressive(nn.Module):
    """Logits of each pixel from z and the pixels before it, each 0 or 1.

    To those of the plain decoder, which sees z alone, it adds what the pixels before tell: at once, and by hidden units
    that see them beside the whole image as the plain decoder expects it. Raises ValueError for images of colours.
    """

    def __init__(self, plain: nn.Module, image_shape: tuple[int, ...]):
        super().__init__()
        channels, height, width = image_shape
        if channels != 1:
            raise ValueError(
                f"decoder='autoregressive' is not possible for images of {channels} channels: must be grey, of one; "
                "decoder='plain' takes any"
            )
        pixels = height * width
        self.plain, self.expected = plain, Linear(pixels, pixels)
        self.before, self.hidden, self.direct = Masked(pixels, False), Masked(pixels, True), Masked(pixels, False)

    def forward(self, z: Float[Tensor, "n d"], x: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        """Of images whose pixels are known."""
        plain = self.plain(z)
        hidden = F.relu(self.expected(torch.sigmoid(plain)) + self.before(x))
        return plain.float() + self.hidden(hidden) + self.direct(x)

    @torch.no_grad()
    def generate(self, z: Float[Tensor, "n d"], thresholds: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
        """Pixel by pixel: each is 1 where its mean is above its threshold, else 0, and the next ones see it."""
        plain = self.plain(z)
        expected = self.expected(torch.sigmoid(plain))
        x, hidden, logits = torch.zeros_like(plain), torch.zeros_like(plain), plain.float()
        for i in range(plain.shape[1]):
            hidden[:, i] = F.relu(expected[:, i] + self.before.unit(i, x))
            logits[:, i] += self.hidden.unit(i, hidden) + self.direct.unit(i, x)
            x[:, i] = torch.sigmoid(logits[:, i]) > thresholds[:, i]
        return logits
