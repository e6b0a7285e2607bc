"""The record of `make bench`, as tables and a figure."""

from collections.abc import Callable
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from vimae_core.config import RunConfig
from vimae_core.data import ROOT
from vimae_core.report.show import show_figure, show_table, show_tabs
from vimae_core.report.style import INK, PALE, SERIES, WIDTH
from vimae_core.store import read_json

# By what multiplies bf16; each has its record.
MACHINES = {"amx": "a processor with AMX", "avx512": "a processor without AMX", "fp32": "a processor without bf16"}
TRAININGS = [f"{net} {model}" for net in ("conv 1/8", "conv 1/4", "mlp 3x256") for model in ("VAE", "WAE-MMD")]
# What was wanted, set beforehand: how many times as fast as pythae, and by machine which share of the processor's peak.
RATIOS = {"mlp 3x256 VAE": 2.5, "mlp 3x256 WAE-MMD": 6.0}
SHARES = {"conv 1/4 VAE": {"amx": 0.45, "avx512": 0.65}, "conv 1/4 WAE-MMD": {"amx": 0.45, "avx512": 0.65}}
PRODUCTS = ("convolutions", "matrix products")  # the shares of a step that multiply


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """None: its record is committed."""
    return {}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """None."""
    return {}


def load_records() -> dict[str, dict]:
    """Those that are there, by machine. Raises RunError where one is damaged."""
    files = {kind: ROOT / "benchmarks" / f"record-{kind}.json" for kind in MACHINES}
    return {kind: read_json(file) | {"machine": kind} for kind, file in files.items() if file.is_file()}


def by_machine(show: Callable[[dict, str], None], records: dict[str, dict], name: str) -> None:
    """Displays the same of every machine's record, each in a tab."""
    first = next(iter(records))
    names = {kind: name if kind == first else f"{name}-{kind}" for kind in records}
    show_tabs({f"A{MACHINES[kind][1:]}": lambda k=kind: show(records[k], names[k]) for kind in records})


def provenance(record: dict, file: str = "", command: str = "make bench") -> str:
    file = file or f"record-{record['machine']}.json"
    at, rounds = record["environment"], f"{record['rounds']} rounds; " if "rounds" in record else ""
    return (
        f"Provenance: benchmarks/{file}, written by `{command}`; {rounds}code {at['commit']}; "
        f"torch {at['torch']} on {at['device']}, {at['threads']} threads; {at['time'][:10]}."
    )


def shown(record: dict, name: str, what: str, rows: dict[str, dict], caption: str) -> None:
    """Displays rows of a record as a table."""
    show_table(pd.DataFrame(rows.values(), index=pd.Index(rows, name=what)), name, caption, provenance(record))


def briefly(records: dict[str, dict]) -> str:
    """How many times the peer's images a second, and what share of the machine's peak, over the trainings measured."""
    told = []
    for kind, record in records.items():
        of = [c for c in record["comparisons"].values() if "pythae" in c]
        peers, shares = [c["pythae"]["ours is faster by"] for c in of], [100 * c["ours"]["share of peak"] for c in of]
        told.append(
            f"on {MACHINES[kind]} {min(peers):.1f} to {max(peers):.1f} times as many images a second as pythae, with "
            f"{min(shares):.0f} to {max(shares):.0f} % of what it could multiply at most"
        )
    return f"This package trains {'; '.join(told)}. **The rest goes where the tables below say.**"


def show_training(record: dict, name: str) -> None:
    """Displays the images a second of every trainer."""
    trainers = {
        "pythae": "pythae",
        "ours, fp32": "ours, fp32",
        f"ours, {record['precision']}": "ours",
        "two of a thread each": "ours, side by side",
    }
    columns = {
        title: [f"{record['comparisons'][what][trainer]['median']:,.0f}" for what in TRAININGS]
        for title, trainer in trainers.items()
    }
    show_table(
        pd.DataFrame(columns, index=pd.Index(TRAININGS, name="batches of 128")),
        name,
        "Images a second in training, medians over rounds in which the trainers take turns on the same cores, one "
        "process each. The last column: two trainings together, as the workflow has them.",
        provenance(record),
    )


def limits(record: dict, what: str) -> tuple[float, float]:
    """What the ratio to pythae and the share of the peak would be if every product ran at the peak, and all else took
    as long as it does: no better arrangement of the same products can bring more."""
    ours, shares = record["comparisons"][what]["ours"], record["shares"][what.rsplit(" ", 1)[0]]
    rest = 1 - sum(shares.get(kind, 0) for kind in PRODUCTS)
    whole = rest + ours["share of peak"]
    return record["comparisons"][what]["pythae"]["ours is faster by"] / whole, ours["share of peak"] / whole


