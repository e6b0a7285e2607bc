"""The rendered book is light: figures beside their pages, sources for download, nothing that no page asks for."""

import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.test_book import PAGES, TOC
from vimae_core import toy_faces
from vimae_core.chapters import CHAPTERS
from vimae_core.report.show import compact, of_few_colours

sys.path.insert(0, str(ROOT / "book" / "_ext"))
from breakable import breakable
from light import css_size, lazy, named_icons, plain

FIRST = f"{TOC['root']}.html"


class Page(HTMLParser):
    """What a page names, what it leads to, and its images."""

    def __init__(self, path: Path):
        super().__init__()
        self.names, self.targets, self.images = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        self.targets += [given[key] for key in ("href", "src") if given.get(key)]
        if tag == "img":
            self.images.append(given)


@pytest.fixture(scope="module")
def html(built_tree):
    return built_tree / "_build" / "html"


@pytest.fixture(scope="module")
def pages(html):
    """Every rendered page by its path, sources of the code among them."""
    return {path.resolve(): Page(path) for path in html.rglob("*.html") if "_static" not in path.parts}


def figures(html: Path, name: str) -> list[Path]:
    return [html / name / ".." / unquote(image["src"]) for image in Page(html / name).images]


def test_the_first_page_is_under_300_kb_with_its_figure(html):
    """Page and figures together."""
    assert figures(html, FIRST)
    weight = (html / FIRST).stat().st_size + sum(path.resolve().stat().st_size for path in figures(html, FIRST))
    assert weight < 300_000


def test_no_page_is_over_2_mb_and_none_holds_a_figure(html):
    """A figure inside a page would be loaded before its first line is shown."""
    for path in html.rglob("*.html"):
        assert path.stat().st_size < 2_000_000, path
        assert not re.search(r'src="data:image', path.read_text(encoding="utf-8")), path


def test_the_site_is_under_30_mb(html):
    """And holds no figure that no page shows."""
    assert sum(path.stat().st_size for path in html.rglob("*") if path.is_file()) < 30_000_000
    shown = {path.name for name in PAGES for path in figures(html, name)}
    assert {path.name for path in (html / "_images").iterdir()} == shown
    assert not list(html.glob("_static/locales")) + list(html.rglob("*.map")) + list(html.rglob("*.ttf"))


def test_a_page_loads_the_icons_that_pages_name(html):
    """By name or in two colours, and no other; the script stays whole, and those of the built book are there."""
    script = (
        'var p={monero:[4,5,[],"f3d0","M3"],"file-pdf":[5,5,[8,"pdf"],"f1c1",["","M0"]],sun:[5,5,[],"f1",["M","M"]]};'
    )
    assert (
        named_icons(script, '<i class="fas fa-file-pdf fa-lg">')
        == 'var p={"file-pdf":[5,5,[8,"pdf"],"f1c1",["","M0"]],};'
    )
    built = (html / "_static" / "scripts" / "fontawesome.js").read_text("utf-8")
    used = {name for page in PAGES for name in re.findall(r"\bfa-([a-z0-9-]+)", (html / page).read_text("utf-8"))}
    assert used >= {"bars", "magnifying-glass", "moon"} and len(built) < 100_000 and "monero" not in built
    assert all(re.search(rf'[{{,]"?{name}"?:\[\d', built) for name in used - {"solid", "brands", "lg"})


