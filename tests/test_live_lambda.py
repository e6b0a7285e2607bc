"""The page of lambda, live: its numbers are the records', its codes the encoders', and in a browser both follow."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.path import Path as Outline
from scipy import stats
from sphinx.application import Sphinx

import vimae_core.codes as codes
from tests.conftest import ROOT
from vimae_core.config import paper_model
from vimae_core.datasets import load_dataset
from vimae_core.priors import make_prior
from vimae_core.reference import find_reference
from vimae_core.report import live_lambda
from vimae_core.report.live_lambda import CONVENTION, COSTS, Point, drawn_configs, read_paths, rings, script
from vimae_core.report.live_lambda_story import story
from vimae_core.runs import Run
from vimae_core.store import RunError

PAGE = "book/live_lambda.html"
NAMES = {
    "ae": "AE", "vae": "VAE", "beta-vae": "beta-VAE", "vimae normal": "VIMAE-n", "vimae logistic": "VIMAE-l",
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return load_dataset()


@pytest.fixture(scope="module")
def paths():
    return read_paths()


@pytest.fixture(scope="module")
def shown(paths, data):
    """The page's data, read back from its script."""
    return unwrapped(script(paths, data))


def unwrapped(text: str) -> dict:
    return json.loads(re.fullmatch(r"window\.liveLambda = (.*);\n", text, re.DOTALL)[1])


@pytest.fixture(scope="module")
def files() -> list[tuple[dict, dict]]:
    """Configuration and latent fit of every committed run in two dimensions, from the files alone, seed by seed."""
    found = []
    for path in (ROOT / "results" / "reference").iterdir():
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        if config["latent_dim"] == 2 and config["epochs"] == 15:
            found.append((config, json.loads((path / "record.json").read_text(encoding="utf-8"))["latent_fit"]))
    return sorted(found, key=lambda pair: pair[0]["seed"])


def of(files, point: str, path: str, model: str) -> list[tuple[dict, dict]]:
    """The files of a place of the slider, by what the two registered pages say of it."""

    def there(c: dict) -> bool:
        own = NAMES.get(f"{c['method']} {c['prior']}") or NAMES.get(c["method"])
        first, rises = c["seed"] < 10, c.get("lambda_schedule", "constant")
        if own != model or rises == "constrained":
            return False
        start, arch = c.get("pretraining", 0), c["architecture"]
        if path != CONVENTION:
            cost = {"λ, Bernoulli": "bernoulli", "λ, Gaussian": "gaussian"}.get(path, "wae")
            weight = float(point.replace(",", "").replace("↗ ", ""))
            ramp = ("ramp", False) if "↗" in point else ("constant", True)
            return c["likelihood"] == cost and c["lambda_"] == weight and (rises, first) == ramp and not start
        if first:
            return False
        if point == "constrained":
            vimae = c["method"] == "vimae"
            return c["likelihood"] == "bernoulli" and (rises == "ramp") == vimae
        bundle = {"bernoulli": ("bernoulli", 0, "mlp"), "gaussian": ("gaussian", 0, "mlp"), "wae": ("wae", 1000, "mlp")}
        same = (c["likelihood"], start, arch) == bundle.get(point, ("wae", 1000, "wae-mlp"))
        return same and rises == "constant"

    return [(c, record) for c, record in files if there(c)]


def places(shown):
    """(path, model, point) of every place of the slider."""
    return [(p["name"], m, point) for p in shown["paths"] for m, points in p["models"].items() for point in points]


def test_the_numbers_are_those_of_the_record_files(shown, files):
    """Every seed, the mean with its interval by Student's t, the band at q = p and the word, by the files alone."""
    for path, model, point in places(shown):
        records = [record for _, record in of(files, point["label"], path, model)]
        assert len(records) == (3 if path in ("λ, Gaussian", "λ, 0.05 × squared error") else 5), (path, model)
        for measure in ("kl", "rate"):
            values = [record[measure] for record in records]
            assert point[measure]["seeds"] == values
            if None in values:
                assert point[measure]["mean"] == [None] * 3 and point["label"] == "wae-code"
                continue
            half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
            mean = np.mean(values)
            assert np.allclose(point[measure]["mean"], [mean, mean - half, mean + half], rtol=1e-9)
        low, high = point["kl"]["mean"][1:]
        fits = "fits" if high <= 0.1 else "does not fit" if low > 0.1 else "undecided"
        rate = point["rate"]["mean"][0]
        assert point["word"] == ("empty" if rate is not None and rate < 1 else fits)
        assert point["band"] == [min(r["kl_null_low"] for r in records), max(r["kl_null_high"] for r in records)]


