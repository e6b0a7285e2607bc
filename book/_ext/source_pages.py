"""A page of source code is made anew where its module is newer than it. To find a module's file viewcode would import
it, tests with all that they use among them: seconds in every build.
"""

from pathlib import Path


def leave(app):
    modules = getattr(app.env, "_viewcode_modules", {})
    for name in modules:
        page, module = (Path(root, *name.split(".")) for root in (Path(app.outdir, "_modules"), app.srcdir))
        page, module = page.with_suffix(".html"), module.with_suffix(".py")
        if page.is_file() and module.is_file() and page.stat().st_mtime > module.stat().st_mtime:
            modules[name] = False  # as viewcode itself marks those that have no page
    return []


def setup(app):
    app.connect("html-collect-pages", leave, priority=0)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
