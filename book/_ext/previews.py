"""What previews.js shows beside a link: for each place that some page links, a short text, all in one script.

A script and not JSON, as pages that are opened from a disk may fetch nothing. Read from the rendered pages, so that a
build that renders only some of them has the texts of all.
"""

import json
import re
from html import escape
from pathlib import Path
from posixpath import dirname, join, normpath

from bs4 import BeautifulSoup

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


def texts(site: Path, pages: list[str]) -> dict[str, str]:
    """By page and name of a place, as links have them, what to show of it."""
    articles = {
        page: BeautifulSoup(EMBEDDED.sub("", (site / page).read_text("utf-8")), "html.parser").article for page in pages
    }
    wanted = {
        normpath(join(dirname(page), link["href"])) if not link["href"].startswith("#") else page + link["href"]
        for page, article in articles.items()
        for link in article.select('a.internal[href*="#"]')
    }
    found = {}
    for target in sorted(wanted):
        page, name = target.split("#", 1)
        place = articles[page].find(id=name) if page in articles else None
        if place and (text := text_of(place, dirname(page))):
            found[target] = text
    return found


def write(app, exception):
    """The script, beside the pages."""
    if exception is None and app.builder.format == "html":
        site = Path(app.outdir)
        pages = [app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
        told = json.dumps(texts(site, pages), ensure_ascii=False, separators=(",", ":"))
        (site / TEXTS).write_text(f"window.previews = {told};\n", encoding="utf-8")


def setup(app):
    app.add_js_file("previews.js", loading_method="defer")
    app.add_css_file("previews.css")
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
