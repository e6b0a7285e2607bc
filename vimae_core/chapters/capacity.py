"""Table 1: accuracies by model and condition, claims 2 and 3, rankings, and the weight of the rate."""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pandas as pd
import scipy

from vimae_core.config import RunConfig, paper_model
from vimae_core.profiles import asked_models, common_fields
from vimae_core.report.claims import Verdict, by_seed, difference, judged, measured
from vimae_core.report.results import Results
from vimae_core.report.statistics import Mean, compare_pairs, crossed_mean

CLEAN, HEAVY = "clean", ("gaussian 0.4", "mask 0.5")
TABLE_1 = (CLEAN, "gaussian 0.2", "gaussian 0.4", "mask 0.2", "mask 0.5")
VIMAE = ("VIMAE-n", "VIMAE-l")
MODELS = ("VAE", "beta-VAE", *VIMAE)  # of the paper's Table 1


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """`table`: those of Table 1. `sweep`: VAEs of other weights of the rate (1 is the VAE's) and likelihoods."""
    sweep = [
        paper_model("VAE", seed=s, likelihood=likelihood, **common_fields(p))
        if weight == 1
        else paper_model("beta-VAE", seed=s, likelihood=likelihood, lambda_=weight, **common_fields(p))
        for likelihood in p.sweep_likelihoods
        for s in p.sweep_seeds
        for weight in p.rate_weights
    ]
    table = asked_models(p)
    return {"table": table, "sweep": [config for config in sweep if config not in table]}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """The probes, of the sweep with draws of its own."""
    draws = p.draws if group == "table" else p.sweep_draws
    settings = {
        "conditions": p.conditions,
        "curve": p.curve,
        "n_labels": p.n_labels,
        "draws": draws,
        "fractions": p.fractions,
    }
    return {"probes": {"n_test": p.n_test, **settings}}


def accuracies(
    results: Results, model: str, condition: str, probe: str = "tsvm", protocol: str = "test"
) -> dict[int, list[float]]:
    """Accuracies in percent of a model's runs: seed -> a value a draw of labels; empty where there is none."""
    found = {
        seed: record[protocol].get(condition, {}).get(probe)
        for seed, record in by_seed(results, model, "accuracy").items()
    }
    return {seed: values for seed, values in found.items() if values}


def cell(results: Results, model: str, condition: str, probe: str, protocol: str) -> str:
    """A model's accuracy in percent, mean and 95 % interval over seeds and draws."""
    found = accuracies(results, model, condition, probe, protocol)
    return f"{crossed_mean(np.array(list(found.values()))):.1f}" if found else "—"


def table_1(
    models: list[str], conditions: list[str], probe: str, protocol: str, results: list[Results], paper: dict
) -> pd.DataFrame:
    """A row a model and a column a condition: the paper's accuracy over those of the results, in percent."""
    printed = {m: dict(zip(paper["conditions"], paper[m], strict=True)) if m in paper else {} for m in models}
    columns = {
        condition: [
            "<br>".join(
                [f"{printed[m].get(condition, '—')}", *(cell(r, m, condition, probe, protocol) for r in results)]
            )
            for m in models
        ]
        for condition in conditions
    }
    return pd.DataFrame(columns, index=pd.Index(models, name="model"))


def first_with(results: list[Results], models: list[str], conditions: list[str]) -> Results:
    """The first results in which every one of the models was measured under every one of the conditions."""
    return next(r for r in results if all(accuracies(r, m, c) for m in models for c in conditions))


def rankings(models: list[str], conditions: list[str], probes: list[str], results: Results) -> pd.DataFrame:
    """Spearman's correlation of the models' accuracies under a probe with those under M1+TSVM, by condition."""

    def means(probe: str, condition: str) -> list[float]:
        return [np.mean(list(accuracies(results, m, condition, probe).values())) for m in models]

    columns = {
        probe: [f"{scipy.stats.spearmanr(means(probe, c), means('tsvm', c)).statistic:.2f}" for c in conditions]
        for probe in probes
    }
    return pd.DataFrame(columns, index=pd.Index(conditions, name="condition"))


def gaps(
    results: Results, models: Sequence[str], other: str, conditions: Sequence[str], protocol: str = "test"
) -> list[Mean]:
    """Accuracies of models less another's under conditions, in percentage points with their 95 % intervals."""
    pairs = {f"{model}, {c}": (model, other, c) for model in models for c in conditions}
    return [crossed_mean(values) for values in _accuracy_pairs(results, pairs, protocol).values()]


def off_the_paper(results: Results, models: Sequence[str], paper: dict) -> float:
    """How far the mean accuracies of models lie from the paper's rows at most, in percentage points."""
    rows = [(m, c, printed) for m in models for c, printed in zip(paper["conditions"], paper[m], strict=True)]
    return max(abs(np.mean(list(accuracies(results, m, c).values())) - printed) for m, c, printed in rows)


