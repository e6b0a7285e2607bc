"""The record of `make bench`, as tables and a figure."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from vimae_core.config import RunConfig
from vimae_core.data import ROOT
from vimae_core.report.show import show_figure, show_table
from vimae_core.report.statistics import mean_over_seeds
from vimae_core.report.style import INK, PALE, SERIES, WIDTH
from vimae_core.store import read_json

RECORD = ROOT / "benchmarks" / "record.json"
# How many times as fast as pythae we wanted to be, and which share of the processor's peak to reach; set beforehand.
GOALS = {
    "conv 1/8 VAE": (5, None),
    "conv 1/8 WAE-MMD": (5, None),
    "conv 1/4 VAE": (5, 0.45),
    "conv 1/4 WAE-MMD": (5, 0.45),
    "mlp 3x256 VAE": (2.5, None),
    "mlp 3x256 WAE-MMD": (6, None),
}
PRODUCTS = ("convolutions", "matrix products")  # the shares of a step that multiply
EVALUATION = {  # how many images or points each handles
    "encode mlp 3x256": 60_000,
    "encode conv 1/8": 60_000,
    "MMD² of 10,000 and 10,000, d = 8": 10_000,
    "MMD² of 10,000 and 10,000, d = 64": 10_000,
}


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """None: its record is committed."""
    return {}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """None."""
    return {}


def load_record() -> dict:
    """Raises RunError where the record is missing or damaged."""
    return read_json(RECORD)


def provenance(record: dict, file: str = "record.json", command: str = "make bench") -> str:
    at, rounds = record["environment"], f"{record['rounds']} rounds; " if "rounds" in record else ""
    return (
        f"Provenance: benchmarks/{file}, written by `{command}`; {rounds}code {at['commit']}; "
        f"torch {at['torch']} on {at['device']}, {at['threads']} threads; {at['time'][:10]}."
    )


def _show(record: dict, name: str, what: str, rows: dict[str, dict], caption: str) -> None:
    show_table(pd.DataFrame(rows.values(), index=pd.Index(rows, name=what)), name, caption, provenance(record))


def briefly(record: dict) -> str:
    """How many times the peer's images a second, and what share of the machine's peak, over the trainings measured."""
    of = [c for c in record["comparisons"].values() if "pythae" in c]
    peers, shares = [c["pythae"]["ours is faster by"] for c in of], [100 * c["ours"]["share of peak"] for c in of]
    return (
        f"On {record['environment']['device']} this package trains {min(peers):.1f} to {max(peers):.1f} times as many "
        f"images a second as pythae, **and uses {min(shares):.0f} to {max(shares):.0f} % of what the processor could "
        "multiply at most**; the rest goes where the tables below say."
    )


def show_training(record: dict, name: str) -> None:
    """Displays the images a second of every trainer."""
    trainers = {
        "pythae": "pythae",
        "ours, fp32": "ours, fp32",
        f"ours, {record['precision']}": "ours",
        "two of a thread each": "ours, side by side",
    }
    columns = {
        title: [f"{record['comparisons'][what][trainer]['median']:,.0f}" for what in GOALS]
        for title, trainer in trainers.items()
    }
    show_table(
        pd.DataFrame(columns, index=pd.Index(GOALS, name="batches of 128")),
        name,
        "Images a second in training, medians over rounds in which the trainers take turns on the same cores, one "
        "process each. The last column: two trainings together, as the workflow has them.",
        provenance(record),
    )


def show_goals(record: dict, name: str) -> None:
    """Displays the ratios to the peer and to the processor's peak, and what was wanted."""
    rows = {}
    for what, (wanted, share) in GOALS.items():
        ours, peer = record["comparisons"][what]["ours"], record["comparisons"][what]["pythae"]
        shares = record["shares"][what.rsplit(" ", 1)[0]]
        rest = 1 - sum(shares.get(kind, 0) for kind in PRODUCTS)
        ratio, (low, high) = peer["ours is faster by"], peer["ratios"]
        rows[what] = {
            "ours / pythae": f"{ratio:.1f} ({low:.1f} to {high:.1f})",
            "wanted": _wanted(wanted, wanted <= ratio),
            "share of peak": f"{100 * ours['share of peak']:.0f} %",
            "share wanted": "—" if share is None else _wanted(100 * share, share <= ours["share of peak"], " %"),
            "at the peak": f"{ratio / (rest + ours['share of peak']):.1f}",
        }
    _show(
        record,
        name,
        "batches of 128",
        rows,
        "Training beside pythae and beside the processor: ratios within a round, with their range. The peak is the "
        "processor's rate in a large matrix product; the last column is what the ratio to pythae would be if every "
        "multiplication of the training ran at it, and all else took as long as it does.",
    )


