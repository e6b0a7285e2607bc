"""Renders the book from executed notebooks and pages, ending with 1 at a warning: python workflow/render.py.

Sphinx notes what it has read before it writes the pages: after a rendering that was killed it would leave those that
were not written. So this leaves a file until it has succeeded, and one that finds it begins anew.
"""

import shutil
import sys
from pathlib import Path

from jupyter_book.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
UNDER_WAY = ROOT / "_build" / "rendering"

sys.path.insert(0, str(ROOT))  # the package that pages show is the one beside them
if UNDER_WAY.exists():
    shutil.rmtree(ROOT / "_build" / "html", ignore_errors=True)
UNDER_WAY.parent.mkdir(exist_ok=True)
UNDER_WAY.touch()
try:
    main(["build", ".", "-q", "-W", "-n", "--keep-going"])
except SystemExit as end:  # as it always ends, also where it was interrupted
    if not end.code:
        UNDER_WAY.unlink()
    raise
