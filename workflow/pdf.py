"""The whole book as one PDF: python workflow/pdf.py [PROFILE] builds it as `make book` does, and prints its pages.

The rendered pages are put one after another into one, each name of a place led by its page's, and printed by Chromium.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from html import escape
from pathlib import Path
from posixpath import dirname, join, normpath

import yaml
from bs4 import BeautifulSoup, Tag
from filelock import FileLock
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "book" / "_ext"), str(ROOT / "workflow")]

from imprint import imprint  # noqa: E402 (the path must be set first)
from run import LOCK  # noqa: E402 (likewise)

TARGET = "_build/vimae.pdf"
NOTE = "<p><em>This page is to be touched: it is in the rendered book.</em></p>"
MISSING = (
    "make pdf prints with Chromium, which is not here. On Debian and Ubuntu: apt-get install chromium; elsewhere, any "
    "Chromium or Chrome that the search path knows as chromium, chromium-browser or google-chrome"
)
# What a page has for a screen alone: code, which the notebooks hold, marks, buttons and scripts.
SCREEN = ".cell_input, .provenance, .headerlink, .viewcode-link, .toc-actions, script, button, .sd-tab-set > input"
LIVE = "canvas, input:not(.sd-tab-set > input), select"  # what waits for a reader's hand
WIDTH = 665  # CSS pixels between the margins: 176 mm, as print.css has them


def chromium() -> str:
    """Its path; ends the process with what to install where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    sys.exit(MISSING)


def parts(root: Path) -> list[tuple[str, list[str]]]:
    """The book's parts with their pages, the first page before them, as _toc.yml has them."""
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf-8"))
    return [("", [toc["root"]]), *((p["caption"], [page["file"] for page in p["chapters"]]) for p in toc["parts"])]


def place(page: str, name: str = "") -> str:
    """The name of a place in the one page."""
    return f"{page.replace('/', '-')}--{name}"


def printable(article: Tag, page: str, pages: set[str]) -> Tag:
    """The article of a page without what only a screen has, its names, links and files as the one page needs them."""
    if article.select_one(LIVE):
        _as_note(article)
    for useless in article.select(SCREEN):
        useless.decompose()
    for cell in article.select(".cell"):
        if not cell.get_text(strip=True) and not cell.find(["img", "svg"]):
            cell.decompose()
    for details in article.select("details"):
        details["open"] = ""
    for caption in article.select("table > caption"):  # within the table it could be cut by the page's end
        caption.name, caption["class"] = "p", ["caption"]
        caption.parent.insert_before(caption.extract())
    for named in article.select("[id]"):
        named["id"] = place(page, named["id"])
    for link in article.select("a[href]"):
        _lead(link, page, pages)
    for image in article.select("img[src]"):
        image.attrs.pop("loading", None)
        if ":" not in image["src"]:
            image["src"] = normpath(join(dirname(page), image["src"]))
    article.name, article["class"], article["id"] = "section", ["chapter"], place(page)
    return article


def _as_note(article: Tag) -> None:
    """A live page's heading and first paragraph, and where the rest is."""
    kept = [part.extract() for part in (article.h1, article.p) if part]
    article.clear()
    article.extend([*kept, BeautifulSoup(NOTE, "html.parser")])


def _lead(link: Tag, page: str, pages: set[str]) -> None:
    """A link between pages leads to the place in the one page; one to a file that is not printed is mere text."""
    address, _, name = link["href"].partition("#")
    if re.match(r"[a-z]+:", address):
        return
    target = normpath(join(dirname(page), address)).removesuffix(".html") if address else page
    if target in pages:
        link["href"] = f"#{place(target, name)}"
    else:
        link.unwrap()


def one_page(root: Path, site: Path) -> str:
    """The whole book as one HTML page beside the rendered ones."""
    listed = parts(root)
    pages = {page for _, of_part in listed for page in of_part}
    chapters, contents, running = [], [], []
    for caption, of_part in listed:
        contents += [f"<li class='part'>{escape(caption)}</li>"] * bool(caption)
        for page in of_part:
            document = BeautifulSoup((site / f"{page}.html").read_text("utf-8"), "html.parser")
            article = printable(document.select_one("article.bd-article"), page, pages)
            title, name = " ".join(article.h1.get_text().split()), place(page)
            contents.append(f"<li><a href='#{name}'><span>{escape(title)}</span><span></span></a></li>")
            running.append(f"@page {name} {{ @top-left {{ content: {_css(title)} }} }} #{name} {{ page: {name} }}")
            chapters.append(str(article))
    title, *rest = yaml.safe_load((root / "_config.yml").read_text("utf-8"))["title"], *imprint(root)
    return TEMPLATE.format(
        title=escape(title),
        imprint="".join(f"<p>{escape(text)}</p>" for text in rest),
        contents="\n".join(contents),
        running="\n".join(running),
        chapters="\n".join(chapters),
    )


