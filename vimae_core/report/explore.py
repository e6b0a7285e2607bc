"""A run under one's hands: its principal latent directions as sliders, in a notebook that is open in JupyterLab."""

import io
from dataclasses import dataclass
from functools import cache

import ipywidgets as widgets
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from vimae_core.config import PAPER_MODELS, RunConfig
from vimae_core.data import DataError
from vimae_core.datasets import TOY_FACES, load_dataset
from vimae_core.reference import REFERENCE
from vimae_core.runs import Run, fit, stored_runs

METHODS = {"AE": "ae", "VAE": "vae", "β-VAE": "beta-vae", "InfoVAE": "infovae", "VIMAE": "vimae"}
PRIORS = tuple(dict.fromkeys(RunConfig(**model).prior for model in PAPER_MODELS.values()))
SLIDERS, REACH = 8, 4.0  # at most as many; to either side, in standard deviations
SHOWN = 256  # pixels of the screen
SAID = ("dataset", "method", "prior", "latent_dim", "alpha", "lambda_", "lambda_schedule", "likelihood", "epochs",
        "n_train", "architecture", "decoder", "schedule", "seed")  # fmt: skip
ENCODED = 500  # test images whose codes give the directions


def runs_at_hand() -> list[Run]:
    """Every run whose weights are there: the committed ones, then those of the store."""
    published = [Run.load(path.parent) for path in REFERENCE.glob("*/weights.safetensors")]
    stored = [run for _, run in stored_runs() if isinstance(run, Run) and (run.path / "weights.safetensors").is_file()]
    return [run for runs in (published, stored) for run in sorted(runs, key=_plainness)]


def _plainness(run: Run) -> tuple:
    """What differs least from the protocol comes first."""
    return len(run.config.scientific), run.config.seed, run.path.name


def in_words(run: Run) -> str:
    """What tells it from other runs of its method, prior, data and latent size."""
    c = run.config
    where = "reference" if run.path.parent == REFERENCE else "this machine"
    weight = f"λ {'rises to ' * (c.lambda_schedule != 'constant')}{c.lambda_:g}, " if c.lambda_ != c.alpha else ""
    images = "" if c.n_train is None else f" of {c.n_train:,} images"
    others = "".join(f", {name.replace('_', ' ')} {value}" for name, value in c.scientific.items() if name not in SAID)
    return f"{weight}{c.likelihood}, {c.epochs} epoch{'s' * (c.epochs > 1)}{images}{others}, seed {c.seed} ({where})"


@cache
def images_of(dataset: str, data_root: str | None) -> UInt8[Tensor, "n c h w"] | None:
    """The first test images of a data set; None where they are not here, as CelebA's need not be."""
    try:
        return load_dataset(dataset, data_root)["test"][0][:ENCODED].clone()
    except DataError:
        return None


@dataclass(frozen=True)
class Directions:
    """An origin in the latent space and orthonormal directions, each with the length that is one step of its slider."""

    origin: Float[Tensor, " d"]
    vectors: Float[Tensor, "k d"]
    lengths: Float[Tensor, " k"]

    @classmethod
    def of(cls, run: Run, images: UInt8[Tensor, "n c h w"] | None) -> "Directions":
        """The principal components of the images' codes, in standard deviations.

        Without images those along which the picture at the prior's centre changes most, in the prior's deviations.
        """
        if images is None:
            d, std = run.config.latent_dim, run.prior.std
            changes = run.decode(std * torch.eye(d)) - run.decode(-std * torch.eye(d))
            vectors = torch.linalg.svd(changes.flatten(1), full_matrices=False)[0].T
            return cls(torch.zeros(d), vectors[:SLIDERS], torch.full((min(d, SLIDERS),), std))
        codes = run.encode(images)
        _, spread, vectors = torch.linalg.svd(codes - codes.mean(0), full_matrices=False)
        lengths = (spread / (len(codes) - 1) ** 0.5).clamp_min(1e-6)
        return cls(codes.mean(0), vectors[:SLIDERS], lengths[:SLIDERS])

    def split(self, z: Float[Tensor, " d"]) -> tuple[list[float], Float[Tensor, " d"]]:
        """A code as the sliders' values, none beyond their reach, and what they do not hold of it."""
        values = ((z - self.origin) @ self.vectors.T / self.lengths).clamp(-REACH, REACH)
        return values.tolist(), z - self.join(values.tolist(), torch.zeros_like(z))

    def join(self, values: list[float], rest: Float[Tensor, " d"]) -> Float[Tensor, " d"]:
        return self.origin + (torch.tensor(values) * self.lengths) @ self.vectors + rest


def as_png(image: Float[Tensor, "c h w"] | UInt8[Tensor, "c h w"]) -> bytes:
    """Bytes or pixels in [0, 1], grey or in colour, as a picture that is large enough to see."""
    pixels = image if image.dtype == torch.uint8 else (255 * image).round().to(torch.uint8)
    array = pixels.permute(1, 2, 0).numpy() if len(image) == 3 else pixels[0].numpy()
    buffer = io.BytesIO()
    Image.fromarray(array).resize((SHOWN, SHOWN), Image.Resampling.BICUBIC).save(buffer, "png")
    return buffer.getvalue()


