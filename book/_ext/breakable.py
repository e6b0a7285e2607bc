"""Where a line may break: in code, paths and addresses after punctuation, in a table's "0.90 ± 0.32" before the sign.

Never within a word, which is what a style sheet alone would do.
"""

import re

CODE = re.compile(
    r'(?<=<span class="pre">)[^<]+|(?<=<cite>)[^<]+|(?<=>)https?://[^<]+(?=</a>)|(?<=[ >])notebooks/[\w.]+'
)
AFTER = re.compile(r"(?<=[\w)\]])([./_=,:(\[]+)(?=[^\s./_=,:(\[)\]])")
CELL = re.compile(r"<(t[dh])\b.*?</\1>", re.DOTALL)
TEXT = re.compile(r"(?<=>)[^<>\\]+(?=<)")  # a backslash: mathematics, which MathJax sets
TOGETHER = re.compile(r"± ?[\d.]+|&lt; ?[\d.]+|\[[−\d.]+, [−\d.]+\]|\d %")
NAMES = re.compile(r"β-VAE|VIMAE-[nl]\b")


def breakable(body: str) -> str:
    """A page's text with the places where it may break, and those where it may not: in names and in tables' numbers."""

    def kept(form):
        return lambda text: form.sub(r'<span class="together">\g<0></span>', text[0])

    body = CODE.sub(lambda code: AFTER.sub(r"\1<wbr>", code[0]), body)
    body = CELL.sub(lambda cell: TEXT.sub(kept(TOGETHER), cell[0]), body)
    return TEXT.sub(kept(NAMES), body)


def rewrite(app, pagename, templatename, context, doctree):
    if context.get("body"):
        context["body"] = breakable(context["body"])


def setup(app):
    app.connect("html-page-context", rewrite, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
