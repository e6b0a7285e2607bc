"""Where the time of a training step goes, and what a training takes in memory and per image."""

import json
import os
import subprocess
import sys
import tempfile

import torch
from torch.profiler import profile

from vimae_core import RunConfig, load_dataset
from vimae_core.training import Training

KINDS = {  # PyTorch's operations, by what they are for; what is not named is `rest`
    "convolutions": ("aten::_convolution", "aten::mkldnn_convolution", "aten::convolution_backward"),
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm"),
    "batch norm": ("aten::native_batch_norm", "aten::native_batch_norm_backward"),
    "ReLU": ("aten::relu_", "aten::clamp_min_", "aten::threshold_backward"),
    "optimiser": ("aten::_fused_adam_", "Optimizer.step#Adam.step", "Optimizer.zero_grad#Adam.zero_grad"),
    "copies: precision, padding, patches": ("aten::copy_", "aten::_to_copy", "aten::constant_pad_nd", "aten::fill_"),
    "batch from bytes": ("aten::index_select", "aten::div_"),
    "cross-entropy": ("_CrossEntropy", "_CrossEntropyBackward", "aten::exp", "aten::log_", "aten::sigmoid"),
}


def shares(config: dict, steps: int = 12) -> dict[str, float]:
    """Of the time on the processor in steps of VIMAE-n, batch 128; they sum to 1."""
    images, _ = load_dataset()["train"]
    training = Training(RunConfig(batch_size=128, method="vimae", **config), images, torch.device("cpu"))
    for _ in range(5):
        training.advance()
    with profile() as profiled:
        for _ in range(steps):
            training.advance()
    events = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    total = sum(events.values())
    found = {kind: sum(events.get(name, 0) for name in names) / total for kind, names in KINDS.items()}
    found = {kind: share for kind, share in found.items() if share > 0.001}
    return found | {"rest": 1 - sum(found.values())}


def memory() -> dict:
    """Seconds an epoch over n images, and the most memory that the process ever held."""
    mlp = [one_training(n_train=n, epochs=2) for n in (15_000, 30_000, 60_000)]
    conv = [one_training(n_train=n, epochs=1, architecture="conv", width=1 / 4, latent_dim=8) for n in (2_000, 8_000)]
    return {"mlp 3x256": mlp, "conv 1/4": conv, "data MiB": round(load_dataset().images.nbytes / 2**20)}


def one_training(**config) -> dict:
    code = (
        "import json, re, sys\nfrom vimae_core import RunConfig, fit\n"
        "run = fit(RunConfig(batch_size=128, **json.loads(sys.argv[1])), progress=False)\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read()).group(1)\n"  # KiB
        "print(run.environment['seconds'], int(peak) / 1024)"
    )
    with tempfile.TemporaryDirectory() as store:
        command = [sys.executable, "-c", code, json.dumps(config)]
        ended = subprocess.run(
            command, env={**os.environ, "VIMAE_RUNS": store}, capture_output=True, text=True, check=True
        )
    seconds, megabytes = map(float, ended.stdout.split())
    return {**config, "seconds an epoch": seconds / config["epochs"], "MiB": round(megabytes)}
