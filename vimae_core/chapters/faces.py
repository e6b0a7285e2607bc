"""Table 2 and what stands beside it: distances of generated faces, by model and by likelihood, and claim 6."""

from functools import cache
from itertools import count
from types import SimpleNamespace

import numpy as np
import pandas as pd
import scipy

from vimae_core.chapters.capacity import VIMAE
from vimae_core.chapters.conventions import DRAWN
from vimae_core.config import CHOICES, RunConfig, paper_model
from vimae_core.conventions import under_convention
from vimae_core.evaluation.feature_weights import weights_at_hand
from vimae_core.profiles import common_fields, parameters
from vimae_core.report.claims import Verdict, difference, judged, measured
from vimae_core.report.results import LIKELIHOODS, Results, how_small
from vimae_core.report.statistics import crossed_mean, mean_over_seeds, signed

FAR, NEAR = 5 / 6, 0.05  # of claim 6: at most this part of the VAE's distance; at most this part of each other's


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """`table`: those of Figure 3 and Table 2. `scale`: some of its models under other likelihoods. `second`: the second
    analysis's, under its conventions."""
    scale = [
        _model(m, s, likelihood, p)
        for s in p.scale_seeds
        for likelihood in p.scale_likelihoods
        for m in p.scale_methods
    ]
    table = [_model(m, s, p.likelihood, p) for s in p.seeds for m in p.methods]
    return {
        "table": table,
        "scale": [config for config in scale if config not in table],
        "second": list(dict.fromkeys(config for c in p.conventions for config in second(p, c))),
    }


def second(p: SimpleNamespace, convention: str) -> list[RunConfig]:
    """Those of Figure 3 and Table 2 under a convention of the second analysis."""
    return [
        under_convention(convention, "faces", m, seed=s, **_fields(m, p)) for s in p.convention_seeds for m in p.methods
    ]


def keeps(config: RunConfig, p: SimpleNamespace) -> bool:
    """Whether a figure draws it: of the first seed all of Figure 3, and two of its models under each convention."""
    groups = runs(p)
    if config in groups["table"]:
        return config.seed == p.seeds[0]
    return config.label in DRAWN and config.seed == p.convention_seeds[0] and config in groups["second"]


def _model(name: str, seed: int, likelihood: str, p: SimpleNamespace) -> RunConfig:
    return paper_model(name, seed=seed, likelihood=likelihood, **_fields(name, p))


def _fields(name: str, p: SimpleNamespace) -> dict:
    """What all runs share; lambda where it is not the method's own."""
    free = paper_model(name).method in ("beta-vae", "infovae", "vimae")
    return {**common_fields(p), **({"lambda_": p.lambda_} if free else {})}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior, and how far generated faces are from held-out ones."""
    return {"latent_fit": {"n_test": p.n_test}, "faces": {"n_test": p.n_test, **_features(p.features, p.inception)}}


@cache
def _features(name: str, weights: str | None) -> dict:
    """The features that are at hand, by the digest of their weights: others are other numbers."""
    found = weights_at_hand(name, weights)
    if found.name == "inception":
        from vimae_core.evaluation.features import feature_network  # loads torchvision: seconds

        feature_network(name, weights, device="cpu")  # refuses another network's weights before anything is trained
    return {"features": found.name, "weights": weights, "digest": found.digest}


def distance_name(result: Results) -> str:
    """What the distance in these records is called: FID only where it is."""
    return ", ".join(dict.fromkeys(result.table["title"]))


def table_2(models: list[str], paper: dict, results: list[Results]) -> pd.DataFrame:
    """A row a model: the paper's FID, then of each result the distance from the prior, at n and extrapolated."""
    columns = {"FID, the paper": [str(paper.get(m, "—")) for m in models]}
    for result in filter(None, results):
        heading = f"{distance_name(result)}, {result.title}"
        columns[f"{heading}, n = {result.n}"] = [result.mean(m, "prior_distance", ".1f") for m in models]
        columns[f"{result.title}, n → ∞"] = [result.mean(m, "prior_extrapolated", ".1f") for m in models]
    return pd.DataFrame(columns, index=pd.Index(models, name="model"))


