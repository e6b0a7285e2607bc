"""The page of lambda, live, in headless Chromium: driven by keyboard, mouse and touch, it follows its data."""

import pytest

from tests.live import small_targets, unwrapped
from vimae_core.datasets import load_dataset
from vimae_core.report.live_lambda import read_paths, script
from vimae_core.report.live_lambda_story import rounded

PAGE = "book/live_lambda.html"
PHONE = {"width": 360, "has_touch": True, "is_mobile": True}


def said(point: dict) -> str:
    """What the page is to write of a point: medians and ranges over seeds, and the verdict, by its data."""
    divergence, rate = (told(point[measure]) for measure in ("kl", "rate"))
    return f"divergence {divergence}, {point['word']}; rate {rate}; medians of {len(point['kl']['seeds'])} seeds"


def told(values: dict, unit: str = " nats") -> str:
    """Median and range as the page writes them."""
    if values["median"] is None:
        return "infinite, as each code is a point"
    median, low, high = map(rounded, (values["median"], *values["range"]))
    return f"{median}{unit}" + f" ({low}–{high})" * (low != high)


def picture(page) -> str:
    """The canvas as it is; a page for readers who want no motion is at rest at once."""
    return page.evaluate("document.querySelector('.live-lambda canvas').toDataURL()")


def stands(page, shown, path: int, model: str, place: int) -> None:
    """The page tells one place of the slider everywhere alike: in the text that is spoken, slider, charts."""
    point = shown["paths"][path]["models"][model][place]
    assert said(point) in page.locator(".ll-status").inner_text()
    slider = page.locator("#ll-slider")
    assert slider.get_attribute("aria-valuetext") == point["said"] and slider.input_value() == str(place)
    heads = page.locator(".ll-measure .ll-head").all_inner_texts()
    for head, measure in zip(heads, ("kl", "rate"), strict=True):
        assert told(point[measure]) in head
    assert point["word"] in heads[0]
    assert page.locator(".ll-stops .ll-here").inner_text() == point["label"]
    assert page.locator("circle.ll-seed.ll-here").count() == 2 * len(point["kl"]["seeds"])


def built(page) -> dict:
    """The data that this page was built with."""
    return page.evaluate("window.liveLambda")


def test_the_slider_moves_codes_and_numbers_by_keyboard(opened):
    """Each arrow is a place; End is the last; what is drawn changes with what is written."""
    page = opened(PAGE, reduced_motion="reduce")
    shown = built(page)
    assert {k: v for k, v in shown.items() if k != "paths"} == {
        k: v for k, v in unwrapped(script(read_paths(), load_dataset())).items() if k != "paths"
    }
    page.locator("#ll-slider").focus()
    seen = [picture(page)]
    for place in range(1, 5):
        page.keyboard.press("ArrowRight")
        stands(page, shown, 0, "VIMAE-n", place)
        seen.append(picture(page))
    assert len(set(seen)) == 5
    page.keyboard.press("Home")
    stands(page, shown, 0, "VIMAE-n", 0)
    assert picture(page) == seen[0]
    page.emulate_media(reduced_motion="no-preference")
    page.keyboard.press("End")
    assert picture(page) != seen[4]  # on its way
    page.wait_for_timeout(700)
    assert picture(page) == seen[4]
    assert page.problems == []


@pytest.mark.parametrize("width", [360, 1280])
def test_no_mark_lies_on_a_label(opened, width):
    """The words at the dashed lines are within the chart, on no other text, mark or line, along every path."""
    page = opened(PAGE, width=width, reduced_motion="reduce")
    over = """() => [...document.querySelectorAll(".ll-measure svg")].flatMap((svg) => {
        const box = (element) => element.getBoundingClientRect(), label = box(svg.querySelector(".ll-below"));
        const others = [...svg.querySelectorAll("text:not(.ll-below), circle, polyline, line, rect")];
        const touching = others.filter((other) => {
            const { left, right, top, bottom } = box(other);
            return left < label.right && right > label.left && top < label.bottom && bottom > label.top;
        });
        return label.left < box(svg).left ? ["cut"] : touching.map((other) => other.outerHTML);
    })"""
    beside = """() => {
        const boxes = [...document.querySelectorAll(".ll-stops span")].map((s) => s.getBoundingClientRect());
        const touch = (a, b) => Math.abs(a.top - b.top) < 10 && a.right > b.left;
        return boxes.flatMap((a, i) => boxes.slice(i + 1).filter((b) => touch(a, b)));
    }"""
    for path in page.locator("[name=ll-path]").all():
        path.check()
        for model in page.locator("[name=ll-model]:not(:disabled)").all():
            model.check()
            assert page.evaluate(over) == [] and page.evaluate(beside) == []
    assert page.locator(".ll-below").all_text_contents() == ["fits ↓", "empty ↓"]


