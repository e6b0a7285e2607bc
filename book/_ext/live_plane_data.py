"""The live plane's data: packed from the committed runs into the built page's static files, where these are older.

The directive `live_plane_provenance` says where they come from.
"""

import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

PAGE = "book/live_plane"
FOLDER = Path("_static", "live_plane", "data")


class LivePlaneProvenance(Directive):
    """The runs behind the page, behind the sign that stands under figures; nothing where there are none."""

    def run(self):
        from vimae_core.report.live_plane import told_provenance  # here: importing it takes seconds

        part = nodes.container()
        self.state.nested_parse(StringList(told_provenance().split("\n"), "records"), self.content_offset, part)
        return part.children


def outdated(app, env, added, changed, removed):
    """The page is rendered anew in every build: Sphinx does not see the records."""
    return [PAGE] if PAGE in env.found_docs else []


def write(app, exception):
    """After the pages; a missing run is told here and on the page."""
    if exception or app.builder.format != "html":
        return
    from vimae_core.report import live_plane  # here: importing it takes seconds

    made = Path(app.outdir, FOLDER, live_plane.LAST)
    sources = [*live_plane.packed_files(), *Path(live_plane.__file__).parent.parent.rglob("*.py")]
    if made.is_file() and made.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return
    if missing := live_plane.write_live_plane(made.parent):
        print(f"live plane: no reference run with weights of {', '.join(missing)}", file=sys.stderr)


def setup(app):
    app.add_directive("live_plane_provenance", LivePlaneProvenance)
    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
