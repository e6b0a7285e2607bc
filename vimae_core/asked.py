"""What a profile asks for: every run with its measures, and what of them the store lacks. The workflow makes it."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace

from vimae_core.chapters import CHAPTERS, load_chapter
from vimae_core.config import RunConfig
from vimae_core.datasets import data_digest
from vimae_core.evaluation.record import outdated
from vimae_core.profiles import parameters, profile_at_hand
from vimae_core.store import is_whole, run_path


@dataclass
class Asked:
    """A run with what is to be measured of it, each measure with its settings, and the chapters that show it."""

    config: RunConfig
    path: Path  # its folder in the store
    measures: dict[str, dict]
    chapters: list[str]

    @property
    def record(self) -> Path:
        return self.path / "record.json"

    @property
    def is_trained(self) -> bool:
        return is_whole(self.path)

    def lacking(self) -> list[str]:
        """The measures that its record does not hold as today's code makes them."""
        return outdated(self.record, self.config, self.measures)


def asked_of(module: ModuleType | SimpleNamespace, p: SimpleNamespace) -> dict[RunConfig, dict[str, dict]]:
    """Every run of a chapter with its measures: of a run in two groups, both groups'."""
    asked: dict[RunConfig, dict[str, dict]] = {}
    for group, configs in module.runs(p).items():
        for config in configs:
            asked.setdefault(config, {}).update(module.measures(group, p))
    return asked


def profiles_of(profile: str) -> dict[str, str]:
    """The profile of each chapter: another one where its pictures are not here."""
    return {chapter: profile_at_hand(chapter, profile) for chapter in CHAPTERS}


def told_of(profile: str) -> list[str]:
    """A line for each chapter that has another profile, why."""
    return [
        f"{chapter}: the data set {parameters(chapter, profile).dataset} of profile {profile} is not here: profile "
        f"{own}, on {parameters(chapter, own).dataset}"
        for chapter, own in profiles_of(profile).items()
        if own != profile
    ]


def asked_runs(profile: str) -> list[Asked]:
    """Every run of a profile, each once. Raises ValueError for an unknown profile; DataError for altered data."""
    digest_of = cache(data_digest)  # many runs, one data set
    found: dict[Path, Asked] = {}
    for chapter, own in profiles_of(profile).items():
        for config, measures in asked_of(load_chapter(chapter), parameters(chapter, own)).items():
            # Named by fields, data and training code: a changed one is another folder, which is missing.
            path = run_path(config, digest_of(config.dataset, config.data_root))
            asked = found.setdefault(path, Asked(config, path, {}, []))
            asked.measures |= measures
            asked.chapters.append(chapter)
    return list(found.values())
