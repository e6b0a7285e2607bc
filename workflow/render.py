"""Renders the book from executed notebooks and pages, ending with 1 at a warning: python workflow/render.py."""

import sys
from pathlib import Path

from jupyter_book.cli.main import main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the package that pages show is the one beside them
main(["build", ".", "-q", "-W", "-n", "--keep-going"])
