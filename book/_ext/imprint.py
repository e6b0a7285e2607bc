"""The directive `imprint`: authors, version, date of the last commit and licence, from CITATION.cff and git.

A page that has it is read anew in every build, as its date may have changed: its own text stays.
"""

import shutil
import subprocess
from datetime import date
from pathlib import Path

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

DIRECTIVE = "{imprint}"


def imprint(root: Path) -> list[str]:
    """What a title page says: authors, version, date (where git knows one), licence."""
    cited = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    dated = [f"{day.day} {day:%B %Y}"] if (day := last_commit(root)) else []
    names = [author.get("name") or f"{author['given-names']} {author['family-names']}" for author in cited["authors"]]
    return [", ".join(names), f"version {cited['version']}", *dated, f"{cited['license']} licence"]


def last_commit(root: Path) -> date | None:
    """The day of the last commit; None in an archive, even one that was unpacked inside some other clone."""
    if not (root / ".git").exists() or not shutil.which("git"):
        return None
    asked = subprocess.run(["git", "log", "-1", "--format=%cs"], cwd=root, capture_output=True, text=True)
    return date.fromisoformat(asked.stdout.strip()) if asked.returncode == 0 else None


class Imprint(SphinxDirective):
    """One paragraph of class `imprint`."""

    def run(self):
        text = " · ".join(imprint(Path(self.env.srcdir)))
        return [nodes.paragraph("", text, classes=["imprint"])]


def outdated(app, env, added, changed, removed):
    """The known pages that have an imprint."""
    known = env.found_docs - added - changed
    return [name for name in known if DIRECTIVE in Path(env.doc2path(name)).read_text("utf-8")]


def setup(app):
    app.add_directive("imprint", Imprint)
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
