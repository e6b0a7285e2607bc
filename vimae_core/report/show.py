"""Figures and tables with caption, alt text and provenance: as MyST for the book, as HTML for JupyterLab."""

import base64
import html
import io
from collections.abc import Callable

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from vimae_core.runs import Run


def provenance(notebook: str, profile: str, runs: list[Run]) -> str:
    """Where numbers come from: notebook, profile, seeds, epochs, data, commit, machine and date of their runs."""
    configs, environments = [run.config for run in runs], [run.environment for run in runs]
    seeds, epochs = {c.seed for c in configs}, {c.epochs for c in configs}
    commits = {e["commit"] for e in environments}
    images = {"all" if c.n_train is None else f"the first {c.n_train:,}" for c in configs}
    return (
        f"Provenance: notebooks/{notebook}.ipynb, profile {profile}; {len(runs)} run{'s' * (len(runs) > 1)}, "
        f"seed{'s' * (len(seeds) > 1)} {_few(seeds)}; {_few(epochs)} epoch{'s' * (epochs != {1})} "
        f"on {_few(images)} training images of {_few({c.dataset for c in configs})} "
        f"(data {_few({e['data_digest'][:8] for e in environments})}); "
        f"code {_few(commits) if len(commits) < 5 else f'of {len(commits)} commits, named in the records'}; "
        f"torch {_few({e['torch'] for e in environments})} on {_few({e['device'] for e in environments})}; "
        f"{_few({e['time'][:10] for e in environments})}."
    )


def _few(values: set) -> str:
    return ", ".join(str(v) for v in sorted(values))


def show_figure(figure: Figure, name: str, caption: str, alt: str, provenance: str) -> None:
    """Displays and closes a figure. `name` is what the book's {numref} cites; caption and alt may hold no newline."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    image = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    _display(
        f"```{{figure}} {image}\n:name: {name}\n:alt: {alt}\n\n{caption}\n\n{_small(provenance)}\n```",
        f'<figure><img src="{image}" alt="{html.escape(alt)}" style="max-width: 100%">'
        f"<figcaption>{caption}<br><small>{provenance}</small></figcaption></figure>",
    )


def show_table(table: pd.DataFrame, name: str, caption: str, provenance: str) -> None:
    """Displays a table of text cells with its index as the first column."""
    rows = [
        [table.index.name or "", *table.columns],
        *([i, *row] for i, row in zip(table.index, table.values, strict=True)),
    ]
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    _display(
        f"~~~~{{table}} {caption}\n:name: {name}\n\n" + "\n".join(lines) + f"\n~~~~\n\n{_small(provenance)}",
        f"<p>{caption}</p>{table.to_html(escape=False)}<small>{provenance}</small>",
    )


def tell(results, text: str | Callable[..., str]) -> None:
    """Displays a conclusion from results, as MyST, where there are such results; nothing beside other data's.

    A text with numbers of theirs is a function of the results: it is asked only where they are.
    """
    if results:
        show_text(text if isinstance(text, str) else text(results))


def show_text(text: str) -> None:
    """Displays MyST."""
    display({"text/markdown": text.strip(), "text/plain": text.strip()}, raw=True)


def _small(provenance: str) -> str:
    return f"[{provenance}]{{.provenance}}"


def _display(markdown: str, page: str) -> None:
    display({"text/markdown": markdown, "text/html": page}, raw=True)
