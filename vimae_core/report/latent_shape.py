"""Section 5.1: this build's runs beside the reference's, and the verdicts on them."""

from types import SimpleNamespace

from vimae_core.report.results import Results
from vimae_core.report.statistics import choose_lambda, claim_1, fits
from vimae_core.runs import Run

NOTEBOOK = "01_latent_shape"
VERDICTS = {True: "fits", False: "does not fit", None: "undecided"}


def drawn_runs(results: dict[str, Results], p: SimpleNamespace) -> list[Run]:
    """The runs that the figures draw: their weights are to be kept."""
    grid = results["grid"]
    chosen = grid.where(chosen_lambda(grid, p.likelihood, p.max_kl), p.likelihood)
    return results["figure"].drawn()[0] + chosen.drawn()[0]


def chosen_lambda(grid: Results, likelihood: str, max_kl: float) -> float:
    """What the protocol's rule chooses from VIMAE-n's runs, by their divergence on training images."""
    rows = grid.table.query("model == 'VIMAE-n' and likelihood == @likelihood")
    return choose_lambda({lam: r["kl_train"].to_list() for lam, r in rows.groupby("lambda")}, max_kl)


def verdict_on_claim_1(figure: Results, max_kl: float) -> str:
    """The verdict on Figure 1 by the test that the protocol fixed."""
    return claim_1({model: figure.values(model, "kl") for model in ("VAE", "beta-VAE", "VIMAE-n")}, max_kl)


def verdicts(models: list[str], result: Results, max_kl: float) -> list[str]:
    """Whether each model fits its prior by the protocol's criterion, in words."""
    kl = [result.values(model, "kl") for model in models]
    return [VERDICTS[fits(values, max_kl)] if values else "—" for values in kl]
