"""While pages are written, each page's doctree is read once: a numbered reference looks into that of its target, which
Sphinx would read anew for every one of them, a tenth of a second each time.
"""

from functools import cache


def keep(app, builder):
    app.env.get_doctree = cache(app.env.get_doctree)


def forget(app, exception):
    """As pages are written their links are resolved: who asks later wants them as they were."""
    vars(app.env).pop("get_doctree", None)


def setup(app):
    app.connect("write-started", keep)
    app.connect("build-finished", forget, priority=0)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
