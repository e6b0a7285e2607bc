"""What a reader has after a minute: the claims in a line each, a verdict as a chip, a chapter's box "In short"."""

from collections.abc import Callable
from typing import NamedTuple

from vimae_core.report.results import Results
from vimae_core.report.show import fenced, show_text


class Claim(NamedTuple):
    """A claim in a line, and where the paper makes it."""

    said: str
    where: str


CLAIMS = {
    1: Claim("In two dimensions the VAE's codes do not fit the prior; β-VAE's and VIMAE's do", "the paper's Figure 1"),
    2: Claim("β-VAE and VIMAE classify better than the VAE, clean and corrupted", "the paper's Table 1"),
    3: Claim("VIMAE-n is best on clean, VIMAE-l on heavily corrupted images", "the paper's Table 1"),
    4: Claim("All models reconstruct; only VIMAE generates well from the prior", "the paper's Figure 2"),
    5: Claim("From half-masked digits VIMAE reconstructs the clean digit", "the paper's Figure 2"),
    6: Claim(
        "On faces VIMAE-n and VIMAE-l are nearly equal and far better than the VAE", "the paper's Figure 3, Table 2"
    ),
    7: Claim("A logistic prior has less entropy than a normal one, and that makes the difference", "section 3.2"),
    8: Claim("Small capacity learns a more robust and more disentangled representation", "abstract"),
    9: Claim("The ELBO is at its optimum with an uninformative representation", "section 2.3"),
    10: Claim("Equations (1) to (15)", "sections 2 to 5"),
}

CHIPS = {  # the first words of a verdict -> sign and class: told apart by word, shape and colour
    "reproduced": ("✓", "holds"),
    "partly reproduced": ("◐", "partly"),
    "not reproduced": ("✗", "fails"),
    "sign agrees in part": ("(±)", "partly"),
    "sign agrees": ("(+)", "holds"),
    "sign disagrees": ("(−)", "fails"),
    "not yet run": ("○", "open"),
    "not all run": ("○", "open"),
    "not tested": ("○", "open"),
    "most hold": ("◐", "partly"),
}


def chip(verdict: str) -> str:
    """The word that a verdict begins with, as MyST: a sign and a class beside it.

    Raises ValueError for a verdict that begins with none of `CHIPS`.
    """
    for word, (sign, look) in CHIPS.items():
        if verdict.startswith(word):
            return f"[{sign} {word}]{{.chip .chip-{look}}}"
    raise ValueError(f"verdict={verdict!r} is not possible: must begin with one of {', '.join(CHIPS)}")


def in_short(text: str, verdicts: dict[int, str] | None = None) -> str:
    """A chapter's box, as MyST: its claims, each with its verdict, and what was found; the figure comes next."""
    lines = [f"**Claim {n}.** {CLAIMS[n].said}. {chip(verdict)}" for n, verdict in (verdicts or {}).items()]
    return fenced("admonition", "In short", "\n\n".join([":class: in-short", *lines, text.strip()]))


def tell_in_short(results: Results, text: Callable[[Results], str], verdicts: dict[int, str]) -> None:
    """Displays a chapter's box where there are such results; nothing beside other data's, as `tell`."""
    if results:
        show_text(in_short(text(results), verdicts))
