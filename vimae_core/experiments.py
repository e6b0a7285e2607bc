"""The experiments: their profiles, their parameters, and the runs that each notebook needs."""

from functools import cache
from types import SimpleNamespace

import yaml

from vimae_core.config import RunConfig, paper_model
from vimae_core.corruptions import Corruption
from vimae_core.datasets import ROOT, TOY_FACES, data_root
from vimae_core.evaluation.features import feature_network

PROFILES = ROOT / "workflow" / "profiles"


def profile_names() -> list[str]:
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def parameters(experiment: str, profile: str = "quick", **given) -> SimpleNamespace:
    """The parameters of an experiment: its profile's, and over them those given that are not None.

    A list may be given as a list, as one value, or as text with commas (papermill's -p passes text).
    Raises ValueError that names an unknown profile or parameter, or a value of the wrong type, and what
    is possible.
    """
    if profile not in profile_names():
        raise ValueError(f"profile={profile!r} is unknown: must be one of {', '.join(profile_names())}")
    values = yaml.safe_load((PROFILES / f"{profile}.yaml").read_text())[experiment]
    if unknown := sorted(set(given) - set(values)):
        raise ValueError(f"unknown parameter(s) {', '.join(unknown)}: possible are profile, {', '.join(values)}")
    for name, value in given.items():
        if value is not None:
            values[name] = _like(values[name], value, name)
    return SimpleNamespace(profile=profile, **values)


def _like(default, value, name):
    """`value` as the type of the profile's: a list of what the profile lists, a number, a text."""
    if isinstance(default, list):
        items = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
        if not items:
            raise ValueError(f"{name}={value!r} is not possible: must name at least one value, such as {default}")
        return [_like(default[0], item, name) for item in items]
    if default is None:
        return value
    try:
        if isinstance(value, bool) or (isinstance(value, float) and value != (converted := type(default)(value))):
            raise ValueError
        converted = type(default)(value.strip() if isinstance(value, str) else value)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name}={value!r} is not possible: must be {type(default).__name__}, such as {default!r}"
        ) from None
    return converted


def latent_shape_runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """The runs of section 5.1. `figure`: the paper's models at its lambda = beta = 10. `grid`: VIMAE-n over
    likelihoods and lambdas, and VIMAE-l over lambdas under the protocol's likelihood."""
    common = {
        "dataset": p.dataset,
        "n_train": p.n_train,
        "epochs": p.epochs,
        "schedule": p.schedule,
        "device": p.device,
        "data_root": p.data_root,
    }
    figure = [paper_model(m, seed=s, likelihood=p.likelihood, **common) for m in p.methods for s in p.seeds]
    grid = [
        paper_model(m, seed=s, lambda_=lam, likelihood=likelihood, **common)
        for m in ("VIMAE-n", "VIMAE-l")
        for likelihood in dict.fromkeys([p.likelihood, *(p.likelihoods if m == "VIMAE-n" else [])])
        for lam in p.lambdas
        for s in (p.seeds if likelihood == p.likelihood else p.grid_seeds)
    ]
    return {"figure": figure, "grid": grid}


def training_runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """The paper's models at its lambda = beta = 10 with the networks of section 5.2, to be watched while they train."""
    return {"training": _models(p)}


def generation_runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """The runs of Figure 2: the models of Table 1."""
    Corruption.of(p.condition)
    return {"table": _models(p)}


def capacity_runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """The runs of Table 1, `table`; and `sweep`, VAEs of other weights of the rate (1 is the VAE's) and likelihoods."""
    for condition in (*p.conditions, *p.curve):
        Corruption.of(condition)
    sweep = [
        paper_model("VAE", seed=s, likelihood=likelihood, **_common(p))
        if weight == 1
        else paper_model("beta-VAE", seed=s, likelihood=likelihood, lambda_=weight, **_common(p))
        for likelihood in p.sweep_likelihoods
        for s in p.sweep_seeds
        for weight in p.rate_weights
    ]
    table = _models(p)
    return {"table": table, "sweep": [config for config in sweep if config not in table]}


