"""Figures and tables with caption, alt text and provenance: as MyST for the book, as HTML for JupyterLab."""

import base64
import html
import io
import re
from collections.abc import Callable
from typing import NamedTuple

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure
from PIL import Image

from vimae_core.report.plain import as_html, as_phrase, shown_name
from vimae_core.report.provenance import folded, folded_page

_KEPT: list[list["Block"]] = []  # one list for each `kept` under way


class Block(NamedTuple):
    """A figure or a table with caption and provenance, as MyST for the book and as HTML for JupyterLab."""

    markdown: str
    page: str


def show_figure(figure: Figure, name: str, caption: str, alt: str, provenance: str, vector: bool = False) -> None:
    """Displays and closes a figure. `name` is what the book's {numref} cites; caption and alt may hold no newline.

    `vector` suits lines and few marks: sharp at every size. Pictures and clouds of points stay pixels.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg" if vector else "png")
    plt.close(figure)
    kind, content = ("svg+xml", compact(buffer.getvalue())) if vector else ("png", of_few_colours(buffer.getvalue()))
    image = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    block = Block(
        f"```{{figure}} {image}\n:name: {name}\n:alt: {alt}\n\n{caption}\n\n{folded(provenance)}\n```",
        f'<figure id="{name}"><img src="{image}" alt="{html.escape(alt)}" style="max-width: 100%">'
        f"<figcaption>{_captioned(name, caption)}{folded_page(provenance)}</figcaption></figure>",
    )
    show(block)


def compact(svg: bytes) -> bytes:
    """The same drawing without comments, spaces between tags, and decimals of a point after the second."""
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|\s+(?=<)", "", svg.decode(), flags=re.DOTALL)
    rounded = lambda place: re.sub(r"-?\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", place[0])  # noqa: E731
    return re.sub(r' d="[^"]*"| [xy]="[^"]*"|translate\([^)]*\)', rounded, text).encode()


def of_few_colours(png: bytes) -> bytes:
    """The same picture with a palette of 256 colours: a third of the bytes, and no difference that an eye finds."""
    picture, buffer = Image.open(io.BytesIO(png)), io.BytesIO()
    few = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(buffer, format="png", optimize=True, dpi=picture.info["dpi"])
    return buffer.getvalue()


def show_table(table: pd.DataFrame, name: str, caption: str, provenance: str) -> None:
    """Displays a table of text cells with its index as the first column."""
    table = table.replace("beta-VAE", "β-VAE", regex=True).rename(lambda name: str(name).replace("beta-VAE", "β-VAE"))
    rows = [
        [table.index.name or "", *table.columns],
        *([i, *row] for i, row in zip(table.index, table.values, strict=True)),
    ]
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    block = Block(
        f"~~~~{{table}} {caption}\n:name: {name}\n\n" + "\n".join(lines) + f"\n~~~~\n\n{folded(provenance)}",
        f'<p id="{name}">{_captioned(name, caption)}</p>{_cells(rows)}{folded_page(provenance)}',
    )
    show(block)


def _captioned(name: str, caption: str) -> str:
    return f"<strong>{shown_name(name)}.</strong> {as_phrase(caption)}"


def _cells(rows: list[list]) -> str:
    """A table as HTML, its first row the heads and its first column those of the rows."""
    head, *body = [[as_phrase(str(cell)) for cell in row] for row in rows]
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += [f"<tr><th>{first}</th>" + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>" for first, *rest in body]
    return f"<table>{''.join(lines)}</table>"


def show(block: Block) -> None:
    """Displays a block, or keeps it for the one that `kept` makes."""
    if _KEPT:
        _KEPT[-1].append(block)
    else:
        display({"text/markdown": block.markdown, "text/plain": block.markdown, "text/html": block.page}, raw=True)


def kept(call: Callable[[], object]) -> Block:
    """What a call would display, one below the other, as one block."""
    _KEPT.append([])
    try:
        call()
    finally:
        blocks = _KEPT.pop()
    return Block("\n\n".join(b.markdown for b in blocks), "".join(b.page for b in blocks))


def show_tabs(calls: dict[str, Callable[[], object]]) -> None:
    """Displays by title what calls would display: the reader sees the first, and chooses. What is empty has no tab."""
    blocks = {title: block for title, call in calls.items() if (block := kept(call)).markdown}
    if len(blocks) < 2:
        for block in blocks.values():
            show(block)
        return
    inner = "\n".join(fenced("tab-item", title, block.markdown) for title, block in blocks.items())
    pages = (_details(title, block.page, i == 0) for i, (title, block) in enumerate(blocks.items()))
    show(Block(fenced("tab-set", "", inner), "".join(pages)))


def show_folded(title: str, call: Callable[[], object]) -> None:
    """Displays what a call would display, behind a title that opens on a click; nothing where it is empty."""
    if (block := kept(call)).markdown:
        show(Block(fenced("dropdown", title, block.markdown), _details(title, block.page)))


def fenced(directive: str, title: str, content: str) -> str:
    """A MyST directive with its content, by a fence longer than those within."""
    fence = ":" * (max([2, *map(len, re.findall("^:{3,}", content, re.MULTILINE))]) + 1)
    return f"{fence}{{{directive}}} {title}\n{content}\n{fence}"


def _details(title: str, page: str, opened: bool = False) -> str:
    return f"<details{' open' * opened}><summary>{title}</summary>{page}</details>"


def tell(results, text: str | Callable[..., str]) -> None:
    """Displays a conclusion from results, as MyST, where there are such results; nothing beside other data's.

    A text with numbers of theirs is a function of the results: it is asked only where they are.
    """
    if results:
        show_text(text if isinstance(text, str) else text(results))


def show_text(text: str) -> None:
    """Displays MyST."""
    show(Block(text.strip(), as_html(text)))
