"""A run whose encoder and decoder are linear, so that NumPy can say what is to be measured of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from vimae_core import RunConfig
from vimae_core.networks import Autoencoder
from vimae_core.runs import Run


@dataclass(frozen=True)
class Linear:
    """Codes N(x encoder + shift, diag(std^2)) of pixels x [n, p], and logits z decoder + offset of codes z [n, d]."""

    encoder: np.ndarray  # [p, d]
    shift: np.ndarray  # [d]
    std: np.ndarray  # [d]
    decoder: np.ndarray  # [d, p]
    offset: np.ndarray  # [p]

    def mean(self, x: np.ndarray) -> np.ndarray:
        return x @ self.encoder + self.shift

    def draw(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return self.mean(x) + self.std * rng.normal(size=(len(x), len(self.shift)))

    def logits(self, z: np.ndarray) -> np.ndarray:
        return z @ self.decoder + self.offset

    def run(self, path: Path, side: int, config: RunConfig) -> Run:
        """As if it had been trained to be this, on grey images of side x side."""
        encoder, decoder = nn.Linear(side**2, 2 * len(self.shift)), nn.Linear(*self.decoder.shape)
        for parameter, value in (
            (encoder.weight, np.concatenate([self.encoder.T, np.zeros_like(self.encoder.T)])),
            (encoder.bias, np.concatenate([self.shift, 2 * np.log(self.std)])),
            (decoder.weight, self.decoder.T),
            (decoder.bias, self.offset),
        ):
            parameter.data = torch.from_numpy(value).float()
        run = Run(config, path, history={}, environment={})
        run.__dict__["network"] = Autoencoder(nn.Sequential(nn.Flatten(), encoder), decoder, (1, side, side), None)
        return run