def test_code_has_no_marks_that_colour_nothing(html):
    """Names, points and spaces have the colour of the rest, on light and on dark pages; what it says stays."""
    line = '<span class="k">def</span><span class="w"> </span><span class="nf">f</span><span class="p">():</span>'
    assert plain(line) == '<span class="k">def</span> <span class="nf">f</span>():'
    css = (html / "_static" / "pygments.css").read_text("utf-8")
    for theme in ("light", "dark"):
        start = re.escape(f'html[data-theme="{theme}"] .highlight')
        (own,) = re.findall(start + r" \{ background: #\w+; color: (#\w+) \}", css)
        assert {re.search(start + rf" \.{kind} \{{ color: (#\w+) \}}", css)[1] for kind in "npw"} == {own}
    assert not re.search('<span class="[npw]">', (html / "_modules" / "vimae_core" / "mmd.html").read_text("utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_figures_are_asked_for_when_near_and_keep_their_place(html, name):
    """Each is lazy, with the shape of its file."""
    for image in Page(html / name).images:
        assert image["loading"] == "lazy"
        path = (html / name / ".." / image["src"]).resolve()
        if path.suffix == ".png":
            with Image.open(path) as picture:
                wide, high = picture.size
            assert int(image["width"]) / int(image["height"]) == pytest.approx(wide / high, rel=0.02)


def test_notebooks_are_offered_without_outputs(html):
    """What a reader downloads is the notebook as it stands in notebooks/."""
    offered = sorted((html / "_sources" / "book" / "results").glob("*.ipynb"))
    assert [path.stem for path in offered] == sorted(CHAPTERS.values())
    assert all(path.read_bytes() == (ROOT / "notebooks" / path.name).read_bytes() for path in offered)


def test_no_link_is_broken(pages):
    """Every file and every anchor that a page leads to is there."""
    broken = []
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme in ("http", "https", "mailto", "data", "javascript"):
                continue
            led = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not led.exists() or (anchor and led in pages and anchor not in pages[led].names):
                broken.append(f"{path.name}: {target}")
    assert broken == []


def test_a_figure_is_made_lazy_and_links_to_its_file(tmp_path):
    """A picture beside text gets a size and no link; a figure both; PNG and SVG alike."""
    Image.new("RGB", (400, 200)).save(tmp_path / "a.png", dpi=(192, 192))
    (tmp_path / "b.svg").write_text('<svg xmlns:x="y" width="75pt" height="30pt" viewBox="0 0 75 30">')
    files = {name: tmp_path / name for name in ("a.png", "b.svg")}
    beside = lazy('<p><img alt="x" src="../_images/a.png" /></p>', files)
    assert 'width="200" height="100" loading="lazy"' in beside and "<a" not in beside
    figure = lazy('<figure id="f">\n<img alt="x" src="../_images/b.svg" />\n', files)
    assert '<a class="enlarge" href="../_images/b.svg"><img' in figure and 'width="100" height="40"' in figure
    (tmp_path / "b.svg").write_text('<svg width="450pt" height="30pt">')
    assert '<a class="enlarge wide" ' in lazy('<figure id="f">\n<img alt="x" src="../_images/b.svg" />\n', files)


def test_an_svg_without_a_size_is_refused(tmp_path):
    """The message names the file."""
    (tmp_path / "c.svg").write_text("<svg>")
    with pytest.raises(ValueError, match=r"c\.svg.*must begin with its width"):
        css_size(tmp_path / "c.svg")


def test_lines_break_after_punctuation_of_code_and_not_within_an_interval():
    """Mathematics and attributes stay as they are."""
    assert breakable('<span class="pre">a_b.c(d)</span>') == '<span class="pre">a_<wbr>b.<wbr>c(<wbr>d)</span>'
    assert breakable("<td><p>0.9 ± 0.3</p></td>") == '<td><p>0.9 <span class="together">± 0.3</span></p></td>'
    for kept in (
        "<p>0.9 ± 0.3</p>",
        r"<td>\(a ± 0.3\)</td>",
        '<td title="β-VAE"></td>',
        '<a href="https://a.b/c">d</a>',
    ):
        assert breakable(kept) == kept


def test_a_picture_of_few_colours_is_the_same_picture():
    """A sheet of toy faces and a cloud in ten colours: size and scale kept, a channel off by 2 of 255 in the mean."""
    figure, (left, right) = plt.subplots(1, 2)
    faces = toy_faces.render(toy_faces.draw_factors(9))
    left.imshow(faces.permute(2, 0, 3, 1).reshape(64, -1, 3).numpy())
    right.scatter(*np.random.default_rng(0).normal(size=(2, 500)), c=np.arange(500) % 10, cmap="tab10")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    few, drawn = Image.open(io.BytesIO(of_few_colours(buffer.getvalue()))), Image.open(buffer)
    assert few.mode == "P" and few.size == drawn.size and few.info["dpi"] == drawn.info["dpi"]
    assert len(of_few_colours(buffer.getvalue())) < 0.6 * len(buffer.getvalue())
    off = np.abs(np.asarray(few.convert("RGB"), dtype=float) - np.asarray(drawn.convert("RGB"), dtype=float))
    assert off.mean() < 2 and (off.max(2) > 60).mean() < 1e-3


def test_a_compact_drawing_is_the_same_drawing():
    """Element by element, with every number within a hundredth of a point; an eighth lighter."""
    figure, axis = plt.subplots()
    axis.scatter(*np.random.default_rng(0).normal(size=(2, 20)), alpha=0.123456, label="$\\sigma$ > 0.4 < 1")
    axis.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    plt.close(figure)
    drawn = buffer.getvalue()
    assert len(compact(drawn)) < 0.875 * len(drawn)
    kept, all_ = ([*ElementTree.fromstring(svg).iter()] for svg in (compact(drawn), drawn))
    described = next(part for part in all_ if part.tag.endswith("metadata"))
    before = [part for part in all_ if part not in [*described.iter()]]
    assert [(part.tag, list(part.attrib)) for part in kept] == [(part.tag, list(part.attrib)) for part in before]
    number = re.compile(r"-?\d+(?:\.\d+)?")
    for new, old in zip(kept, before, strict=True):
        for name, value in old.attrib.items():
            assert number.split(new.attrib[name]) == number.split(value)
            after, given = (np.array(number.findall(v), dtype=float) for v in (new.attrib[name], value))
            assert np.allclose(after, given, rtol=0, atol=0.0051 if name != "style" else 0)