def _wanted(goal: int | float, reached: bool, unit: str = "") -> str:
    return f"{goal:g}{unit}: {'reached' if reached else 'missed'}"


def show_rates(record: dict, name: str) -> None:
    """Displays the same on a logarithmic axis, beside the limit."""
    kinds = {"pythae": (PALE, "s"), "ours, fp32": (SERIES[5], "D"), "ours": (SERIES[0], "o"), "limit": (INK, "|")}
    figure, axis = plt.subplots(figsize=(WIDTH, 3.4))
    told = []
    for row, what in enumerate(GOALS):
        found = record["comparisons"][what]
        values = {kind: found[kind]["median"] for kind in ("pythae", "ours, fp32", "ours")}
        values["limit"] = found["peak"]["median"] / found["ours"]["flops"]
        axis.plot([values["pythae"], values["limit"]], [row, row], color=PALE, linewidth=0.8, zorder=0)
        for kind, value in values.items():
            colour, marker = kinds[kind]
            size, label = (14 if marker == "|" else 7), (kind if row == 0 else None)
            axis.plot(value, row, marker, color=colour, markersize=size, label=label, linestyle="")
        told.append(f"{what}: " + ", ".join(f"{kind} {value:,.0f}" for kind, value in values.items()))
    axis.set(xscale="log", xlabel="images a second", yticks=range(len(GOALS)), yticklabels=list(GOALS))
    axis.invert_yaxis()
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4)
    show_figure(
        figure,
        name,
        "**Images a second in training, and the limit.** Medians; the limit is the processor's peak divided by the "
        "operations of one image's step. Logarithmic axis.",
        "Images a second on a logarithmic axis. " + "; ".join(told),
        provenance(record),
    )


def show_levers(record: dict, name: str) -> None:
    """Displays how much slower a training is without each of what makes it fast."""
    nets = {what.split(", ")[1]: one for what, one in record["comparisons"].items() if what.startswith("levers")}
    levers = list(dict.fromkeys(lever for one in nets.values() for lever in one if lever != "ours"))
    columns = {}
    for net, one in nets.items():
        columns[net] = []
        for lever in levers:
            found = one.get(lever)
            span = "({:.2f} to {:.2f})".format(*found["ratios"]) if found else ""
            columns[net].append(f"{found['ours is faster by']:.2f} {span}" if found else "—")
    show_table(
        pd.DataFrame(columns, index=pd.Index(levers, name="what is taken away")),
        name,
        "How many times as fast VIMAE-n trains as it would without one of its levers; ratios within a round, with "
        "their range.",
        provenance(record),
    )


def show_seeds(record: dict, name: str) -> None:
    """Displays what it brings to train five seeds in one batched product."""
    found = {what: one for what, one in record["comparisons"].items() if what.startswith("five seeds")}
    rows = {}
    for what, one in found.items():
        ratio, (low, high) = one["one by one"]["ours is faster by"], one["one by one"]["ratios"]
        rows[what.removeprefix("five seeds, ")] = {
            "one by one": f"{one['one by one']['median']:,.0f}",
            "stacked": f"{one['ours']['median']:,.0f}",
            "two of a thread each": f"{one['side by side']['median']:,.0f}",
            "stacked / one by one": f"{ratio:.2f} ({low:.2f} to {high:.2f})",
            "wanted": _wanted(2, ratio >= 2),
        }
    _show(
        record,
        name,
        "five seeds",
        rows,
        "Five seeds of an MLP: images a second of all together, one training after the other, stacked into one "
        "batched product a layer, and one after the other in two processes of a thread each.",
    )


