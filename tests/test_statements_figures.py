"""How the statements are shown: sentences, map, tables, the seeds behind them, and what chapters and pages cite."""

import re

import numpy as np

from tests.conftest import ROOT
from tests.test_statements import results
from vimae_core.chapters import statements_figures as figures
from vimae_core.chapters import statements_words as words
from vimae_core.chapters.statements import CLAIMS, Statement, of_the_reference, told
from vimae_core.profiles import parameters


def example(words: dict[str, dict[str, str | None]]):
    """Convention -> claim -> statement -> what came out, with the words given."""
    signs = {"holds": 1.0, "contradicted": -1.0}
    return {
        c: {2: told({n: Statement(np.array([[signs.get(w, 0) + e] for e in (-0.01, 0, 0.01)]) if w else np.array([]))
                     for n, w in of.items()})}
        for c, of in words.items()
    }  # fmt: skip


def test_the_three_sentences():
    """Which convention has all, what holds under all, what under none; and what is not yet run is counted."""
    some = example({"wae": {"a": "holds", "b": "holds", "c": "undecided"},
                    "bernoulli": {"a": "holds", "b": "contradicted", "c": "contradicted"}})  # fmt: skip
    text = words.in_sentences(some)
    assert text.startswith("**There is no convention under which every statement holds.** 3 statements have a word")
    assert "Under each of those hold 1 (claim 2: a); under none of them 1 (claim 2: c);" in text
    assert "contradicted under each are none." in text
    twice = {c: {**claims, 3: claims[2]} for c, claims in some.items()}
    assert "6 statements have a word" in words.in_sentences(twice)
    whole = words.in_sentences(example({"wae": {"a": "holds"}, "gaussian": {"a": "contradicted"}}))
    assert "Under `wae` every statement holds" in whole
    open_ = words.in_sentences(example({"wae": {"a": "holds", "b": None}, "gaussian": {"a": "holds", "b": None}}))
    assert "No convention is known yet" in open_
    assert "2 of 4 cells have no word yet" in open_
    known = words.in_sentences(example({"wae": {"a": "contradicted", "b": None}, "gaussian": {"a": "undecided"}}))
    assert "There is no convention" in known and "1 of 3 cells" in known  # whatever is still to be run
    unknown = words.in_sentences(example({"wae": {"a": "undecided", "b": None}, "gaussian": {"a": "undecided"}}))
    assert "No convention is known yet" in unknown and "2 of 3 cells" in unknown  # what is missing may decide a
    some["gaussian"] = {3: some["wae"][2]}  # not asked claim 2: no reading under which all holds
    some["bernoulli"][3] = example({"bernoulli": {"a": "holds", "b": "holds", "c": "holds"}})["bernoulli"][2]
    text = words.in_sentences(some)
    assert "There is no convention" in text and "hold 3 (claim 2: a; claim 3: a, b)" in text


def test_many_statements_are_counted_claim_by_claim():
    """Names where they are few; a number of how many a claim has where they are not."""
    every = [(2, name) for name in "abcd"] + [(3, name) for name in ("beta-x", "y")]
    assert words._listed(every, every) == "6 (claim 2: all 4; claim 3: β-x, y)"
    assert words._listed(every[1:4], every) == "3 (claim 2: 3 of 4)" and words._listed([], every) == "none"


def test_the_map_and_the_tables_say_what_the_words_say():
    """A sign, a number and a word for each; nothing where nothing was run."""
    found = example({"wae": {"a": "holds", "b": None}, "gaussian": {"a": "contradicted", "b": "undecided"}})
    table = figures.statement_table(2, found)
    assert table["wae"].tolist()[1] == "—" and list(table.columns) == ["wae", "gaussian"]
    at = '<a class="word {}" href="#fig-seeds-2"><b>{}</b></a><br>'
    assert table["wae"].iloc[0].startswith(at.format("holds", "✓ holds") + "1.0<br>[")
    assert table["wae"].iloc[0].endswith("3 seeds")
    assert table["gaussian"].iloc[0].startswith(at.format("contradicted", "✗ contradicted") + "−1.0<br>[−")
    assert "? undecided" in table["gaussian"].iloc[1]
    for claims in found.values():
        claims |= dict.fromkeys(CLAIMS, claims[2])
    figure = figures.statement_map(found)
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert texts == ["✓ 1.0", "✗ −1.0", "? 0.0", "claim 2"]
    was = found["wae"][2]["a"]
    found["wae"][2]["a"] = was._replace(statement=was.statement._replace(word="holds"))  # whatever its number
    assert figures.statement_map(found).axes[1].texts[0].get_text() == "✓ empty"


