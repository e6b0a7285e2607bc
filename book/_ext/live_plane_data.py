"""The live plane's data: packed anew in every build, from the committed runs, into the built page's static files.

The directive `live_plane_provenance` says where they come from.
"""

import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

FOLDER = Path("_static", "live_plane", "data")


class LivePlaneProvenance(Directive):
    """The runs behind the page, behind the sign that stands under figures; nothing where there are none."""

    def run(self):
        from vimae_core.report.live_plane import told_provenance  # here: importing it takes seconds

        part = nodes.container()
        self.state.nested_parse(StringList(told_provenance().split("\n"), "records"), self.content_offset, part)
        return part.children


def write(app, exception):
    """After the pages; a missing run is told here and on the page."""
    if exception or app.builder.format != "html":
        return
    from vimae_core.report.live_plane import write_live_plane  # here: importing it takes seconds

    if missing := write_live_plane(Path(app.outdir) / FOLDER):
        print(f"live plane: no reference run with weights of {', '.join(missing)}", file=sys.stderr)


def setup(app):
    app.add_directive("live_plane_provenance", LivePlaneProvenance)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
