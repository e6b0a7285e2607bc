"""Where a line may break: in code after punctuation, in "0.90 ± 0.32" before the sign; nowhere within a word."""

import re

CODE = re.compile(r'(?<=<span class="pre">)[^<]+(?=</span>)')
AFTER = re.compile(r"(?<=[\w)\]])([./_=,:(\[]+)(?=[^\s./_=,:(\[)\]])")
INTERVAL = re.compile(r"(?<=[\d%]) (± [\d.]+)")


def breakable(body: str) -> str:
    """A page's text with the places where it may break."""
    body = CODE.sub(lambda code: AFTER.sub(r"\1<wbr>", code[0]), body)
    return INTERVAL.sub(r' <span class="together">\1</span>', body)


def rewrite(app, pagename, templatename, context, doctree):
    if context.get("body"):
        context["body"] = breakable(context["body"])


def setup(app):
    app.connect("html-page-context", rewrite, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