def distances(models: list[str], result: Results) -> pd.DataFrame:
    """A row a model: distances of samples from the prior and of those from the codes, kernel distance, precision."""
    columns = {
        "prior": ("prior_distance", ".1f"),
        "aggregate posterior": ("aggregate_distance", ".1f"),
        "kernel distance, prior": ("prior_kernel", ".4f"),
        "MMD² × 10⁴": ("mmd2", ".1f"),
        "precision, prior": ("prior_precision", ".2f"),
        "recall, prior": ("prior_recall", ".2f"),
        "error of reconstructions": ("reconstruction_error", ".1f"),
    }
    result = result.scaled("mmd2", 1e4)
    table = {title: [result.mean(m, *measure) for m in models] for title, measure in columns.items()}
    return pd.DataFrame(table, index=pd.Index(models, name="model"))


def by_likelihood(models: list[str], results: list[Results]) -> pd.DataFrame:
    """A row a likelihood and model: distances of samples from the prior and from the codes, rate, MMD² to the prior."""
    together = pd.concat([r.scaled("mmd2", 1e4).table for r in results if r])
    measures = {"prior_distance": ".1f", "aggregate_distance": ".1f", "rate": ".0f", "mmd2": ".1f"}
    rows = {
        (likelihood, model): [format(mean_over_seeds(part[m].tolist()), spec) for m, spec in measures.items()]
        for likelihood in CHOICES["likelihood"]  # the distortion weighs less and less
        for model, part in together[together["likelihood"] == likelihood].groupby("model", sort=False)
        if model in models
    }
    columns = ["prior", "aggregate posterior", "rate, nats", "MMD² × 10⁴"]
    index = pd.Index([f"{LIKELIHOODS[likelihood]}, {model}" for likelihood, model in rows], name="likelihood, model")
    return pd.DataFrame(rows.values(), index=index, columns=columns)


def by_convention(p: SimpleNamespace, result: Results) -> pd.DataFrame:
    """A row a convention and model of the second analysis: distances from the prior and the codes, rate and error."""
    measures = {"prior_distance": ".1f", "aggregate_distance": ".1f", "rate": ".0f", "reconstruction_error": ".1f"}
    of = {c: result.among(second(p, c)) for c in p.conventions}
    rows = {f"{m}, `{c}`": [r.mean(m, x, s) for x, s in measures.items()] for c, r in of.items() for m in p.methods}
    columns = ["prior", "aggregate posterior", "rate, nats", "error of reconstructions"]
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="model, convention"), columns=columns)


def read_as(results: Results, convention: str) -> Results:
    """Of the committed runs of `second` those under a convention."""
    return results.among(second(parameters("faces", "reference"), convention))


def beside_the_vae(results: Results) -> SimpleNamespace:
    """A convention's faces in numbers: means over seeds, with 95 % intervals in words; VIMAE-n's before VIMAE-l's.

    nearer: by how much the prior's samples of either lie nearer than the VAE's, seed by seed; part: their mean distance
    in percent of the VAE's; distance, codes: the Frechet distances of samples of the prior and of the codes, by model;
    rate, nats, and error, by model; misfit: VIMAE-n's MMD^2 over the upper end of the band at q = p.
    """
    models = list(dict.fromkeys(results.table["model"]))
    of = {
        x: {m: float(np.mean(results.values(m, x))) for m in models}
        for x in ("prior_distance", "aggregate_distance", "rate", "reconstruction_error", "mmd2", "mmd2_null_high")
    }
    vae, *vimae = (measured(results, m, "prior_distance") for m in ("VAE", *VIMAE))
    return SimpleNamespace(
        seeds=len(vae),
        nearer=[crossed_mean(difference(vae, m)).with_ends(".1f") for m in vimae],
        part=[100 * of["prior_distance"][m] / of["prior_distance"]["VAE"] for m in VIMAE],
        distance=of["prior_distance"],
        codes=of["aggregate_distance"],
        rate=of["rate"],
        error=of["reconstruction_error"],
        misfit=of["mmd2"]["VIMAE-n"] / of["mmd2_null_high"]["VIMAE-n"],
    )


def under(likelihood: str, results: list[Results], measure: str = "prior_distance") -> dict[str, float]:
    """The mean of a measure over seeds under a likelihood, by model."""
    together = pd.concat([r.table for r in results if r])
    return together[together["likelihood"] == likelihood].groupby("model")[measure].mean().to_dict()


