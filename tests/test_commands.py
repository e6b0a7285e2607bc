"""The commands on the page about re-executing: they fit a phone, and a shell and Python read them."""

import re
import subprocess

from tests.conftest import ROOT
from vimae_core.chapters import CHAPTERS

PAGE = (ROOT / "book" / "reexecute.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(bash|python)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ON_A_PHONE = 34  # characters of a block at 360 px


def test_no_command_runs_off_a_phones_screen():
    """Every line of every block."""
    lines = [line for _, block in BLOCKS for line in block.splitlines()]
    assert len(lines) > 50 and [line for line in lines if len(line) > ON_A_PHONE] == []


def test_a_shell_and_python_read_them():
    """Broken lines are one command: each begins with what is there, and names one notebook."""
    for language, block in BLOCKS:
        if language == "python":
            compile(block, "page", "exec")
            continue
        assert subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True).stderr == ""
        commands = [c for c in block.replace("\\\n", " ").splitlines() if not re.match(r"#| {2}", c)]
        assert all(c.split()[0] in ("make", "grep", ".venv/bin/papermill", ".venv/bin/python") for c in commands)
    numbers = re.findall(r"notebooks/(\w+)\*\.ipynb", PAGE)
    assert numbers and all(sum(name.startswith(n) for name in CHAPTERS.values()) == 1 for n in numbers)
