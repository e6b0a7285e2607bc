"""The data of the page "The latent plane, live": the reference runs of Figure 1 as scripts that a page loads from disk.

A page opened from disk may fetch nothing but scripts, so that numbers come as text. A weight is rounded to one of a
few thousand levels of its row; levels are written in characters that are one byte each and need no escape.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from numpy import ndarray
from torch import Tensor, nn

from vimae_core.chapters import CHAPTERS, load_chapter
from vimae_core.corruptions import corrupt
from vimae_core.datasets import load_dataset
from vimae_core.priors import Prior
from vimae_core.profiles import parameters
from vimae_core.reference import reference_runs
from vimae_core.report.provenance import folded, provenance
from vimae_core.report.style import DIGITS
from vimae_core.runs import Run
from vimae_core.store import write_bytes

CHAPTER, PROFILE = "latent_shape", "reference"
ALPHABET = "".join(c for c in map(chr, range(32, 127)) if c not in '"\\')
BEND = 2.5  # levels are the denser the nearer to 0, where most weights are: sinh(BEND u) / sinh(BEND) of even u
SHOWN = 500  # test digits that come along
CONDITIONS = ["clean", "gaussian 0.2", "gaussian 0.4", "gaussian 0.8", "mask 0.2", "mask 0.5", "mask 0.9"]
MASS = (0.5, 0.9, 0.99)  # of the prior within the contours
LAST = "about.js"  # the file that is written when all others are


class Word(NamedTuple):
    """So many numbers in so many characters."""

    numbers: int
    characters: int

    @property
    def levels(self) -> int:
        """How many values a number may take: odd, so that one of them is 0."""
        most = int(len(ALPHABET) ** (self.characters / self.numbers) + 1e-9)
        return most - 1 + most % 2


# What the encoder loses moves the code, and the decoder makes much of a small move: only the decoder's larger layers
# are coarse, to stay under 6 MB.
WORDS = {"fine": Word(1, 2), "coarse": Word(4, 7), "bytes": Word(4, 5)}

Layers = list[tuple[ndarray, ndarray]]  # weights (outputs, inputs) and biases (outputs), a ReLU between them


def write_text(numbers: Int64[ndarray, " n"], word: Word) -> str:
    """Numbers from 0 to word.levels - 1 as text: the first of a word counts least, and so does its first character.

    Raises ValueError for a number that has no level.
    """
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < word.levels:
        raise ValueError(f"numbers from {numbers.min()} to {numbers.max()} are not possible: 0 to {word.levels - 1}")
    padded = np.pad(numbers, (0, -len(numbers) % word.numbers)).reshape(-1, word.numbers)
    values = padded @ word.levels ** np.arange(word.numbers)
    digits = values[:, None] // len(ALPHABET) ** np.arange(word.characters) % len(ALPHABET)
    return np.frombuffer(ALPHABET.encode(), np.uint8)[digits].tobytes().decode()


def round_rows(
    rows: Float[ndarray, "n m"], scales: Float[ndarray, " n"], word: Word
) -> tuple[str, Float[ndarray, "n m"]]:
    """Each row as levels between -scale and scale: as text, and as the numbers that it stands for."""
    half, scales = word.levels // 2, scales[:, None]
    relative = np.clip(np.divide(rows, scales, where=scales > 0, out=np.zeros_like(rows)), -1, 1)
    level = np.rint(half / BEND * np.arcsinh(relative * np.sinh(BEND))).astype(np.int64)
    return write_text((level + half).ravel(), word), scales * np.sinh(BEND / half * level) / np.sinh(BEND)


def pack_layer(weight: ndarray, bias: ndarray, word: str) -> tuple[dict, tuple[ndarray, ndarray]]:
    """A layer for the page, and as it was rounded: the rows' largest weights, the biases, and the weights beside them.

    Of scales and biases the largest is a plain number, for the others are rounded beside it.
    """
    scales = np.abs(weight).max(1)
    written = {"word": word, "inputs": weight.shape[1], "outputs": weight.shape[0]}
    for name, vector in (("scales", scales), ("bias", bias)):
        top = float(np.float32(np.abs(vector).max() or 1))
        text, (vector,) = round_rows(vector[None], np.array([top]), WORDS["fine"])
        written[name] = [top, text]
        scales, bias = (vector, bias) if name == "scales" else (scales, vector)
    written["weights"], weight = round_rows(weight, scales, WORDS[word])
    return written, (weight, bias)


def layers_of(network: nn.Module) -> Layers:
    """The linear layers of a multi-layer perceptron."""
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    return [(layer.weight.double().cpu().numpy(), layer.bias.double().cpu().numpy()) for layer in linear]


def through(layers: Layers, x: Float[Tensor, "n a"]) -> list[Float[Tensor, "n b"]]:
    """What each layer gives for inputs x, in fp32."""
    given = []
    for weight, bias in layers:
        x = nn.functional.linear(x.relu() if given else x, *(torch.from_numpy(a).float() for a in (weight, bias)))
        given.append(x)
    return given


def without_silent_units(layers: Layers, x: Float[Tensor, "n a"]) -> Layers:
    """The same layers without the hidden units that are 0 for every input in x."""
    hidden = [(given > 0).any(0).numpy() for given in through(layers, x)[:-1]]
    inputs, outputs = [slice(None), *hidden], [*hidden, slice(None)]
    return [(w[out][:, into], b[out]) for (w, b), into, out in zip(layers, inputs, outputs, strict=True)]


def grid(limit: float, side: int) -> Float[Tensor, "n 2"]:
    """side x side points of the plane, from -limit to limit."""
    line = torch.linspace(-limit, limit, side)
    return torch.cartesian_prod(line, line)


def pack_run(run: Run, images: UInt8[Tensor, "n c h w"]) -> tuple[dict[str, list[dict]], dict]:
    """A model's two networks for the page, and what the page says of it.

    `pixels` is by how much an image differs at most from PyTorch's: of digits, clean and corrupted, that are encoded
    and decoded, and of points of the plane.
    """
    seen = torch.cat([corrupt(images, condition, seed=run.config.seed) for condition in CONDITIONS])
    codes = run.encode(seen)
    draws = run.posterior(images).sample(torch.Generator().manual_seed(run.config.seed))
    near = 4 * run.prior.std
    view = max(near, 1.05 * float(draws.abs().quantile(0.995)))  # as in Figure 1
    inputs = torch.cat([codes, grid(near, 61), grid(view, 61)])
    encoder = layers_of(run.network.encoder)
    decoder = without_silent_units(layers_of(run.network.decoder), inputs)
    packed, rounded = {}, {}
    for name, layers in (("encoder", encoder), ("decoder", decoder)):
        coarse = [name == "decoder" and weight.shape[1] > codes.shape[1] for weight, _ in layers]
        both = [pack_layer(*layer, "coarse" if c else "fine") for layer, c in zip(layers, coarse, strict=True)]
        packed[name], rounded[name] = [b[0] for b in both], [b[1] for b in both]

    again = through(rounded["encoder"], seen.flatten(1))[-1][:, : codes.shape[1]]
    decoded = torch.sigmoid(through(rounded["decoder"], torch.cat([again, inputs[len(codes) :]]))[-1])
    pixels = (decoded - run.decode(inputs).flatten(1)).abs().max()
    symbol = {"beta-vae": "β", "vimae": "λ"}.get(run.config.method)
    about = {
        "name": run.config.label.replace("beta", "β"),
        "file": run.config.label.lower(),
        "weight": f"{symbol} = {run.config.lambda_:g}" if symbol else "",
        "prior": {"name": run.prior.name, "scale": run.prior.scale, "levels": contour_levels(run.prior)},
        "near": near,
        "view": view,
        "pixels": float(pixels),
        "weights": sum(p.numel() for p in run.network.parameters()),
    }
    return packed, about


def contour_levels(prior: Prior) -> list[float]:
    """Log densities, nats, above which MASS of the prior lies: from 100,000 draws, as in Figure 1."""
    draws = prior.log_prob(prior.sample(100_000, torch.Generator().manual_seed(0)))
    return torch.quantile(draws, 1 - torch.tensor(MASS)).tolist()


def pack_digits(images: UInt8[Tensor, "n c h w"], labels: Int64[Tensor, " n"]) -> dict:
    """Images as bytes, of which a 0 is followed by how many there are of it, up to 255."""
    flat = images.flatten().numpy()
    starts = np.flatnonzero(np.diff(flat == 0, prepend=flat[0] != 0))
    told = []
    for part in np.split(flat, starts[1:]):
        if part[0]:
            told.append(part)
        else:
            runs = [255] * (len(part) // 255) + [len(part) % 255] * (len(part) % 255 > 0)
            told.append(np.array([[0, n] for n in runs]).ravel())
    numbers = np.concatenate(told).astype(np.int64)
    labels = "".join(map(str, labels.tolist()))
    return {"labels": labels, "bytes": len(numbers), "pixels": write_text(numbers, WORDS["bytes"])}


def plane_runs() -> tuple[list[Run], list[str]]:
    """The committed runs of Figure 1's first seed that have weights, and the names of the models that have none."""
    p = parameters(CHAPTER, PROFILE)
    configs = [c for c in load_chapter(CHAPTER).runs(p)["figure"] if c.seed == p.seeds[0]]
    runs = [r for r in reference_runs(configs) if (r.path / "weights.safetensors").is_file()]
    there = {r.config.label for r in runs}
    return runs, [c.label.replace("beta", "β") for c in configs if c.label not in there]