def show_shares(record: dict, name: str) -> None:
    """Displays where the time of a step goes."""
    kinds = list(dict.fromkeys(kind for shares in record["shares"].values() for kind in shares))
    kinds.sort(key=lambda kind: kind == "rest")
    columns = {net: [f"{100 * s[k]:.0f} %" if k in s else "—" for k in kinds] for net, s in record["shares"].items()}
    show_table(
        pd.DataFrame(columns, index=pd.Index(kinds, name="share of a step's time")),
        name,
        f"Where the time of a training step of VIMAE-n goes, in {record['precision']}, by PyTorch's profiler.",
        provenance(record),
    )


def show_evaluation(record: dict, name: str) -> None:
    """Displays how long evaluation takes beside the bare computation."""
    rows = {}
    for what, n in EVALUATION.items():
        ours, bare = record["comparisons"][what]["ours"], record["comparisons"][what]["bare"]
        times = 1 / bare["ours is faster by"]
        low, high = sorted(1 / ratio for ratio in bare["ratios"])
        rows[what] = {
            "seconds": f"{n / ours['median']:.3f}",
            "bare": f"{n / bare['median']:.3f}",
            "ours / bare": f"{times:.2f} ({low:.2f} to {high:.2f})",
            "wanted": _wanted(1.5, times <= 1.5),
        }
    _show(
        record,
        name,
        "evaluation",
        rows,
        "Seconds of an evaluation, medians, beside the bare computation: 60,000 images forward through the encoder, "
        "and one product of a 10,000 × d with a d × 10,000 matrix. Ratios within a round, with their range.",
    )


def show_memory(record: dict, name: str) -> None:
    """Displays seconds an epoch and memory against the number of images."""
    rows = []
    for net in ("mlp 3x256", "conv 1/4"):
        for one in record["memory"][net]:
            seconds = one["seconds an epoch"]
            rows.append(
                (
                    net,
                    f"{one['n_train']:,}",
                    f"{seconds:.1f}",
                    f"{1e6 * seconds / one['n_train']:.0f}",
                    f"{one['MiB']:,}",
                )
            )
    columns = ["network", "images", "seconds an epoch", "µs an image", "MiB at most"]
    show_table(
        pd.DataFrame(rows, columns=columns).set_index("network"),
        name,
        "Seconds an epoch and memory against the number of images: the whole process, Python and PyTorch included; the "
        f"data set itself is {record['memory']['data MiB']} MiB.",
        provenance(record),
    )


def show_quality(record: dict, name: str) -> None:
    """Displays final losses and probe accuracies in both precisions, and their paired differences over seeds."""
    rows = {}
    for net, methods in record["quality"].items():
        for method, found in methods.items() if net != "seeds" else ():
            if method != "config":
                rows[f"{net}, {'VAE' if method == 'vae' else 'VIMAE-n'}"] = {
                    **_both(found, "loss", "final loss, nats", 1.0, ".2f"),
                    **_both(found, "accuracy", "accuracy, %", 100.0, ".2f"),
                }
    _show(
        record,
        name,
        "",
        rows,
        "bf16 against fp32: the final training loss, and the test accuracy of a support vector machine on the "
        "posterior means of 1,000 labelled digits; mean and 95 % interval over seeds "
        f"{', '.join(map(str, record['quality']['seeds']))}, and of the difference within a seed.",
    )


def _both(found: dict, measure: str, title: str, scale: float, spec: str) -> dict[str, str]:
    fp32, bf16 = (scale * np.array(found[precision][measure]) for precision in ("fp32", "bf16"))
    values = {"fp32": fp32, "bf16": bf16, "bf16 − fp32": bf16 - fp32}
    return {f"{title}, {column}": format(mean_over_seeds(list(v)), spec) for column, v in values.items()}