def by_scale(results: list[Results]) -> SimpleNamespace:
    """What the likelihood's scale decides: the VAE's rates in nats, and in percent how distances compare."""
    least, between, most = (under(likelihood, results) for likelihood in ("wae", "gaussian", "bernoulli"))
    return SimpleNamespace(
        rate_least=under("wae", results, "rate")["VAE"],
        rate_most=under("bernoulli", results, "rate")["VAE"],
        vae_grows=100 * (least["VAE"] / most["VAE"] - 1),
        vimae_is=100 * max(least["VIMAE-n"], least["VIMAE-l"]) / least["VAE"],
        between_apart=100 * (1 - min(between.values()) / max(between.values())),
    )


def sharpness_table(models: list[str], result: Results) -> pd.DataFrame:
    """A row a model: 1000 times the variance of the Laplacian of what it gives back and what it generates."""
    columns = ("reconstruction_sharpness", "aggregate_sharpness", "prior_sharpness")
    scaled = result.table.assign(**{c: 1000 * result.table[c] for c in columns})
    cells = {
        c.removesuffix("_sharpness"): [
            f"{mean_over_seeds(scaled.loc[scaled['model'] == m, c].tolist()):.2f}" for m in models
        ]
        for c in columns
    }
    return pd.DataFrame(cells, index=pd.Index(models, name="model"))


def seeds_for_a_point(result: Results, point: float) -> str:
    """What the seeds say about a difference of `point`, as a part of the distance, between VIMAE-n and VIMAE-l.

    In words: the seeds' difference with its interval, and how many seeds an interval narrower than that takes.
    """
    n, l_ = (np.array(result.values(m, "prior_distance")) for m in ("VIMAE-n", "VIMAE-l"))
    if min(len(n), len(l_)) < 2:
        return f"{result.title}: one seed, which says nothing about a difference between two models."
    percent = 100 * (l_ - n) / n.mean()
    mean, deviation = mean_over_seeds(percent.tolist()), percent.std(ddof=1)
    needed = next(k for k in count(2) if scipy.stats.t.ppf(0.975, k - 1) * deviation / np.sqrt(k) < 100 * point)
    value, low, high = (signed(v, ".1f") for v in mean[:3])
    return (
        f"{result.title}: VIMAE-l − VIMAE-n is {value} % of the distance over {len(percent)} seeds (95 % interval "
        f"{low} to {high} %; standard deviation over seeds {deviation:.1f} %). To tell a difference "
        f"of {100 * point:.1f} % from none, at this spread, takes about {needed} seeds a model."
    )


def apart(result: Results) -> float:
    """By how much the mean distances of VIMAE-n and VIMAE-l differ, in percent of the larger."""
    n, l_ = (np.mean(result.values(m, "prior_distance")) for m in ("VIMAE-n", "VIMAE-l"))
    return float(100 * abs(n - l_) / max(n, l_))


def size(result: Results) -> str:
    """What was run, in words, to stand in a caption."""
    of = result.runs[0].config.dataset
    return f"{how_small([result])}; pictures of {of}; {result.n} samples against {result.n} held-out pictures"


def real(result: Results) -> str:
    """Real against real, in words: what a perfect model would have at this n, and extrapolated."""
    row = result.table.iloc[0]
    return (
        f"{result.title}: training pictures against held-out ones {row['real_distance']:.1f}, extrapolated "
        f"{row['real_extrapolated']:.1f}, kernel distance {signed(row['real_kernel'], '.5f')}"
    )


def claim_6(results: Results) -> Verdict:
    """VIMAE-n and VIMAE-l are nearly equal, VIMAE-n slightly better, and both far better than the VAE."""
    distance = {model: measured(results, model, "prior_distance") for model in ("VAE", "VIMAE-n", "VIMAE-l")}
    pairs = (("VAE", "VIMAE-n"), ("VAE", "VIMAE-l"), ("VIMAE-l", "VIMAE-n"))
    tables = {f"{one} − {other}": difference(distance[one], distance[other]) for one, other in pairs}
    vae, n, l_ = (np.mean(list(values.values())) if values else np.nan for values in distance.values())
    near = abs(n - l_) <= NEAR * max(n, l_)

    def judge(outcome: dict[str, bool]) -> str:
        better_n, better_l, slightly = outcome.values()
        far = better_n and better_l and max(n, l_) <= FAR * vae
        return "reproduced" if far and near and slightly else "partly reproduced" if far else "not reproduced"

    return judged(tables, judge, also=f"VIMAE-n and VIMAE-l {'are' if near else 'are not'} nearly equal")