def profile_at_hand(experiment: str, profile: str) -> str:
    """The profile; `quick`, with its toy faces, where that wants pictures of faces that are not here."""
    p = parameters(experiment, profile)
    missing = experiment == "faces" and p.dataset != TOY_FACES and not (data_root(p.data_root) / p.dataset).is_dir()
    return "quick" if missing else profile


def faces_runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """The runs of Figure 3 and Table 2, `table`; and `scale`, some of its models under other likelihoods."""
    scale = [
        _face_model(m, s, likelihood, p)
        for s in p.scale_seeds
        for likelihood in p.scale_likelihoods
        for m in p.scale_methods
    ]
    table = [_face_model(m, s, p.likelihood, p) for s in p.seeds for m in p.methods]
    return {"table": table, "scale": [config for config in scale if config not in table]}


def _face_model(name: str, seed: int, likelihood: str, p: SimpleNamespace) -> RunConfig:
    free = paper_model(name).method in ("beta-vae", "infovae", "vimae")  # else lambda is the method's own
    chosen = {"seed": seed, "likelihood": likelihood, "lambda_": p.lambda_ if free else None}
    return paper_model(name, **chosen, encoder=p.encoder, learning_rate=p.learning_rate, **_common(p))


def measures(experiment: str, group: str, p: SimpleNamespace) -> dict[str, dict]:
    """What is measured of a group's runs: each measure with its settings."""
    if experiment == "capacity":
        draws = p.draws if group == "table" else p.sweep_draws
        settings = {"conditions": p.conditions, "curve": p.curve, "n_labels": p.n_labels, "draws": draws}
        return {"probes": {"n_test": p.n_test, **settings}}
    if experiment == "faces":
        return {"latent_fit": {"n_test": p.n_test}, "faces": {"n_test": p.n_test, **_features(p.features, p.inception)}}
    shape = {"latent_fit": {"n_test": p.n_test}}
    if experiment == "generation":
        return {**shape, "generation": {"n_test": p.n_test, "condition": p.condition}}
    return shape


@cache
def _features(name: str, weights: str | None) -> dict:
    """The features that are at hand, by the digest of their weights: others are other numbers."""
    network = feature_network(name, weights, device="cpu")
    return {"features": network.name, "weights": weights, "digest": network.digest}


def _models(p: SimpleNamespace) -> list[RunConfig]:
    """The models that are asked for, seed by seed: a stopped `reference` has whole seeds."""
    return [paper_model(m, seed=s, likelihood=p.likelihood, **_common(p)) for s in p.seeds for m in p.methods]


def _common(p: SimpleNamespace) -> dict:
    """What all runs of a convolutional experiment share."""
    names = ("dataset", "n_train", "architecture", "width", "latent_dim", "epochs", "schedule", "precision")
    return {name: getattr(p, name) for name in (*names, "device", "data_root")}


def no_runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """Of a notebook that only renders a committed record."""
    return {}


RUNS = {  # experiment -> its runs
    "latent_shape": latent_shape_runs,
    "training": training_runs,
    "capacity": capacity_runs,
    "generation": generation_runs,
    "faces": faces_runs,
    "speed": no_runs,
}
NOTEBOOKS = {  # -> its experiment
    "01_latent_shape": "latent_shape",
    "02_training": "training",
    "03_capacity_semi_supervised": "capacity",
    "04_mnist_generation": "generation",
    "05_celeba_generation": "faces",
    "speed": "speed",
}


def all_runs(profile: str) -> list[RunConfig]:
    """Every run of a profile, each once."""
    asked = {name: parameters(name, profile_at_hand(name, profile)) for name in RUNS}
    groups = (group for name, runs in RUNS.items() for group in runs(asked[name]).values())
    return list(dict.fromkeys(config for group in groups for config in group))
