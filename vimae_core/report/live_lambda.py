"""The page of lambda, live: each place of its slider with the records' numbers and the codes of one run."""

import json
import math
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from vimae_core.chapters import CHAPTERS, conventions, latent_shape
from vimae_core.chapters.conventions import ENOUGH_RATE
from vimae_core.chapters.latent_shape_figures import MASS
from vimae_core.codes import PER_UNIT, N, codes_path, read_codes
from vimae_core.config import RunConfig
from vimae_core.conventions import CONVENTIONS
from vimae_core.data import Dataset
from vimae_core.priors import Prior, make_prior
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE, find_reference, reference_record
from vimae_core.report.provenance import folded, provenance
from vimae_core.report.style import DIGITS
from vimae_core.runs import Run
from vimae_core.store import RunError, config_digest

COSTS = {"bernoulli": "λ, Bernoulli", "gaussian": "λ, Gaussian", "wae": "λ, 0.05 × squared error"}
CONVENTION = "the convention"


@dataclass
class Point:
    """A place of the slider: one configuration, by the seeds that were recorded; the first of them is drawn."""

    label: str  # under the slider
    said: str  # in a sentence
    runs: list[Run] = field(default_factory=list)

    @property
    def config(self) -> RunConfig:
        return self.runs[0].config

    def values(self, measure: str) -> list[float]:
        """A measure of `latent_fit`, a value a seed."""
        return [reference_record(run)[measure] for run in self.runs]

    @property
    def empty(self) -> int:
        """How many seeds have a code that tells next to nothing."""
        return sum(rate < ENOUGH_RATE for rate in self.values("rate"))


Paths = dict[str, dict[str, list[Point]]]  # what the slider moves -> model -> its points


def read_paths() -> Paths:
    """What the slider can move: lambda under each likelihood, and the convention; with the committed runs.

    The convention under which lambda rises also ends the path of lambda under its likelihood. Raises RunError naming a
    run that is not there, or has no record.
    """
    p, q = parameters("latent_shape", "reference"), parameters("conventions", "reference")
    plane = {c: conventions.plane(q, c) for c in CONVENTIONS}
    rising = [config for config in plane["constrained"] if config.lambda_schedule != "constant"]
    found: Paths = {name: {} for name in (*(COSTS[likelihood] for likelihood in p.likelihoods), CONVENTION)}
    for config in latent_shape.runs(p)["grid"] + rising:
        weight, rises = f"{config.lambda_:,g}", config.lambda_schedule != "constant"
        said = f"λ rising from 0 to {weight}" if rises else f"λ = {weight} from the first step"
        _add(found[COSTS[config.likelihood]], f"{'↗ ' * rises}{weight}", said, config)
    for convention, configs in plane.items():
        for config in configs:
            _add(found[CONVENTION], convention, f"under the convention {convention}", config)
    return found


def _add(path: dict[str, list[Point]], label: str, said: str, config: RunConfig) -> None:
    run = find_reference(config)
    if run is None or not {"kl", "rate"} <= set(reference_record(run)):
        raise RunError(
            f"{REFERENCE / config_digest(config)} holds no record of {config.label}, {said}, seed {config.seed}. "
            "Restore it from git."
        )
    points = path.setdefault(config.label, [])
    if not points or points[-1].label != label:
        points.append(Point(label, said))
    points[-1].runs.append(run)


def drawn_configs() -> list[RunConfig]:
    """The runs whose codes the page draws, each once; lambda first, as it is what the page is about."""
    points = (point for path in read_paths().values() for points in path.values() for point in points)
    return list(dict.fromkeys(point.config for point in points))