def lost(results: Results, model: str, condition: str, protocol: str = "test") -> float:
    """What a condition costs a model, in percent of its clean accuracy; mean over seeds and draws."""
    clean, corrupted = (
        np.mean(list(accuracies(results, model, c, protocol=protocol).values())) for c in (CLEAN, condition)
    )
    return float(100 * (clean - corrupted) / clean)


def regained(results: Results, condition: str) -> dict[str, float]:
    """By model, the percentage of what a condition costs that training the classifier under it, too, gives back."""
    models = dict.fromkeys(results.table["model"])
    return {m: 100 * (1 - lost(results, m, condition, "both") / lost(results, m, condition)) for m in models}


def normal_or_logistic(results: Results, paper: dict) -> SimpleNamespace:
    """VIMAE-n beside VIMAE-l in words, percentage points with 95 % intervals and the paper's own differences.

    clean, noisy, masked: who is to be better less the other; loses_*: how much less VIMAE-l is to lose; of the same
    change of prior in VAEs: apart, the largest mean difference, and reach, the farthest end of an interval.
    """

    def lead(one: str, other: str, condition: str) -> str:
        (gap,) = gaps(results, [one], other, [condition])
        i = paper["conditions"].index(condition)
        return gap.with_ends(".1f", f", the paper's {paper[one][i] - paper[other][i]:.1f}")

    noisy, masked = (lead("VIMAE-l", "VIMAE-n", c) for c in HEAVY)
    loses = [c.difference.with_ends(".1f") for name, c in claim_3(results)[1].items() if name.startswith("loss")]
    controls = gaps(results, ["VAE-l"], "VAE", TABLE_1)
    return SimpleNamespace(
        seeds=controls[0].n,
        clean=lead("VIMAE-n", "VIMAE-l", CLEAN),
        noisy=noisy,
        masked=masked,
        loses_noisy=loses[0],
        loses_masked=loses[1],
        apart=max(abs(gap.value) for gap in controls),
        reach=max(abs(end) for gap in controls for end in (gap.low, gap.high)),
    )


def empty_codes(results: Results, paper: dict) -> SimpleNamespace:
    """Table 1 under a cost at which no code pays, in numbers: the models that pay, and VIMAE beside them.

    most: the largest rate of a model that pays for it, nats; centre: how far from 0 the VAE's posterior means lie at
    most (root mean square), as twice its rate bounds it; draw: how far a draw of the prior lies; gaps, printed:
    VIMAE's lead over the VAE, ours and the paper's, points; off: how far its rows lie from the paper's.
    """
    paying = ("VAE", "beta-VAE", "InfoVAE", "VAE-l")
    gap = [g.value for g in gaps(results, VIMAE, "VAE", TABLE_1)]
    printed = printed_leads(paper)
    return SimpleNamespace(
        most=max(rate for m in paying for rate in results.values(m, "rate")),
        centre=float(np.sqrt(2 * max(results.values("VAE", "rate")))),
        draw=float(np.sqrt(results.runs[0].config.latent_dim)),
        gaps=(min(gap), max(gap)),
        printed=(min(printed), max(printed)),
        off=off_the_paper(results, VIMAE, paper),
        clean=crossed_mean(np.array(list(accuracies(results, "VAE", CLEAN).values()))),
    )


def dearer(dear: Results, cheap: Results, paper: dict) -> SimpleNamespace:
    """Table 1 under a likelihood at which a rate costs more, beside one at which it costs less, in numbers.

    rates: mean rates under the two, nats, by model; most: the beta-VAE's largest; words: how VIMAE's ten comparisons
    with the VAE come out; means: of these; masked: VIMAE-n's on half-masked digits, beside the paper's; noisy: by how
    much the models that are not empty are better under the first at the stronger noise, seed by seed; spread: how far
    their means lie from each other there.
    """
    (masked,) = gaps(dear, ["VIMAE-n"], "VAE", HEAVY[1:])
    i = paper["conditions"].index(HEAVY[1])
    means = [g.value for g in gaps(dear, VIMAE, "VAE", TABLE_1)]
    models = ("AE", "VAE", *VIMAE)
    noisy = [crossed_mean(difference(*(accuracies(r, m, HEAVY[0]) for r in (dear, cheap)))).value for m in models]
    there = [np.mean(list(accuracies(dear, m, HEAVY[0]).values())) for m in models]
    return SimpleNamespace(
        rates={m: [float(np.mean(r.values(m, "rate"))) for r in (dear, cheap)] for m in ("VAE", "VIMAE-n")},
        most=max(dear.values("beta-VAE", "rate")),
        words=[c.outcome for name, c in claim_2(dear)[1].items() if name.startswith("VIMAE")],
        means=(min(means), max(means)),
        masked=masked.with_ends(".1f", f", the paper's {paper['VIMAE-n'][i] - paper['VAE'][i]:.1f}"),
        noisy=(min(noisy), max(noisy)),
        spread=max(there) - min(there),
    )


