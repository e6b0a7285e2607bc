"""Each run's record as a page, and pages that list runs: static HTML of a few kB, without scripts, beside the book.

Through the book's theme a page would weigh ten times as much. All of them share _static/records.css.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict
from html import escape
from pathlib import Path

from vimae_core.evaluation.record import MEASURES
from vimae_core.reference import REFERENCE
from vimae_core.report.measures import MEANINGS, TERMS
from vimae_core.report.statistics import signed
from vimae_core.runs import Run
from vimae_core.store import RunError, is_whole, read_json, runs_root

ALL = "index"  # the page that lists every committed run
FIELDS = "book/code.html#vimae_core.config.RunConfig"
FITTED_TO = {"test": "clean training images", "both": "training images under the same condition"}


def list_name(runs: Iterable[str]) -> str:
    """The name of the page that lists these runs: the same for the same runs in any order."""
    return "list-" + hashlib.sha256("+".join(sorted(set(runs))).encode()).hexdigest()[:16]


def commit_address(remote: str | None, commit: str) -> str | None:
    """A commit's page at the public remote; None without a remote, and for what `git describe` could not name."""
    known = re.search(r"(?:^|-g)([0-9a-f]{7,40})(?:-dirty)?$", commit)
    return f"{remote}/commit/{known[1]}" if remote and known else None


def write_pages(folder: Path, lists: dict[tuple[str, ...], dict[str, str]], remote: str | None) -> list[str]:
    """Writes a page for each committed run and for each that is listed, and the lists; removes what was there else.

    `lists`: the runs that pages of the book show -> those pages, address -> title. `remote`: the clone's address.
    Returns what is wrong with runs that are missing or damaged: they have no page, all others do.
    """
    committed = [path.name for path in sorted(REFERENCE.iterdir()) if is_whole(path)]
    shown: dict[str, dict[str, str]] = {name: {} for name in committed}
    for names, citing in lists.items():
        for name in names:
            shown.setdefault(name, {}).update(citing)
    pages, faults, runs = {}, [], {}
    for name, citing in shown.items():
        try:
            run = Run.load(_place(name))
            record = run.path / "record.json"
            pages[name] = record_page(run, read_json(record) if record.is_file() else {}, citing, remote)
            runs[name] = run
        except (RunError, ValueError, TypeError, KeyError, AttributeError) as error:
            faults.append(f"run {name} has no page, {type(error).__name__}: {error}")
    for names, citing in lists.items():
        there = [runs[name] for name in sorted(set(names)) if name in runs]
        pages[list_name(names)] = list_page("Runs behind a figure or table", there, citing, remote)
    pages[ALL] = list_page("All committed runs", [runs[name] for name in committed if name in runs], {}, remote)
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {path.name for path in folder.glob("*.html")} - {f"{name}.html" for name in pages}:
        (folder / stale).unlink()
    for name, page in pages.items():
        path = folder / f"{name}.html"
        if not path.is_file() or path.read_text(encoding="utf-8") != page:  # reading a thousand takes half as long
            path.write_text(page, encoding="utf-8")
    return faults


def _place(name: str) -> Path:
    """Raises RunError where there is no such run."""
    for path in (REFERENCE / name, runs_root() / name):
        if is_whole(path):
            return path
    raise RunError(
        f"it is neither in {REFERENCE} nor in {runs_root()}. VIMAE_RUNS names the store; `make book` trains what lacks."
    )


def record_page(run: Run, record: dict, citing: dict[str, str], remote: str | None) -> str:
    """All that a run's files hold but the losses of single steps: numbers to six digits."""
    own = run.config.scientific
    where = (
        f"results/reference/{run.path.name}" if run.path.parent == REFERENCE else f"run {run.path.name} of this build"
    )
    how, took = record.get("determined_by", {}), record.get("took", {})
    environment = _shown(run.environment) | {"commit": _commit(run.environment["commit"], remote)}
    measured = [
        _measure(name, record[name], how.get(name, {}), took.get(name, {}).get("seconds"))
        for name in MEASURES
        if name in record
    ]
    body = (
        f"<p>{where}, of {_plain(run.environment['time'][:10])}{_shown_in(citing)}.</p>"
        f"<h2>Configuration</h2>{_table(_shown(own), 'What differs from the default')}"
        f'<p>All else is <a href="../{FIELDS}">as by default</a>.</p>'
        f"<h2>Training</h2>{_history(run.history)}{_table(environment, 'Environment, and seconds of training')}"
        f"<h2>Measured</h2>{''.join(measured) or '<p>Nothing was measured of this run.</p>'}"
    )
    return _page(f"{_model(run)}, seed {run.config.seed}", body)


def list_page(title: str, runs: list[Run], citing: dict[str, str], remote: str | None) -> str:
    """A row a run, with the fields in which they differ; what all have in common stands above."""
    runs = sorted(runs, key=lambda run: (run.config.label, run.config.likelihood, run.config.lambda_, run.config.seed))
    fields = [run.config.scientific for run in runs]
    full = [asdict(run.config) for run in runs]
    named = dict.fromkeys(name for own in fields for name in own)
    differing = [n for n in named if n not in ("method", "prior") and len({str(c[n]) for c in full}) > 1]
    shared = ", ".join(f"{_name(n)} {_plain(full[0][n])}" for n in named if len({str(c[n]) for c in full}) == 1)
    head = ["run", "model", *map(_name, differing), "commit", "date"]
    rows = [
        [
            f'<a href="{run.path.name}.html">{run.path.name}</a>',
            escape(_model(run)),
            *(_plain(config[name]) for name in differing),
            _commit(run.environment["commit"], remote),
            _plain(run.environment["time"][:10]),
        ]
        for run, config in zip(runs, full, strict=True)
    ]
    body = (
        f"<p>{len(runs)} run{'s' * (len(runs) != 1)}{_shown_in(citing)}. "
        f"{f'In all of them: {shared}. ' if shared else ''}"
        f'Each is named by a digest of what determined it; <a href="{ALL}.html">all committed runs</a>.</p>'
        + _wide("Runs", _columns(head) + _rows(rows))
    )
    return _page(title, body)


