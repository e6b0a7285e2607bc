"""make bench: how fast training and evaluation are, beside a peer and beside the machine's own limit.

Every comparison is made in one go: its workers are processes of their own, all prepared and warm, and take turns.
Prints a table, writes the record of this kind of machine: benchmarks/record-amx.json, record-avx512.json (bf16 by
vectors alone) or record-fp32.json.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch
from levers import LEVERS
from quality import quality
from shares import memory, shares
from tried import TRIED

from vimae_core.environment import environment
from vimae_core.networks import pick_precision

FOLDER = Path(__file__).parent
BATCH = 128
ROUNDS = 7
CONV_8 = {"architecture": "conv", "width": 1 / 8, "latent_dim": 8}
CONV_4 = {"architecture": "conv", "width": 1 / 4, "latent_dim": 8}
MLP = {"latent_dim": 8}
NATIVE = {"bf16": "bfloat16", "fp32": "float32"}


def flops(config: dict) -> float:
    """Of one image's training step, twice its multiplications; the backward pass multiplies twice as often as the
    forward pass, except in the first layer, whose input needs no gradient. MNIST, Gaussian encoder."""
    z = config["latent_dim"]
    if config.get("architecture") == "conv":
        a, b, c, d = (f * config["width"] for f in (128, 256, 512, 1024))
        first = 14 * 14 * a * 16
        encoder = 7 * 7 * b * a * 16 + 4 * 4 * c * b * 16 + 2 * 2 * d * c * 16 + 4 * d * 2 * z
        decoder = z * 49 * d + 7 * 7 * d * c * 16 + 14 * 14 * c * b * 16 + 28 * 28 * b * 16
    else:
        first, encoder, decoder = 784 * 256, 2 * 256**2 + 256 * 2 * z, z * 256 + 2 * 256**2 + 256 * 784
    return 2 * (3 * (first + encoder + decoder) - first)


def comparisons() -> dict[str, dict]:
    """name -> what one turn computes (images, or operations), and its workers."""
    native = NATIVE[pick_precision("auto", torch.device("cpu"))]
    peak = {"work": "product", "size": 2048, "dtype": native}
    compared = {}
    for net, config, steps in (("conv 1/8", CONV_8, 12), ("conv 1/4", CONV_4, 6), ("mlp 3x256", MLP, 150)):
        for model, method in (("VAE", "vae"), ("WAE-MMD", "vimae")):
            mine = {"work": "vimae", "config": {**config, "method": method}, "steps": steps}
            workers = {
                "ours": mine,
                "ours, fp32": {**mine, "config": {**mine["config"], "precision": "fp32"}},
                "ours, side by side": {"work": "side_by_side", "task": mine},
                "pythae": {**mine, "work": "pythae"},
                "peak": peak,
            }
            if model == "WAE-MMD" and net != "conv 1/8":
                workers["ours, compiled"] = {**mine, "compiled": True}
            compared[f"{net} {model}"] = {"images": steps * BATCH, "flops": flops(config), "workers": workers}
    for net, config, steps in (("conv 1/4", CONV_4, 6), ("mlp 3x256", MLP, 150)):
        mine = {"work": "vimae", "config": {**config, "method": "vimae"}, "steps": steps}
        taken = LEVERS if net == "conv 1/4" else ("bf16", "kept buffers", "own cross-entropy")
        without = {lever: {**mine, "without": lever} for lever in taken}
        compared[f"levers, {net}"] = {"images": steps * BATCH, "workers": {"ours": mine, **without}}
        added = {what: {**mine, "added": what} for what in TRIED[net]}
        compared[f"tried, {net}"] = {"images": steps * BATCH, "workers": {"ours": mine, **added}}
    for units, width in ((256, 1.0), (64, 0.25)):
        for model, method in (("VAE", "vae"), ("WAE-MMD", "vimae")):
            task = {"work": "seeds", "config": {**MLP, "width": width, "method": method}, "steps": 20}
            alone = {**task, "stacked": False}
            side_by_side = {"work": "side_by_side", "task": alone}
            workers = {"ours": {**task, "stacked": True}, "one by one": alone, "side by side": side_by_side}
            compared[f"five seeds, 3x{units} {model}"] = {"images": 5 * 20 * BATCH, "workers": workers}
    for net, config in (("mlp 3x256", MLP), ("conv 1/8", CONV_8)):
        mine = {"work": "encode", "config": config}
        workers = {"ours": mine, "bare": {**mine, "bare": True}, "inference mode": {**mine, "inference": True}}
        workers |= {f"{rows} at a time": {**mine, "rows": rows} for rows in (400, 1600)}
        compared[f"encode {net}"] = {"images": 60_000, "workers": workers}
    for d in (8, 64):
        task = {"work": "distances", "n": 10_000, "d": d}
        workers = {"ours": {**task, "bare": False}, "bare": {**task, "bare": True}}
        compared[f"MMD² of 10,000 and 10,000, d = {d}"] = {"images": 10_000, "workers": workers}
    for dtype in ("float32", "bfloat16"):
        compared[f"peak {dtype}"] = {"workers": {"peak": {**peak, "dtype": dtype}}}
    return compared


def machine_kind() -> str:
    """By what multiplies bf16."""
    has = torch.cpu.get_capabilities().get
    return "amx" if has("amx_bf16") else "avx512" if has("avx512_bf16") else "fp32"


def turns(workers: dict[str, dict]) -> dict[str, list[float]]:
    """Seconds of every worker in every round."""
    seconds = {name: [] for name in workers}
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, task in workers.items():
            command = [sys.executable, str(FOLDER / "worker.py"), json.dumps(task)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.stdin.close)
            while (line := process.stdout.readline()) != "ready\n":  # a peer may print while it prepares
                if not line:
                    raise SystemExit(f"the worker {name} ended before it was ready: {json.dumps(task)}")
            processes[name] = process
        for _ in range(ROUNDS):
            for name, process in processes.items():
                process.stdin.write("go\n")
                process.stdin.flush()
                seconds[name].append(float(process.stdout.readline()))
    return seconds


def summary(comparison: dict, seconds: dict[str, list[float]]) -> dict:
    """Medians and ranges; ratios are taken within a round, so that a slow minute slows both."""
    result = {}
    for name, times in seconds.items():
        work = 4 * 2 * 2048**3 if name == "peak" else comparison["images"]
        rates = sorted(work / t for t in times)
        result[name] = {"median": statistics.median(rates), "low": rates[0], "high": rates[-1]}
        if name not in ("ours", "peak") and "ours" in seconds:
            ratios = sorted(t / mine for t, mine in zip(times, seconds["ours"], strict=True))
            result[name]["ours is faster by"] = statistics.median(ratios)
            result[name]["ratios"] = [ratios[0], ratios[-1]]
        if name == "ours" and "peak" in seconds:
            pairs = zip(times, seconds["peak"], strict=True)
            share = [comparison["images"] * comparison["flops"] / t / (4 * 2 * 2048**3 / p) for t, p in pairs]
            result[name] |= {"share of peak": statistics.median(share), "flops": comparison["flops"]}
    return result


def main() -> None:
    begun = time.time()
    record = {
        "environment": environment(torch.device("cpu")),
        "precision": pick_precision("auto", torch.device("cpu")),
        "batch_size": BATCH,
        "rounds": ROUNDS,
        "comparisons": {},
    }
    for name, comparison in comparisons().items():
        record["comparisons"][name] = summary(comparison, turns(comparison["workers"]))
        print(name, flush=True)
        for worker, found in record["comparisons"][name].items():
            more = [f"{k} {found[k]:.2f}" for k in ("ours is faster by", "share of peak") if k in found]
            span = f"({found['low']:,.0f} to {found['high']:,.0f})"
            print(f"  {worker:15} {found['median']:18,.0f} a second {span}", *more, flush=True)
    record["shares"] = {
        net: shares(config) for net, config in (("conv 1/8", CONV_8), ("conv 1/4", CONV_4), ("mlp 3x256", MLP))
    }
    record["memory"] = memory()
    record["quality"] = quality()
    record["seconds"] = round(time.time() - begun)
    (FOLDER / f"record-{machine_kind()}.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps({k: record[k] for k in ("shares", "memory", "quality")}, indent=1))


if __name__ == "__main__":
    main()