def beyond_vimae(results: Results) -> SimpleNamespace:
    """By how many points the AE is better than VIMAE-n and than VIMAE-l, each with its 95 % interval in words.

    clean: on clean digits; masked: on half-masked ones.
    """
    clean, masked = (
        [gaps(results, ["AE"], m, [condition])[0].with_ends(".1f") for m in VIMAE] for condition in (CLEAN, HEAVY[1])
    )
    return SimpleNamespace(clean=clean, masked=masked)


def same_words(first: Results, second: Results) -> list[bool]:
    """Of each comparison of claims 2 and 3, in their order: whether both come out with the same word."""
    both = zip(*([*claim_2(r)[1].values(), *claim_3(r)[1].values()] for r in (first, second)), strict=True)
    return [one.outcome == other.outcome for one, other in both]


def apart(held: Results, free: Results) -> SimpleNamespace:
    """What becomes of VIMAE where one thing is changed, seed by seed, with 95 % intervals in words.

    nearer: how much nearer VIMAE-n's codes lie to their prior, nats; rate: how much higher its rate is; clean, masked:
    what VIMAE-n and VIMAE-l lose, points; decided: of how many conditions, corrected together.
    """

    def more(measure: str, one: Results, other: Results) -> str:
        return crossed_mean(difference(*(measured(r, "VIMAE-n", measure) for r in (one, other)))).with_ends(".1f")

    lost = {f"{m}, {c}": difference(*(accuracies(r, m, c) for r in (free, held))) for m in VIMAE for c in TABLE_1}
    in_ends = {name: crossed_mean(values).with_ends(".1f") for name, values in lost.items()}
    return SimpleNamespace(
        nearer=more("kl", free, held),
        rate=more("rate", held, free),
        clean=[in_ends[f"{m}, {CLEAN}"] for m in VIMAE],
        masked=[in_ends[f"{m}, {HEAVY[1]}"] for m in VIMAE],
        decided=sum(c.outcome == "holds" for c in compare_pairs(lost).values()),
    )


def claim_2(results: Results) -> Verdict:
    """beta-VAE, VIMAE-n and VIMAE-l classify better than the VAE, under each condition of Table 1."""
    models = ("beta-VAE", "VIMAE-n", "VIMAE-l")
    pairs = {f"{model} − VAE, {condition}": (model, "VAE", condition) for model in models for condition in TABLE_1}

    def judge(outcome: dict[str, bool]) -> str:
        if all(outcome.values()):
            return "reproduced"
        better = any(all(outcome[f"{model} − VAE, {condition}"] for condition in TABLE_1) for model in models)
        return "partly reproduced" if better else "not reproduced"

    return judged(_accuracy_pairs(results, pairs), judge)


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

    return judged(tables, judge)


def printed_differences(paper: dict) -> dict[str, float]:
    """The paper's own differences of claims 2 and 3, percentage points, by comparison."""
    of = {m: dict(zip(paper["conditions"], paper[m], strict=True)) for m in MODELS}
    better = {f"{one} − {other}, {c}": of[one][c] - of[other][c] for one in MODELS for other in MODELS for c in TABLE_1}
    lost = {m: {c: of[m][CLEAN] - of[m][c] for c in HEAVY} for m in VIMAE}
    less = {f"loss of VIMAE-n − loss of VIMAE-l, clean to {c}": lost["VIMAE-n"][c] - lost["VIMAE-l"][c] for c in HEAVY}
    return better | less


def printed_leads(paper: dict) -> list[float]:
    """By how much both VIMAE are above the VAE under each condition in the paper's table, percentage points."""
    printed = printed_differences(paper)
    return [printed[f"{m} − VAE, {c}"] for m in VIMAE for c in TABLE_1]


def _minus(one: dict[int, list[float]], other: dict[int, list[float]]) -> dict[int, list[float]]:
    return {seed: np.subtract(one[seed], other[seed]).tolist() for seed in one if seed in other}


def _accuracy_pairs(
    results: Results, pairs: dict[str, tuple[str, str, str]], protocol: str = "test"
) -> dict[str, np.ndarray]:
    return {
        name: difference(*(accuracies(results, model, condition, protocol=protocol) for model in (one, other)))
        for name, (one, other, condition) in pairs.items()
    }
