"""The first page: what was found, in a paragraph, a figure and a verdict a claim. It trains nothing."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from vimae_core.chapters import CHAPTERS, capacity, faces, generation, latent_shape, thesis, thesis_words
from vimae_core.chapters.statements_words import NOT_RUN, ByConvention, in_brief, word
from vimae_core.config import RunConfig
from vimae_core.report.in_short import CLAIMS, chip
from vimae_core.report.results import Results, reference_results, sources
from vimae_core.report.show import show_figure, show_text
from vimae_core.report.style import INK, SERIES, WIDTH

CHAPTER_OF = {1: "latent_shape", 2: "capacity", 3: "capacity", 4: "generation", 5: "generation", 6: "faces"}
OF_THE_THIRD = "doses"  # the chapter of claims 7 to 9
BY_COUNTING = {  # on the page of theory
    10: "most hold: three are misprinted, and from three objectives more is concluded than follows, "
    "[one by one](../theory.md)",
}
LOOKS = {"holds": SERIES[0], "undecided": "#d9d9d9", "contradicted": SERIES[1]}


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """None of its own."""
    return {}


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """None of its own."""
    return {}


def verdicts(results: dict[str, Results]) -> dict[int, str]:
    """By claim, what came out in a chapter's results: those that its table shows."""
    tests = {
        1: latent_shape.verdict_on_claim_1,
        2: lambda r: capacity.claim_2(r)[0],
        3: lambda r: capacity.claim_3(r)[0],
        4: lambda r: generation.claim_4(r)[0],
        5: lambda r: generation.claim_5(r)[0],
        6: lambda r: faces.claim_6(r)[0],
    }
    return {claim: test(results[CHAPTER_OF[claim]]) for claim, test in tests.items()}


def of_the_reference() -> dict[str, Results]:
    """The committed results that the verdicts are about, by chapter."""
    groups = {"latent_shape": "figure", "capacity": "table", "generation": "table", "faces": "table"}
    return {chapter: reference_results(chapter, None)[group] for chapter, group in groups.items()}


def by_reading(found: ByConvention) -> SimpleNamespace:
    """How many statements were asked under several conventions; always, never: hold under each of theirs, under none.

    by_likelihood: those that come out otherwise under a Gaussian than under a Bernoulli likelihood, all else equal.
    """
    words: dict[tuple[int, str], dict[str, str]] = {}
    for convention, claims in found.items():
        for claim, of in claims.items():
            for name, told in of.items():
                words.setdefault((claim, name), {})[convention] = word(told)
    several = {key: set(of.values()) for key, of in words.items() if len(of) > 1}
    likelihoods = {key: [of[c] for c in ("bernoulli", "gaussian") if c in of] for key, of in words.items()}
    return SimpleNamespace(
        statements=len(several),
        always=[key for key, of in several.items() if of == {"holds"}],
        never=[key for key, of in several.items() if "holds" not in of],
        by_likelihood=[key for key, of in likelihoods.items() if len(set(of)) > 1],
    )


def show_claims(found: ByConvention, results: dict[str, Results]) -> None:
    """Displays a line a claim: what it says, its verdict as a chip, and what came of it in the second analysis."""
    third = thesis_words.verdicts(*thesis.of_the_reference())
    told = verdicts(results) | third | BY_COUNTING
    rows = ["| claim | what came out |", "|---|---|"]
    for n, claim in CLAIMS.items():
        of = CHAPTER_OF.get(n, OF_THE_THIRD if n in third else None)
        chapter = f", [chapter](../results/{CHAPTERS[of]}.ipynb)" if of else ""
        rest = told[n].partition(" (")[2].rstrip(")") if n in CHAPTER_OF else told[n].partition(": ")[2]
        second = [
            f"as `{c}`: {', '.join(in_brief(found[c][n]))}" for c in ("wae", "constrained") if n in found.get(c, {})
        ]
        lines = [chip(told[n]), *filter(None, [rest]), *second]
        rows.append(f"| **{n}.** {claim.said}<br>[{claim.where}{chapter}]{{.where}} | {'<br>'.join(lines)} |")
    show_text("\n".join(rows))


def show_readings(found: ByConvention, behind: dict[int, list[Results]], name: str) -> None:
    """Displays how many of each claim's statements hold, are undecided and are contradicted, under each convention."""
    shown = list({id(r): r for of in behind.values() for r in of}.values())
    counts = (
        f"claim {claim} under {c}, {', '.join(in_brief(of))}"
        for c, claims in found.items()
        for claim, of in claims.items()
    )
    show_figure(
        readings_figure(found),
        name,
        "**The claims under five conventions for what the paper leaves open.** Each bar is a claim's statements under "
        "one of them: blue, how many hold; grey, undecided; orange, contradicted. The number is of those that hold. "
        "`wae` was argued beforehand to be the paper's own; no bar: not asked.",
        f"Bars, a row a claim and a column a convention: {'; '.join(counts)}",
        sources(shown),
        vector=True,
    )


def readings_figure(found: ByConvention) -> Figure:
    """A row a claim, a column a convention, in each a bar whose parts are its statements."""
    figure, axes = plt.subplots(1, len(found), figsize=(0.72 * WIDTH, 2.6), sharey=True, squeeze=False)
    for axis, (convention, claims) in zip(axes[0], found.items(), strict=True):
        for y, claim in enumerate(CHAPTER_OF):
            words = [word(told) for told in claims.get(claim, {}).values()]
            if not words or set(words) == {NOT_RUN}:
                continue
            left = 0.0
            for kind, colour in LOOKS.items():
                part = words.count(kind) / len(words)
                axis.barh(y, part, left=left, color=colour, height=0.72, edgecolor="white", linewidth=0.5)
                left += part
            axis.text(1.04, y, f"{words.count('holds')}/{len(words)}", va="center", size=7.5, color=INK)
        axis.set(xlim=(0, 1.3), xticks=[], ylim=(len(CHAPTER_OF) - 0.5, -0.5))
        axis.set_title(convention, size=8.5)
        axis.tick_params(axis="y", length=0)
        axis.spines[:].set_visible(False)
    axes[0, 0].set_yticks(range(len(CHAPTER_OF)), [f"claim {claim}" for claim in CHAPTER_OF])
    keys = [plt.Rectangle((0, 0), 1, 1, color=colour, label=kind) for kind, colour in LOOKS.items()]
    figure.legend(handles=keys, loc="outside lower center", ncols=3)
    return figure
