"""Draws the picture that the book is shared with, book/_static/preview.png: python workflow/preview.py.

Codes of the test digits over their prior, from the reference runs of Figure 1.
"""

import math
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import yaml
from matplotlib.patches import Circle
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vimae_core.chapters import latent_shape_figures as figures  # noqa: E402 (the path must be set first)
from vimae_core.datasets import load_dataset  # noqa: E402
from vimae_core.report.results import reference_results  # noqa: E402
from vimae_core.report.style import DIGITS, INK  # noqa: E402

TARGET = ROOT / "book" / "_static" / "preview.png"
MODELS = ("VAE", "beta-VAE", "VIMAE-n")  # those with a normal prior
LIMIT, N = 4.7, 4000  # of an axis; digits


def draw() -> None:
    """Writes the picture, 1200 by 630 pixels."""
    data = load_dataset("mnist")
    images, labels = (part[:N] for part in data["test"])
    runs, _ = reference_results("latent_shape", data)["figure"].drawn()
    by_label = {run.config.label: run for run in runs}
    title = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["title"]

    figure, axes = plt.subplots(1, len(MODELS), figsize=(12, 6.3), dpi=100)
    figure.subplots_adjust(left=0.035, right=0.965, bottom=0.03, top=0.72, wspace=0.06)
    head, _, tail = title.rpartition(", ")
    figure.text(0.035, 0.93, head, size=31, weight="bold", color=INK, va="top")
    figure.text(0.035, 0.835, f"{tail}: do the codes of digits follow their prior?", size=19, color="#555", va="top")
    for axis, model in zip(axes, MODELS, strict=True):
        run = by_label[model]
        z = run.posterior(images).sample(torch.Generator().manual_seed(run.config.seed)).numpy()
        order = np.random.default_rng(0).permutation(len(z))  # no class lies on top of the others
        colours = [DIGITS[label] for label in labels[order].tolist()]
        axis.scatter(*z[order].T, c=colours, s=5, alpha=0.55, linewidths=0)
        for mass in figures.MASS:
            axis.add_patch(Circle((0, 0), math.sqrt(-2 * math.log(1 - mass)), fill=False, color=INK, linewidth=1.4))
        axis.set(xlim=(-LIMIT, LIMIT), ylim=(-LIMIT, LIMIT), aspect="equal", xticks=[], yticks=[])
        axis.spines[:].set_visible(False)
        axis.set_title(figures.titled(run), loc="left", size=17, color=INK)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    Image.fromarray(pixels).quantize(128).save(TARGET, optimize=True)  # a third of the bytes
    plt.close(figure)


if __name__ == "__main__":
    draw()
