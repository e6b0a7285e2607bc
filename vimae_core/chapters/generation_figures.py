"""Figure 2: every model's reconstructions, mended digits, samples, interpolations and nearest training digits."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from torch import Tensor

from vimae_core.corruptions import corrupt
from vimae_core.networks import as_pixels
from vimae_core.report.provenance import provenance, seeds_of
from vimae_core.report.results import Results
from vimae_core.report.show import show_figure
from vimae_core.report.style import WIDTH
from vimae_core.runs import Run

COLUMNS = 10


def show_figure_2(results: Results, images: UInt8[Tensor, "n c h w"], condition: str, name: str) -> None:
    """Displays, for each model, the same test digits as the paper's figure arranges them."""
    digits = images[:COLUMNS]
    _show(
        results,
        lambda run: torch.cat(
            [
                as_pixels(digits),
                run.decode(run.encode(digits)),
                corrupt(digits, condition, seed=1),
                run.decode(run.encode(corrupt(digits, condition, seed=1))),
                run.sample(2 * COLUMNS, torch.Generator().manual_seed(run.config.seed)),
            ]
        ),
        name,
        "The paper's Figure 2",
        f"In each panel, from top to bottom: the first ten test digits; "
        f"their reconstructions; the same digits under *{condition}*; the reconstructions from these; two rows of "
        "samples of the prior. The same digits under the same corruption for all models.",
        f"Panels of digits, one a model: test digits and reconstructions, corrupted ones too, samples, {results.title}",
        breaks=(2, 4),
    )


def show_samples(results: Results, train: UInt8[Tensor, "n c h w"], name: str) -> None:
    """Displays samples of the prior over the nearest training digits."""

    def rows(run: Run) -> Tensor:
        samples = run.sample(COLUMNS, torch.Generator().manual_seed(run.config.seed))
        return torch.cat([samples, nearest(samples, train)])

    _show(
        results,
        rows,
        name,
        "Samples and the nearest training digit",
        "Top: ten samples of each model's prior; "
        "below each, the training digit with the smallest squared error to it. A model that copied its training set "
        "would show the same digit twice.",
        "Panels of two rows, one a model: samples of the prior and the nearest training digits",
    )


def show_interpolations(results: Results, images: UInt8[Tensor, "n c h w"], name: str) -> None:
    """Displays the decoded lines between the codes of pairs of test digits."""
    ends = images[: 2 * 3]

    def rows(run: Run) -> Tensor:
        z = run.encode(ends)
        share = torch.linspace(0, 1, COLUMNS)[:, None]
        return torch.cat([run.decode(a + share * (b - a)) for a, b in zip(z[::2], z[1::2], strict=True)])

    _show(
        results,
        rows,
        name,
        "Between two digits",
        "Each row decodes ten codes on the line from the code of one test digit to that of another.",
        "Panels of three rows, one a model: decoded lines between the codes of two digits",
    )


def nearest(samples: Float[Tensor, "n c h w"], train: UInt8[Tensor, "m c h w"]) -> Float[Tensor, "n c h w"]:
    """The training image with the smallest squared error to each sample."""
    best, rows = torch.full((len(samples),), torch.inf), torch.zeros(len(samples), dtype=torch.long)
    for start in range(0, len(train), 10_000):
        distance, row = torch.cdist(samples.flatten(1), as_pixels(train[start : start + 10_000]).flatten(1)).min(1)
        rows, best = torch.where(distance < best, row + start, rows), torch.minimum(distance, best)
    return as_pixels(train[rows])


def _show(
    results: Results,
    rows: Callable[[Run], Tensor],
    name: str,
    what: str,
    caption: str,
    alt: str,
    breaks: tuple[int, ...] = (),
) -> None:
    """One panel a model of the first seed whose weights are there: rows of `COLUMNS` images, a gap before `breaks`."""
    runs = results.drawn()[0] if results else []
    if not runs:
        return
    figure = sheets({run.config.label.replace("beta", "β"): rows(run) for run in runs}, breaks)
    caption = f"**{what}, {results.title}, {seeds_of(runs)}.** {caption}"
    show_figure(figure, name, caption, alt, provenance(results.notebook, results.profile, runs))


def sheets(images: dict[str, Float[Tensor, "n c h w"]], breaks: tuple[int, ...] = (), columns: int = COLUMNS) -> Figure:
    """One sheet of grey or colour images a title, two sheets side by side."""
    drawn = {title: _sheet(part, breaks, columns) for title, part in images.items()}
    height, width = next(iter(drawn.values())).shape[:2]
    lines = -(-len(drawn) // 2)
    size = (WIDTH, lines * (WIDTH / 2 * height / width + 0.25))
    figure, axes = plt.subplots(lines, 2, figsize=size, squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (title, sheet) in zip(axes.flat, drawn.items(), strict=False):
        axis.imshow(sheet.numpy(), cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        axis.set_title(title)
    return figure


def _sheet(images: Tensor, breaks: tuple[int, ...], columns: int) -> Float[Tensor, "height width *rgb"]:
    """Rows of images, blank space of a quarter of a row before those of `breaks`."""
    n, c, h, w = images.shape
    rows = images.unflatten(0, (n // columns, columns)).permute(0, 3, 1, 4, 2).reshape(n // columns, h, columns * w, c)
    blank = torch.full((h // 4, columns * w, c), 0.0 if c == 1 else 1.0)  # white: digits are drawn in ink
    parts = [torch.cat([blank, row]) if i in breaks else row for i, row in enumerate(rows)]
    return torch.cat(parts).squeeze(2)
