"""What holds a sentence of the book against the records: the book's texts, findings in numbers, records spoiled."""

import ast
import functools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tests.conftest import ROOT
from vimae_core.chapters import CHAPTERS
from vimae_core.chapters.capacity import accuracies
from vimae_core.report import results, show
from vimae_core.report.claims import difference, measured
from vimae_core.report.results import Results, reference_results
from vimae_core.report.statistics import compare_pairs

Groups = dict[str, Results]
Findings = dict[str, tuple[Any, bool]]  # what was looked at -> its number, and whether it is what the sentence says
Change = Callable[[float, int, int], float]
CHAPTER_OF = {notebook: chapter for chapter, notebook in CHAPTERS.items()}


class Conclusion(NamedTuple):
    """A fragment of a page, which stands there once, and what its records must show for it to be true."""

    page: str
    fragment: str
    found: Callable[[Groups], Findings]
    chapter: str = ""  # whose records, where they are not the page's own


reference_of = functools.cache(lambda chapter: reference_results(chapter, None))


def chapter_of(row: Conclusion) -> str | None:
    """The chapter whose records a row looks at; none for a page that is no chapter and names none."""
    return row.chapter or CHAPTER_OF.get(row.page)


def records_of(row: Conclusion) -> Groups:
    """The reference's results that a row looks at, by group."""
    return reference_of(chapter_of(row)) if chapter_of(row) else {}


def each(numbers: dict[str, float], wanted: Callable[[float], bool]) -> Findings:
    """Every one of the numbers is as wanted."""
    return {name: (round(float(value), 4), bool(wanted(value))) for name, value in numbers.items()}


def outcomes(tables: dict[str, np.ndarray], wanted: str) -> Findings:
    """Every comparison (seeds by draws), corrected together, comes out as wanted."""
    return {
        name: (f"{c.difference:.4f}, p = {c.p:.3f}, {c.outcome}", c.outcome == wanted)
        for name, c in compare_pairs(tables).items()
    }


def accuracy_pairs(r: Results, pairs: Iterable[tuple[str, str]], conditions: Iterable[str]) -> dict[str, np.ndarray]:
    """One model's accuracies less another's, under each condition."""
    return {
        f"{one} − {other}, {c}": difference(accuracies(r, one, c), accuracies(r, other, c))
        for one, other in pairs
        for c in conditions
    }


def measure_pairs(r: Results, measure: str, pairs: Iterable[tuple[str, str]]) -> dict[str, np.ndarray]:
    """One model's measure less another's, seed by seed."""
    return {
        f"{measure}, {one} − {other}": difference(measured(r, one, measure), measured(r, other, measure))
        for one, other in pairs
    }


def means(r: Results, measure: str) -> dict[str, float]:
    """By model, in the order of the table."""
    return r.table.groupby("model", sort=False)[measure].mean().to_dict()


class _Spoiled(dict):
    """Results by group, each changed when it is first asked for: a chapter has more than a sentence looks at."""

    def __init__(self, groups: Groups, change: Callable[[pd.DataFrame], pd.DataFrame]):
        super().__init__()
        self.groups, self.change = groups, change

    def __missing__(self, name: str) -> Results:
        r = self.groups[name]
        table = self.change(r.table) if r else r.table
        self[name] = replace(r, table=table, runs=r.runs * (len(table) // len(r.table))) if r else r
        return self[name]


@functools.cache
def spoiled_of(chapter: str) -> list[Groups]:
    """The records as they are not: negated, scaled, shifted, set apart by model or place, shuffled, of more seeds."""

    def changed(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Groups:
        return _Spoiled(reference_of(chapter), change)

    def numbers(change: Change) -> Callable[[pd.DataFrame], pd.DataFrame]:
        def of(table: pd.DataFrame) -> pd.DataFrame:
            rank = table.groupby(["likelihood", "model", "lambda"], sort=False).ngroup()
            measures = [c for c in table if c not in ("lambda", "seed", "n") and not isinstance(table[c].iloc[0], str)]
            return table.assign(
                **{c: [_through(v, change, i) for v, i in zip(table[c], rank, strict=True)] for c in measures}
            )

        return of

    def shuffled(seed: int) -> Callable[[pd.DataFrame], pd.DataFrame]:
        def of(table: pd.DataFrame) -> pd.DataFrame:
            rng = np.random.default_rng(seed)
            kept = ("model", "likelihood", "lambda", "seed")
            order = {c: rng.permutation(len(table)) for c in table if c not in kept}
            return table.assign(**{c: [table[c].iloc[i] for i in rows] for c, rows in order.items()})

        return of

    def doubled(table: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([table, table.assign(seed=table["seed"] + 100, title="FID")], ignore_index=True)

    changes: tuple[Change, ...] = (
        lambda v, model, place: -v,
        lambda v, model, place: 100 * v,
        lambda v, model, place: 0.01 * v,
        lambda v, model, place: v + 1000,
        lambda v, model, place: v + 100 * model,
        lambda v, model, place: v - 100 * model,
        lambda v, model, place: v * 2**model,
        lambda v, model, place: v * 3**place,
    )
    return [changed(change) for change in (*map(numbers, changes), shuffled(0), shuffled(1), doubled)]


def _through(value: Any, change: Change, model: int, place: int = 0) -> Any:
    """A change of every number in a record, by its model's number and by its place among conditions and protocols."""
    if isinstance(value, dict):
        return {name: _through(part, change, model, place + i) for i, (name, part) in enumerate(value.items())}
    if isinstance(value, list):
        return [_through(part, change, model, place) for part in value]
    return change(value, model, place) if isinstance(value, float) else value


def cells(notebook: str) -> list[dict]:
    return json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]


def tells(cell: dict) -> bool:
    return cell["cell_type"] == "code" and bool(re.search(r"\btell(_in_short)?\(", "".join(cell["source"])))


def told(notebook: str, monkeypatch, reference: Callable[[str], Groups] = reference_of) -> list[str]:
    """What the notebook's `tell` cells display, run beside the reference, without a build.

    Of the other cells only the imports are run, and what is assigned from the reference's and the paper's numbers.
    """
    shown: list[str] = []
    monkeypatch.setattr(show, "display", lambda bundle, raw: shown.append(bundle["text/markdown"]))
    monkeypatch.setattr(
        results, "reference_results",
        lambda chapter, data, *profile: reference_results(chapter, data, *profile) if profile else reference(chapter),
    )  # fmt: skip
    names, at_hand = {"data": None}, {"data", "reference_results", "paper_values"}
    for cell in cells(notebook):
        source = "".join(cell["source"]) if cell["cell_type"] == "code" else ""
        for statement in ast.parse(source).body:
            used, bound = (
                {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, context)}
                for context in (ast.Load, ast.Store)
            )
            from_records = isinstance(statement, ast.Assign) and used <= at_hand and used - {"data"}
            if tells(cell) or from_records or isinstance(statement, ast.Import | ast.ImportFrom):
                exec(ast.unparse(statement), names)
                at_hand |= bound if from_records else set()
    return shown


def texts(page: str, monkeypatch) -> str:
    """What a page says in words, by one blank: a notebook's Markdown and its told conclusions, or a Markdown file."""
    if page in CHAPTER_OF:
        said = ["".join(c["source"]) for c in cells(page) if c["cell_type"] == "markdown"] + told(page, monkeypatch)
    else:
        said = [(ROOT / "book" / page).read_text(encoding="utf-8")]
    return " ".join(" ".join(said).split())
