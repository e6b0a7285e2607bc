"""What the tests of both live pages share: their data read back, and pages that are ready to be driven."""

import json
import re

from vimae_core.report.live_plane import SHOWN

STATE = "livePlane.state"
# Controls by what a finger meets: the label where there is one.
SMALL = """scope => [...scope.querySelectorAll("button, summary, input, select, canvas[tabindex]")]
    .map((control) => control.closest("label") ?? control)
    .map((target) => [target.outerHTML.slice(0, 80), target.getBoundingClientRect()])
    .filter(([, { width, height }]) => width && Math.min(width, height) < 24)
    .map(([name, { width, height }]) => `${width} x ${height}: ${name}`)"""


def unwrapped(text: str) -> dict:
    return json.loads(re.fullmatch(r"window\.liveLambda = (.*);\n", text, re.DOTALL)[1])


def places(shown: dict) -> list[tuple]:
    """(path, model, point) of every place of the slider."""
    return [(p["name"], m, point) for p in shown["paths"] for m, points in p["models"].items() for point in points]


def small_targets(page) -> list[str]:
    """Controls of a page's text that are narrower or lower than the 24 px of WCAG 2.2, all folds open."""
    page.evaluate("document.querySelectorAll('article details').forEach((fold) => (fold.open = true))")
    assert page.locator("article :is(button, input)").count() > 10
    return page.locator("article").evaluate(SMALL)


def ready(page):
    """The page, once all decoders and the first model's codes are there."""
    page.wait_for_function("document.querySelector('.live-plane').dataset.ready", timeout=60_000)
    page.wait_for_function(f"!{STATE}.glide")
    return page


def choose(page, model: str):
    page.check(f"input[value={model}]")
    page.wait_for_function(f"{STATE}.model.file === '{model}' && livePlane.plane().codes.length === {SHOWN}")


def point(page) -> list[float]:
    page.wait_for_function(f"!{STATE}.glide")
    return page.evaluate(f"{STATE}.point")
