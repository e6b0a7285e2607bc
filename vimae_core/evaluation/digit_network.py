"""The digit network: a small classifier whose penultimate features measure generated digits. It is not Inception."""

import hashlib

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from vimae_core.datasets import ROOT, Dataset
from vimae_core.networks import as_pixels
from vimae_core.store import RunError, load_tensors, save_tensors

WEIGHTS = ROOT / "results" / "digit_network.safetensors"  # trained on MNIST's training labels, committed
DIGEST = "a49168c9f327"  # of its weights
FEATURES = 64
EPOCHS, BATCH_SIZE, LEARNING_RATE = 10, 100, 2e-3


class DigitNetwork(nn.Module):
    """Three convolutions of stride 2, 64 features, ten classes."""

    def __init__(self, classes: int = 10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.SiLU(),  # 28 -> 14
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.SiLU(),  # 7
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.SiLU(),  # 4
            nn.Flatten(), nn.Linear(64 * 4 * 4, FEATURES), nn.SiLU(),
        )  # fmt: skip
        self.classify = nn.Linear(FEATURES, classes)

    def forward(self, x: Float[Tensor, "n 1 28 28"]) -> Float[Tensor, "n k"]:
        """Logits of the classes."""
        return self.classify(self.features(x))

    @torch.no_grad()
    def describe(
        self, images: UInt8[Tensor, "n 1 28 28"] | Float[Tensor, "n 1 28 28"]
    ) -> tuple[Float[Tensor, "n f"], Int64[Tensor, " n"]]:
        """The features of images (uint8, or pixels in [0, 1]) and the class each is taken for."""
        features = torch.cat([self.features(as_pixels(part)) for part in images.split(500)])
        return features, self.classify(features).argmax(1)

    @property
    def digest(self) -> str:
        """Names these weights: distances under others are others."""
        return hashlib.sha256(b"".join(p.numpy().tobytes() for p in self.state_dict().values())).hexdigest()[:12]


@torch.enable_grad()
def train_digit_network(images: UInt8[Tensor, "n 1 28 28"], labels: Int64[Tensor, " n"], seed: int = 0) -> DigitNetwork:
    """Trained on images shifted by up to two pixels, with Adam and a one-cycle schedule; weights rounded to half."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DigitNetwork(int(labels.max()) + 1)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    steps = max(1, len(images) // BATCH_SIZE) * EPOCHS
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    padded = pad(images, (2, 2, 2, 2))
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(images), generator=generator).split(BATCH_SIZE)[: steps // EPOCHS]:
            down, right = torch.randint(5, (2,), generator=generator).tolist()
            x = as_pixels(padded[rows, :, down : down + 28, right : right + 28])
            loss = cross_entropy(network(x), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    network.load_state_dict({name: weight.half().float() for name, weight in network.state_dict().items()})
    return network.eval().requires_grad_(False)


_networks: dict[str, DigitNetwork] = {}  # by the digest of their data


def _committed(data_digest: str) -> DigitNetwork | None:
    """The committed network, where it was trained on these data."""
    tensors, meta = load_tensors(WEIGHTS)
    if meta["data_digest"] != data_digest:
        return None
    network = DigitNetwork(len(tensors["classify.bias"]))
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    if network.digest != DIGEST:
        raise RunError(f"{WEIGHTS} holds weights {network.digest}, expected {DIGEST}: restore it from the repository")
    return network.eval().requires_grad_(False)


def check_digits(data: Dataset) -> None:
    """Raises ValueError for images of another size, and for images without labels."""
    shape = tuple(data.images.shape[1:])
    if shape != (1, 28, 28) or data.labels is None:
        without = " without labels" * (data.labels is None)
        raise ValueError(f"{data.name} has images of {shape}{without}: the digit network takes (1, 28, 28) with labels")


def digit_network(data: Dataset) -> DigitNetwork:
    """The committed one for MNIST; for other images of 28 x 28 one trained now on their own labels.

    Raises RunError where the committed weights are damaged, ValueError for images of another size.
    """
    check_digits(data)
    if data.digest not in _networks:
        _networks[data.digest] = _committed(data.digest) or train_digit_network(*data["train"])
    return _networks[data.digest]


def store_digit_network(data: Dataset) -> DigitNetwork:
    """Trains the network that is committed, and stores it."""
    network = train_digit_network(*data["train"])
    half = {name: weight.half() for name, weight in network.state_dict().items()}
    save_tensors(WEIGHTS, half, {"data_digest": data.digest})
    return network
