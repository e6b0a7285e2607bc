"""The verdicts on claims 2 to 6, by the tests that book/claims.md fixed before the runs."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from myst_nb import glue

from vimae_core.report.results import Results, sources
from vimae_core.report.show import show_table
from vimae_core.report.statistics import Comparison, compare_pairs

CLEAN, HEAVY = "clean", ("gaussian 0.4", "mask 0.5")
TABLE_1 = (CLEAN, "gaussian 0.2", "gaussian 0.4", "mask 0.2", "mask 0.5")

Verdict = tuple[str, dict[str, Comparison]]


def accuracies(
    results: Results, model: str, condition: str, probe: str = "tsvm", protocol: str = "test"
) -> dict[int, list[float]]:
    """Accuracies in percent of a model's runs: seed -> a value a draw of labels; empty where there is none."""
    found = {
        seed: record[protocol].get(condition, {}).get(probe)
        for seed, record in _by_seed(results, model, "accuracy").items()
    }
    return {seed: values for seed, values in found.items() if values}


def difference(one: dict[int, list[float]], other: dict[int, list[float]]) -> np.ndarray:
    """A table of seeds by draws: of the seeds that both have."""
    both = [seed for seed in one if seed in other]
    return np.array([np.subtract(one[seed], other[seed]) for seed in both])


def measured(results: Results, model: str, measure: str) -> dict[int, list[float]]:
    """A measure of a model's runs, as one draw a seed."""
    return {seed: [value] for seed, value in _by_seed(results, model, measure).items()}


def _by_seed(results: Results, model: str, column: str) -> dict:
    if "model" not in results.table:
        return {}
    rows = results.table[results.table["model"] == model].sort_values("seed")
    return dict(zip(rows["seed"], rows[column], strict=True))


def claim_2(results: Results) -> Verdict:
    """beta-VAE, VIMAE-n and VIMAE-l classify better than the VAE, under each condition of Table 1."""
    models = ("beta-VAE", "VIMAE-n", "VIMAE-l")
    pairs = {f"{model} − VAE, {condition}": (model, "VAE", condition) for model in models for condition in TABLE_1}

    def judge(outcome: dict[str, bool]) -> str:
        if all(outcome.values()):
            return "reproduced"
        better = any(all(outcome[f"{model} − VAE, {condition}"] for condition in TABLE_1) for model in models)
        return "partly reproduced" if better else "not reproduced"

    return _verdict(_accuracy_pairs(results, pairs), judge)


def claim_3(results: Results) -> Verdict:
    """VIMAE-n is best on clean images, VIMAE-l under heavy corruption, and VIMAE-l loses less."""
    clean = {f"VIMAE-n − {m}, clean": ("VIMAE-n", m, CLEAN) for m in ("VAE", "beta-VAE", "VIMAE-l")}
    heavy = {f"VIMAE-l − {m}, {c}": ("VIMAE-l", m, c) for c in HEAVY for m in ("VAE", "beta-VAE", "VIMAE-n")}
    tables = _accuracy_pairs(results, {**clean, **heavy})
    n, l_ = (accuracies(results, model, CLEAN) for model in ("VIMAE-n", "VIMAE-l"))
    losses = {f"loss of VIMAE-n − loss of VIMAE-l, clean to {c}": c for c in HEAVY}
    for name, condition in losses.items():
        loss_n, loss_l = (
            _minus(at_clean, accuracies(results, model, condition))
            for model, at_clean in (("VIMAE-n", n), ("VIMAE-l", l_))
        )
        tables[name] = difference(loss_n, loss_l)

    def judge(outcome: dict[str, bool]) -> str:
        holding = sum(all(outcome[name] for name in part) for part in (clean, heavy, losses))
        return ("not reproduced", "partly reproduced", "partly reproduced", "reproduced")[holding]

    return _verdict(tables, judge)


def _minus(one: dict[int, list[float]], other: dict[int, list[float]]) -> dict[int, list[float]]:
    return {seed: np.subtract(one[seed], other[seed]).tolist() for seed in one if seed in other}


