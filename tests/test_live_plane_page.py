"""The page "The latent plane, live", opened from disk in headless Chromium: driven by mouse, touch and keyboard."""

import math

import numpy as np
import pytest
from scipy import stats

from tests.live import STATE, point, ready, small_targets
from tests.test_live_plane import MODELS
from vimae_core.datasets import load_dataset
from vimae_core.report.live_plane import SHOWN, plane_runs

PAGE = "book/live_plane.html"
PHONE = {"width": 360, "has_touch": True, "is_mobile": True}


@pytest.fixture
def live(opened):
    """The open page; afterwards it has complained of nothing and asked the disk alone."""
    page = ready(opened(PAGE))
    yield page
    assert page.problems == []


def shown(page, canvas: str) -> np.ndarray:
    """28 x 28 pixels of a canvas, 0 for paper and 1 for ink, of a light page."""
    script = """c => {
        const copy = new OffscreenCanvas(28, 28).getContext("2d", {willReadFrequently: true});
        copy.drawImage(c, 0, 0);
        return [...copy.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0);
    }"""
    red = np.array(page.locator(canvas).first.evaluate(script)).reshape(28, 28)
    return (255 - red) / (255 - 0x1D)


def test_a_drag_moves_the_point_and_every_digit(live):
    """The ring is under the mouse, the five digits are the decoders' for it, and all follow at once."""
    before = [shown(live, f".models label:nth-of-type({i}) canvas") for i in range(1, 6)]
    box = live.locator(".plane").bounding_box()
    live.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    live.mouse.down()
    live.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.4 * box["height"], steps=5)
    assert point(live) == pytest.approx([2, 0.8], abs=8 / box["width"])  # still held
    for i, model in enumerate(MODELS):
        image = shown(live, f".models label:nth-of-type({i + 1}) canvas")
        decoded = live.evaluate(f"[...livePlane.decode(livePlane.models()[{i}].decoder, {STATE}.point)]")
        np.testing.assert_allclose(image.ravel(), decoded, atol=0.01, err_msg=model)
        assert np.abs(image - before[i]).max() > 0.1
    live.mouse.up()
    assert "z = (2.0" in live.inner_text(".readout")
    milliseconds = live.evaluate(
        "(() => { const t = performance.now(); for (let i = 0; i < 40; i++) for (const m of livePlane.models())"
        " livePlane.decode(m.decoder, [i / 20 - 1, 0.3]); return (performance.now() - t) / 40; })()"
    )
    assert milliseconds < 50  # five decoders; 3 on two idle cores


def test_a_finger_moves_the_point(opened):
    """On a phone: a tap, then a drag, which does not scroll the page; nothing hangs over its side."""
    page = ready(opened(PAGE, **PHONE))
    page.locator(".plane").scroll_into_view_if_needed()
    box = page.locator(".plane").bounding_box()
    page.touchscreen.tap(box["x"] + 0.97 * box["width"], box["y"] + 0.97 * box["height"])
    assert point(page) == pytest.approx([3.76, -3.76], abs=16 / box["width"])
    touch, scrolled = page.context.new_cdp_session(page), page.evaluate("scrollY")
    for kind, across in (("touchStart", 0.9), ("touchMove", 0.6), ("touchMove", 0.25), ("touchEnd", None)):
        places = (
            [] if across is None else [{"x": box["x"] + across * box["width"], "y": box["y"] + across * box["height"]}]
        )
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})
    assert point(page) == pytest.approx([-2, 2], abs=16 / box["width"])
    assert page.evaluate("scrollY") == scrolled
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert small_targets(page) == []  # of 24 pixels at least


