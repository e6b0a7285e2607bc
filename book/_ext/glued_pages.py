"""Pages that cite what notebooks glue are rendered anew in every build: Sphinx sees their text alone, which stays."""

from pathlib import Path

ROLE = "{glue:"


def outdated(app, env, added, changed, removed):
    """The known pages that glue something."""
    return [name for name in env.found_docs - added - changed if ROLE in Path(env.doc2path(name)).read_text("utf-8")]


def setup(app):
    app.connect("env-get-outdated", outdated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
