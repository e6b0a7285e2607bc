"""What came out of claims 7 to 9, by what they compare: on their chapter's page, and on that of all statements."""

from functools import partial

from vimae_core.chapters.outcome_figures import show_outcome_table, show_outcomes
from vimae_core.chapters.statements import Told
from vimae_core.chapters.thesis import Group, of_the_reference
from vimae_core.chapters.thesis_words import Claims
from vimae_core.report.results import reference_results
from vimae_core.report.show import show_tabs

Family = dict[str, Told]
UNITS = {
    "Slopes over entropy": "points a nat a coordinate",
    "At one entropy": "points; holds if smaller than the paper's own",
    "Slopes over capacity": "points a doubling",
    "Collapse": "nats",
}
GROUPS = {  # of whose runs they are
    "Slopes over entropy": ("shape",),
    "At one entropy": ("shape", "scale"),
    "Slopes over capacity": ("noisy", "rate", "rate_at_fit"),
    "Collapse": ("collapse",),
}
OF_CLAIM = {
    7: "points of accuracy, of a slope a nat of the prior's entropy; ±: to be equal, within the paper's own",
    8: "points of accuracy a doubling; of VIMAE and VAE on faces, the score that is named",
    9: "nats",
}


def families(claims: Claims) -> dict[str, Family]:
    """The statements of claims 7 to 9 by what they compare: of claim 7 the slopes, then what is to be equivalent."""
    within = {name: t for name, t in claims[7].items() if t.statement.margin is not None}
    slopes = {name: t for name, t in claims[7].items() if name not in within}
    return dict(zip(UNITS, (slopes, within, claims[8], claims[9]), strict=True))


def show_families(claim: int, claims: Claims, groups: Group) -> None:
    """Displays a claim's outcomes over their numbers, in a tab each what they compare."""
    own = {title: of for title, of in families(claims).items() if of.keys() <= claims[claim].keys()}
    show_tabs({title: partial(_show_family, title, of, groups) for title, of in own.items()})


def _show_family(title: str, of: Family, groups: Group) -> None:
    equal = any(t.statement.margin is not None for t in of.values())
    where = "between the diamonds, as both are to be equal" if equal else "right of the line"
    says = f"**{title}.** Each row says that its difference lies {where}."
    shown = [groups[name] for name in GROUPS[title] if groups[name]]
    show_outcomes(of, dict.fromkeys(of, UNITS[title]), title.lower().replace(" ", "-"), says, shown)


def show_statements(claim: int) -> None:
    """Displays all of a claim's outcomes in the committed records as a table."""
    on_digits, on_faces = of_the_reference()
    groups = [*reference_results("doses", None).values()]
    if claim == 8:
        groups += reference_results("disentanglement", None).values()
    show_outcome_table(
        on_digits[claim] | (on_faces if claim == 8 else {}),
        f"tab-statements-{claim}",
        f"Claim {claim}, {OF_CLAIM[claim]}.",
        [r for r in groups if r],
    )
