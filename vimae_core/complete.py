"""complete: the runs of a chapter that the committed reference lacks, trained, measured and published one by one."""

from collections.abc import Iterator
from contextlib import ExitStack

from filelock import Timeout

from vimae_core.asked import asked_of
from vimae_core.chapters import load_chapter
from vimae_core.config import RunConfig
from vimae_core.datasets import load_dataset
from vimae_core.evaluation.record import check_measure, evaluate
from vimae_core.profiles import parameters
from vimae_core.reference import find_reference, publish, reference_record
from vimae_core.runs import Run, check_data, fit
from vimae_core.store import config_digest, lock, read_json, runs_root


def complete(chapter: str, profile: str = "reference") -> Iterator[Run]:
    """The runs that were missing, in the chapter's order, each as soon as it is published.

    A chapter's `keeps(config, p)` says whose weights go with the record. What another process is working at is left to
    it, so several of them share the work; killed at any moment, the next call goes on. Raises what `fit`, `evaluate`
    and the data sets do, for data that cannot be measured before anything is trained.
    """
    module, p = load_chapter(chapter), parameters(chapter, profile)
    keeps = getattr(module, "keeps", lambda config, p: False)
    missing = [(config, asked) for config, asked in asked_of(module, p).items() if not _published(config, asked)]
    if not missing:
        return
    data = load_dataset(p.dataset, p.data_root)
    for config, asked in missing:
        check_data(config, data)
        for measure, settings in asked.items():
            check_measure(measure, config, data, **settings)
    for config, asked in missing:
        with ExitStack() as held:
            try:
                held.enter_context(lock(runs_root() / f"{config_digest(config)}.complete", wait=False))
            except Timeout:
                continue
            if _published(config, asked):  # meanwhile, by another
                continue
            run = fit(config, data)
            for measure, settings in asked.items():
                evaluate(run, data=data, measure=measure, **settings)
            publish(run, weights=keeps(config, p))
        yield run


def _published(config: RunConfig, measures: dict[str, dict]) -> bool:
    """Whether it is there with all these measures, each as it is asked for; a setting that is younger than a record
    stood at its default."""
    run = find_reference(config)
    if run is None:
        return False
    by = read_json(run.path / "record.json")["determined_by"]  # the first records, of one measure, are not held to it
    return all(
        reference_record(run, measure)
        and all(by.get(measure, {}).get(name, value) == value for name, value in settings.items())
        for measure, settings in measures.items()
    )
