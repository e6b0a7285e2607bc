"""The probes of five stored models, written down plainly and as the package computes them: the numbers and the time.

PYTHONPATH=. .venv/bin/python benchmarks/probes.py [--draws N]     (N draws of labels; of the first model at least 10)

Both take turns in one process, on one thread. Prints a line a model, writes benchmarks/probes.json.
"""

import argparse
import json
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import plain_probes
import torch
from threadpoolctl import threadpool_limits

import vimae_core.evaluation.probes as package
from vimae_core import Run, load_dataset
from vimae_core.environment import environment
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE, reference_record

MODELS = ("19b3a35c1966194f", "63c79dc6e0647969", "ccd50db4e3cc523d", "cf423c39eabcb59a", "fb73694f74fc4d4f")


def timed(compute) -> tuple[dict, dict[str, float]]:
    """What it returns; processor seconds of all of it, and of the codes in it: the noise and the encoder."""
    codes = 0.0

    def counted(function):
        def call(*args, **kwargs):
            nonlocal codes
            start = time.process_time()
            value = function(*args, **kwargs)
            codes += time.process_time() - start
            return value

        return call

    with ExitStack() as stack:
        for owner, name in ((Run, "encode"), (package, "corrupt"), (plain_probes, "corrupt")):
            stack.enter_context(patch.object(owner, name, counted(getattr(owner, name))))
        start = time.process_time()
        value = compute()
        seconds = time.process_time() - start
    return value, {"all": seconds, "codes": codes, "probes": seconds - codes}


def differences(one: dict, other: dict, draws: int) -> np.ndarray:
    """Of the accuracies in percentage points, over protocols, conditions, probes and the first draws."""
    pairs = [
        (by_probe[probe][:draws], other[protocol][condition][probe][:draws])
        for protocol, by_condition in one.items()
        for condition, by_probe in by_condition.items()
        for probe in package.PROBES
    ]
    return np.abs(np.subtract(*zip(*pairs, strict=True)))


@torch.no_grad()
def compare(run: Run, data, draws: int) -> dict:
    p = parameters("capacity", "reference")
    asked = {"conditions": p.conditions, "curve": p.curve, "draws": p.draws[:draws]}
    _ = run.network  # read before the clock starts
    plain, plainly = timed(lambda: plain_probes.plain_probes(run, data, **asked))
    found, seconds = timed(lambda: package.probes(run, data, **asked))
    recorded = reference_record(run, "probes")
    same, stored = (differences(found["accuracy"], other["accuracy"], draws) for other in (plain, recorded))
    return {
        "model": run.config.label,
        "draws": draws,
        "accuracies": same.size,
        "plain": plainly,
        "package": seconds,
        "ratio": {part: plainly[part] / seconds[part] for part in seconds},
        "same chosen": found["chosen"] == plain["chosen"],
        "largest difference": same.max(),
        "different": int((same > 1e-9).sum()),
        "from the record": {
            "same chosen": sum(a == b for a, b in zip(found["chosen"], recorded["chosen"], strict=False)),
            "largest difference": stored.max(),
            "mean difference": stored.mean(),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=2)
    draws = parser.parse_args().draws
    data, record = load_dataset(), {}
    torch.set_num_threads(1)
    with threadpool_limits(1):
        for name in MODELS:
            run = Run.load(REFERENCE / name, device="cpu")
            record[name] = found = compare(run, data, draws if record else max(draws, 10))
            print(
                f"{found['model']}, {found['draws']} draws: {found['plain']['all']:.1f} s plainly, "
                f"{found['package']['all']:.1f} s in the package, ratio {found['ratio']['all']:.2f}; without the codes "
                f"{found['plain']['probes']:.1f} s, {found['package']['probes']:.1f} s, "
                f"ratio {found['ratio']['probes']:.2f}; {found['different']} of {found['accuracies']} accuracies "
                f"differ, by at most {found['largest difference']:.3f} points; "
                f"from the record by at most {found['from the record']['largest difference']:.2f} points",
                flush=True,
            )
    content = {"environment": environment(torch.device("cpu")), "runs": record}
    (Path(__file__).parent / "probes.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
