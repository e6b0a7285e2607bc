"""The live plane's data: packed anew in every build, from the committed runs, into the built page's static files."""

import sys
from pathlib import Path

FOLDER = Path("_static", "live_plane", "data")


def write(app, exception):
    """After the pages; a missing run is told here and on the page."""
    if exception or app.builder.format != "html":
        return
    from vimae_core.report.live_plane import write_live_plane  # here: importing it takes seconds

    if missing := write_live_plane(Path(app.outdir) / FOLDER):
        print(f"live plane: no reference run with weights of {', '.join(missing)}", file=sys.stderr)


def setup(app):
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
