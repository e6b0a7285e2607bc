"""python -m vimae_core: train, evaluate and look at runs from the command line."""

import argparse
import json
import os
import sys
import time
from dataclasses import fields
from itertools import chain

from vimae_core.chapters import CHAPTERS
from vimae_core.config import CHOICES, RunConfig
from vimae_core.data import DataError
from vimae_core.datasets import load_dataset
from vimae_core.evaluation.record import MEASURES, check_measure, evaluate, measure_settings
from vimae_core.profiles import profile_names
from vimae_core.runs import check_data, fit, stored_runs
from vimae_core.store import RunError, say

THEN = "--then"  # between the runs of one call


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; wrong input ends with one line on stderr and exit status 2, a reader that stops with 0."""
    parser, status = _parser(), 0
    for part in _one_by_one(sys.argv[1:] if arguments is None else arguments):
        options = vars(parser.parse_args(part))
        try:
            status = max(status, options.pop("command")(**options) or 0)
            sys.stdout.flush()
        except BrokenPipeError:  # nobody reads on; what Python still flushes at its end goes nowhere
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (DataError, RunError, ValueError, TypeError) as error:
            print(f"error: {error}", file=sys.stderr)
            status = 2
    return status


def _one_by_one(arguments: list[str]) -> list[list[str]]:
    """`evaluate A --then B` is `evaluate A` and `evaluate B`, in one process."""
    parts = [[]]
    for argument in arguments:
        if argument == THEN:
            parts.append(arguments[:1])
        else:
            parts[-1].append(argument)
    return parts


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vimae_core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command in {"train": train, "evaluate": train_and_evaluate}.items():
        sub = commands.add_parser(
            name,
            help=command.__doc__,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            epilog=f"several runs, one after the other: {name} FLAGS {THEN} FLAGS ...",
        )
        add_flags(sub)
        sub.set_defaults(command=command)
    commands.choices["evaluate"].add_argument("--n-test", type=int, help="the first n test images only")
    commands.choices["evaluate"].add_argument(
        "--measure",
        action="append",
        dest="measures",
        metavar="NAME or NAME={...}",
        help=f'{", ".join(MEASURES)}; settings as JSON, such as probes={{"draws": [10]}}; several times for several',
    )
    commands.choices["evaluate"].add_argument("--quiet", action="store_true", help="a line in place of the record")
    commands.add_parser("show", help=show.__doc__).set_defaults(command=show)
    sub = commands.add_parser("prune", help=prune_store.__doc__)
    sub.add_argument("--yes", action="store_true", help="remove them without asking")
    sub.set_defaults(command=prune_store)
    sub = commands.add_parser("publish", help=publish_profile.__doc__)
    sub.add_argument("--profile", choices=profile_names(), default="reference")
    sub.add_argument("--chapter", choices=list(CHAPTERS), default="latent_shape")
    sub.set_defaults(command=publish_profile)
    sub = commands.add_parser("complete", help=complete_reference.__doc__)
    sub.add_argument("--chapter", choices=list(CHAPTERS), required=True)
    sub.set_defaults(command=complete_reference)
    commands.add_parser("codes", help=shown_codes.__doc__).set_defaults(command=shown_codes)
    commands.add_parser("verify-reference", help=verify_reference.__doc__).set_defaults(command=verify_reference)
    commands.add_parser("digit-network", help=train_network.__doc__).set_defaults(command=train_network)
    return parser


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Every field of RunConfig as a flag: latent_dim is --latent-dim, lambda_ is --lambda."""
    for field in fields(RunConfig):
        kind = getattr(field.type, "__args__", (field.type,))[0]
        parser.add_argument(
            flag(field.name),
            dest=field.name,
            type=kind,
            default=field.default,
            choices=CHOICES.get(field.name),
            help=" ",
        )


def flag(field: str) -> str:
    return "--" + field.rstrip("_").replace("_", "-")


def as_flags(config: RunConfig) -> list[str]:
    """The flags that name this configuration: what `train` would be called with."""
    default = {f.name: f.default for f in fields(RunConfig)}
    changed = {**config.scientific, "device": config.device, "data_root": config.data_root}
    return [text for name, v in changed.items() if v != default[name] for text in (flag(name), str(v))]


def train(**config) -> None:
    """train one run, or find it trained"""
    print(fit(RunConfig(**config)).path)


def train_and_evaluate(n_test: int | None, measures: list[str] | None, quiet: bool, **config) -> None:
    """train one run if need be, and print its record"""
    asked = {name: {"n_test": n_test, **own} for name, own in map(parse_measure, measures or ["latent_fit"])}
    config = RunConfig(**config)
    data = load_dataset(config.dataset, config.data_root)
    check_data(config, data)
    for measure, settings in asked.items():
        check_measure(measure, config, data, **settings)
    run, begun = fit(config, data), time.monotonic()
    for measure, settings in asked.items():
        record = evaluate(run, data=data, measure=measure, **settings)
        if not quiet:
            show_values(record)
    if quiet:
        took = f"{', '.join(asked)} in {time.monotonic() - begun:.1f} s"
        say(f"{run.path.name}  {config.label} seed {config.seed}: measured, {took}\n")
    else:
        print(run.path)