def _accuracy_pairs(results: Results, pairs: dict[str, tuple[str, str, str]]) -> dict[str, np.ndarray]:
    return {
        name: difference(accuracies(results, one, condition), accuracies(results, other, condition))
        for name, (one, other, condition) in pairs.items()
    }


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

    return _verdict(samples, judge, beside=rebuilt)


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

    return _verdict(tables, judge, corrected=False)


FAR, NEAR = 5 / 6, 0.05  # of claim 6: at most this part of the VAE's distance; at most this part of each other's


def claim_6(results: Results) -> Verdict:
    """VIMAE-n and VIMAE-l are nearly equal, VIMAE-n slightly better, and both far better than the VAE."""
    distance = {model: measured(results, model, "prior_distance") for model in ("VAE", "VIMAE-n", "VIMAE-l")}
    pairs = (("VAE", "VIMAE-n"), ("VAE", "VIMAE-l"), ("VIMAE-l", "VIMAE-n"))
    tables = {f"{one} − {other}": difference(distance[one], distance[other]) for one, other in pairs}
    vae, n, l_ = (np.mean(list(values.values())) if values else np.nan for values in distance.values())

    def judge(outcome: dict[str, bool]) -> str:
        better_n, better_l, slightly = outcome.values()
        far = better_n and better_l and max(n, l_) <= FAR * vae
        near = abs(n - l_) <= NEAR * max(n, l_)
        return "reproduced" if far and near and slightly else "partly reproduced" if far else "not reproduced"

    return _verdict(tables, judge)


def _verdict(
    tables: dict[str, np.ndarray],
    judge: Callable[[dict[str, bool]], str],
    beside: dict[str, np.ndarray] | None = None,
    corrected: bool = True,
) -> Verdict:
    """In words, and each comparison; those `beside` are judged by their mean and enter no correction."""
    missing = [name for name, values in {**(beside or {}), **tables}.items() if values.size == 0]
    if len(missing) == len({**(beside or {}), **tables}):
        return "not yet run", {}
    if missing:
        return f"not tested: nothing to compare for {missing[0]}", {}
    comparisons = compare_pairs(tables, corrected)
    word = judge({name: c.outcome == "holds" for name, c in comparisons.items()})
    holding = sum(c.outcome == "holds" for c in comparisons.values())
    seeds = min(len(values) for values in tables.values())
    how = f"{seeds} seeds" if seeds > 1 else "one seed: by sign alone"
    verdict = f"{word} ({holding} of {len(comparisons)} comparisons hold, {how})"
    return verdict, {**(compare_pairs(beside) if beside else {}), **comparisons}


def show_claim(number: int, test: Callable[[Results], Verdict], results: list[Results], unit: str) -> None:
    """Displays a claim's verdict on each of several results, with the comparisons behind it; pages may glue it."""
    for result in results:
        verdict, tested = test(result)
        title = result.title.replace(" ", "_")
        glue(f"claim_{number}_{title}", verdict, display=False)
        display(Markdown(f"**Claim {number}, {result.title}:** {verdict}."))
        if tested:
            show_table(
                comparisons(tested, unit),
                f"tab-claim-{number}-{title.replace('_', '-')}",
                f"The comparisons of claim {number}, {result.title}: mean difference with its 95 % interval, p, and "
                "effect size (the mean over the standard deviation of the seeds' differences).",
                sources([result]),
            )


def comparisons(tested: dict[str, Comparison], unit: str) -> pd.DataFrame:
    """A row a comparison: the difference with its interval, p, effect size, and what came out."""
    rows = {
        name.replace("beta", "β"): (
            f"{c.difference:.2f}",
            "—" if np.isnan(c.p) else "< 0.001" if c.p < 0.001 else f"{c.p:.3f}",
            "—" if np.isnan(c.effect) else f"{c.effect:.1f}",
            c.outcome,
        )
        for name, c in tested.items()
    }
    return pd.DataFrame(
        rows.values(),
        index=pd.Index(rows, name="comparison"),
        columns=[f"difference, {unit}", "p", "effect size", "the claim"],
    )
