"""MyST as this book writes it, as HTML that reads well in JupyterLab, where roles and the book's labels mean nothing.

A reference becomes a link that works from `notebooks/`, where it leads to a file or to what the notebook shows.
"""

import html
import json
import re
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_role import myst_role_plugin
from pybtex.database import parse_file
from pybtex.richtext import Text

from vimae_core.data import ROOT

KINDS = {"fig": "Figure", "tab": "Table"}


def as_html(text: str) -> str:
    """Paragraphs, lists and tables of MyST as HTML; mathematics stays between dollars, for JupyterLab's typesetter."""
    return _parser().render(text)


def as_phrase(text: str) -> str:
    """The same of a caption or a table's cell, without a paragraph around it."""
    return _parser().renderInline(text)


def shown_name(name: str) -> str:
    """What JupyterLab calls a figure or a table, where the book has numbers: "Table fit-kl" of "tab-fit-kl"."""
    kind, _, rest = name.partition("-")
    return f"{KINDS[kind]} {rest}" if kind in KINDS and rest else name


@cache
def citations() -> dict[str, str]:
    """Authors and year by key, as the book cites: "Crescimanna and Graham, 2019"; none where the book is not here."""
    path = ROOT / "book" / "references.bib"
    entries = parse_file(str(path)).entries if path.is_file() else {}
    return {
        key: f"{_authors(entry.persons.get('author', []))}, {entry.fields['year']}" for key, entry in entries.items()
    }


def _authors(persons: list) -> str:
    names = [str(Text.from_latex(" ".join([*person.prelast_names, *person.last_names]))) for person in persons]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


@cache
def labels() -> dict[str, str]:
    """Where each label is, as a link from `notebooks/`: `(name)=` on a page, `<a id="name"></a>` in a notebook."""
    forms = {"book/*.md": r"^\(([\w-]+)\)=$", "notebooks/*.ipynb": r'<a id=\\"([\w-]+)\\"></a>'}
    return {
        name: f"{'../book/' * (path.suffix == '.md')}{path.name}#{name}"
        for files, form in forms.items()
        for path in sorted(ROOT.glob(files))
        for name in re.findall(form, path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def title_of(notebook: str) -> str:
    """The heading of a notebook of `notebooks/`; its name where there is none."""
    path = ROOT / "notebooks" / notebook
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.is_file() else []
    lines = (line for cell in cells if cell["cell_type"] == "markdown" for line in "".join(cell["source"]).split("\n"))
    return next((line[2:].strip() for line in lines if line.startswith("# ")), notebook)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table").use(myst_role_plugin).use(colon_fence_plugin)
    parser.use(dollarmath_plugin, double_inline=True).use(attrs_plugin, spans=True)
    parser.core.ruler.push("references", _mend_links)
    mathematics = {"math_inline": _math, "math_inline_double": _block_math, "math_block": _block_math}
    for name, rule in {"myst_role": _role, "colon_fence": _directive, **mathematics}.items():
        parser.add_render_rule(name, rule)
    return parser


def _mend_links(state) -> None:
    """Links to labels lead to their page, and are their text alone where no page has them; empty ones get a title."""
    for parent in state.tokens:
        kept, opened = [], []
        for token in parent.children or []:
            if token.type == "link_open":
                opened.append(token)
                if not _lead(token):
                    token.hidden = True
                    continue
            elif token.type == "link_close":
                opening = opened.pop()
                if kept and kept[-1] is opening:
                    kept.append(Token("text", "", 0, content=title_of(opening.attrs["href"])))
                if opening.hidden:
                    continue
            kept.append(token)
        if parent.children:
            parent.children = kept


def _lead(link: Token) -> bool:
    """Makes a link lead from `notebooks/`; whether it leads anywhere."""
    target = str(link.attrs["href"])
    if target.startswith("../") and target.partition("#")[0].endswith(".md"):  # from book/results/
        link.attrs["href"] = "../book/" + target.removeprefix("../").removeprefix("book/")
    elif re.fullmatch(r"#?[\w-]+", target):
        label = target.removeprefix("#")
        if label.partition("-")[0] not in KINDS and label not in labels():
            return False
        link.attrs["href"] = labels().get(label, f"#{label}")
    return True


def _role(renderer, tokens, i, options, env) -> str:
    name, content = tokens[i].meta["name"], tokens[i].content
    if name == "numref":
        return f'<a href="#{html.escape(content)}">{html.escape(shown_name(content))}</a>'
    if name == "eq":
        return f"({html.escape(content.removeprefix('eq-'))})"
    if name == "cite":
        cited = (citations().get(key.strip(), key.strip()) for key in content.split(","))
        return f"({html.escape('; '.join(cited))})"
    return html.escape(content)


def _directive(renderer, tokens, i, options, env) -> str:
    title = re.sub(r"^\{[^}]*\} *", "", tokens[i].info.strip())
    body = re.sub(r"\A(?::[\w-]+:.*\n)*", "", tokens[i].content)  # its options
    return f"<blockquote>{f'<p><strong>{as_phrase(title)}</strong></p>' if title else ''}{as_html(body)}</blockquote>\n"


def _math(renderer, tokens, i, options, env) -> str:
    return f"${html.escape(tokens[i].content)}$"


def _block_math(renderer, tokens, i, options, env) -> str:
    return f"$${html.escape(tokens[i].content)}$$"
