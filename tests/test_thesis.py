"""Claims 7 to 9 from made-up runs whose answers are known: slopes, what is equivalent, words, verdicts, figures."""

import numpy as np
import pytest
from scipy import stats

from tests.made_up_doses import LEVEL, P, entropy_of, made_up
from vimae_core.chapters import collapse, thesis, thesis_words
from vimae_core.chapters.doses import CONDITIONS, doses, family, runs, tails
from vimae_core.chapters.statements import Statement, Told, told
from vimae_core.config import RunConfig
from vimae_core.profiles import parameters

HALF = ("gaussian 0.4", "mask 0.5")
SMALLER = parameters("doses", "reference", shape_seeds=[0, 1, 2], seeds=[0, 1, 2])


NOT_RUN = Told(Statement(np.empty((0, 1))), None, None, None)


def faces(sign: int) -> dict[str, Told]:
    """A comparison of disentanglement that comes out so in five seeds."""
    return told({"VIMAE-n − VAE, MIG": Statement(sign * (1 + np.arange(5) / 10)[:, None])})


def by_entropy_and_rate(config: RunConfig, condition: str) -> float:
    """Five points a nat on clean digits, ten the other way on others; a point a doubling of beta."""
    along = (5 if condition == "clean" else -10) * entropy_of(config)
    return along + (np.log2(config.lambda_) if config.method == "beta-vae" else 0)


def test_the_doses_are_those_of_the_configurations():
    """Of each run its prior's entropy and scale, tails and noise; the mean accuracy over draws."""
    table = doses(made_up(spread=0, p=SMALLER)["noisy"])
    assert set(table["noise"]) == {0.25} and set(table[table["tails"] == "normal"]["scale"]) == {0.5, 1, 2, 4}
    assert table["clean"].tolist() == [LEVEL["clean"]] * len(table)
    normal = table[table["tails"] == "normal"]
    expected = [stats.norm(0, scale).entropy() for scale in normal["scale"]]
    np.testing.assert_allclose(normal["prior_entropy"], expected, rtol=1e-6)


def test_tails_are_those_of_the_fourth_moment():
    """By scipy's excess kurtosis: above the normal's, heavy; below, light."""
    families = {"logistic": stats.logistic, "laplace": stats.laplace, "uniform": stats.uniform, "normal": stats.norm}
    of = {name: d.stats(moments="k") for name, d in families.items()}
    of |= {f"generalised-normal {b}": stats.gennorm(b).stats(moments="k") for b in (0.7, 2.0, 3.1, 7.0)}
    for text, kurtosis in of.items():
        name = "normal" if abs(kurtosis) < 1e-9 else "heavy" if kurtosis > 0 else "light"
        assert tails(RunConfig(**family(text))) == name, text


@pytest.mark.parametrize("text", ["generalised-normal four", "generalised-normal 1 2"])
def test_a_prior_that_cannot_be_is_refused(text):
    """With the parameter, the text and what is allowed."""
    with pytest.raises(ValueError, match=f"shapes: '{text}' is not possible: must be a prior's name and at most a sha"):
        family(text)


def test_a_dose_never_used_is_one_line():
    """As papermill passes it: text, with commas."""
    p = parameters("doses", "smoke", shapes="normal,generalised-normal 1.7", noisy_scales="3", betas="0.7")
    groups = runs(p)
    assert [c.prior_shape for c in groups["shape"]] == [None, 1.7]
    assert [c.prior_scale for c in groups["noisy"]] == [3.0] and [c.lambda_ for c in groups["rate"]] == [0.7]


def test_slopes_are_least_squares_of_each_seed():
    """By scipy; a seed that lacks a dose has none."""
    table = doses(made_up(by_entropy_and_rate, spread=1.0, p=SMALLER)["shape"])
    found = thesis.slopes(table, "prior_entropy", "clean")
    for seed, own in table.groupby("seed"):
        assert found[seed] == pytest.approx(stats.linregress(own["prior_entropy"], own["clean"]).slope, rel=1e-6)
    assert list(thesis.slopes(table.iloc[1:], "prior_entropy", "clean").index) == [1, 2]


def test_what_is_made_is_found():
    """Slopes by entropy hold, with the paper's excluded; what is equal at one entropy is equivalent."""
    claims = thesis.in_doses(made_up(by_entropy_and_rate), P)
    for condition, slope in zip(CONDITIONS, (5, 10, 10), strict=True):
        slope_of = claims[7][f"{'rises' if condition == 'clean' else 'falls'} with entropy, {condition}"]
        assert slope_of.outcome.word == "holds" and slope_of.excludes
        assert slope_of.outcome.difference.value == pytest.approx(slope, abs=0.3)
        for name in ("heavy tails − light", "logistic − normal of its entropy"):
            assert claims[7][f"{name}, {condition}"].outcome.word == "holds"
    assert {claims[8][f"rises with β, {c}"].outcome.word for c in HALF} == {"holds"}
    scale = claims[8]["falls with the scale, noise given, mask 0.5"].outcome
    assert scale.word == "holds" and scale.difference.value == pytest.approx(10 * np.log(2), abs=0.2)