def test_every_recorded_place_can_be_reached(shown):
    """Four lambdas under each likelihood, then the one that rises; five conventions for each of five models."""
    found = {p["name"]: {m: [q["label"] for q in points] for m, points in p["models"].items()} for p in shown["paths"]}
    four, conventions = ["10", "100", "1,000", "10,000"], ["bernoulli", "gaussian", "wae", "wae-code", "constrained"]
    assert found == {
        "λ, Bernoulli": {"VIMAE-n": [*four, "↗ 1,000"], "VIMAE-l": [*four, "↗ 1,000"]},
        "λ, Gaussian": {"VIMAE-n": four},
        "λ, 0.05 × squared error": {"VIMAE-n": four},
        "the convention": dict.fromkeys(["AE", "VAE", "beta-VAE", "VIMAE-n", "VIMAE-l"], conventions),
    }
    assert shown["models"] == list(found["the convention"])


def test_the_codes_are_the_encoders_of_the_first_digits(data, shown):
    """Those of committed weights are drawn again here; all files are whole, of their own run, with finite numbers."""
    drawn = [config for config in drawn_configs() if codes.codes_path(config).is_file()]
    kept = [config for config in drawn if (find_reference(config).path / "weights.safetensors").is_file()]
    assert len(kept) >= 13
    for config in drawn:
        found = codes.read_codes(config, data.digest)
        assert found.trained_again is (config not in kept)
    for config in kept:
        run, found = find_reference(config), codes.read_codes(config, data.digest)
        posterior = run.posterior(data["test"][0][:1000])
        again = posterior.sample(torch.Generator().manual_seed(config.seed)).numpy()
        off = np.abs(found.hundredths / 100 - again)
        assert np.quantile(off, 0.99) < 0.01 + 0.02 * again.std()  # other processors round otherwise
        record = json.loads((run.path / "record.json").read_text(encoding="utf-8"))["latent_fit"]
        assert [found.kl, found.rate] == [np.inf if record[m] is None else record[m] for m in ("kl", "rate")]
    assert shown["labels"] == data["test"][1][:1000].tolist()


def test_every_file_of_codes_belongs_to_a_place_of_the_page():
    """None is left over from another time."""
    names = {codes.codes_path(config).name for config in drawn_configs()}
    assert {path.name for path in codes.CODES.iterdir()} <= names


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The first run that has codes, with a copy of the folder of codes that may be spoiled."""
    config = next(config for config in drawn_configs() if codes.codes_path(config).is_file())
    shutil.copytree(codes.CODES, tmp_path / "codes")
    monkeypatch.setattr(codes, "CODES", tmp_path / "codes")
    return config


def spoil(path: Path, change) -> None:
    stored = json.loads(path.read_text(encoding="utf-8"))
    change(stored)
    path.write_text(json.dumps(stored), encoding="utf-8")


SPOILED = {
    "one digit less": (lambda s: s["codes"].pop(), "1000 pairs"),
    "a broken pair": (lambda s: s["codes"][3].pop(), "damaged"),
    "half a hundredth": (lambda s: s["codes"][3].__setitem__(0, 0.5), "whole numbers"),
    "no divergence": (lambda s: s.pop("kl"), "'kl'"),
    "a word for a rate": (lambda s: s.__setitem__("rate", "much"), "much"),
    "other data": (lambda s: s.__setitem__("data_digest", "0" * 64), "00000"),
    "another run": (lambda s: s["config"].__setitem__("seed", 77), "'seed': 77"),
    "no object": (None, "damaged"),
    "cut off": (None, "damaged"),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_spoiled_codes_are_refused_by_name(copied, data, paths, fault):
    """With the file, the fault and what to do; nothing is drawn of them."""
    path, (change, told) = codes.codes_path(copied), SPOILED[fault]
    if change:
        spoil(path, change)
    else:
        path.write_text("[1, 2]" if fault == "no object" else path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    with pytest.raises(RunError, match=re.escape(path.name)) as caught:
        script(paths, data)
    assert told in str(caught.value) and "Restore it from git" in str(caught.value)


def test_codes_that_are_missing_leave_a_place_without_a_drawing(copied, data, paths, shown):
    """Its numbers stay; `read_codes` by itself names the file and the command."""
    codes.codes_path(copied).unlink()
    (*_, first), (*_, before) = places(unwrapped(script(paths, data)))[0], places(shown)[0]
    assert first == {**before, "drawn": None}
    with pytest.raises(RunError, match=r"is missing.*python -m vimae_core codes"):
        codes.read_codes(copied, data.digest)


def test_a_record_that_is_missing_is_named(monkeypatch):
    """The folder, the model, the place and the seed."""
    gone = drawn_configs()[1]
    monkeypatch.setattr(live_lambda, "find_reference", lambda c: None if c == gone else find_reference(c))
    with pytest.raises(
        RunError, match=r"results/reference/\w{16} holds no record of VIMAE-n, λ = 100 .*seed 0\. Restore"
    ):
        read_paths()


def test_missing_codes_are_made_once(config, monkeypatch):
    """By a training where no weights are committed, with that run's own numbers; the next call has nothing to do."""
    tiny = load_dataset("tiny", config.data_root)
    monkeypatch.setattr(codes, "CODES", Path(config.data_root) / "codes")
    monkeypatch.setattr(codes, "N", 64)
    monkeypatch.setattr(codes, "N_MEASURED", 64)
    assert list(codes.complete_codes([config], tiny)) == [config]
    assert list(codes.complete_codes([config], tiny)) == []
    run, found = codes.fit(config, tiny), codes.read_codes(config, tiny.digest)
    z = run.posterior(tiny["test"][0]).sample(torch.Generator().manual_seed(config.seed)).double().numpy()
    assert found.trained_again and found.hundredths.tolist() == np.rint(100 * z).tolist()
    assert found.kl == codes.evaluate(run, 64, tiny)["kl"]
    assert [path.name for path in codes.CODES.iterdir()] == [codes.codes_path(config).name]


