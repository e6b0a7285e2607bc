"""Section 5.1 and Figure 1: do two-dimensional codes follow their prior, and at which lambda?"""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from vimae_core.config import RunConfig, paper_model
from vimae_core.data import Dataset
from vimae_core.profiles import common_fields
from vimae_core.report.claims import in_words
from vimae_core.report.results import Results
from vimae_core.report.statistics import mean_over_seeds
from vimae_core.runs import Run

VERDICTS = {True: "fits", False: "does not fit", None: "undecided"}


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """`figure`: the paper's models at its lambda = beta = 10. `grid`: VIMAE-n over likelihoods and lambdas, and
    VIMAE-l over lambdas under the protocol's likelihood."""
    common = common_fields(p)
    figure = [paper_model(m, seed=s, likelihood=p.likelihood, **common) for m in p.methods for s in p.seeds]
    grid = [
        paper_model(m, seed=s, lambda_=lam, likelihood=likelihood, **common)
        for m in ("VIMAE-n", "VIMAE-l")
        for likelihood in dict.fromkeys([p.likelihood, *(p.likelihoods if m == "VIMAE-n" else [])])
        for lam in p.lambdas
        for s in (p.seeds if likelihood == p.likelihood else p.grid_seeds)
    ]
    return {"figure": figure, "grid": grid}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior."""
    return {"latent_fit": {"n_test": p.n_test}}


def check(p: SimpleNamespace, data: Dataset) -> None:
    """Raises ValueError for images that the figures cannot show."""
    if data.labels is None or data.images.shape[1] != 1:
        raise ValueError(f"dataset={p.dataset!r} is not possible: the figures colour grey images by their labels")


def drawn(results: dict[str, Results], p: SimpleNamespace) -> list[Run]:
    """The runs that the figures draw: their weights are to be kept."""
    grid = results["grid"]
    chosen = grid.where(chosen_lambda(grid, p.likelihood, p.max_kl), p.likelihood)
    return results["figure"].drawn()[0] + chosen.drawn()[0]


def fits(kl: Sequence[float], max_kl: float) -> bool | None:
    """Whether q(z) fits p(z) by the protocol's criterion on KL(q(z)||p(z)) over seeds; None: undecided.

    A mean without an interval, of one seed or infinite, decides by itself; nan is undecided.
    """
    mean = mean_over_seeds(kl)
    low, high = (mean.value, mean.value) if np.isnan(mean.high) else (mean.low, mean.high)
    if high <= max_kl:
        return True
    return False if low > max_kl else None


def choose_lambda(kl_train: dict[float, Sequence[float]], max_kl: float) -> float:
    """The protocol's rule: the smallest lambda whose mean KL on training images is at most max_kl, else the best."""
    means = {lam: np.nan_to_num(mean_over_seeds(kl).value, nan=np.inf) for lam, kl in sorted(kl_train.items())}
    return next((lam for lam, kl in means.items() if kl <= max_kl), min(means, key=means.get))


def chosen_lambda(grid: Results, likelihood: str, max_kl: float) -> float:
    """What the protocol's rule chooses from VIMAE-n's runs, by their divergence on training images."""
    rows = grid.table.query("model == 'VIMAE-n' and likelihood == @likelihood")
    return choose_lambda({lam: r["kl_train"].to_list() for lam, r in rows.groupby("lambda")}, max_kl)


def verdicts(models: list[str], result: Results, max_kl: float) -> list[str]:
    """Whether each model fits its prior by the protocol's criterion, in words."""
    kl = [result.values(model, "kl") for model in models]
    return [VERDICTS[fits(values, max_kl)] if values else "—" for values in kl]


def claim_1(kl: dict[str, Sequence[float]], max_kl: float) -> str:
    """The verdict on Figure 1: the VAE does not fit the prior, the beta-VAE and VIMAE-n do, at lambda = beta = 10."""
    wanted = {"VAE": False, "beta-VAE": True, "VIMAE-n": True}
    if missing := [name for name in wanted if not kl.get(name)]:
        return f"not tested: no run of {', '.join(missing)}"
    found = {name: fits(kl[name], max_kl) for name in wanted}
    outcomes = [
        "undecided" if fit is None else "holds" if fit is wanted[name] else "contradicted"
        for name, fit in found.items()
    ]
    verdict = {3: "reproduced", 2: "partly reproduced"}.get(outcomes.count("holds"), "not reproduced")
    return in_words(verdict, outcomes, "statements", min(len(kl[name]) for name in wanted))


def verdict_on_claim_1(figure: Results, max_kl: float = 0.1) -> str:
    """The verdict on Figure 1 by the test that the protocol fixed; its threshold in nats."""
    return claim_1({model: figure.values(model, "kl") for model in ("VAE", "beta-VAE", "VIMAE-n")}, max_kl)
