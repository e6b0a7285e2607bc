"""The sign under a figure leads to its notebook, its commits and a page of its runs, each with its record as a page.

vimae_core/report/provenance.py writes these links with schemes of their own; here they get addresses.
"""

import re
from pathlib import Path

from docutils import nodes
from launch_source import remote_of
from sphinx.util import logging

from vimae_core.report.record_pages import commit_address, list_name, write_pages

RUNS = re.compile(r"\(runs:([0-9a-f+]+)\)")
SCHEMES = ("commit", "notebook", "runs")


def resolve(app, doctree, docname):
    """Links of our schemes lead from this page to theirs; what has none is left as text."""
    up, remote = "../" * docname.count("/"), remote_of(app.srcdir)
    for node in list(doctree.findall(nodes.reference)):
        scheme, _, name = node.get("refuri", "").partition(":")
        if scheme not in SCHEMES:
            continue
        if app.builder.format != "html":
            address = None
        elif scheme == "commit":
            address = commit_address(remote, name)
        else:
            page = f"records/{list_name(name.split('+'))}.html"
            address = up + (f"_sources/book/results/{name}.ipynb" if scheme == "notebook" else page)
        if address:
            node["refuri"] = address
        else:
            node.replace_self(node.children)


def write(app, exception):
    """After the book, from what its pages show: also those that were not rendered anew."""
    if exception or app.builder.format != "html":
        return
    lists: dict[tuple[str, ...], dict[str, str]] = {}
    for name in sorted(app.env.found_docs):
        for runs in _linked(app.env, name):
            title = app.env.titles[name].astext()
            lists.setdefault(tuple(runs.split("+")), {})[f"{name}.html"] = title
    for fault in write_pages(Path(app.outdir) / "records", lists, remote_of(app.srcdir)):
        logging.getLogger(__name__).warning(fault)


def _linked(env, name):
    """The sets of runs that a page links: from the executed notebook, or from what a page's directives say."""
    source = Path(env.doc2path(name))
    if source.suffix == ".ipynb":
        return RUNS.findall(source.read_text(encoding="utf-8"))
    links = (node.get("refuri", "") for node in env.get_doctree(name).findall(nodes.reference))
    return [link.removeprefix("runs:") for link in links if link.startswith("runs:")]


def setup(app):
    app.connect("doctree-resolved", resolve)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
