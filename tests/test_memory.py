"""The C library's setting."""

import platform
import subprocess
import sys

import pytest

from tests.conftest import ROOT

FETCHED = 16_384  # pages of a buffer of 64 MiB, which glibc by itself gives back and fetches each time


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
@pytest.mark.parametrize(("asked", "kept"), [("keep_buffers()", True), ("", False)])
def test_large_buffers_are_kept_where_that_was_asked_for(asked, kept):
    """After a few, a buffer comes without a new page; the import of the package alone changes nothing."""
    code = (
        "import resource, torch, vimae_core\n"
        f"from vimae_core.process import keep_buffers\n{asked}\n"
        "for i in range(30):\n"
        "    if i == 20: before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    torch.ones(2**24)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (int(done.stdout) < FETCHED) is kept