@pytest.mark.parametrize("name", ["normal", "logistic"])
def test_the_rings_hold_their_part_of_the_prior(name):
    """50, 90 and 99 % of other draws lie within; a normal prior's are circles of the radius that theory gives."""
    prior, found = make_prior(name, 2), rings(make_prior(name, 2))
    draws = prior.sample(200_000, torch.Generator().manual_seed(1)).numpy()
    inside = [Outline(ring).contains_points(draws).mean() for ring in found]
    assert np.allclose(inside, [0.5, 0.9, 0.99], atol=0.006)
    if name == "normal":
        assert np.allclose([np.hypot(*ring[5]) for ring in found], np.sqrt(-2 * np.log([0.5, 0.1, 0.01])), rtol=0.02)


def invented(label: str, kl: list[float], rate: list[float]) -> Point:
    """A point whose numbers are a test's, kept where a run has its losses."""
    weight = 1.0 if label.isalpha() else float(label.replace(",", "").replace("↗ ", ""))
    config = paper_model("VIMAE-n", lambda_=weight)
    runs = [Run(config, Path(), {"kl": a, "rate": b}, {}) for a, b in zip(kl, rate, strict=True)]
    return Point(label, label, runs)


def test_the_story_follows_its_numbers(monkeypatch):
    """Other records, other words: what gets worse is not said to get better, and a broken ramp is counted."""
    monkeypatch.setattr(live_lambda, "reference_record", lambda run: run.history)
    steps = [("10", [1.0, 2.0], [9.0, 9.5]), ("100", [3.0, 1.5], [8.0, 8.0]), ("1,000", [0.5, 0.0], [7.0, 0.2]),
             ("↗ 1,000", [0.1, 5.0], [6.0, 0.5])]  # fmt: skip
    vae = [invented(c, [0.3], [rate]) for c, rate in (("bernoulli", 6.0), ("wae", 2.0))]
    told = story({COSTS["bernoulli"]: {"VIMAE-n": [invented(*s) for s in steps]}, CONVENTION: {"VAE": vae}})
    assert told[0].startswith("**No larger λ brings the codes nearer") and "1.00–2.00 nats" in told[0]
    assert "1.50–3.00 nats, and 1 of 2 end farther" in told[1]
    assert told[2].startswith("**At λ = 1,000 the code of 1 of 2 seeds is empty") and "0.20–7.00" in told[2]
    assert told[2].endswith("The divergence is 0.00–0.50 nats.")  # not small for being empty
    assert "1 of 2 seeds keep a code" in told[3] and "0 of 2 lie nearer" in told[3] and "0.10–5.00" in told[3]
    assert "6.0 nats under `bernoulli` and 2.00 under `wae`" in told[4]


def test_the_story_of_the_records(paths, files):
    """Its spans are the files' smallest and largest."""
    told = " ".join(story(paths))
    for label in ("10", "100", "1,000", "10,000", "↗ 1,000"):
        kl = [record["kl"] for _, record in of(files, label, "λ, Bernoulli", "VIMAE-n")]
        assert f"{min(kl):z,.2f}–{max(kl):z,.2f}" in told


