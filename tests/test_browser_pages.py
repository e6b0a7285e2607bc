"""Every page on a wide screen and on a phone, light and dark: whole, readable, and without barriers that axe knows.

axe-core comes within a Python package, so that the tests need neither npm nor a network.
"""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.test_book import PAGES

PROBLEMS = (Path(__file__).parent / "page_problems.js").read_text(encoding="utf-8")
FADED = 400  # ms in which the theme changes its colours
# A scheme changes contrasts alone, and a width changes all but them. Preloading would ask for style sheets.
EVERYTHING = {"resultTypes": ["violations"], "preload": False}
CONTRAST = EVERYTHING | {"runOnly": ["color-contrast"]}
ALL_BUT_CONTRAST = EVERYTHING | {"rules": {"color-contrast": {"enabled": False}}}


def barriers(page, options: dict) -> list[str]:
    """What axe calls critical or serious, each with the first places."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{v['id']} ({v['impact']}), {len(v['nodes'])} times: {[node['html'][:120] for node in v['nodes'][:3]]}"
        for v in found
        if v["impact"] in ("critical", "serious")
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_without_barriers(opened, name):
    """No console message, no request but to the disk, nothing cut, no word broken, all rendered, all reachable."""
    told = []
    for width, in_light, in_dark in ((1280, EVERYTHING, CONTRAST), (360, ALL_BUT_CONTRAST, CONTRAST)):
        page = opened(name, width=width)
        problems = page.evaluate(PROBLEMS) + barriers(page, in_light)
        page.emulate_media(color_scheme="dark")
        page.wait_for_selector("html[data-theme=dark]")
        page.wait_for_timeout(FADED)
        problems += barriers(page, in_dark) + page.problems
        told += [f"{width} px: {problem}" for problem in dict.fromkeys(problems)]
    assert told == [], "\n".join(told)
