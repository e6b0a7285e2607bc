"""Figure 2: reconstructions, mended digits and samples in numbers, and claims 4 and 5."""

from types import SimpleNamespace

import numpy as np

from vimae_core.config import RunConfig
from vimae_core.profiles import asked_models
from vimae_core.report.claims import Verdict, difference, judged, measured
from vimae_core.report.results import Results
from vimae_core.report.statistics import Mean, crossed_mean, signed


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """The models of Table 1."""
    return {"table": asked_models(p)}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior, and what is decoded from both."""
    return {"latent_fit": {"n_test": p.n_test}, "generation": {"n_test": p.n_test, "condition": p.condition}}


YARDSTICKS = {  # measures that are the data's, not the model's
    "pca_error": "Error of as many principal components: {:.1f}",
    "original_label_kept": "labels kept of the originals: {:.1f} %",
    "corrupted_input_error": "Error of the corrupted digit itself: {:.1f}",
    "corrupted_input_label_kept": "labels kept of it: {:.1f} %",
    "real_frechet": "Distance of as many training digits: {:.2f}",
    "real_precision": "Of training digits: precision {:.2f}",
    "real_recall": "recall {:.2f}",
}


def yardsticks(results: list[Results], measures: list[str]) -> str:
    """What the data themselves reach, in words, to stand in a caption."""
    told = [
        ", ".join(YARDSTICKS[m].format(np.mean(result.table[m])) for m in measures)
        + f" ({result.title}, n = {result.n})"
        for result in filter(None, results)
    ]
    return ". ".join(told) + "."


def nearer(results: Results, model: str, other: str, beside: Results | None = None) -> Mean:
    """By how much a model's prior samples lie nearer to the test digits than another's: Fréchet distance, 95 %.

    The other's are those of `beside`, if that is given, or of the same results.
    """
    one, two = measured(results, model, "prior_frechet"), measured(beside or results, other, "prior_frechet")
    return crossed_mean(difference(two, one))


def claim_4(results: Results) -> Verdict:
    """All reconstruct; the prior samples of both VIMAE are nearer to the test digits than those of VAE and beta-VAE."""
    rebuilt = {
        f"error of PCA − error of {model}": difference(
            measured(results, model, "pca_error"), measured(results, model, "reconstruction_error")
        )
        for model in ("VAE", "beta-VAE", "VIMAE-n", "VIMAE-l")
    }
    samples = {
        f"distance of {other} − distance of {model}": difference(
            measured(results, other, "prior_frechet"), measured(results, model, "prior_frechet")
        )
        for model in ("VIMAE-n", "VIMAE-l")
        for other in ("VAE", "beta-VAE")
    }

    def judge(outcome: dict[str, bool]) -> str:
        if not all(values.mean() > 0 for values in rebuilt.values()):
            return "not reproduced"
        holding = sum(outcome.values())
        return "reproduced" if holding == len(samples) else "partly reproduced" if holding else "not reproduced"

    rebuilding = sum(values.mean() > 0 for values in rebuilt.values() if values.size)
    return judged(samples, judge, beside=rebuilt, also=f"{rebuilding} of {len(rebuilt)} models reconstruct")


def claim_5(results: Results) -> Verdict:
    """From half-masked digits VIMAE's reconstruction is nearer to the clean digit, and keeps its class."""
    tables = {}
    for model in ("VIMAE-n", "VIMAE-l"):
        needed = {seed: [0.9 * kept] for seed, (kept,) in measured(results, model, "label_kept").items()}
        tables[f"{model}: error of the masked digit − error of its reconstruction"] = difference(
            measured(results, model, "corrupted_input_error"), measured(results, model, "corrupted_error")
        )
        tables[f"{model}: label kept, masked − 0.9 × clean"] = difference(
            measured(results, model, "corrupted_label_kept"), needed
        )

    def judge(outcome: dict[str, bool]) -> str:
        nearer_n, kept_n, nearer_l, kept_l = outcome.values()
        if all(outcome.values()):
            return "reproduced"
        partly = (nearer_n and nearer_l) or (nearer_n and kept_n) or (nearer_l and kept_l)
        return "partly reproduced" if partly else "not reproduced"

    return judged(tables, judge, corrected=False)


def label_bars(results: Results) -> list[str]:
    """Of claim 5's comparisons of labels kept: whether VIMAE-n and VIMAE-l reach the bar, in words, with intervals."""
    words = {"holds": "reached by", "undecided": "undecided for", "contradicted": "missed by"}
    return [
        f"{words[c.outcome]} {name.split(':')[0]} ({signed(c.difference.value, '.1f')} points, "
        f"{signed(c.difference.low, '.1f')} to {signed(c.difference.high, '.1f')})"
        for name, c in claim_5(results)[1].items()
        if "label kept" in name
    ]
