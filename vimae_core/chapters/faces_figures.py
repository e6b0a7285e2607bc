"""Figure 3: faces given back and generated, between two codes and along coordinates; and the scale of the distance."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from jaxtyping import Float, UInt8
from matplotlib.ticker import LogLocator, NullLocator
from torch import Tensor

from vimae_core.chapters.faces import distance_name
from vimae_core.chapters.generation_figures import sheets
from vimae_core.data import Dataset
from vimae_core.evaluation.drawn_codes import N
from vimae_core.evaluation.faces import SHOWN
from vimae_core.networks import as_pixels
from vimae_core.report.provenance import provenance, seeds_of
from vimae_core.report.results import Results
from vimae_core.report.show import show_figure
from vimae_core.report.style import INK, MARKERS, PALE, SERIES, WIDTH
from vimae_core.runs import Run

TRAVERSED, REACH = 4, 3.0  # coordinates of a traversal, and how far along each


def show_toy_faces(data: Dataset, name: str) -> None:
    """Displays the first training pictures of a data set that was drawn, not photographed."""
    show_figure(
        sheets({"training": as_pixels(data["train"][0][:24]), "held out": as_pixels(data["test"][0][:24])}, (), SHOWN),
        name,
        f"**{data.name}.** The first pictures of the training and of the test split: cartoons that the package draws "
        f"from {data.factors.shape[1]} independent factors. They stand in for CelebA, and are not CelebA.",
        "Two sheets of 24 cartoon faces each",
        f"Provenance: vimae_core/toy_faces.py, data {data.digest[:8]}.",
    )


def show_figure_3(results: Results, name: str, originals: UInt8[Tensor, "n c h w"] | None = None) -> None:
    """Displays, for each model, reconstructions over samples of the prior, as the paper's figure arranges them.

    The reconstructions come from the recorded codes; `originals` stand above them where they may be shown.
    """
    above = [] if originals is None else [as_pixels(originals[:SHOWN])]
    told = "" if originals is None else "held-out pictures; "
    _show(
        results,
        lambda run, codes: torch.cat([*above, run.decode(codes), _samples(run, 3 * SHOWN)]),
        name,
        "The paper's Figure 3",
        f"In each panel, from top to bottom: {told}reconstructions of the "
        "first eight held-out pictures, decoded from their posterior means; three rows of samples of the prior.",
        f"Panels of faces, one a model: reconstructions of held-out faces above, prior samples below, {results.title}",
        breaks=(1 + len(above),),
    )


def show_prior_and_aggregate(results: Results, drawn: Callable[[Run], dict], name: str) -> None:
    """Displays samples of the prior over what is decoded from codes of training pictures, `drawn_codes` of a run."""
    _show(
        results,
        lambda run, _: torch.cat([_samples(run, 2 * SHOWN), run.decode(torch.tensor(drawn(run)["codes"]))]),
        name,
        "Prior against aggregate posterior",
        "In each panel, two rows decoded from draws of the prior, and below the gap two rows decoded from draws of "
        f"$q(z|x)$ of {N} training pictures, the same for all models.",
        f"Panels of faces, one a model: samples of the prior above, of the aggregate posterior below, {results.title}",
        breaks=(2,),
    )


def show_interpolations(results: Results, name: str) -> None:
    """Displays the decoded lines between the recorded codes of pairs of held-out pictures."""

    def rows(run: Run, codes: Tensor) -> Tensor:
        share = torch.linspace(0, 1, SHOWN)[:, None]
        return torch.cat([run.decode(a + share * (b - a)) for a, b in zip(codes[::2], codes[1::2], strict=True)])

    _show(
        results,
        rows,
        name,
        "Between two faces",
        "Each row decodes eight codes on the line from the code of one held-out picture to that of another.",
        "Panels of four rows of faces, one a model: each row goes from one face to another",
    )


def show_traversals(results: Results, name: str) -> None:
    """Displays what the coordinates that change most do to the face at the prior's centre."""
    _show(
        results,
        lambda run, codes: traversal(run),
        name,
        "Along a coordinate",
        f"Each row moves one coordinate of the code from −{REACH:g} to "
        f"{REACH:g}, the others at 0; shown are the {TRAVERSED} of each model that change the picture most.",
        "Panels of four rows of faces, one a model: each row changes one coordinate of the code",
    )