def test_the_plane_by_keyboard(live):
    """Tab leads to it; arrows walk, with Shift farther; Home; Enter encodes the nearest digit; it is told in words."""
    live.locator("input[value=vae]").focus()
    for _ in range(4):
        live.keyboard.press("Tab")
        if live.evaluate("document.activeElement.classList.contains('plane')"):
            break
    assert live.evaluate("document.activeElement.getAttribute('role')") == "application"
    live.keyboard.press("Home")
    assert point(live) == [0, 0]
    live.keyboard.press("ArrowRight")
    live.keyboard.press("ArrowUp")
    live.keyboard.press("Shift+ArrowLeft")
    assert point(live) == pytest.approx([0.1 - 0.5, 0.1])
    live.wait_for_function("document.querySelector('.spoken').textContent.includes('z = (−0.40, 0.10)')")
    live.keyboard.press("Enter")
    number = live.evaluate(f"livePlane.digits().indexOf({STATE}.digit)")
    assert point(live) == pytest.approx(live.evaluate("livePlane.plane().code.mean"))
    codes = np.array(live.evaluate("livePlane.plane().codes"))
    assert number == np.hypot(*(codes - [-0.4, 0.1]).T).argmin()


def test_models_by_keyboard_leave_the_point(live):
    """An arrow key chooses the next model: its codes and its prior are shown, the point stays."""
    before = point(live)
    live.locator("input[value=vimae-n]").focus()
    live.keyboard.press("ArrowRight")
    live.wait_for_function(f"{STATE}.model.file === 'vimae-l' && livePlane.plane().codes.length === {SHOWN}")
    assert point(live) == before
    assert live.evaluate("livePlane.plane().prior.name") == "logistic"
    live.check("[data-live=zoom]")
    assert live.evaluate("livePlane.plane().view") == pytest.approx(4)
    live.check("[data-live=means]")
    means = np.array(live.evaluate("livePlane.plane().codes"))
    run = next(r for r in plane_runs()[0] if r.config.label == "VIMAE-l")
    np.testing.assert_allclose(means, run.encode(load_dataset("mnist")["test"][0][:SHOWN]), atol=0.02)


def test_a_digit_is_encoded_where_it_is_clicked(live):
    """A thumbnail, and a dot: the point glides to the digit's code, and what comes back is its decoding."""
    live.get_by_role("button", name="Test digit 3, a 1").click()
    assert live.evaluate(f"{STATE}.digit.label") == 1
    assert point(live) == pytest.approx(live.evaluate("livePlane.plane().code.mean"))
    decoded = live.evaluate(f"[...livePlane.decode({STATE}.model.decoder, livePlane.plane().code.mean)]")
    np.testing.assert_allclose(shown(live, "[data-live=given]").ravel(), decoded, atol=0.01)
    codes = np.array(live.evaluate("livePlane.plane().codes"))
    apart = np.hypot(*(codes[:, None] - codes[None]).T) + 99 * np.eye(SHOWN)
    alone = int(np.where((np.abs(codes) < 3.9).all(1), apart.min(0), 0).argmax())
    x, y = live.evaluate(f"livePlane.plane().place(livePlane.plane().codes[{alone}])")
    live.locator(".plane").click(position={"x": x, "y": y})
    assert live.evaluate(f"livePlane.digits().indexOf({STATE}.digit)") == alone


def centre_of_mass(image: np.ndarray) -> np.ndarray:
    return np.array([(image.sum(1 - axis) * (np.arange(28) + 0.5)).sum() for axis in (1, 0)]) / image.sum()


def test_a_drawn_digit_is_centred_as_mnist_does(live):
    """Whatever its place and size on the pad: within 20 x 20 pixels, its centre of mass in the middle."""
    box = live.locator("[data-live=pad]").bounding_box()
    live.locator("[data-live=pad]").scroll_into_view_if_needed()
    box = live.locator("[data-live=pad]").bounding_box()
    path = [(0.1, 0.1), (0.45, 0.1), (0.2, 0.6)]  # a seven, in a corner
    live.mouse.move(*(box[k] + p * box["width"] for k, p in zip("xy", path[0], strict=True)))
    live.mouse.down()
    for place in path[1:]:
        live.mouse.move(*(box[k] + p * box["width"] for k, p in zip("xy", place, strict=True)), steps=8)
    live.mouse.up()
    image = shown(live, "[data-live=seen]")
    assert centre_of_mass(image) == pytest.approx([14, 14], abs=0.15)
    rows, columns = (np.flatnonzero(image.max(axis) > 0.05) for axis in (1, 0))
    assert 18 <= np.ptp(rows) + 1 <= 21 and np.ptp(columns) + 1 <= 21
    assert "your digit" in live.inner_text(".coded")
    assert point(live) == pytest.approx(live.evaluate("livePlane.plane().code.mean"))
    live.get_by_role("button", name="Wipe the pad").click()
    live.locator("[data-live=pad]").focus()
    for key in ["Space", *["ArrowDown"] * 8, "Space", "ArrowLeft"]:
        live.keyboard.press(key)
    image = shown(live, "[data-live=seen]")
    rows, columns = (np.flatnonzero(image.max(axis) > 0.05) for axis in (1, 0))
    assert np.ptp(rows) + 1 >= 18 and np.ptp(columns) + 1 <= 5  # a one


