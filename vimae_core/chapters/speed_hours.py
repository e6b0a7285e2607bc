"""Where the hour of a build goes, and what a thousand runs cost on a cluster: two committed records as tables."""

import pandas as pd

from vimae_core.chapters.speed import provenance
from vimae_core.data import ROOT
from vimae_core.report.show import show_table
from vimae_core.store import read_json

TRAININGS = "trainings"
GOALS = {"nothing": 3, "text": 20}  # seconds of a call after nothing has changed, or a notebook's text; set beforehand


def load_hour() -> dict:
    """Raises RunError where the record is missing or damaged."""
    return read_json(ROOT / "benchmarks" / "hour.json")


def load_nodes() -> dict:
    """Raises RunError where the record is missing or damaged."""
    return read_json(ROOT / "benchmarks" / "nodes.json")


def show_hour(record: dict, name: str) -> None:
    """Displays the seconds of each kind of work, under `quick` and in all records of the reference."""
    kinds = list(dict.fromkeys([*record["quick"], *record["reference"]]))
    kinds.sort(key=lambda kind: -record["reference"].get(kind, (0, 0))[0])
    columns = {}
    for profile, unit, seconds in (("quick", "minutes", 60), ("reference", "hours", 3600)):
        of, whole = record[profile], sum(spent for spent, _ in record[profile].values())
        columns[f"{profile}, {unit}"] = [f"{of[k][0] / seconds:.1f} ({of[k][1]:,})" if k in of else "—" for k in kinds]
        columns[f"{profile}, share"] = [f"{100 * of[k][0] / whole:.0f} %" if k in of else "—" for k in kinds]
    machines = ", ".join(f"{n:,} on {machine}" for machine, n in record["machines"].items())
    show_table(
        pd.DataFrame(columns, index=pd.Index([kind.replace("_", " ") for kind in kinds], name="kind of work")),
        name,
        "Where the time of one core goes, and in brackets how many there are: of a whole `make book`, measured, and of "
        f"all committed runs, as each recorded it ({machines}); there start, data and pages are as under quick.",
        provenance(record, "hour.json", "benchmarks/hour.py"),
    )


def in_words(record: dict) -> str:
    """The largest part that trains nothing, and what a second call costs."""
    of = record["quick"]
    rest = {kind: spent for kind, (spent, _) in of.items() if kind != TRAININGS}
    largest = max(rest, key=rest.get)
    share = 100 * of[TRAININGS][0] / sum(spent for spent, _ in of.values())
    seconds = {what: sorted(times)[1] for what, times in record["again"].items()}
    told = {what: f"{s:.1f} s, {'as' if s <= GOALS[what] else 'more than'} wanted" for what, s in seconds.items()}
    return (
        f"`make book` took {record['minutes']:.0f} minutes on {record['environment']['device']}; {share:.0f} % of what "
        f"its processes did was training, and the largest part of the rest, {largest.replace('_', ' ')}, "
        f"{100 * rest[largest] / sum(rest.values()):.0f} % of it. A second call, when nothing has changed, takes "
        f"{told['nothing']} ({GOALS['nothing']} s); one after the text of a notebook has changed {told['text']} "
        f"({GOALS['text']} s): that notebook's outputs are kept, and of the book only what changed is rendered."
    )


def show_nodes(record: dict, name: str) -> None:
    """Displays how long a thousand runs take on several numbers of nodes, in jobs of an hour and in shorter ones."""
    rows = {}
    for nodes in next(iter(record["jobs"].values()))["hours"]:
        rows[f"{int(nodes):,}"] = {
            f"jobs of {full} minutes ({one['jobs']})": _lasting(one["hours"][nodes])
            for full, one in record["jobs"].items()
        }
    each = record["minutes a run"]
    show_table(
        pd.DataFrame(rows.values(), index=pd.Index(rows, name="nodes of two cores")),
        name,
        f"How long 1,000 runs take on a cluster, on paper: drawn from the {record['of']} recorded runs of `reference`, "
        f"with the minutes of the records ({each['median']:.1f} in the middle, {each['longest']:.1f} at most, "
        f"{each['all'] / 60:.0f} hours of a core in all), each core taking the longest job that is left; in brackets "
        "the jobs. Waiting in the queue and the start of a job come on top.",
        provenance(record, "nodes.json", "benchmarks/nodes.py"),
    )


def show_stores(record: dict, name: str) -> None:
    """Displays what a run store costs by itself."""
    rows = {}
    for runs, one in record["stores"].items():
        rows[f"{int(runs):,}"] = {
            "files": f"{one['files']:,}",
            "to see all": f"{one['seconds to look at all']:.2f} s",
            "to list": f"{one['seconds to list']:.2f} s",
            "opened to list": f"{one['files opened to list']:,}",
            "to lock one": f"{1000 * one['seconds a lock']:.1f} ms",
        }
    show_table(
        pd.DataFrame(rows.values(), index=pd.Index(rows, name="runs")),
        name,
        "What a run store of several sizes costs by itself, on a local disk: its files, the seconds in which the size "
        "and time of all are seen (which every `make book` does) and all runs are listed, with the files that are "
        "opened for that, and the time in which one run is locked and let go.",
        provenance(record, "nodes.json", "benchmarks/nodes.py"),
    )


def _lasting(hours: float) -> str:
    return f"{60 * hours:.0f} minutes" if hours < 2 else f"{hours:.1f} hours"
