"""The C library's setting."""

import platform
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_large_buffers_are_kept_for_their_next_use():
    """After a few, a buffer of 64 MiB comes without a new page; by itself glibc would fetch 16,384 each time."""
    code = (
        "import resource, torch, vimae_core\n"
        "for i in range(30):\n"
        "    if i == 20: before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    torch.ones(2**24)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 16_384
