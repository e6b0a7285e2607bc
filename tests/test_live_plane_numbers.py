"""What the latent plane's page computes is what PyTorch and the priors say, and what it is made of is little."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from tests.live import STATE, choose, point, ready
from tests.test_live_plane import MODELS, read_script
from vimae_core.corruptions import corrupt
from vimae_core.datasets import load_dataset
from vimae_core.report import live_plane
from vimae_core.report.live_plane import CONDITIONS, SHOWN, plane_runs

PAGE = "book/live_plane.html"


@pytest.fixture(scope="module")
def live(kept_open):
    """The page, opened once: these tests read."""
    page = ready(kept_open(PAGE))
    yield page
    assert page.problems == []


def many(page, script: str, argument=None):
    """What a function of a page's script gives for many numbers: as JSON, for Playwright takes long over each."""
    return json.loads(page.evaluate(f"text => JSON.stringify(({script})(JSON.parse(text)))", json.dumps(argument)))


@pytest.mark.parametrize("model", MODELS)
def test_the_page_agrees_with_pytorch(live, model):
    """To 1e-2 in every pixel: test digits, clean and corrupted, encoded and decoded; points of the plane, decoded.

    And what the page says of this difference is what was measured.
    """
    choose(live, model)
    run = next(r for r in plane_runs()[0] if r.config.label.lower() == model)
    images = load_dataset("mnist")["test"][0][:SHOWN]
    both = f"x => [...livePlane.decode({STATE}.model.decoder, livePlane.encode({STATE}.model.encoder, x).mean)]"
    own = many(live, f"() => livePlane.digits().map(d => ({both})(d.pixels))")
    worst = [(torch.tensor(own) - run.decode(run.encode(images)).flatten(1)).abs().max()]
    for i, condition in enumerate(CONDITIONS):
        x = corrupt(images[20 * i : 20 * i + 20], condition, seed=77 + i)
        own = many(live, f"images => images.map({both})", x.flatten(1).tolist())
        worst.append((torch.tensor(own) - run.decode(run.encode(x)).flatten(1)).abs().max())
    view = live.evaluate(f"{STATE}.model.view")
    z = torch.cat([live_plane.grid(4.0, 10), live_plane.grid(float(view), 10)])
    decoded = many(live, f"points => points.map(z => [...livePlane.decode({STATE}.model.decoder, z)])", z.tolist())
    worst.append((torch.tensor(decoded) - run.decode(z).flatten(1)).abs().max())
    assert 0 < max(worst) < 1e-2
    assert live.evaluate(f"{STATE}.model.pixels") < 1e-2
    assert f"{live.evaluate(f'{STATE}.model.pixels'):.4f}" in live.inner_text("#live-rounding")


@pytest.mark.parametrize(
    ("model", "family"), [("vae", stats.norm(0, 1)), ("vimae-l", stats.logistic(0, math.sqrt(3) / math.pi))]
)
def test_draws_are_the_priors(live, model, family):
    """The button's draws follow the model's own density, whose contours hold the share of them that they say."""
    choose(live, model)
    live.evaluate("window.seeded = livePlane.generator(5)")
    draw = f"livePlane.drawPrior({STATE}.model.prior, seeded)"
    draws = live.evaluate(f"Array.from({{length: 5000}}, () => {draw})")
    for coordinate in np.array(draws).T:
        assert stats.kstest(coordinate, family.cdf).pvalue > 1e-3
    density = live.evaluate(f"draws => draws.map(z => livePlane.logDensity({STATE}.model.prior, z))", draws)
    np.testing.assert_allclose(density, family.logpdf(draws).sum(1), rtol=1e-6)
    for level, mass in zip(live.evaluate(f"{STATE}.model.prior.levels"), live_plane.MASS, strict=True):
        assert np.mean(np.array(density) >= level) == pytest.approx(mass, abs=0.02)
        edge = live.evaluate(f"level => livePlane.contour({STATE}.model.prior, level)", level)
        np.testing.assert_allclose(family.logpdf(edge).sum(1), level, atol=1e-6)
    before = point(live)
    live.get_by_role("button", name="Draw from the prior").click()
    assert point(live) != before


def test_the_page_is_light(browser, built_tree):
    """Under 6 MB: what opens with it, the theme's files too; and all of its own files, with every model's encoder."""
    root, asked = built_tree / "_build" / "html", set()
    page = browser.new_page()
    page.on("request", lambda request: asked.add(request.url.split("?")[0].split("#")[0]))
    page.goto((root / PAGE).as_uri())
    ready(page)
    page.close()
    opened = {Path(url.removeprefix("file://")) for url in asked if url.startswith("file://")}
    assert any(file.name == "vimae-l-decoder.js" for file in opened)
    assert sum(file.stat().st_size for file in opened) < 6e6
    own = [root / PAGE, *(f for f in (root / "_static" / "live_plane").rglob("*") if f.is_file())]
    assert sum(file.stat().st_size for file in own) < 6e6


def test_other_pages_load_none_of_it(built_tree):
    """Only this page names its scripts."""
    pages = (built_tree / "_build" / "html").rglob("*.html")
    assert [p.name for p in pages if "live_plane/page.js" in p.read_text(encoding="utf-8")] == [Path(PAGE).name]


def test_without_scripts_a_text_stands_there(browser, built_tree):
    """It says what is missing, and no empty frames are left."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((built_tree / "_build" / "html" / PAGE).as_uri())
    assert "needs JavaScript" in page.locator("article noscript").inner_text()
    assert not page.locator(".live-plane").is_visible()
    context.close()


def test_the_page_says_which_runs_are_missing(browser, built_tree, tmp_path):
    """Four models run where the fifth is missing."""
    folder = built_tree / "_build" / "html" / "_static" / "live_plane" / "data"
    about = read_script(folder / "about.js")
    about |= {"models": about["models"][:4], "missing": ["VIMAE-l"]}
    page = browser.new_page()
    told = f"livePlane.arrived({json.dumps(about)});"
    page.route("**/about.js", lambda route: route.fulfill(body=told, content_type="text/javascript"))
    page.goto((built_tree / "_build" / "html" / PAGE).as_uri())
    ready(page)
    assert "Not here: VIMAE-l" in page.inner_text(".missing") and page.locator(".models label").count() == 4
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_digits_have_the_pages_colours(opened, scheme):
    """Ink on paper, and the other way round on a dark page, also when the reader switches."""
    page = ready(opened(PAGE, scheme=scheme))
    corner = "document.querySelector('[data-live=digit]').getContext('2d').getImageData(0, 0, 1, 1).data[0]"
    assert (page.evaluate(corner) > 128) == (scheme == "light")
    page.evaluate(f"document.documentElement.dataset.theme = '{'dark' if scheme == 'light' else 'light'}'")
    page.wait_for_function(f"({corner} > 128) !== {str(scheme == 'light').lower()}")
