"""The run store: one directory a run, named by what determines its result; whole or absent; no pickles."""

import contextlib
import hashlib
import json
import os
import shutil
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.datasets import ROOT
from vimae_core.networks import Autoencoder, Posterior, build_network
from vimae_core.priors import make_prior
from vimae_core.sources import PACKAGE, source_digest

ROWS = 500  # encoded or decoded at a time: at the paper's width a layer of 500 images takes 400 MB


class RunError(Exception):
    """A run cannot go on, or what is stored of it cannot be used."""


def runs_root() -> Path:
    """The run store: `VIMAE_RUNS`, else the project's `runs/`."""
    return Path(os.environ.get("VIMAE_RUNS") or ROOT / "runs").expanduser().resolve()


def config_digest(config: RunConfig) -> str:
    """Names a configuration by its scientific fields alone."""
    return _digest(config.scientific)


def run_path(config: RunConfig, data_digest: str) -> Path:
    """The directory of a run: its fields, its data, and the code that training executes."""
    return runs_root() / _digest([config.scientific, data_digest, source_digest(PACKAGE / "training.py")])


def _digest(value) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def is_whole(path: Path) -> bool:
    """Whether a finished run lies there (its directory appears by one rename)."""
    return (path / "config.json").is_file()


@dataclass(frozen=True)
class Run:
    """A finished training: its configuration, losses and, where they were kept, weights."""

    config: RunConfig
    path: Path
    history: dict  # loss terms: per epoch, and per step for the first 50
    environment: dict  # versions, machine, time, commit

    @classmethod
    def load(cls, path: Path, **where) -> "Run":
        """Reads a run's JSON files; `where` sets `device` or `data_root`. Raises RunError naming the damaged file."""
        known = {f.name for f in fields(RunConfig)}
        stored = {k: v for k, v in read_json(path / "config.json").items() if k in known}
        return cls(
            config=RunConfig(**{**stored, **where}),
            path=path,
            history=read_json(path / "history.json"),
            environment=read_json(path / "environment.json"),
        )

    @cached_property
    def network(self) -> Autoencoder:
        """The trained network, on the configuration's device. Raises RunError where no weights were kept."""
        tensors, meta = load_tensors(self.path / "weights.safetensors")
        network = build_network(self.config, tuple(json.loads(meta["image_shape"])))
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
        return network.to(pick_device(self.config.device)).eval().requires_grad_(False)

    @property
    def prior(self):
        return make_prior(self.config.prior, self.config.latent_dim)

    def posterior(self, images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]) -> Posterior:
        """q(z|x) of images, uint8 or in [0, 1]; on the CPU."""
        device = next(self.network.parameters()).device
        parts = [self.network.encode(as_pixels(x.to(device))) for x in images.split(ROWS)]
        return Posterior(*(torch.cat(column).cpu() for column in zip(*parts, strict=True)))

    def encode(self, images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The posterior means: the features of an image."""
        return self.posterior(images).mean

    def logits(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """The decoder's output, logits of the pixel means; on the CPU."""
        device = next(self.network.parameters()).device
        return torch.cat([self.network.decode(part.to(device)).cpu() for part in z.split(ROWS)])

    def decode(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Pixel means in [0, 1]."""
        return torch.sigmoid(self.logits(z))

    def sample(self, n: int, generator: torch.Generator | None = None) -> Float[Tensor, "n c h w"]:
        """Images decoded from n draws of the prior."""
        return self.decode(self.prior.sample(n, generator))


def as_pixels(images: Tensor) -> Tensor:
    """Pixels in [0, 1], from bytes."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images


def pick_device(name: str) -> torch.device:
    """The device of that name; auto: CUDA where there is one. Raises RunError where it is missing."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RunError(
            f"device={name!r} is not there: {torch.cuda.device_count()} CUDA device(s) seen; use 'cpu' or 'auto'"
        )
    return device


# Files: written under another name, flushed, renamed. What carries the final name is whole.


def write_bytes(path: Path, content: bytes) -> None:
    _write(path, lambda part: part.write_bytes(content))


def write_json(path: Path, value) -> None:
    write_bytes(path, (json.dumps(value, indent=1) + "\n").encode())


def read_json(path: Path):
    """Raises RunError where the file is missing or damaged."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise RunError(f"{path} is missing") from None
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}). Remove the folder {path.parent} to compute it again.") from None


def save_tensors(path: Path, tensors: dict[str, Tensor], meta: dict[str, str]) -> None:
    """A safetensors file that carries a digest of its content."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    meta = {**meta, "digest": _content_digest(tensors, meta)}
    # One entry: safetensors writes several in random order, and the same run is to be the same bytes.
    _write(path, lambda part: save_file(tensors, part, {"vimae": json.dumps(meta, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata. Raises RunError where the file is missing, truncated or altered."""
    if not path.is_file():
        raise RunError(f"{path} is missing: this run was stored without it")
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            meta = json.loads((file.metadata() or {})["vimae"])
    except (SafetensorError, ValueError, KeyError) as error:
        raise RunError(f"{path} is damaged ({error}). Remove {path.parent} to train this run again.") from None
    digest = meta.pop("digest", None)
    if digest != _content_digest(tensors, meta):
        raise RunError(f"{path} is damaged (its digest differs). Remove {path.parent} to train this run again.")
    return tensors, meta


def _content_digest(tensors: dict[str, Tensor], meta: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def _write(path: Path, write) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise RunError(
            f"cannot write {path}: {error}. Nothing whole was overwritten. {free_space(path.parent)}"
        ) from None


def free_space(folder: Path) -> str:
    with contextlib.suppress(OSError):
        return f"{shutil.disk_usage(folder).free / 2**20:,.0f} MiB are free there; make room and call again."
    return ""
