"""A page that cites verdicts follows them: Sphinx would leave it as it was, whatever the notebooks glue."""

import sys
from types import SimpleNamespace

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from glued_pages import outdated


def test_pages_that_glue_are_always_rendered_anew():
    """Claims and first page, but neither a page that glues nothing nor one that is read anyway."""
    pages = {f"book/{name}" for name in ("claims", "theory", "protocol")}
    env = SimpleNamespace(found_docs=pages, doc2path=lambda name: ROOT / f"{name}.md")
    assert set(outdated(None, env, set(), set(), set())) == {"book/claims"}
    assert outdated(None, env, set(), {"book/claims"}, set()) == []
