"""The bibliography: the paper's references under the paper's numbers, what this book reads besides under letters.

An entry of references.bib with a field `paper` has that number in the paper's list; `corrected` says what was mended.
"""

from string import ascii_lowercase

from pybtex.plugin import register_plugin
from pybtex.richtext import Tag, Text
from pybtex.style.formatting.unsrt import Style as Unsorted


class PaperNumbers(Unsorted):
    """pybtex's plain style, in the paper's order or else alphabetically; each entry ends with what was corrected."""

    def __init__(self, **options):
        super().__init__(**options)
        self.sort, self.format_labels = self._sorted, self._labels  # pybtex sets both on the instance, from plugins

    def _sorted(self, entries):
        return sorted(entries, key=lambda entry: (int(entry.fields.get("paper", 0)), entry.key))

    def _labels(self, sorted_entries):
        return [entry.fields.get("paper", letter) for entry, letter in zip(sorted_entries, _letters(), strict=False)]

    def format_entry(self, label, entry, bib_data=None):
        formatted = super().format_entry(label, entry, bib_data)
        if corrected := entry.fields.get("corrected"):
            formatted.text = Text(formatted.text, " ", Tag("em", "Corrected here:"), f" {corrected}.")
        return formatted


def _letters():
    """a, b, ..., z, aa, ab, ..."""
    yield from ascii_lowercase
    yield from (first + second for first in ascii_lowercase for second in ascii_lowercase)


def list_items(app, pagename, templatename, context, doctree):
    """docutils gives the entries of its list another role than a list may hold."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app):
    register_plugin("pybtex.style.formatting", "paper_numbers", PaperNumbers)
    app.connect("html-page-context", list_items)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
