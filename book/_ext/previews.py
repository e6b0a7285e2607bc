"""What previews.js shows beside a link: for each place that some page links, a short text, all in one script.

A script and not JSON, as pages that are opened from a disk may fetch nothing. Read from the rendered pages, so that a
build that renders only some of them has the texts of all.
"""

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from posixpath import dirname, join, normpath

from bs4 import BeautifulSoup

from vimae_core.store import read_json, write_json

TEXTS = "_static/previews_texts.js"
LENGTH = 600  # characters of a text; a caption may be longer
HEADINGS = ["h1", "h2", "h3", "h4"]
EMBEDDED = re.compile(r'data:[^"]{200,}')  # pictures within the page: too heavy to read, or to show twice


def clipped(text: str, length: int = LENGTH) -> str:
    """The text, cut at the end of a sentence or else of a word."""
    if len(text) <= length:
        return text
    cut = text[:length]
    return cut[: cut.rfind(". ") + 1] or cut.rsplit(" ", 1)[0] + "…"


def inner(element) -> str:
    """What stands in it, without links, marks, names and provenance."""
    copy = BeautifulSoup(str(element), "html.parser").contents[0]
    for useless in copy.select("a.headerlink, .provenance, script"):
        useless.decompose()
    for named in copy.select("[id]"):
        del named["id"]
    for link in copy.select("a"):
        link.unwrap()
    return copy.decode_contents().strip()


def prose(element) -> str:
    """A paragraph of it: whole where it is short or has mathematics, which cannot be cut anywhere."""
    text = inner(element)
    if len(text) > LENGTH and not element.select(".math"):
        text = escape(clipped(" ".join(BeautifulSoup(text, "html.parser").get_text().split())))
    return f"<p>{text}</p>"


def text_of(place, folder: str) -> str | None:
    """What to show of an element of a page in `folder`; None for one that needs no preview."""
    classes = place.get("class", [])
    if place.name == "figure":
        image, caption = place.img, place.select_one("figcaption p")
        source = image.get("src", "") if image else ""
        shown = f'<img data-src="{normpath(join(folder, source))}" alt="">' if source and ":" not in source else ""
        return shown + prose(caption) if caption else None
    if place.name == "table":
        return prose(place.caption) if place.caption else None
    if place.name == "div" and "math" in classes:
        return f'<div class="math">{inner(place)}</div>'
    if place.name == "div" and "citation" in classes:
        return prose(place.p)
    if place.name == "dt":
        told = place.find_next_sibling("dd")
        name = place.select_one(".descname") or place
        return f"<p><b>{inner(name)}</b></p>" + (prose(told.p) if told and told.p else "")
    heading = place.find(HEADINGS) if place.name == "section" else place.find_next_sibling(HEADINGS)
    told = heading and heading.find_next_sibling("p")
    return f"<p><b>{inner(heading)}</b></p>{prose(told)}" if told else None


def article(site: Path, page: str):
    """What a page says, without its frame."""
    return BeautifulSoup(EMBEDDED.sub("", (site / page).read_text("utf-8")), "html.parser").article


def texts(site: Path, pages: list[str], known: dict[str, dict]) -> dict[str, str]:
    """By page and name of a place, as links have them, what to show of it.

    `known` holds by page what an earlier call found there, and what this one finds: a page that was not rendered since
    is read for a place that is linked for the first time alone.
    """
    read = cache(lambda page: article(site, page))
    for page in pages:
        rendered = (site / page).stat().st_mtime_ns
        if known.get(page, {}).get("rendered") != rendered:
            hrefs = [link["href"] for link in read(page).select('a.internal[href*="#"]')]
            links = {page + h if h.startswith("#") else normpath(join(dirname(page), h)) for h in hrefs}
            known[page] = {"rendered": rendered, "links": sorted(links), "texts": {}}
    found = {}
    for target in sorted({link for page in pages for link in known[page]["links"]}):
        page, name = target.split("#", 1)
        if page not in pages:
            continue
        told = known[page]["texts"]
        if name not in told:
            place = read(page).find(id=name)
            told[name] = place and text_of(place, dirname(page))
        if told[name]:
            found[target] = told[name]
    return found


def write(app, exception):
    """The script, beside the pages."""
    if exception is None and app.builder.format == "html":
        site, kept = Path(app.outdir), Path(app.doctreedir) / "previews.json"
        pages = [app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
        newer = kept.is_file() and kept.stat().st_mtime > Path(__file__).stat().st_mtime  # than the code that wrote it
        known = read_json(kept) if newer else {}
        told = json.dumps(texts(site, pages, known), ensure_ascii=False, separators=(",", ":"))
        (site / TEXTS).write_text(f"window.previews = {told};\n", encoding="utf-8")
        write_json(kept, known)


def setup(app):
    app.add_js_file("previews.js", loading_method="defer")
    app.add_css_file("previews.css")
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