def _model(run: Run) -> str:
    return run.config.label.replace("beta", "β")


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width">'
        '<link rel="stylesheet" href="../_static/records.css"></head><body>'
        '<header><a href="../index.html">← The book, VIMAE recomputed</a></header>'
        f"<main><h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )


def _shown_in(citing: dict[str, str]) -> str:
    pages = ", ".join(f'<a href="../{escape(href)}">{escape(title)}</a>' for href, title in citing.items())
    return f", shown in {pages}" if pages else ""


def _wide(label: str, rows: str) -> str:
    """A table that scrolls in its own box, which the keyboard reaches."""
    return f'<div role="region" aria-label="{escape(label)}" tabindex="0"><table>{rows}</table></div>\n'


def _rows(rows: Iterable[Iterable[str]]) -> str:
    """Each begins with its heading; HTML closes cells and rows by itself, which a thousand pages feel."""
    return "".join(f"<tr><th>{'<td>'.join(cells)}" for cells in rows)


def _columns(names: Iterable[str]) -> str:
    return f"<thead><tr><th>{'<th>'.join(names)}\n<tbody>"


def _table(cells: dict[str, str], caption: str = "") -> str:
    return f"<table>{f'<caption>{caption}</caption>' if caption else ''}{_rows(cells.items())}</table>\n"


def _shown(values: dict) -> dict[str, str]:
    return {_name(name): _plain(value) for name, value in values.items()}


def _name(name: str) -> str:
    """As words, between which a narrow page may break."""
    return escape(str(name).replace("_", " ").strip())


def _plain(value) -> str:
    """Lists with spaces between, numbers to six digits."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in _shown(value).items())
    if isinstance(value, list):
        return ("; " if value and isinstance(value[0], dict) else " ").join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return signed(value, ".6g") if isinstance(value, float) else escape(str(value))


def _commit(commit: str, remote: str | None) -> str:
    address = commit_address(remote, commit)
    return f'<a href="{escape(address)}">{escape(commit)}</a>' if address else escape(commit)


def _history(history: dict) -> str:
    """A small line for each term of the loss, whose caption says what it shows; and what was asked of lambda."""
    epochs = history["epochs"]
    many = len(epochs["loss"]) > 1
    terms = (epochs if many else history.get("hundredths", {})) | {"pretraining": history.get("pretraining", [])}
    over = f"{len(epochs['loss'])} epochs" if many else "the parts of one epoch"
    lines = (_line(TERMS.get(n, n), v) for n, v in terms.items() if len(v) > 1)
    constraint = history.get("constraint")
    return f"<p>Mean terms of the loss over {over}.</p>{''.join(lines)}" + (
        _table(_shown(constraint), "Constraint on λ") if constraint else ""
    )


def _line(term: str, values: list[float]) -> str:
    low, high = min(values), max(values)
    x, y = 100 / (len(values) - 1), 30 / ((high - low) or 1)
    points = " ".join(f"{i * x:.0f},{32 - (v - low) * y:.0f}" for i, v in enumerate(values))
    told = f"{escape(term)}: {values[0]:.5g} → {values[-1]:.5g}"
    return (
        f'<figure><svg viewBox="0 0 100 34" aria-hidden="true">'
        f'<polyline points="{points}"/></svg><figcaption>{told}</figcaption></figure>'
    )


def _measure(measure: str, record: dict, settings: dict, seconds: float | None) -> str:
    """A row a number with unit and meaning; accuracies as a table of conditions by classifiers."""
    rows, tables = [], []
    for name, value in record.items():
        unit, meaning = MEANINGS.get(measure, {}).get(name, ("", ""))
        if name == "accuracy":
            tables += [_accuracies(FITTED_TO.get(p, p), conditions) for p, conditions in value.items()]
            continue
        if value and isinstance(value, list) and isinstance(value[0], list):
            lines = _rows([str(i), _plain(line)] for i, line in enumerate(value, 1))
            tables.append(f"<p>{_name(name)}: {escape(meaning)}.</p>{_wide(_name(name), lines)}")
            continue
        for part, number in value.items() if isinstance(value, dict) else [("", value)]:
            shown = "∞" if number is None else f"{_plain(number)} {unit}".strip()
            rows.append([_name(f"{name} {part}"), shown, escape(meaning)])
    told_below = (*record, "sources", "conditions", "curve")
    given = {name: value for name, value in settings.items() if value and name not in told_below}
    by = (
        f"{f'With {_plain(given)}; by' if given else 'By'} code {settings['sources'][:16]}"
        if settings
        else "As published"
    )
    took = f", in {seconds:g} s" if seconds is not None else ""
    table = f"<table>{_rows(rows)}</table>"
    return f"<h3>{_name(measure)}</h3><p>{by}{took}.</p>{table}{''.join(tables)}"


def _accuracies(fitted_to: str, conditions: dict) -> str:
    probes = list(next(iter(conditions.values()), {}))
    rows = [[escape(name), *(_plain(found.get(p, "")) for p in probes)] for name, found in conditions.items()]
    told = f"<p>Accuracy, %, a value a draw of labels; probes fitted to codes of {fitted_to}.</p>"
    return told + _wide(f"Accuracies, {fitted_to}", _columns(["condition", *probes]) + _rows(rows))