class Explorer:
    """Pickers of a run, a slider a direction, and the picture that is decoded where they stand.

    `training` are the fields of a run that is trained here because it was asked for; its data, method, prior and latent
    size are picked.
    """

    def __init__(self, latent_dim: int | None = None, **training):
        self.training = {"architecture": "conv", "width": 0.125, "schedule": "one-cycle", **training}
        self.runs = runs_at_hand()
        datasets = dict.fromkeys(["mnist", TOY_FACES, *(run.config.dataset for run in self.runs)])
        sizes = dict.fromkeys(
            [*([latent_dim] if latent_dim else []), *sorted({r.config.latent_dim for r in self.runs})]
        )
        self.dataset = widgets.ToggleButtons(options=list(datasets), description="data")
        self.size = widgets.BoundedIntText(value=next(iter(sizes), 8), min=1, max=1024, description="latent size")
        self.method = widgets.ToggleButtons(options=METHODS, value="vimae", description="method")
        self.prior = widgets.ToggleButtons(options=PRIORS, description="prior")
        self.choice = widgets.Dropdown(description="run", layout={"width": "40em"})
        self.train = widgets.Button(description="train one", tooltip=f"with {self.training}")
        self.draw = widgets.Button(description="draw from the prior")
        self.index = widgets.IntSlider(description="test image", continuous_update=False)
        self.told = widgets.HTML()
        self.given, self.decoded = (widgets.Image(width=SHOWN, height=SHOWN) for _ in range(2))
        self.sliders: list[widgets.FloatSlider] = []
        self.of_directions = widgets.VBox()
        for picker in (self.dataset, self.size, self.method, self.prior):
            picker.observe(self._pick, "value")
        self.choice.observe(self._open, "value")
        self.train.on_click(self._train)
        self.draw.on_click(lambda _: self.go_to(self.run.prior.sample(1)[0], None))
        self.index.observe(lambda change: self._show_image(change["new"]), "value")
        self._pick()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        pictures = widgets.VBox([widgets.HBox([self.given, self.decoded]), self.index, self.draw])
        rows = [self.dataset, self.size, self.method, self.prior, widgets.HBox([self.choice, self.train]), self.told]
        display(widgets.VBox([*rows, widgets.HBox([self.of_directions, pictures])]))

    def go_to(self, z: Float[Tensor, " d"], image: UInt8[Tensor, "c h w"] | None) -> None:
        """Sets the sliders to a code, and beside what is decoded shows the image that it is of."""
        values, self.rest = self.directions.split(z)
        for slider, value in zip(self.sliders, values, strict=True):
            slider.unobserve_all()
            slider.value = value
            slider.observe(self._decode, "value")
        self.given.layout.visibility = "hidden" if image is None else "visible"
        self.given.value = b"" if image is None else as_png(image)
        self._decode()

    def _decode(self, _=None) -> None:
        z = self.directions.join([slider.value for slider in self.sliders], self.rest)
        self.decoded.value = as_png(self.run.decode(z[None])[0])

    def _pick(self, _=None) -> None:
        wanted = {"dataset": self.dataset.value, "latent_dim": self.size.value}
        wanted |= {"method": self.method.value, "prior": self.prior.value}
        self.wanted = wanted
        self.found = [run for run in self.runs if all(getattr(run.config, k) == v for k, v in wanted.items())]
        self.choice.options, self.choice.value = [(in_words(run), i) for i, run in enumerate(self.found)], None
        if self.found:
            self.choice.value = 0  # which opens it
            return
        sizes = sorted({run.config.latent_dim for run in self.runs if run.config.dataset == self.dataset.value})
        there = f"Runs of {self.dataset.value} have latent sizes {sizes}. " if sizes else ""
        self.told.value = f"No such run is here. {there}To train one takes a minute or more."
        self.of_directions.children = ()

    def _open(self, _=None) -> None:
        if self.choice.value is None:
            return
        self.run = run = self.found[self.choice.value]
        self.images = images_of(run.config.dataset, run.config.data_root)
        self.directions = Directions.of(run, self.images)
        bounds = {"min": -REACH, "max": REACH, "step": 0.05, "readout_format": ".1f"}
        self.sliders = [
            widgets.FloatSlider(description=f"{i + 1}", **bounds) for i in range(len(self.directions.lengths))
        ]
        self.of_directions.children = self.sliders
        self.index.disabled = self.images is None
        of = "codes of test images" if self.images is not None else "decoder (its test images are not here)"
        self.told.value = f"Principal directions of the {of}, in standard deviations."
        if self.images is None:
            self.go_to(self.directions.origin, None)
        else:
            self.index.max = len(self.images) - 1
            self._show_image(self.index.value)

    def _show_image(self, i: int) -> None:
        self.go_to(self.run.encode(self.images[i : i + 1])[0], self.images[i])

    def _train(self, _=None) -> None:
        self.told.value = "Training …"
        try:
            run = fit(RunConfig(**self.wanted, **self.training), progress=False)
        except (ValueError, DataError) as error:
            self.told.value = str(error)
            return
        self.runs = [run, *(other for other in self.runs if other.path != run.path)]
        self._pick()
