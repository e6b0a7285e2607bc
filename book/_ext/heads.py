"""What a page says of itself to searchers and where it is shared: a description, a title, and a picture
where it has an address."""

from html import escape

from docutils import nodes
from launch_source import remote_of

PICTURE = "preview.png"  # in book/_static, drawn by workflow/preview.py
ALT = "Codes of handwritten digits over the contours of the prior, one panel a model"
LENGTH = 200  # of a description, at most


def description(doctree) -> str | None:
    """The page's first sentences of prose without mathematics, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) >= 60 and not any(paragraph.findall(nodes.math)):
            return text if len(text) <= LENGTH else text[: LENGTH - 1].rsplit(" ", 1)[0] + "…"
    return None


def picture(folder: str) -> list[tuple[str, str, str]]:
    """The tags of the picture; none where the clone has no public remote, as sharing wants an absolute address."""
    if not (remote := remote_of(folder)):
        return [("name", "twitter:card", "summary")]
    address = f"{remote.replace('github.com', 'raw.githubusercontent.com')}/main/book/_static/{PICTURE}"
    return [
        ("property", "og:image", address),
        ("property", "og:image:alt", ALT),
        ("name", "twitter:card", "summary_large_image"),
    ]


def describe(app, pagename, templatename, context, doctree):
    """Adds the tags to the page's head."""
    title = app.env.titles[pagename].astext() if pagename in app.env.titles else app.config.html_title
    said = [
        ("property", "og:type", "article"),
        ("property", "og:site_name", app.config.html_title),
        ("property", "og:title", title),
        *picture(app.srcdir),
    ]
    if doctree and (text := description(doctree)):
        said += [("name", "description", text), ("property", "og:description", text)]
    tags = [f'<meta {kind}="{name}" content="{escape(value)}" />' for kind, name, value in said]
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def setup(app):
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
