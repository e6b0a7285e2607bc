"""What a process computes on, and the settings of the C library and of PyTorch that it computes under."""

import contextlib
import ctypes
import platform
from collections.abc import Iterator

import torch

from vimae_core.store import RunError


def pick_device(name: str) -> torch.device:
    """The device of that name; auto: CUDA where there is one. Raises RunError where it is missing."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise RunError(
            f"device={name!r} is not there: {torch.cuda.device_count()} CUDA device(s) seen; use 'cpu' or 'auto'"
        )
    return device


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """PyTorch as it starts, whatever the caller has set: a run's bits and a number depend on its configuration alone.

    Gradients, inference mode, autocast, default dtype and device, and the precision of fp32 products are the
    caller's again afterwards.
    """
    dtype, products = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    with contextlib.ExitStack() as stack:
        stack.callback(torch.set_default_dtype, dtype)
        stack.callback(torch.set_float32_matmul_precision, products)
        torch.set_default_dtype(torch.float32)
        torch.set_float32_matmul_precision("highest")
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        if torch.get_default_device().type != "cpu":  # only then: as a context it slows every call
            stack.enter_context(torch.device("cpu"))
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


def keep_buffers() -> None:
    """Lets glibc keep large buffers for their next use.

    By itself it gives a freed buffer back to the system, which zeroes each page again for the next: up to a
    tenth of a convolutional step, and half of a large MMD.
    """
    if platform.libc_ver()[0] == "glibc":
        for option in (-1, -3):  # malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            ctypes.CDLL(None).mallopt(option, 1 << 30)
