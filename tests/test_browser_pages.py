"""Every page on a wide screen in light and on a phone in dark: whole, readable, and without barriers that axe knows.

axe-core comes within a Python package, so that the tests need neither npm nor a network.
"""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.test_book import PAGES

PROBLEMS = (Path(__file__).parent / "page_problems.js").read_text(encoding="utf-8")
OPTIONS = {"resultTypes": ["violations"], "preload": False}  # preloading would ask for style sheets


def barriers(page) -> list[str]:
    """What axe calls critical or serious, each with the first places."""
    found = Axe().run(page, options=OPTIONS).response["violations"]
    return [
        f"{v['id']} ({v['impact']}), {len(v['nodes'])} times: {[node['html'][:120] for node in v['nodes'][:3]]}"
        for v in found
        if v["impact"] in ("critical", "serious")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_without_barriers(opened, name):
    """No console message, no request but to the disk, nothing cut, no word broken, all rendered, all reachable."""
    told = []
    for width, scheme in ((1280, "light"), (360, "dark")):  # a scheme changes contrasts alone, a width all but them
        page = opened(name, width, scheme)
        problems = page.evaluate(PROBLEMS) + barriers(page) + page.problems
        told += [f"{width} px, {scheme}: {problem}" for problem in dict.fromkeys(problems)]
    assert told == [], "\n".join(told)
