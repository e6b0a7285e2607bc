"""Light pages: figures are files, loaded when scrolled to; notebooks are offered as written, without outputs.

Notebooks carry figures as data URIs, which a page would load whole before it shows its first line.
"""

import re
import shutil
import zlib
from pathlib import Path

from PIL import Image

FIGURE = re.compile(r'(<figure[^>]*>\s*)?(<img (?:[^>]*? )?src="((?:\.\./)*_images/([^"/]+))"[^>]*?)(\s*/?>)')
SVG_SIZE = re.compile(rb'<svg [^>]*?width="([\d.]+)(pt|px|)" height="([\d.]+)')
PHONE = 400  # CSS pixels: a figure that is wider is made smaller on a phone, and says that a tap enlarges it
# Of the theme: translations of templates, sources of minified scripts, fonts for browsers without woff2 and of logos.
UNUSED = ("locales", "**/*.map", "**/*.ttf", "**/fa-brands-*")
UNCOLOURED = re.compile(r'<span class="[npw]">([^<]*)</span>')
ICON = re.compile(r'"?(?P<name>[a-z0-9-]+)"?:\[\d+,\d+,\[[^\[\]]*\],"[0-9a-f]+",(?:"[^"]*"|\["[^"]*","[^"]*"\])\],?')


def extract(app):
    """Sphinx writes a data URI to a file where the builder is said not to take one."""
    if app.builder.format == "html":
        app.builder.supported_data_uri_images = False


def css_size(path: Path) -> tuple[int, int]:
    """Width and height in CSS pixels at which a PNG or SVG file has the size that it was drawn for."""
    if path.suffix == ".svg":
        found = SVG_SIZE.search(path.read_bytes()[:4000])
        if not found:
            raise ValueError(f"{path}: an SVG figure must begin with its width and height, as matplotlib writes them")
        scale = 4 / 3 if found[2] == b"pt" else 1
        return round(float(found[1]) * scale), round(float(found[3]) * scale)
    with Image.open(path) as image:
        per_inch = image.info.get("dpi", (96, 96))[0]
        return tuple(round(side * 96 / per_inch) for side in image.size)


def lazy(body: str, files: dict[str, Path]) -> str:
    """A page's images with their size, so that nothing jumps, asked for when near; a figure's links to its file."""

    def describe(match):
        opening, image, source, name, end = match.groups()
        width, height = css_size(files[name])
        image += f' width="{width}" height="{height}" loading="lazy" decoding="async"{end}'
        wide = " wide" * (width > PHONE)
        return f'{opening}<a class="enlarge{wide}" href="{source}">{image}</a>' if opening else image

    return FIGURE.sub(describe, body)


def named_icons(script: str, pages: str) -> str:
    """The theme's script with the icons that pages name: all 2,000 are 1.4 MB, which a phone would load first."""
    named = set(re.findall(r"\bfa-([a-z0-9-]+)", pages))
    return ICON.sub(lambda icon: icon[0] if icon["name"] in named else "", script)


def plain(body: str) -> str:
    """Code without marks for names, points and spaces, which have the colour of the rest: half of a source page."""
    return UNCOLOURED.sub(r"\1", body)


def rewrite(app, pagename, templatename, context, doctree):
    files = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    if context.get("body"):
        context["body"] = lazy(plain(context["body"]), files)


def clean(app, exception):
    """Sources for download replace executed notebooks; figures of earlier builds and the theme's unused files go."""
    if exception or app.builder.format != "html":
        return
    out = Path(app.outdir)
    for executed in out.glob("_sources/book/results/*.ipynb"):
        shutil.copyfile(Path(app.srcdir, "notebooks", executed.name), executed)
    pages = "".join(page.read_text("utf-8") for page in out.rglob("*.html"))
    shown = set(re.findall(r"_images/([^\"'/]+)", pages))
    for image in out.glob("_images/*"):
        if image.name not in shown:
            image.unlink()
    scripts = out / "_static" / "scripts"
    beside = "".join(script.read_text("utf-8") for script in scripts.glob("*theme.js"))
    icons = scripts / "fontawesome.js"
    icons.write_text(named_icons(icons.read_text("utf-8"), pages + beside), "utf-8")
    for pattern in UNUSED:
        for path in out.glob(f"_static/{pattern}"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def setup(app):
    app.connect("builder-inited", extract)
    app.connect("html-page-context", rewrite, priority=900)
    app.connect("build-finished", clean)
    # When an extension changes, every page is made anew.
    sources = zlib.crc32(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    return {"env_version": sources, "parallel_read_safe": True, "parallel_write_safe": True}
