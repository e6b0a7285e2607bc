"""python -m vimae_core: train, evaluate and look at runs from the command line."""

import argparse
import inspect
import json
import sys
from dataclasses import fields

from vimae_core.config import CHOICES, RunConfig
from vimae_core.datasets import DataError, data_root, load_dataset
from vimae_core.evaluation.digit_network import DIGEST, WEIGHTS, store_digit_network
from vimae_core.evaluation.record import MEASURES, evaluate
from vimae_core.experiments import NOTEBOOKS, parameters, profile_names
from vimae_core.reference import REFERENCE, publish, verify
from vimae_core.report.latent_shape import drawn_runs
from vimae_core.report.results import build_results
from vimae_core.runs import Run, RunError, is_whole, runs_root
from vimae_core.training import fit


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; wrong input ends with one line on stderr and exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m vimae_core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, command in {"train": train, "evaluate": train_and_evaluate}.items():
        sub = commands.add_parser(name, help=command.__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
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
    commands.add_parser("show", help=show.__doc__).set_defaults(command=show)
    sub = commands.add_parser("publish", help=publish_profile.__doc__)
    sub.add_argument("--profile", choices=profile_names(), default="reference")
    sub.add_argument("--experiment", choices=list(NOTEBOOKS.values()), default="latent_shape")
    sub.set_defaults(command=publish_profile)
    commands.add_parser("verify-reference", help=verify_reference.__doc__).set_defaults(command=verify_reference)
    commands.add_parser("digit-network", help=train_network.__doc__).set_defaults(command=train_network)
    options = vars(parser.parse_args(arguments))
    try:
        return options.pop("command")(**options) or 0
    except (DataError, RunError, ValueError, TypeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


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


def train_and_evaluate(n_test: int | None = None, measures: list[str] | None = None, **config) -> None:
    """train one run if need be, and print its record"""
    asked = dict(map(parse_measure, measures or ["latent_fit"]))
    run = fit(RunConfig(**config))
    for measure, settings in asked.items():
        show_values(evaluate(run, measure=measure, **{"n_test": n_test, **settings}))
    print(run.path)


def parse_measure(text: str) -> tuple[str, dict]:
    """A measure and its settings, from `name` or `name={...}`. Raises ValueError."""
    name, _, settings = text.partition("=")
    try:
        values = json.loads(settings or "{}")
        inspect.signature(MEASURES[name]).bind(None, None, **values)
    except (KeyError, TypeError, ValueError) as error:
        possible = {m: list(inspect.signature(f).parameters)[2:] for m, f in MEASURES.items()}
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


def show() -> None:
    """list the runs in the store"""
    for path in sorted(p for p in runs_root().iterdir() if is_whole(p)) if runs_root().is_dir() else []:
        run = Run.load(path)
        fields_ = " ".join(f"{k.rstrip('_')}={v}" for k, v in run.config.scientific.items())
        print(f"{path.name}  {run.config.label:9}  {run.environment['seconds']:7.0f} s  {fields_}")


def publish_profile(profile: str, experiment: str) -> None:
    """copy an experiment's records, and the weights that its figures draw, into results/reference"""
    p, notebook = parameters(experiment, profile), next(n for n, e in NOTEBOOKS.items() if e == experiment)
    results = build_results(notebook, p, load_dataset(p.dataset, p.data_root))
    first = next(iter(results.values()))
    drawn = {run.path for run in (drawn_runs(results, p) if experiment == "latent_shape" else first.drawn()[0])}
    published = {publish(run, weights=run.path in drawn) for group in results.values() for run in group.runs}
    print(f"{len(published)} runs published in {REFERENCE}")


def verify_reference() -> int:
    """replay the first steps of every recorded run whose data are here; fail where the losses no longer agree"""
    paths = sorted(p for p in REFERENCE.iterdir() if is_whole(p)) if REFERENCE.is_dir() else []
    if not paths:
        raise RunError(f"{REFERENCE} holds no records")
    runs = [Run.load(path) for path in paths]
    names = {run.config.dataset for run in runs}
    data = {name: load_dataset(name) for name in sorted(names) if (data_root() / name).is_dir()}
    digests = {name: found.digest for name, found in data.items()}
    here = [run for run in runs if digests.get(run.config.dataset) == run.environment["data_digest"]]
    if not here:
        raise RunError(f"none of the {len(runs)} recorded runs was trained on data that are in {data_root()}")
    worst = max(verify(run, data[run.config.dataset]) for run in here)
    print(f"{len(here)} recorded runs agree with today's code; largest relative deviation of a loss term {worst:.1e}")
    if absent := len(runs) - len(here):
        others = ", ".join(sorted({run.config.dataset for run in runs if run not in here}))
        print(f"{absent} were not replayed: their pictures ({others}) are not in {data_root()}")
    return 0


def train_network() -> None:
    """train anew the network that measures generated digits, in place of the committed one"""
    network = store_digit_network(load_dataset())
    kept = "as before" if network.digest == DIGEST else f"{DIGEST} before: name the new one in digit_network.py"
    print(f"{WEIGHTS}: weights {network.digest} ({kept})")


if __name__ == "__main__":
    sys.exit(main())