def traversal(run: Run) -> Float[Tensor, "n c h w"]:
    """The rows of the coordinates whose ends differ most in squared error, the first coordinate most."""
    d = run.config.latent_dim
    ends = run.decode(torch.cat([torch.eye(d), -torch.eye(d)]) * REACH)
    change = (ends[:d] - ends[d:]).square().flatten(1).sum(1)
    chosen = torch.eye(d)[change.argsort(descending=True)[:TRAVERSED]]
    return run.decode((chosen[:, None] * torch.linspace(-REACH, REACH, SHOWN)[None, :, None]).flatten(0, 1))


def show_scale(results: Results, models: list[str], name: str) -> None:
    """Displays on one axis the models' distances and those of real pictures made worse by known amounts."""
    if not results:
        return
    marks = {"real pictures": results.table["real_distance"].iloc[0], **results.table["ladder"].iloc[0]}
    marks = dict(sorted(marks.items(), key=lambda item: item[1]))
    shown = [m for m in models if results.values(m, "prior_distance")]
    figure, axis = plt.subplots(figsize=(WIDTH, 0.24 * (len(marks) + 2 * len(shown)) + 0.6))
    y = 0
    for label, value in marks.items():
        axis.plot([min(marks.values()) / 2, value], [y, y], color=PALE, linewidth=0.6)
        axis.plot(value, y, "|", color=INK, markersize=9)
        axis.annotate(label, (value, y), xytext=(6, 0), textcoords="offset points", va="center", fontsize=8)
        y += 1
    for i, model in enumerate(shown):
        for source, filled in (("aggregate", False), ("prior", True)):
            values = results.values(model, f"{source}_distance")
            colour = SERIES[i % len(SERIES)]
            face = colour if filled else "white"
            axis.plot(values, [y] * len(values), MARKERS[i % len(MARKERS)], color=colour, markerfacecolor=face)
            where = "prior" if filled else "aggregate posterior"
            axis.annotate(
                f"{model}, {where}",
                (max(values), y),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
            y += 1
    axis.set(xscale="log", xlabel=distance_name(results), yticks=[], ylim=(-0.7, y - 0.3))
    axis.set_xlim(min(marks.values()) / 1.5, None)
    axis.spines["left"].set_visible(False)
    axis.set_xlim(None, axis.get_xlim()[1] * 2.5)  # room for the labels
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    show_figure(
        figure,
        name,
        f"**What a distance means, {results.title}.** {distance_name(results)} to the held-out pictures, at equal n, "
        "on a logarithmic axis. Ticks: as many real training pictures, as they are and made worse in known ways. "
        "Filled marks: samples of each model's prior; open marks: samples of its aggregate posterior; one mark a seed.",
        f"Distances on a logarithmic axis: real pictures, real ones made worse, samples of models, {results.title}",
        provenance(results.notebook, results.profile, results.runs),
    )


def _samples(run: Run, n: int) -> Tensor:
    return run.sample(n, torch.Generator().manual_seed(run.config.seed))


def _show(
    results: Results,
    rows: Callable[[Run, Tensor], Tensor],
    name: str,
    what: str,
    caption: str,
    alt: str,
    breaks: tuple[int, ...] = (),
) -> None:
    """One panel a model of the first seed whose weights are there: rows of eight images, a gap before `breaks`."""
    runs, records = results.drawn() if results else ([], [])
    if not runs:
        return
    panels = {
        run.config.label: rows(run, torch.tensor(record["codes"])) for run, record in zip(runs, records, strict=True)
    }
    caption = f"**{what}, {results.title}, {seeds_of(runs)}.** {caption}"
    show_figure(sheets(panels, breaks, SHOWN), name, caption, alt, provenance(results.notebook, results.profile, runs))
