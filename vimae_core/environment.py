"""Where a number was computed: versions, machine, time and commit, for its provenance."""

import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

import torch

from vimae_core.data import ROOT

CORES = " cores"  # ends the name of a device that is a CPU


def environment(device: torch.device) -> dict:
    """Versions, machine and commit: what a number's provenance needs."""
    return {
        "commit": commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": machine(device),
        "threads": torch.get_num_threads(),
    }


def made_on_gpu(environment: dict) -> bool:
    """Whether a record was made on a GPU, whose random numbers are not a CPU's; by how its device is written."""
    return not environment["device"].endswith(CORES)


def commit() -> str:
    """The commit of this clone; "unknown" outside one, such as an archive unpacked in somebody else's clone."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        return "unknown"
    outside = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}  # GIT_DIR names another repository
    command = ["git", "describe", "--always", "--dirty"]
    asked = subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True)
    return asked.stdout.strip() or "unknown"


def machine(device: torch.device) -> str:
    """The name of the GPU, or of this machine's processor and how many cores it has."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, {os.cpu_count()}{CORES}"