def _css(text: str) -> str:
    """A string of CSS."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


TEMPLATE = """<!DOCTYPE html>
<html lang="en" data-theme="light" class="whole-book">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="stylesheet" href="_static/styles/theme.css">
<link rel="stylesheet" href="_static/styles/pydata-sphinx-theme.css">
<link rel="stylesheet" href="_static/styles/sphinx-book-theme.css">
<link rel="stylesheet" href="_static/sphinx-design.min.css">
<link rel="stylesheet" href="_static/pygments.css">
<link rel="stylesheet" href="_static/book.css">
<link rel="stylesheet" href="_static/chapters.css">
<link rel="stylesheet" href="_static/print.css">
<style>
{running}
</style>
<script>window.MathJax = {{options: {{processHtmlClass: "math", ignoreHtmlClass: "mathjax_ignore"}}}}</script>
<script defer src="_static/mathjax/tex-chtml.js"></script>
</head>
<body class="bd-content">
<section class="title-page"><h1>{title}</h1>{imprint}</section>
<nav class="contents"><h1>Contents</h1><ul>{contents}</ul></nav>
{chapters}
</body>
</html>
"""


# What is wider than the page becomes smaller; a table's cells break only where that is not enough, and a short table
# stays on one page. Told is what is still cut then.
FIT = """() => {
  const fits = (one) => one.getBoundingClientRect().right <= one.parentElement.getBoundingClientRect().right + 0.5;
  const shrink = (one, smallest) => {
    for (let size = 1; !fits(one) && size > smallest; ) one.style.zoom = size -= 0.05;
    return fits(one) || (one.style.zoom = "");
  };
  for (const table of document.querySelectorAll(".chapter table")) {
    table.classList.add("unbroken");
    if (!shrink(table, 0.8)) {
      table.classList.remove("unbroken");
      shrink(table, 0.5);
    }
    if (table.getBoundingClientRect().height < 400) table.style.breakInside = "avoid";
  }
  document.querySelectorAll(".chapter mjx-container[display='true'] > mjx-math").forEach((one) => shrink(one, 0.5));
  const cut = [...document.querySelectorAll(".chapter :is(td, th, img, p, pre, mjx-math)")].filter(
    (e) => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1
  );
  return cut.map((e) => `${e.closest(".chapter").id}: ${e.tagName} ${e.innerText ?? ""}`.slice(0, 200));
}"""


# In the contents, the chapters' pages in print.
NUMBER = """(numbers) => {
  for (const link of document.querySelectorAll(".contents a"))
    link.lastElementChild.textContent = numbers[link.hash.slice(1)];
}"""


def print_page(page: Page, source: Path, target: Path) -> None:
    """Prints a page when its equations are set and its pictures are there; tells what is cut.

    Twice, as the contents name pages that the first printing tells.
    """
    page.goto(source.as_uri())
    page.wait_for_function("MathJax.startup && MathJax.startup.promise")
    page.evaluate("MathJax.startup.promise.then(() => null)")
    page.emulate_media(media="print")
    if cut := page.evaluate(FIT):
        print(f"{len(cut)} pieces are wider than the page, such as {cut[0]!r}", file=sys.stderr)
    printing = {"path": target, "prefer_css_page_size": True, "print_background": True}
    page.pdf(**printing)
    page.evaluate(NUMBER, page_numbers(target))
    page.pdf(**printing, outline=True, tagged=True)


def page_numbers(printed: Path) -> dict[str, int]:
    """By name of a place that is linked, its page, from 1."""
    reader = PdfReader(printed)
    places = reader.named_destinations.items()
    return {name.lstrip("/"): reader.get_destination_page_number(where) + 1 for name, where in places}


def print_book(root: Path, target: Path, browser: str) -> Path:
    """Prints the rendered book of a repository."""
    site = root / "_build" / "html"
    with tempfile.TemporaryDirectory(dir=site.parent) as folder, sync_playwright() as playwright:
        source, draft = site / f"{Path(folder).name}.html", Path(folder) / "draft.pdf"
        chrome = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        try:
            page = chrome.new_page(viewport={"width": WIDTH, "height": 900})
            source.write_text(one_page(root, site), "utf-8")
            print_page(page, source, draft)
            os.replace(draft, target)
        finally:
            source.unlink(missing_ok=True)
            chrome.close()
    return target


def main(profile: str = "quick") -> None:
    """Builds the book and prints it. Ends the process with a message where Chromium is missing or the book fails."""
    browser = chromium()
    built = subprocess.run([sys.executable, str(ROOT / "workflow" / "run.py"), profile]).returncode
    if built:
        sys.exit(built)
    with FileLock(LOCK):  # as long as the pages are read, no build writes any
        printed = print_book(ROOT, ROOT / TARGET, browser)
    print(f"printed: {printed.relative_to(ROOT)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