def test_a_build_says_what_is_missing(tmp_path, monkeypatch):
    """A record that is not there is an error of the page, in the words of the package."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "book" / "_ext"), *sys.path])
    (tmp_path / "conf.py").write_text("extensions = ['live_lambda']\n", encoding="utf-8")
    (tmp_path / "index.rst").write_text("Page\n====\n\n.. live_lambda::\n", encoding="utf-8")

    def gone():
        raise RunError("results/reference/0123 holds no record")

    monkeypatch.setattr(live_lambda, "read_paths", gone)
    with open(tmp_path / "warnings", "w+", encoding="utf-8") as warnings:
        folders = (tmp_path, tmp_path, tmp_path / "out", tmp_path / "trees")
        Sphinx(*map(str, folders), "html", status=None, warning=warnings).build()
        warnings.seek(0)
        assert "results/reference/0123 holds no record" in warnings.read()


def said(point: dict) -> str:
    """What the page is to write of a point: divergence, rate and verdict, by its data."""
    divergence, rate = (rounded(point[measure]["mean"][0]) for measure in ("kl", "rate"))
    return f"divergence {divergence}, {point['word']}; rate {rate}"


def rounded(value: float | None) -> str:
    if value is None:
        return "infinite, as each code is a point"
    return f"{value:z,.{2 if abs(value) < 10 else 1 if abs(value) < 100 else 0}f} nats".replace("-", "−")


def picture(page) -> str:
    """The canvas, when it has come to rest."""
    page.wait_for_timeout(700)
    return page.evaluate("document.querySelector('.live-lambda canvas').toDataURL()")


def stands(page, shown, path: int, model: str, place: int) -> None:
    """The page tells one place of the slider everywhere alike: in the text that is spoken, slider, charts."""
    point = shown["paths"][path]["models"][model][place]
    assert said(point) in page.locator(".ll-status").inner_text()
    slider = page.locator("#ll-slider")
    assert slider.get_attribute("aria-valuetext") == point["said"] and slider.input_value() == str(place)
    heads = page.locator(".ll-measure .ll-head").all_inner_texts()
    for head, measure in zip(heads, ("kl", "rate"), strict=True):
        assert rounded(point[measure]["mean"][0]) in head
    assert point["word"] in heads[0]
    assert page.locator(".ll-stops .ll-here").inner_text() == point["label"]
    assert page.locator("circle.ll-seed.ll-here").count() == 2 * len(point["kl"]["seeds"])


def built(page) -> dict:
    """The data that this page was built with."""
    return page.evaluate("window.liveLambda")


def test_the_slider_moves_codes_and_numbers_by_keyboard(opened, paths, data):
    """Each arrow is a place; End is the last; what is drawn changes with what is written."""
    page = opened(PAGE)
    shown = built(page)
    assert {k: v for k, v in shown.items() if k != "paths"} == {
        k: v for k, v in unwrapped(script(paths, data)).items() if k != "paths"
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
    assert page.problems == []


def test_choices_by_keyboard_and_what_is_not_recorded(opened):
    """Radio buttons by arrow keys; a model without runs cannot be chosen, and the page says why."""
    page = opened(PAGE)
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
    page = opened(PAGE)
    shown = built(page)
    box = page.locator(".ll-measure svg").last.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.47, box["y"] + 40)
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
        assert all(part in row for part in (point["label"], point["word"], rounded(point["kl"]["mean"][0])[:-5]))
    assert page.problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_touch_on_a_phone(browser, built_tree, scheme):
    """At 360 pixels a tap on a place's name, and on the slider; nothing is cut; a drawing has ink on either ground."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    page, problems = context.new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else problems.append(r.url))
    page.goto((built_tree / "_build" / "html" / PAGE).as_uri())
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
    assert problems == []
    context.close()


def test_the_page_is_light(built_tree):
    """All that this page alone loads, together below a megabyte."""
    own = list((built_tree / "_build" / "html" / "_static").glob("live_lambda*"))
    assert {path.suffix for path in own} == {".js", ".css"} and sum(path.stat().st_size for path in own) < 1_000_000
    others = [p for p in (built_tree / "_build" / "html" / "book").glob("*.html") if p.name != "live_lambda.html"]
    assert len(others) > 5 and not any("live_lambda_data.js" in p.read_text(encoding="utf-8") for p in others)