def test_a_wiped_pad_leaves_nothing(live):
    """Text, square and images of what was drawn go; a lifted pen, no error; a test digit stays where none was drawn."""
    pad, wipe = live.locator("[data-live=pad]"), live.get_by_role("button", name="Wipe the pad")
    told = live.inner_text(".coded")
    wipe.click()
    assert live.inner_text(".coded") == told and "a test digit" in told
    pad.focus()
    for key in ["Space", "ArrowDown", "ArrowDown"]:
        live.keyboard.press(key)
    assert "your digit" in live.inner_text(".coded") and live.evaluate("livePlane.plane().code")
    wipe.click()
    assert live.inner_text(".coded") == "" and live.evaluate("livePlane.plane().code") is None
    ink = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v)"
    assert not any(live.locator(f"[data-live={name}]").evaluate(ink) for name in ("pad", "seen", "given"))
    pad.focus()
    live.keyboard.press("ArrowDown")  # the pen alone
    live.get_by_role("button", name="Other noise").click()
    live.check("input[value=ae]")
    assert live.inner_text(".coded") == ""
    live.get_by_role("button", name="Test digit 3, a 1").click()
    assert "a test digit, a 1" in live.inner_text(".coded")


def test_noise_and_mask_move_the_code(live):
    """The sliders by keyboard, one at a time, with the definitions of vimae_core/corruptions.py."""
    slider, mask = live.locator("[data-live=gaussian]"), live.locator("[data-live=mask]")
    slider.focus()
    for _ in range(8):
        live.keyboard.press("ArrowRight")
    assert live.inner_text("[data-live=gaussian-level]") == "0.40"
    code = live.evaluate("livePlane.plane().code")
    assert math.dist(code["mean"], code["clean"]) > 1e-3 and point(live) == pytest.approx(code["mean"])
    clean = live.evaluate(f"[...{STATE}.digit.pixels]")
    seen = f"level => [...livePlane.corrupt({STATE}.digit.pixels, {{kind: 'gaussian', level}}, {STATE}.field)]"
    weak, strong = (np.array(live.evaluate(seen, level)) - clean for level in (0.2, 0.4))
    np.testing.assert_allclose(strong, 2 * weak, atol=1e-6)  # a stronger one adds more of the same
    assert stats.kstest(strong / 0.4, "norm").pvalue > 1e-3
    mask.focus()
    live.keyboard.press("End")
    assert (
        live.inner_text("[data-live=gaussian-level]") == "0.00" and live.inner_text("[data-live=mask-level]") == "0.90"
    )
    kept = f"level => [...livePlane.corrupt(new Float32Array(784).fill(1), {{kind: 'mask', level}}, {STATE}.field)]"
    half, most = (np.array(live.evaluate(kept, level)) for level in (0.5, 0.9))
    assert (
        {*half} == {0, 1}
        and half.mean() == pytest.approx(0.5, abs=0.07)
        and most.mean() == pytest.approx(0.1, abs=0.05)
    )
    assert (most <= half).all()
    before = live.evaluate("livePlane.plane().code.mean")
    live.get_by_role("button", name="Other noise").click()
    assert live.evaluate("livePlane.plane().code.mean") != before


def test_who_wants_no_motion_gets_none(opened):
    """The point is there at once."""
    page = ready(opened(PAGE, reduced_motion="reduce"))
    moved = (
        f"(() => {{ document.querySelector('[data-live=sample]').click(); return [{STATE}.glide, {STATE}.point]; }})()"
    )
    before = point(page)
    glide, after = page.evaluate(moved)
    assert glide is None and after != before
