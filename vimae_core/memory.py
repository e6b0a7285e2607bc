"""One setting of the C library, for the whole process."""

import ctypes
import platform


def keep_buffers() -> None:
    """Lets glibc keep large buffers for their next use.

    By itself it gives a freed buffer back to the system, which zeroes each page again for the next: up to a
    tenth of a convolutional step, and half of a large MMD.
    """
    if platform.libc_ver()[0] == "glibc":
        for option in (-1, -3):  # malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            ctypes.CDLL(None).mallopt(option, 1 << 30)