def test_the_seeds_stand_beside_their_interval_and_the_papers_effect():
    """A dot a seed at its mean over draws, a bar from end to end in its word's colour; no mark before all are there."""
    values = np.array([[0.9, 1.1], [1.9, 2.1], [2.9, 3.1]])
    statements = {"x − y, clean": Statement(values, paper=5.0), "x − z, clean": Statement(values - 10)}
    one, fewer = told(statements), told(statements, lambda name: 5)
    figure = figures.seeds_figure(2, {"wae": {2: one}, "gaussian": {2: fewer}})
    ours, open_ = figure.axes
    assert [a.get_title(loc="left") for a in figure.axes] == ["wae", "gaussian"] and not open_.collections
    np.testing.assert_allclose(ours.collections[0].get_offsets(), [[1, 0], [2, 0], [3, 0]])
    bars = [line for line in ours.lines if len(set(line.get_ydata())) == 1 and len(line.get_xdata()) == 2]
    low_high = [(t.outcome.difference.low, t.outcome.difference.high) for t in one.values()]
    np.testing.assert_allclose([bar.get_xdata() for bar in bars], low_high)
    colours = {w: figures.LOOKS[w][1] for w in ("holds", "undecided", "contradicted")}
    assert [bar.get_color() for bar in bars] == [figures.BARS.get(t.outcome.word, figures.PALE) for t in one.values()]
    assert one["x − z, clean"].outcome.word == "contradicted" and bars[1].get_color() == colours["contradicted"]
    assert [line.get_xdata()[0] for line in ours.lines if line.get_marker() == "D"] == [5.0]


def test_differences_over_decades_have_an_axis_for_them():
    """Logarithmic from where the caption says, every mark within, and the outermost decades named; else linear."""
    values = np.array([[0.8, 0.8], [0.9, 0.9], [1.0, 1.0]])
    of = {"x − y, clean": Statement(50 * values), "x − z, clean": Statement(-values)}
    axes = figures.seeds_figure(2, {"wae": {2: told(of)}, "gaussian": {2: told(of)}}).axes
    low, high = axes[1].get_xlim()
    assert axes[1].get_xscale() == "symlog" and low < -1.3 and high > 50
    assert [t.get_text() for t in axes[1].get_xticklabels()] == ["0", "−1", "100", "1"]
    assert "percentage points is linear up to ±1 and logarithmic beyond" in figures._scale(2)
    assert figures.seeds_figure(3, {"wae": {3: told(of)}}).axes[0].get_xscale() == "linear" and not figures._scale(3)


def test_units_of_the_statements():
    """A panel row a unit: claim 5's errors apart from its labels; claim 6's all in its distance."""
    found = {"wae": {claim: told(test(results([]))) for claim, test in CLAIMS.items()}}
    assert {claim: {u: len(names) for u, names in figures.units(claim, found).items()} for claim in CLAIMS} == {
        1: {"nats": 4}, 2: {"percentage points": 15}, 3: {"percentage points": 11},
        4: {"squared error": 4, "Fréchet distance": 4}, 5: {"squared error": 4, "percentage points": 2},
        6: {"Fréchet distance": 4},
    }  # fmt: skip


def test_the_reference_is_told_whole():
    """From the committed records, whatever is there of them: every statement has its cell, and the map is drawn."""
    found, behind = of_the_reference()
    assert list(found) == parameters("conventions", "reference").conventions and list(behind) == list(CLAIMS)
    assert [r.notebook for r in behind[6]][:1] == ["05_celeba_generation"]
    assert found["bernoulli"][6]["5/6 of the VAE's distance − VIMAE-n's"].outcome.seeds == 3
    for claim in CLAIMS:
        conventions = 3 if claim == 6 else len(found)  # faces are asked under three
        assert figures.statement_table(claim, found).shape[1] == (claim in (2, 3)) + conventions
    figures.statement_map(found)


def test_a_claim_in_brief():
    """That all of its statements hold, or how many came out how, or that seeds are missing."""
    some = example({"wae": {"a": "holds", "b": "holds"},
                    "wae-code": {"a": "holds", "b": "undecided", "c": "undecided"},
                    "gaussian": {"a": None, "b": None}})  # fmt: skip
    assert {c: words.in_brief(of[2]) for c, of in some.items()} == {
        "wae": ["all 2 hold"], "wae-code": ["1 holds", "2 undecided"], "gaussian": ["not yet run"]
    }  # fmt: skip
    fewer = told({name: one.statement for name, one in some["wae"][2].items()}, lambda name: 5)
    assert words.in_brief(fewer) == ["runs are missing"]
    assert words.in_brief({**some["wae"][2], "c": fewer["a"]}) == ["2 hold", "1 to come"]


def test_chapters_show_their_claims_and_pages_cite_them(monkeypatch):
    """A row a convention and a column a claim, from the same words; every text that the book cites is glued."""
    shown, glued = [], {}
    monkeypatch.setattr(words, "show_table", lambda *a: shown.append(a))
    monkeypatch.setattr(words, "glue", lambda name, text, display: glued.update({name: text}))
    words.show_readings([4, 5])
    (table, name, caption, source), (found, _) = shown[0], of_the_reference()
    assert name == "tab-readings-4" and "[claim 5](tab-statements-5)" in caption and source.startswith("Provenance")
    assert list(table.index) == [f"`{c}`" for c in found]
    assert list(table.columns) == ["claim 4, 8 statements", "claim 5, 6 statements"]
    assert table.loc["`wae`", "claim 5, 6 statements"] == ", ".join(words.in_brief(found["wae"][5]))
    words.glue_claims(found)
    pages = "".join((ROOT / "book" / page).read_text(encoding="utf-8") for page in ("claims.md",))
    cited = set(re.findall(r"::(second_\w+):s`", pages))
    assert len(cited) == 12 and cited <= set(glued)
    assert glued["second_1_wae_code"] == ", ".join(words.in_brief(found["wae-code"][1]))
