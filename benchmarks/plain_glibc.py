"""Imported before vimae_core: leaves glibc's memory as it comes, for the peer and where a task takes that lever away.

What the package asks of glibc as it is imported cannot be taken back.
"""

import platform
import sys

if any(f'"{task}"' in argument for argument in sys.argv for task in ("pythae", "kept buffers")):
    platform.libc_ver = lambda: ("", "")
