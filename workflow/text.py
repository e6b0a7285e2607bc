"""Where only text has changed since a build that finished, it is told anew without a plan.

Its own page shows it, and the book. Snakemake would do the same, but looks at everything to find that out.
"""

import subprocess
import sys
from pathlib import Path

import execute

ROOT = Path(__file__).resolve().parent.parent


def told_anew(changed: list[Path]) -> bool:
    """Whether all that has changed are pages and the text of notebooks; then the book is as a whole build leaves it.

    Ends the process with the status of a rendering that fails, with no book that looks done.
    """
    pages = [path for path in changed if path.suffix == ".md" and ROOT / "book" in path.parents]
    notebooks = [path for path in changed if path.suffix == ".ipynb" and path.parent == ROOT / "notebooks"]
    told = {path.name: execute.told_anew(path, execute.KEPT / path.name) for path in notebooks}
    if len(pages) + len(notebooks) < len(changed) or None in told.values():
        return False
    for name, executed in told.items():
        execute.write(executed, execute.KEPT / name, ROOT / "book" / "results" / name)
    book = ROOT / "_build" / "html" / "index.html"
    book.unlink(missing_ok=True)
    if status := subprocess.run([sys.executable, "workflow/render.py"], cwd=ROOT).returncode:
        book.unlink(missing_ok=True)  # written in spite of warnings
        sys.exit(status)
    return True
