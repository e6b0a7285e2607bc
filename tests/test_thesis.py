"""Claims 7 to 9 from made-up runs whose answers are known: slopes, what is equivalent, words, verdicts, figures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from tests.made_up_doses import LEVEL, P, entropy_of, made_up
from vimae_core.chapters import collapse, thesis, thesis_words
from vimae_core.chapters.doses import CONDITIONS, doses, family, runs, tails
from vimae_core.chapters.statements import Statement, Told, told
from vimae_core.chapters.statements_words import MISSING
from vimae_core.config import RunConfig
from vimae_core.profiles import parameters

HALF = ("gaussian 0.4", "mask 0.5")
SMALLER = parameters("doses", "reference", shape_seeds=[0, 1, 2], seeds=[0, 1, 2])


BOUNDS = {("vae", "plain"): 5.0, ("vimae", "plain"): 7.0, ("vimae", "autoregressive"): 6.0}  # from below
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
    assert "the claim's slopes, all 3 hold; the slope that the paper's" in box and "is excluded in 3 of 3." in box
    assert box.endswith("differ by less than the paper's two: all 6 hold.")
    box = thesis_words.in_short_of(thesis.in_doses(made_up(spread=1.0), P))
    assert box.startswith("**Nothing is decided:**") and "the claim's slopes, 3 undecided; the slope" in box
    some = thesis.in_doses(made_up(by_entropy_and_rate, keep=lambda c: c.seed != 61), P)
    assert "entropy" not in thesis_words.in_short_of(some)


def test_a_difference_of_tails_alone_is_found_beside_the_entropy():
    """Two points more for heavy tails: no equivalence within the paper's 0.5, and no slope that holds."""
    claims = thesis.in_doses(made_up(lambda c, k: 2.0 * (tails(c) == "heavy")), P)
    assert claims[7]["heavy tails − light, clean"].outcome.word == "contradicted"
    assert claims[7]["heavy tails − light, clean"].outcome.difference.value == pytest.approx(2, abs=0.1)
    assert claims[7]["logistic − normal of its entropy, clean"].outcome.word == "contradicted"
    text = thesis_words.of_entropy(claims[7])
    words = [t.outcome.word for t in thesis_words.equalities(claims[7]).values()]
    assert f"smaller than the paper's in {words.count('holds')} of 6 comparisons" in text
    larger = text.partition(f"It is larger in {words.count('contradicted')}: ")[2]
    assert larger.startswith("heavy tails − light, clean 2.0 (2.0 to 2.0); log") and "undecided in" not in text
    assert thesis_words.verdicts(claims, faces(1))[7].startswith("partly reproduced: it has less, by formula; ")


def test_less_information_that_is_less_robust_is_told_first():
    """Where every slope is contradicted the chapter's first paragraph says so; where all hold, the contrary."""

    def against(config: RunConfig, condition: str) -> float:
        if config.method == "beta-vae":
            return -np.log2(config.lambda_)
        return -np.log2(config.alpha) if config.method == "infovae" else np.log2(config.prior_scale or 1.0)

    claims = thesis.in_doses(made_up(against), P)
    box = thesis_words.in_short_of(claims)
    assert box.startswith("**The less capacity, the less accurate on corrupted digits**, in all 6 slopes.\n")
    assert thesis_words.verdicts(claims, faces(-1))[8] == (
        "not reproduced: on robustness, 6 contradicted; on disentanglement, 1 contradicted"
    )
    assert thesis_words.verdicts(claims, faces(1))[8].startswith("partly reproduced: on robustness, 6 contradicted")
    assert thesis_words.verdicts(claims, {"x": NOT_RUN})[8].startswith("not all run: on robustness, 6 contradicted")
    claims = thesis.in_doses(made_up(lambda c, k: -against(c, k)), P)
    assert thesis_words.in_short_of(claims).startswith("**The less capacity, the more accurate on corrupted digits**")
    assert thesis_words.verdicts(claims, faces(1))[8].startswith("reproduced: on robustness, all 6 hold; on dis")
    assert thesis_words.verdicts(claims, faces(-1))[8].startswith("partly reproduced: on robustness, all 6 hold; on")


