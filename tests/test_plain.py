"""What the book's references become in JupyterLab: words and links that lead somewhere from notebooks/."""

import pandas as pd
import pytest

from tests.conftest import ROOT
from vimae_core.report import plain
from vimae_core.report.plain import as_html, as_phrase, citations, labels, title_of
from vimae_core.report.show import kept, show_figure, show_table, show_text


@pytest.mark.parametrize(
    ("myst", "expected"),
    [
        ("see {numref}`tab-fit-kl`", 'see <a href="#tab-fit-kl">Table fit-kl</a>'),
        ("see {numref}`fig-2-reference`.", 'see <a href="#fig-2-reference">Figure 2-reference</a>.'),
        ("Eq. {eq}`eq-8`", "Eq. (8)"),
        ("{cite}`crescimanna2019vimae`", "(Crescimanna and Graham, 2019)"),
        ("{cite}`hyvarinen2009natural, linsker1989infomax`", "(Hyvärinen et al., 2009; Linsker, 1989)"),
        ("{cite}`nobody1900`", "(nobody1900)"),
        ("[](speed.ipynb)", '<a href="speed.ipynb">How fast is it, and what is the limit?</a>'),
        ("[rule](the-rule)", '<a href="../book/protocol.md#the-rule">rule</a>'),
        ("[holds](#claim-2-test){.holds}", '<a href="../book/claims.md#claim-2-test" class="holds">holds</a>'),
        ("[a *page*](../protocol.md)", '<a href="../book/protocol.md">a <em>page</em></a>'),
        ("[a word](no-such-label), [b](https://a.org)", 'a word, <a href="https://a.org">b</a>'),
        ("[word]{.holds} **b** `c`", '<span class="holds">word</span> <strong>b</strong> <code>c</code>'),
        ("$D_{KL}(q\\|p) < 1$ & *3*", "$D_{KL}(q\\|p) &lt; 1$ &amp; <em>3</em>"),
        ("0.5 × 3 ± 2, λ = β", "0.5 × 3 ± 2, λ = β"),
    ],
)
def test_a_phrase(myst, expected):
    """Each role and link; mathematics stays as it is, and what has no markup too."""
    assert as_phrase(myst) == expected


def test_paragraphs_and_boxes():
    """Paragraphs, lists, displayed mathematics, and a directive's content under its title, without its options."""
    text = as_html("One {eq}`eq-4`.\n\n- two\n\n$$\na_b\n$$\n\n:::{admonition} In *short*\n:class: tip\nthree\n:::")
    assert "<p>One (4).</p>" in text and "<li>two</li>" in text and "$$\na_b\n$$" in text
    assert "<blockquote><p><strong>In <em>short</em></strong></p><p>three</p>\n</blockquote>" in text
    assert ":::" not in text and "tip" not in text


def test_every_entry_and_label_is_found():
    """Of the bibliography all entries, each with a year; of the pages all labels, each in its file."""
    entries = (ROOT / "book" / "references.bib").read_text(encoding="utf-8").count("\n@")
    assert len(citations()) in (entries, entries + 1) and all(told[-4:].isdigit() for told in citations().values())
    assert not any(sign in told for told in citations().values() for sign in "{}\\")
    pages = {name: (ROOT / "notebooks" / link.partition("#")[0]) for name, link in labels().items()}
    assert all(page.is_file() and name in page.read_text(encoding="utf-8") for name, page in pages.items())
    assert {"the-rule", "one-objective", "second-changes"} <= set(pages)


def test_without_the_book_text_stays_readable(tmp_path, monkeypatch):
    """The package installed alone, where there are neither pages nor bibliography."""
    monkeypatch.setattr(plain, "ROOT", tmp_path)
    for found in (citations, labels):
        found.cache_clear()
    try:
        assert as_phrase("{cite}`key` [rule](the-rule)") == "(key) rule"
        assert title_of("x.ipynb") == "x.ipynb"
    finally:
        for found in (citations, labels):
            found.cache_clear()


def test_blocks_for_jupyterlab(monkeypatch):
    """A reference leads to the figure or table of its name; cells have no markup left, and no long one is cut."""
    import matplotlib.pyplot as plt

    cell = "**best** [holds](#claim-2-test){.holds} " + "and on " * 20
    cells = pd.DataFrame({"a {eq}`eq-2`": [cell]}, index=pd.Index(["`r`"], name="n"))
    table = kept(lambda: show_table(cells, "tab-x", "C *d*", "P."))
    assert table.page.startswith('<p id="tab-x"><strong>Table x.</strong> C <em>d</em></p><table>')
    assert "<th>a (2)</th>" in table.page and "<th><code>r</code></th>" in table.page
    assert "<td><strong>best</strong> <a" in table.page and "and on " * 20 in table.page
    figure = kept(lambda: show_figure(plt.figure(), "fig-x", "See {numref}`tab-x`.", "alt", "P."))
    assert '<figure id="fig-x">' in figure.page and '<a href="#tab-x">Table x</a>' in figure.page
    assert "{numref}`tab-x`" in figure.markdown
    text = kept(lambda: show_text("of {numref}`tab-x`"))
    assert text.markdown == "of {numref}`tab-x`" and text.page == '<p>of <a href="#tab-x">Table x</a></p>\n'
