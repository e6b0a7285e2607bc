"""Notebooks without roles: what the book makes of them."""

import re
import subprocess
import sys

import nbformat
import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from plain_notebooks import as_myst

TOY = """\
# A chapter on Eq. (1)

By Eq. (1) and Eq.
(1) (Linsker,
1989) it follows [the rule](../book/page.md#the-rule) of [the page](../book/page.md), as [the table](#tab-x) and
[below](#further) show, and [the other](02_y.ipynb).

<a id="further"></a>
## Further
"""


@pytest.mark.parametrize(
    ("plain", "myst"),
    [
        ("By Eq. (8).", "By Eq. {eq}`eq-8`."),
        ("as (Crescimanna and Graham, 2019) say", "as {cite}`crescimanna2019vimae` say"),
        ("(LeCun et al., 1998)", "(LeCun et al., 1998)"),  # two entries
        ("[r](../book/protocol.md#the-rule)", "[r](the-rule)"),
        ("[p](../book/protocol.md)", "[p](../protocol.md)"),
        ("[the table above](#tab-cost)", "{numref}`tab-cost`"),
        ("[below](#other)", "[below](other)"),
        ('<a id="other"></a>\n## Other', "(other)=\n## Other"),
        ("## Why Eq. (15) needs its 2", "## Why Eq. (15) needs its 2"),
        (
            "[n](01_x.ipynb), [w](https://a.org), f(8), ![i](#fig-x)",
            "[n](01_x.ipynb), [w](https://a.org), f(8), ![i](fig-x)",
        ),
    ],
)
def test_a_cell(plain, myst):
    """Each form and its role; what has none stays."""
    assert as_myst(plain) == myst


def test_a_book_of_them(tmp_path):
    """Built for real, and strictly: every reference leads to its place, by the number or the text that it has there."""
    results = tmp_path / "book" / "results"
    results.mkdir(parents=True)
    (tmp_path / "book" / "_ext").symlink_to(ROOT / "book" / "_ext")
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/page\nchapters:\n- file: book/results/01_x\n- file: book/results/02_y\n"
    )
    (tmp_path / "_config.yml").write_text(
        f"execute: {{execute_notebooks: 'off'}}\nonly_build_toc_files: true\nbibtex_bibfiles: [{tmp_path}/some.bib]\n"
        "sphinx: {config: {numfig: true, nb_render_markdown_format: myst},"
        " local_extensions: {plain_notebooks: book/_ext}}\n"
    )
    (tmp_path / "some.bib").write_text("@misc{linsker1989infomax,\n author={Linsker, R.}, title={T}, year={1989}\n}\n")
    (tmp_path / "book" / "page.md").write_text(
        "# Page\n\n$$\na\n$$ (eq-1)\n\n(the-rule)=\n## Rule\n\n```{bibliography}\n```\n"
    )
    table = nbformat.v4.new_output(
        "display_data", data={"text/markdown": "~~~{table} C\n:name: tab-x\n\n| a |\n|---|\n| b |\n~~~"}
    )
    shown = nbformat.v4.new_code_cell("1", outputs=[table])
    for name, cells in {
        "01_x": [nbformat.v4.new_markdown_cell(TOY), shown],
        "02_y": [nbformat.v4.new_markdown_cell("# Y")],
    }.items():
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "p", "language": "python"}
        nbformat.write(notebook, results / f"{name}.ipynb")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ".", "-W", "-n", "-q"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "_build" / "html" / "book" / "results" / "01_x.html").read_text(encoding="utf-8")
    article = page[page.index("<article") : page.index("</article>")]
    links = {
        re.sub("<[^>]*>", "", text): url for url, text in re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', article)
    }
    expected = {
        "(1)": "../page.html#equation-eq-1",
        "the rule": "../page.html#the-rule",
        "the page": "../page.html",
        "Table 1": "#tab-x",
        "below": "#further",
        "the other": "02_y.html",
    }
    assert {text: links.get(text) for text in expected} == expected
    assert 'id="further"' in article and "Linsker" in article and "(Linsker" not in article