def test_no_word_before_all_seeds_are_there():
    """Eleven of twelve seeds: no verdict on claim 7's slopes; nothing at all: not yet run."""
    some = thesis.in_doses(made_up(by_entropy_and_rate, keep=lambda c: c.seed != 61), P)
    assert some[7]["rises with entropy, clean"].outcome.word == "11 of 12 seeds"
    verdict = thesis_words.verdicts(some, faces(1))[7]
    assert verdict.startswith("not all run: ") and "makes the difference: runs are missing; that at" in verdict
    text = thesis_words.of_entropy(some[7])
    assert (
        "11 seeds, intervals as corrected: on clean digits" in text
        and ": to come" in text
        and "of one entropy" not in text
    )
    alone = thesis.in_doses(made_up(by_entropy_and_rate, keep=lambda c: c.seed == 50), P)
    assert thesis_words.of_entropy(alone[7]) == "" and "nan" not in thesis_words.in_short_of(alone)
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
        for measure, part in (("rate", 1.0), ("information", 0.3), ("information_above", 0.8)):
            table.loc[dead, measure] = part * rate + 0.01 * rng.normal(size=sum(dead))
        for (method, decoder), least in BOUNDS.items():
            own = [(r.config.method, r.config.decoder) == (method, decoder) for r in groups["collapse"].runs]
            table.loc[own, "information"], table.loc[own, "information_above"] = least, least + 4
        claims = thesis.in_doses(groups, P)
        assert [t.outcome.word for t in claims[9].values()] == [word] * 3
        means = [t.outcome.difference.value for t in claims[9].values()]
        assert means == pytest.approx([5 - 0.8 * rate, 6 - 0.8 * rate, 1 - rate], abs=0.05)
    text = collapse.in_words(groups["collapse"], claims[9])
    assert "the VAE's code tells at most 8.00 ± 0.0" in text and "VIMAE-n's at least 6.00 ± 0.00; with the" in text
    assert "plain decoder the VAE's tells at least 5.00 ± 0.00. The VAE's rate is 10.00" in text
    assert "(means over 5 seeds" in text and text.endswith(": contradicted.")
    assert thesis_words.verdicts(claims, faces(1))[9].startswith("not reproduced: by calculation, of one of its two")
    figure = collapse.over_epochs(groups["collapse"])
    (left, right), labels = figure.axes, [t.get_text() for t in figure.legends[0].get_texts()]
    own = next(line for line in left.lines if line.get_label() == "VIMAE-n, decoder that sees the pixels before")
    assert len(labels) == len(left.lines) == len(right.lines) == 4 and list(own.get_ydata()) == [6.0] * 4
    plt.close(figure)


def test_no_word_on_collapse_while_runs_lack():
    """The plain decoder's alone, or one seed's: a line that says so, and a word that is open."""
    for keep, word in ((lambda c: c.decoder == "plain", "not yet run"), (lambda c: c.seed == 50, "not all run")):
        groups = made_up(keep=keep)
        claims = thesis.in_doses(groups, P)
        assert collapse.in_words(groups["collapse"], claims[9]) == MISSING
        assert thesis_words.verdicts(claims, faces(1))[9].startswith(f"{word}: by calculation")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hhhhhh", "**The less capacity, the more accurate on corrupted digits**, in all 6 slopes."),
        ("hhhhhu", "**The less capacity, the more accurate on corrupted digits**, in 5 of 6 slopes; 1 is undecided."),
        ("cccuuu", "**The less capacity, the less accurate on corrupted digits**, in 3 of 6 slopes; 3 are undecided."),
        ("hccuuu", "1 is as claimed, and 2 the other way round; 3 are undecided."),
        ("hhhccc", "3 are as claimed, and 3 the other way round."),
        ("uuuuuu", "**Nothing is decided:** that less capacity is more robust was not shown, nor that it is less."),
    ],
)
def test_claim_8_in_a_sentence_for_every_outcome(words, expected):
    """As many each way as there are; the first page says the same."""
    claims = thesis.in_doses(made_up(), P)
    meant = {"h": "holds", "c": "contradicted", "u": "undecided"}
    of = {
        name: t._replace(outcome=t.outcome._replace(word=meant[w]))
        for (name, t), w in zip(claims[8].items(), words, strict=True)
    }
    for text in (thesis_words.in_short_of({**claims, 8: of}), thesis_words.on_the_first_page({8: of})):
        assert expected in text.partition("\n")[0]
    assert "not all there yet" in thesis_words.on_the_first_page({8: {"x": NOT_RUN}})


def test_a_road_tells_its_best_dose_and_its_slope_without_empty_codes():
    """A point a doubling of beta up to 3, and ten less at 30, whose rate is zero."""
    best = lambda c, k: np.log2(c.lambda_) - 20 * (c.lambda_ > 20) if c.method == "beta-vae" else 0.0  # noqa: E731
    groups = made_up(best)
    table = groups["rate"].table
    table.loc[table["lambda"] == 30, "rate"] = 0.0
    told = thesis_words.of_capacity(thesis.in_doses(groups, P)[8], groups)
    (line,) = [line for line in told.splitlines() if line.startswith("- *rises with β*")]
    assert line.count("highest at β = 10") == 3 and "At β = 30 the code is empty" in line
    without = line.partition("without it, under noise (σ = 0.4) ")[2]
    assert float(without.split()[0]) == pytest.approx(1, abs=0.05) and "no word" in line
    assert "is empty" not in told.partition("- *rises with β*")[0]


def test_the_toy_ignores_its_code_only_where_the_decoder_needs_none():
    """The ELBO's lowest point is the empty code with a decoder that sees pixels, and no other objective's is."""
    lowest = {}
    for name, of in collapse.OBJECTIVES.items():
        information, least = collapse.best_codes(*of)
        assert (information[0], least[0]) == pytest.approx((0, 0), abs=1e-3)
        lowest[name] = least.min()
    assert lowest["ELBO, decoder that sees pixels"] > -1e-6
    assert max(v for k, v in lowest.items() if k != "ELBO, decoder that sees pixels") < -0.1
