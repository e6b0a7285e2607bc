"""Notebooks are written without roles, so that they read well in JupyterLab; here their references become the book's.

| in a markdown cell                     | in the book                                 |
|----------------------------------------|---------------------------------------------|
| `Eq. (8)`                              | a link to the equation                      |
| `(Crescimanna and Graham, 2019)`       | a citation, where it names one entry        |
| `[rule](../book/protocol.md#the-rule)` | a link to the label `(the-rule)=`           |
| `[protocol](../book/protocol.md)`      | a link to the page                          |
| `[the table above](#tab-cost)`         | the table's number, linked; so a figure's   |
| `[below](#other-readings)`             | a link to the label                         |
| `<a id="other-readings"></a>`          | that label, before the heading that follows |

Links from one notebook to another are the same in both places. Headings stay as they are.
"""

import json
import re
from collections import Counter

from vimae_core.report.plain import citations

RULES = {
    r'^<a id="([\w-]+)"></a>$': r"(\1)=",
    r"\]\(\.\./book/[\w/-]+\.md#([\w-]+)\)": r"](\1)",
    r"\]\(\.\./book/([\w/-]+\.md)\)": r"](../\1)",
    r"(?<!!)\[[^\]]+\]\(#((?:fig|tab)-[\w-]+)\)": r"{numref}`\1`",
    r"\]\(#([\w-]+)\)": r"](\1)",
    r"\bEq\.\s\((\d+)\)": r"Eq. {eq}`eq-\1`",
}


def as_myst(text: str) -> str:
    """A markdown cell with the book's roles."""
    cited = citations()
    once = {told: key for key, told in cited.items() if Counter(cited.values())[told] == 1}
    parts = re.split(r"^(#+ .*)$", text, flags=re.MULTILINE)  # every second one is a heading
    for i in range(0, len(parts), 2):
        for pattern, role in RULES.items():
            parts[i] = re.sub(pattern, role, parts[i], flags=re.MULTILINE)
        for told, key in once.items():
            parts[i] = re.sub(r"\s".join(map(re.escape, f"({told})".split())), f"{{cite}}`{key}`", parts[i])
    return "".join(parts)


def read(app, docname: str, source: list[str]) -> None:
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = as_myst("".join(cell["source"]))
    source[0] = json.dumps(notebook)


def setup(app):
    app.connect("source-read", read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