def script(paths: Paths, data: Dataset) -> str:
    """All that the page draws, as a script: a page opened from disk may load one, and may read no other file.

    null stands for what is infinite, and for the `drawn` of a point without codes.
    Raises RunError for codes that are damaged.
    """
    points = (point for path in paths.values() for points in path.values() for point in points)
    shown = {
        "criterion": parameters("latent_shape", "reference").max_kl,
        "enough": ENOUGH_RATE,
        "perUnit": PER_UNIT,
        "colours": DIGITS,
        "labels": data["test"][1][:N].tolist(),
        "rings": {name: rings(make_prior(name, 2)) for name in sorted({point.config.prior for point in points})},
        "models": list(paths[CONVENTION]),
        "paths": [
            {"name": name, "models": {model: [_shown(p, data) for p in points] for model, points in path.items()}}
            for name, path in paths.items()
        ],
    }  # fmt: skip
    text = json.dumps(shown, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return f"window.liveLambda = {text};\n"


def _shown(point: Point, data: Dataset) -> dict:
    kl, rate = (point.values(measure) for measure in ("kl", "rate"))
    return {
        "label": point.label,
        "said": point.said,
        "prior": point.config.prior,
        "word": word(kl, rate),
        "kl": _over_seeds(kl),
        "rate": _over_seeds(rate),
        "band": [min(point.values("kl_null_low")), max(point.values("kl_null_high"))],
        "drawn": _drawn(point.config, data),
    }


def _drawn(config: RunConfig, data: Dataset) -> dict | None:
    if not codes_path(config).is_file():  # the page says so
        return None
    codes = read_codes(config, data.digest)
    kl, rate = _finite([codes.kl, codes.rate])
    own = {"seed": config.seed, "again": codes.trained_again, "kl": kl, "rate": rate}
    return {**own, "codes": codes.hundredths.ravel().tolist()}


def _over_seeds(values: list[float]) -> dict:
    """With median and range, as one seed far away takes the mean where no seed is, and its interval below zero."""
    median, low, high = _finite([float(np.median(values)), min(values), max(values)])
    return {"seeds": _finite(values), "median": median, "range": [low, high]}


def _finite(values) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]


def word(kl: list[float], rate: list[float]) -> str:
    """Whether a point fits its prior by the protocol's criterion; an empty code fits nothing."""
    if np.mean(rate) < ENOUGH_RATE:
        return "empty"
    return latent_shape.VERDICTS[latent_shape.fits(kl, parameters("latent_shape", "reference").max_kl)]


def rings(prior: Prior, corners: int = 72) -> list[list[list[float]]]:
    """Lines of equal density around MASS of a prior on the plane, each as its corners (x, y)."""
    draws = prior.log_prob(prior.sample(100_000, torch.Generator().manual_seed(0)))
    angle = torch.arange(corners) * (2 * math.pi / corners)
    ways = torch.stack([angle.cos(), angle.sin()], 1)
    levels = torch.quantile(draws, torch.tensor([1 - mass for mass in MASS]))
    return [(_reach(prior, ways, level)[:, None] * ways).double().numpy().round(3).tolist() for level in levels]


def _reach(prior: Prior, ways: Float[Tensor, "n 2"], level: Float[Tensor, ""]) -> Float[Tensor, " n"]:
    """How far in each direction the log density, which falls outwards, stays above a level: by halving."""
    near, far = torch.zeros(len(ways)), torch.full((len(ways),), 20 * prior.std)
    for _ in range(30):
        middle = (near + far) / 2
        inside = prior.log_prob(middle[:, None] * ways) > level
        near, far = torch.where(inside, middle, near), torch.where(inside, far, middle)
    return near


def told_provenance(paths: Paths, data: Dataset) -> str:
    """Where the numbers come from, and the codes that are drawn beside them, folded, as MyST: a paragraph each."""
    runs = {
        name: [r for points in path.values() for point in points for r in point.runs] for name, path in paths.items()
    }
    grid = [run for name in COSTS.values() for run in runs[name] if run.config.lambda_schedule == "constant"]
    codes = [read_codes(config, data.digest) for config in drawn_configs() if codes_path(config).is_file()]
    again = [c.environment for c in codes if c.trained_again]
    commits, devices, days = (
        sorted({str(e[k])[:n] for e in again}) for k, n in (("commit", 7), ("device", 99), ("time", 10))
    )
    told = [
        provenance(CHAPTERS["latent_shape"], "reference", grid),
        provenance(CHAPTERS["conventions"], "reference", runs[CONVENTION]),
        f"Codes: results/codes, the first {N:,} test digits of one run a point, {len(codes)} runs. Of "
        f"{len(codes) - len(again)} the weights are committed; {len(again)} were trained again for these codes, by "
        f"commit {', '.join(commits)} on {', '.join(devices)}, {', '.join(days)}.",
    ]
    return folded("\n\n".join(told))