def parse_measure(text: str) -> tuple[str, dict]:
    """A measure and its settings, from `name` or `name={...}`. Raises ValueError."""
    name, _, settings = text.partition("=")
    try:
        values = json.loads(settings or "{}")
        if unknown := set(values) - set(measure_settings(name)):
            raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    except (TypeError, ValueError) as error:
        possible = {measure: measure_settings(measure) for measure in MEASURES}
        raise ValueError(f"measure={text!r} is not possible ({error}): must be one of {possible}") from None
    return name, values


def show_values(values: dict, above: str = "") -> None:
    """One line a number; what is nested under the names above it."""
    for name, value in values.items():
        if isinstance(value, dict):
            show_values(value, f"{above}{name} ")
        else:
            numbers = value if isinstance(value, list) else [value]
            if numbers and isinstance(numbers[0], list):  # codes: for figures
                numbers = [f"{len(numbers)} x {len(numbers[0])} numbers"]
            print(f"{above + name:28}", *(f"{v:.6g}" if isinstance(v, int | float) else v for v in numbers))


def show() -> int:
    """list the runs in the store, and by name those that are damaged"""
    damaged = 0
    for path, run in stored_runs():
        if isinstance(run, RunError):
            damaged += 1
            print(f"{path.name}  damaged: {run}", file=sys.stderr)
        else:
            fields_ = " ".join(f"{k.rstrip('_')}={v}" for k, v in run.config.scientific.items())
            print(f"{path.name}  {run.config.label:9}  {run.environment['seconds']:7.0f} s  {fields_}")
    return 2 if damaged else 0


def prune_store(yes: bool) -> None:
    """list what no present code would find in the store, and remove it when asked to"""
    from vimae_core.prune import remove, unfound

    found = unfound()
    for path, why in found.items():
        print(f"{path}  {why}")
    if not found:
        print("nothing to remove: every run here is one that today's code finds")
    elif yes or input(f"Remove these {len(found)} folders? [y/N] ").strip().lower() in ("y", "yes"):
        busy = remove(found)
        print(f"{len(found) - len(busy)} removed")
        for path in busy:
            print(f"{path} is left: another process is at it")
    else:
        print("nothing removed")


def publish_profile(profile: str, chapter: str) -> None:
    """copy a chapter's records, and the weights that its figures draw, into results/reference"""
    from vimae_core.chapters import load_chapter
    from vimae_core.profiles import parameters
    from vimae_core.reference import REFERENCE, publish
    from vimae_core.report.results import build_results

    p, module = parameters(chapter, profile), load_chapter(chapter)
    results = build_results(chapter, p, load_dataset(p.dataset, p.data_root))
    all_runs = list(chain(*(group.runs for group in results.values())))
    if hasattr(module, "keeps"):
        drawn = [run for run in all_runs if module.keeps(run.config, p)]
    else:
        drawn = module.drawn(results, p) if hasattr(module, "drawn") else next(iter(results.values())).drawn()[0]
    kept = {run.path for run in drawn}
    published = {publish(run, weights=run.path in kept) for run in all_runs}
    print(f"{len(published)} runs published in {REFERENCE}")


def complete_reference(chapter: str) -> None:
    """train, measure and publish the reference's runs of a chapter that results/reference lacks; several at once share
    them"""
    from vimae_core.complete import complete

    for run in complete(chapter):
        print(f"published: {run.config.label} seed {run.config.seed}", flush=True)


def shown_codes() -> None:
    """write the codes that the page of lambda shows and results/codes lacks; train what has no committed weights"""
    from vimae_core.codes import complete_codes
    from vimae_core.report.live_lambda import drawn_configs

    for config in complete_codes(drawn_configs(), load_dataset()):
        print(f"written: {config.label} seed {config.seed}", flush=True)


def verify_reference() -> int:
    """replay the first steps of every recorded run whose data are here, and measure anew what is cheap; fail where
    today's code no longer agrees"""
    from vimae_core.verify import verify_all

    return verify_all()


def train_network() -> None:
    """train anew the network that measures generated digits, in place of the committed one"""
    from vimae_core.evaluation.digit_network import DIGEST, WEIGHTS, store_digit_network

    network = store_digit_network(load_dataset())
    kept = "as before" if network.digest == DIGEST else f"{DIGEST} before: name the new one in digit_network.py"
    print(f"{WEIGHTS}: weights {network.digest} ({kept})")


if __name__ == "__main__":
    sys.exit(main())