def test_the_box_tells_slopes_in_brief():
    """As claimed and with the paper's excluded, or neither; nothing of it while seeds are missing."""
    box = thesis_words.in_short_of(thesis.in_doses(made_up(by_entropy_and_rate), P))
    assert "as claimed: holds, all 3. As steep a slope" in box and box.endswith("is excluded in 3 of 3.")
    box = thesis_words.in_short_of(thesis.in_doses(made_up(spread=1.0), P))
    assert box.startswith("**Nothing is decided:**") and "as claimed: 3 undecided." in box
    some = thesis.in_doses(made_up(by_entropy_and_rate, keep=lambda c: c.seed != 61), P)
    assert "entropy" not in thesis_words.in_short_of(some)


def test_a_difference_of_tails_alone_is_found_beside_the_entropy():
    """Two points more for heavy tails: no equivalence within the paper's 0.5, and no slope that holds."""
    claims = thesis.in_doses(made_up(lambda c, k: 2.0 * (tails(c) == "heavy")), P)
    assert claims[7]["heavy tails − light, clean"].outcome.word == "contradicted"
    assert claims[7]["logistic − normal of its entropy, clean"].outcome.word == "contradicted"


def test_less_information_that_is_less_robust_is_told_first():
    """Where every slope is contradicted the chapter's first paragraph says so; where all hold, the contrary."""

    def against(config: RunConfig, condition: str) -> float:
        if config.method == "beta-vae":
            return -np.log2(config.lambda_)
        return -np.log2(config.alpha) if config.method == "infovae" else np.log2(config.prior_scale or 1.0)

    claims = thesis.in_doses(made_up(against), P)
    assert thesis_words.in_short_of(claims).startswith("**Less information is less robust**, on every road")
    assert thesis_words.verdicts(claims, faces(-1))[8] == (
        "not reproduced: on robustness, 6 contradicted; on disentanglement, 1 contradicted"
    )
    assert thesis_words.verdicts(claims, faces(1))[8].startswith("partly reproduced: on robustness, 6 contradicted")
    assert thesis_words.verdicts(claims, {"x": NOT_RUN})[8].startswith("not yet run: on robustness, 6 contradicted")
    claims = thesis.in_doses(made_up(lambda c, k: -against(c, k)), P)
    assert thesis_words.in_short_of(claims).startswith("**Less capacity is more robust**")
    assert thesis_words.verdicts(claims, faces(1))[8].startswith("reproduced: on robustness, holds, all 6")


def test_no_word_before_all_seeds_are_there():
    """Eleven of twelve seeds: no verdict on claim 7's slopes; nothing at all: not yet run."""
    some = thesis.in_doses(made_up(by_entropy_and_rate, keep=lambda c: c.seed != 61), P)
    assert some[7]["rises with entropy, clean"].outcome.word == "11 of 12 seeds"
    assert thesis_words.verdicts(some, faces(1))[7].endswith("that this makes the difference: runs are missing")
    text = thesis_words.of_entropy(some[7])
    assert "11 seeds: on clean digits" in text and ": to come" in text and "At one entropy" not in text
    none = thesis.in_doses(made_up(keep=lambda c: False), P)
    assert thesis_words.verdicts(none, {"x": NOT_RUN})[8] == (
        "not yet run: on robustness, not yet run; on disentanglement, not yet run"
    )
    assert thesis_words.in_short_of(none) == thesis_words.MISSING
    assert all(t.outcome is None for of in none.values() for t in of.values())


def test_collapse_is_decided_by_its_three_differences():
    """The VAE's code with the other decoder has a tenth of a nat: all three hold; with ten nats, none."""
    groups = made_up()
    table = groups["collapse"].table
    dead = [(r.config.method, r.config.decoder) == ("vae", "autoregressive") for r in groups["collapse"].runs]
    for rate, word in ((0.1, "holds"), (10.0, "contradicted")):
        rng = np.random.default_rng(0)
        for measure in ("rate", "information", "information_above"):
            table.loc[dead, measure] = rate + 0.01 * rng.normal(size=sum(dead))
        alive = [not d for d in dead]
        table.loc[alive, "information"] = 5.0
        claims = thesis.in_doses(groups, P)
        assert [t.outcome.word for t in claims[9].values()] == [word] * 3
    text = " ".join(collapse.in_words(groups["collapse"]).split())
    assert "After 8 epochs the VAE's rate is 10.00" in text


def test_the_toy_ignores_its_code_only_where_the_decoder_needs_none():
    """The ELBO's lowest point is the empty code with a decoder that sees pixels, and no other objective's is."""
    lowest = {}
    for name, of in collapse.OBJECTIVES.items():
        information, least = collapse.best_codes(*of)
        assert (information[0], least[0]) == pytest.approx((0, 0), abs=1e-3)
        lowest[name] = least.min()
    assert lowest["ELBO, decoder that sees pixels"] > -1e-6
    assert max(v for k, v in lowest.items() if k != "ELBO, decoder that sees pixels") < -0.1
