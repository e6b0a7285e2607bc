"""Profiles: the parameters of every chapter, from the YAML files of the workflow and from whoever changes them."""

from collections.abc import Iterable
from functools import cache
from types import SimpleNamespace

import yaml

from vimae_core.config import RunConfig, paper_model, plain
from vimae_core.corruptions import Corruption
from vimae_core.data import ROOT, data_root

PROFILES = ROOT / "workflow" / "profiles"
BASE = "base"  # holds every parameter; a profile says what differs

# Names that can be written in several ways; and numbers that must be greater than 0.
SPELLED = {
    **dict.fromkeys(("methods", "scale_methods"), lambda name: paper_model(name).label),
    **dict.fromkeys(("conditions", "curve", "condition"), lambda name: Corruption.of(name).name),
}
POSITIVE = ("n_test", "n_labels", "max_kl")


def profile_names() -> list[str]:
    return sorted(path.stem for path in PROFILES.glob("*.yaml") if path.stem != BASE)


def parameters(chapter: str, profile: str = "quick", **given) -> SimpleNamespace:
    """The parameters of a chapter: the base's, over them its profile's, and over them those given that are not None.

    A list may be given as any iterable, as one value, or as text with commas (papermill's -p passes text); what it
    names twice counts once. Raises ValueError that names an unknown profile or parameter, or a value that cannot be,
    and what is possible.
    """
    if profile not in profile_names():
        raise ValueError(f"profile={profile!r} is unknown: must be one of {', '.join(profile_names())}")
    base = _read(BASE, chapter)
    own = _read(profile, chapter)
    if unknown := sorted(set(own) - set(base)):
        raise ValueError(f"profile {profile}, {chapter}: {', '.join(unknown)} stand in no line of {BASE}.yaml")
    values = base | own
    if unknown := sorted(set(given) - set(values)):
        raise ValueError(f"unknown parameter(s) {', '.join(unknown)}: possible are {', '.join(['profile', *values])}")
    for name, value in given.items():
        if value is not None:
            values[name] = _like(values[name] or base[name], _plain(value), name)  # a profile may list none
    for name, value in values.items():
        if name in SPELLED:
            values[name] = [SPELLED[name](v) for v in value] if isinstance(value, list) else SPELLED[name](value)
        if isinstance(value, list):
            values[name] = list(dict.fromkeys(values[name]))
        if name in POSITIVE and not value > 0:
            raise ValueError(f"{name}={value!r} is not possible: must be greater than 0")
    return SimpleNamespace(profile=profile, **values)


def _read(profile: str, chapter: str) -> dict:
    return dict(_parsed((PROFILES / f"{profile}.yaml").read_text(encoding="utf-8")).get(chapter) or {})


@cache
def _parsed(text: str) -> dict:
    return yaml.safe_load(text) or {}


def _plain(value):
    """What NumPy, pathlib and iterators give as Python's own numbers, texts and lists."""
    value = plain(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | dict):
        return [_plain(part) for part in value]
    return value


def _like(default, value, name):
    """`value` as the type of the profile's: a list of what the profile lists, a number, a text."""
    if isinstance(default, list):
        items = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
        if not items:
            raise ValueError(f"{name}={value!r} is not possible: must name at least one value, such as {default}")
        return [_like(default[0] if default else None, item, name) for item in items]
    if default is None:
        return value
    try:
        if isinstance(value, bool) or (isinstance(value, float) and value != (converted := type(default)(value))):
            raise ValueError
        converted = type(default)(value.strip() if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"{name}={value!r} is not possible: must be {type(default).__name__}, such as {default!r}"
        ) from None
    return converted


def profile_at_hand(chapter: str, profile: str) -> str:
    """The profile; `quick`, with its toy faces, where that wants pictures of faces that are not here."""
    p = parameters(chapter, profile)
    missing = chapter == "faces" and p.dataset != "toy-faces" and not (data_root(p.data_root) / p.dataset).is_dir()
    return "quick" if missing else profile


def runs_together(profile: str) -> int:
    """How many short runs of one kind the workflow gives to one process."""
    return parameters("workflow", profile).together


def common_fields(p: SimpleNamespace) -> dict:
    """The fields of RunConfig that a chapter's parameters name, as all of its runs share them."""
    shared = ("dataset", "n_train", "architecture", "width", "encoder", "latent_dim", "epochs", "learning_rate")
    names = (*shared, "schedule", "precision", "device", "data_root")
    return {name: getattr(p, name) for name in names if hasattr(p, name)}


def asked_models(p: SimpleNamespace) -> list[RunConfig]:
    """The models that a chapter's parameters name, seed by seed: a stopped `reference` has whole seeds."""
    return [paper_model(m, seed=s, likelihood=p.likelihood, **common_fields(p)) for s in p.seeds for m in p.methods]
