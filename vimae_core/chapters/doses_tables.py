"""What was measured of every dose, a row each: what its codes tell, and what comes of it."""

from dataclasses import replace

import pandas as pd

from vimae_core.chapters.disentanglement import model_name
from vimae_core.chapters.doses import CONDITIONS, doses
from vimae_core.chapters.doses_figures import ROADS, TOLD
from vimae_core.chapters.thesis import Group
from vimae_core.config import RunConfig
from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_table

VARIED = {
    "shape": "Priors of unit variance",
    "scale": "The prior's scale, noise learnt",
    **ROADS,
    "rows": "The paper's models as they stand",
}
TELL = {  # what the codes tell
    "rate": ("rate", ".1f"),
    "information, from below": ("information", ".1f"),
    "from above": ("information_above", ".1f"),
    "active": ("active", ".1f"),
}
LIE = {  # how they lie beside the prior
    "divergence, from below": ("kl_below", ".2f"),
    "from above": ("kl_above", ".1f"),
    "entropy, from above": ("entropy_above", ".1f"),
    "MMD² × 10⁴": ("mmd2", ".1f"),
}
COMES = {  # and what comes of it
    "distortion": ("distortion", ".1f"),
    "squared error": ("squared_error", ".1f"),
    "Fréchet distance of samples": ("prior_frechet", ".1f"),  # of priors and scales alone
    **{TOLD[c]: (c, ".1f") for c in CONDITIONS},
}


def dose_name(config: RunConfig, weights: bool) -> str:
    """A model and all that is a dose in it: "InfoVAE, α = 0.1"; with its λ where those of others differ, "λ to 100"
    where it rises, else "λ = 10"."""
    parts = [model_name(config).removeprefix("VIMAE, ").removeprefix("generalised-normal prior, ")]
    parts += [f"α = {config.alpha:g}"] if config.method == "infovae" else []
    if weights and config.method in ("infovae", "vimae"):
        parts += [f"λ {'=' if config.lambda_schedule == 'constant' else 'to'} {config.lambda_:,g}"]
    parts += [f"tolerance {config.tolerance:g}"] if config.lambda_schedule == "constrained" else []
    return ", ".join([*parts, *["adversarial"] * (config.divergence == "adversarial")])


def dose_table(results: Results, measured: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """A row a dose: of each measure that there is the mean and 95 % interval over seeds."""
    configs = [run.config for run in results.runs]
    weights = len({(c.lambda_, c.lambda_schedule) for c in configs}) > 1
    names = [dose_name(config, weights) for config in configs]
    table = doses(results).assign(model=names)
    named = replace(results, table=table.assign(active=table["active"].astype(float))).scaled("mmd2", 1e4)
    there = {title: how for title, how in measured.items() if how[0] in named.table}
    rows = {name: [named.mean(name, *how) for how in there.values()] for name in names}
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="dose"), columns=list(there))


SHOWN = {  # by the end of its label: what is measured, and what the caption says of it
    "-codes": (TELL, "What the codes tell, nats an image; active: coordinates whose means vary over images."),
    "-prior": (LIE, "How the codes lie beside the prior: divergence and entropy of q(z), nats; MMD² from prior draws."),
    "": (COMES, "What comes of it: distortion, nats; squared error of reconstructions; of priors and scales the "
         "Fréchet distance of samples (digit network, not the FID); accuracy, M1+TSVM, percent."),
}  # fmt: skip


def show_numbers(groups: Group, name: str) -> None:
    """Displays the tables of each thing that is varied, of those that were run."""
    for group, varied in VARIED.items():
        for end, (measured, told) in SHOWN.items() if groups[group] else ():
            show_table(
                dose_table(groups[group], measured),
                f"{name.replace('fig-', 'tab-')}-{group.replace('_', '-')}{end}",
                f"**{varied}, {groups[group].title}.** {told} Mean and 95 % interval over seeds.",
                sources([groups[group]]),
            )
