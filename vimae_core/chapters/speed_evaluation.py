"""The record of `make bench` as tables: what an evaluation costs, a training's memory, and the price of bf16."""

import numpy as np
import pandas as pd

from vimae_core.chapters.speed import provenance, shown
from vimae_core.report.show import show_table
from vimae_core.report.statistics import mean_over_seeds

EVALUATION = {  # how many images or points each handles
    "encode mlp 3x256": 60_000,
    "encode conv 1/8": 60_000,
    "MMD² of 10,000 and 10,000, d = 8": 10_000,
    "MMD² of 10,000 and 10,000, d = 64": 10_000,
}
CHANGES = (
    "400 at a time",
    "1600 at a time",
    "inference mode",
)  # what was tried; `Run.encode` takes 100 images at a time


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
            "wanted": f"1.5: {'reached' if times <= 1.5 else 'missed'}",
            **{change: _faster(record["comparisons"][what].get(change)) for change in CHANGES},
        }
    shown(
        record,
        name,
        "evaluation",
        rows,
        "Seconds of an evaluation, medians, beside the bare computation: 60,000 images forward through the encoder, "
        "and one product of a 10,000 × d with a d × 10,000 matrix. Ratios within a round, with their range. Then how "
        "many times as fast it would be with more images at a time, or in PyTorch's inference mode.",
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
    shown(
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


def _faster(found: dict | None) -> str:
    return f"{1 / found['ours is faster by']:.2f}" if found else "—"