def show_goals(record: dict, name: str) -> None:
    """Displays the ratios to the peer and to the processor's peak, what was wanted, and what can be had."""
    rows = {}
    for what in TRAININGS:
        ours, peer = record["comparisons"][what]["ours"], record["comparisons"][what]["pythae"]
        ratio, (low, high) = peer["ours is faster by"], peer["ratios"]
        best, share = limits(record, what)
        wanted = SHARES.get(what, {}).get(record["machine"])
        rows[what] = {
            "ours / pythae": f"{ratio:.1f} ({low:.1f} to {high:.1f})",
            "wanted": _wanted(RATIOS.get(what), ratio, best),
            "share of peak": f"{100 * ours['share of peak']:.0f} %",
            "share wanted": _wanted(wanted and 100 * wanted, 100 * ours["share of peak"], 100 * share, " %"),
        }
    shown(
        record,
        name,
        "batches of 128",
        rows,
        "Training beside pythae and beside the processor: ratios within a round, with their range. The peak is the "
        "processor's rate in a large matrix product. A goal beyond the limit gives way to it: what there would be if "
        "every product of the training ran at the peak, and all else took as long as it does.",
    )


def _wanted(goal: float | None, found: float, limit: float = np.inf, unit: str = "") -> str:
    if goal is None:
        return "—"
    if found < goal and limit < goal:
        return f"{goal:g}{unit}: beyond the limit of {limit:.2g}{unit}, of which {100 * found / limit:.0f} % are had"
    return f"{goal:g}{unit}: {'reached' if found >= goal else 'missed'}"


def show_rates(record: dict, name: str) -> None:
    """Displays the same on a logarithmic axis, beside the limit."""
    kinds = {"pythae": (PALE, "s"), "ours, fp32": (SERIES[5], "D"), "ours": (SERIES[0], "o"), "limit": (INK, "|")}
    figure, axis = plt.subplots(figsize=(WIDTH, 3.4))
    told = []
    for row, what in enumerate(TRAININGS):
        found = record["comparisons"][what]
        values = {kind: found[kind]["median"] for kind in ("pythae", "ours, fp32", "ours")}
        values["limit"] = found["peak"]["median"] / found["ours"]["flops"]
        axis.plot([values["pythae"], values["limit"]], [row, row], color=PALE, linewidth=0.8, zorder=0)
        for kind, value in values.items():
            colour, marker = kinds[kind]
            size, label = (14 if marker == "|" else 7), (kind if row == 0 else None)
            axis.plot(value, row, marker, color=colour, markersize=size, label=label, linestyle="")
        told.append(f"{what}: " + ", ".join(f"{kind} {value:,.0f}" for kind, value in values.items()))
    axis.set(xscale="log", xlabel="images a second", yticks=range(len(TRAININGS)), yticklabels=TRAININGS)
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
    caption = (
        "How many times as fast VIMAE-n trains as it would without one of its levers; ratios within a round, with "
        "their range."
    )
    _show_changed(record, name, "levers", "what is taken away", lambda ratio: ratio, caption)


def show_tried(record: dict, name: str) -> None:
    """Displays what each of what was tried and left out would bring; nothing of a record that does not tell."""
    caption = (
        "How many times as fast VIMAE-n would train with what was tried and left out; ratios within a round, with "
        "their range."
    )
    _show_changed(record, name, "tried", "what is added", lambda ratio: 1 / ratio, caption)


def _show_changed(record: dict, name: str, of: str, title: str, told: Callable[[float], float], caption: str) -> None:
    nets = {w.partition(", ")[2]: one for w, one in record["comparisons"].items() if w.startswith(f"{of}, ")}
    changes = list(dict.fromkeys(change for one in nets.values() for change in one if change != "ours"))

    def cell(found: dict | None) -> str:
        if not found:
            return "—"
        low, high = sorted(map(told, found["ratios"]))
        return f"{told(found['ours is faster by']):.2f} ({low:.2f} to {high:.2f})"

    columns = {net: [cell(one.get(change)) for change in changes] for net, one in nets.items()}
    if nets:
        show_table(pd.DataFrame(columns, index=pd.Index(changes, name=title)), name, caption, provenance(record))


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
            "wanted": _wanted(2.0, ratio),
        }
    shown(
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