def test_choices_by_keyboard_and_what_is_not_recorded(opened):
    """Radio buttons by arrow keys; a model without runs cannot be chosen, and the page says why."""
    page = opened(PAGE, reduced_motion="reduce")
    shown = built(page)
    page.locator("[name=ll-path]").first.focus()
    page.keyboard.press("ArrowRight")
    stands(page, shown, 1, "VIMAE-n", 0)
    disabled = page.locator("[name=ll-model]:disabled")
    assert (
        disabled.count() == 4
        and "no run of AE, VAE, β-VAE, VIMAE-l was recorded" in page.locator("#ll-reason").inner_text()
    )
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert disabled.count() == 0 and page.locator("#ll-reason").inner_text() == ""
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    stands(page, shown, 3, "beta-VAE", 0)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")
    page.locator("#ll-slider").press("PageUp")
    page.locator("#ll-slider").press("End")
    page.locator("#ll-slider").press("ArrowLeft")
    stands(page, shown, 3, "AE", 3)  # a deterministic encoder: an infinite rate
    page.locator("[name=ll-path]").nth(0).check()  # has no AE
    stands(page, shown, 0, "VIMAE-n", 0)
    assert page.problems == []


def test_mouse_and_table(opened):
    """A click on a chart goes to the nearest place, a drag moves the slider; a digit alone is drawn on a click."""
    page = opened(PAGE, reduced_motion="reduce")
    shown = built(page)
    box, name = (
        page.locator(".ll-measure svg").last.bounding_box(),
        page.locator(".ll-stops span").nth(2).bounding_box(),
    )
    page.mouse.click(name["x"] + name["width"] / 2 + 8, box["y"] + 40)
    stands(page, shown, 0, "VIMAE-n", 2)
    box = page.locator("#ll-slider").bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 15, middle, steps=5)
    page.mouse.up()
    stands(page, shown, 0, "VIMAE-n", 4)
    before = picture(page)
    page.get_by_role("button", name="1", exact=True).click()
    assert picture(page) != before
    page.get_by_role("button", name="1", exact=True).click()
    assert picture(page) == before
    page.locator(".live-lambda summary").click()
    rows = page.locator(".live-lambda tbody tr").all_inner_texts()
    for row, point in zip(rows, shown["paths"][0]["models"]["VIMAE-n"], strict=True):
        cells = (told(point["kl"], ""), told(point["rate"], ""), point["word"])
        assert row.split("\t") == [point["label"], *cells]
    assert "median over seeds" in page.locator(".live-lambda summary").inner_text()
    assert page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_touch_on_a_phone(opened, scheme):
    """At 360 pixels a tap on a place's name, and on the slider; nothing is cut; a drawing has ink on either ground."""
    page = opened(PAGE, scheme=scheme, **PHONE)
    shown = built(page)
    page.locator(".ll-stops span").nth(3).tap()
    stands(page, shown, 0, "VIMAE-n", 3)
    box = page.locator("#ll-slider").bounding_box()
    page.touchscreen.tap(box["x"] + 0.27 * box["width"], box["y"] + box["height"] / 2)
    stands(page, shown, 0, "VIMAE-n", 1)
    page.locator("label", has_text="the convention").tap()
    page.locator("label", has_text="β-VAE").tap()
    page.locator(".live-lambda summary").tap()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    out = "[...document.querySelectorAll('.live-lambda *')].filter(e => e.getBoundingClientRect().right > 360.5).length"
    assert page.evaluate(out) == 0
    assert page.problems == []


def test_a_finger_meets_every_control(opened):
    """At 360 pixels each is 24 pixels wide and high at least."""
    assert small_targets(opened(PAGE, **PHONE)) == []


def test_the_page_is_light(built_tree):
    """All that this page alone loads, together below a megabyte."""
    own = list((built_tree / "_build" / "html" / "_static").glob("live_lambda*"))
    assert {path.suffix for path in own} == {".js", ".css"} and sum(path.stat().st_size for path in own) < 1_000_000
    others = [p for p in (built_tree / "_build" / "html" / "book").glob("*.html") if p.name != "live_lambda.html"]
    assert len(others) > 5 and not any("live_lambda_data.js" in p.read_text(encoding="utf-8") for p in others)
