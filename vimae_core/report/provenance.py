"""Where numbers come from: a sentence, whose notebook, commits and runs are links that the book leads to their pages.

The sentence is Markdown. Its links have schemes of their own, `notebook:`, `commit:` and `runs:`, which
book/_ext/record_pages.py resolves when the book is built: only then is known where the clone is public.
"""

import re
from collections.abc import Iterable

from vimae_core.runs import Run

SIGN = "Where this comes from"


def provenance(notebook: str, profile: str, runs: list[Run]) -> str:
    """Where numbers come from: notebook, profile, seeds, epochs, data, commit, precision, machine, date of runs."""
    runs = list({run.path: run for run in runs}.values())
    configs, environments = [run.config for run in runs], [run.environment for run in runs]
    epochs = {c.epochs for c in configs}
    commits = {e["commit"] for e in environments}
    images = {"all" if c.n_train is None else f"the first {c.n_train:,}" for c in configs}
    of_few = _few(map(linked_commit, commits)) if len(commits) < 5 else f"of {len(commits)} commits, named there"
    return (
        f"Provenance: [notebooks/{notebook}.ipynb](notebook:{notebook}), profile {profile}; "
        f"[{len(runs)} run{'s' * (len(runs) > 1)}](runs:{'+'.join(sorted(run.path.name for run in runs))}), "
        f"{seeds_of(runs)}; {_few(epochs)} epoch{'s' * (epochs != {1})} "
        f"on {_few(images)} training images of {_few({c.dataset for c in configs})} "
        f"(data {_few({e['data_digest'][:8] for e in environments})}); code {of_few}; "
        f"torch {_few({e['torch'] for e in environments})}, {_few({run.precision for run in runs})} "
        f"on {_few({e['device'] for e in environments})}; "
        f"{_few({e['time'][:10] for e in environments})}."
    )


def seeds_of(runs: list[Run]) -> str:
    """ "seed 0", or "seeds 0, 1": which are shown."""
    seeds = {run.config.seed for run in runs}
    return f"seed{'s' * (len(seeds) > 1)} {_few(seeds)}"


def linked_commit(commit: str) -> str:
    return f"[{commit}](commit:{commit})"


def _few(values: Iterable) -> str:
    return ", ".join(str(v) for v in sorted(values))


def folded(provenance: str) -> str:
    """Behind a sign that opens it, as MyST."""
    return f'<details class="provenance"><summary>{SIGN}</summary>\n\n{provenance}\n\n</details>'


def folded_page(provenance: str) -> str:
    """Behind a sign that opens it, as HTML for JupyterLab, where the links have no pages to lead to."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", provenance)
    return f"<details><summary>{SIGN}</summary><small>{text}</small></details>"