def packed_files() -> list[Path]:
    """What the page's data are made from, besides the code and the digits."""
    names = ("config.json", "environment.json", "weights.safetensors")
    return [run.path / name for run in plane_runs()[0] for name in names]


def write_live_plane(folder: Path) -> list[str]:
    """Writes the page's data: about.js, digits.js, and two scripts a model; the names of the models that are missing.

    Raises DataError where the digits are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    runs, missing = plane_runs()
    p = parameters(CHAPTER, PROFILE)
    images, labels = (part[:SHOWN] for part in load_dataset(p.dataset, p.data_root)["test"])
    models = []
    for run in runs:
        packed, about = pack_run(run, images)
        models.append(about)
        for part, layers in packed.items():
            _write_script(folder / f"{about['file']}-{part}.js", layers)
    _write_script(folder / "digits.js", pack_digits(images, labels))
    about = {
        "models": models,
        "missing": missing,
        "palette": DIGITS,
        "mass": MASS,
        "digits": len(images),
        "conditions": CONDITIONS,
        "bend": BEND,
        "words": {name: [*word, word.levels] for name, word in WORDS.items()},
    }
    _write_script(folder / LAST, about)
    return missing


def _write_script(path: Path, content: dict | list) -> None:
    """A script that hands its content to the page."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    write_bytes(path, f"livePlane.arrived({text});\n".encode())


def told_provenance() -> str:
    """Where the weights come from, folded, as MyST; empty where no run is there."""
    runs, _ = plane_runs()
    return folded(provenance(CHAPTERS[CHAPTER], PROFILE, runs)) if runs else ""
