"""The tables of the hour and of a thousand runs say what their records hold; jobs are counted out as by hand."""

import itertools
import re
import sys

import pytest

from tests.conftest import ROOT
from vimae_core.chapters import speed_hours
from vimae_core.evaluation.record import MEASURES

sys.path.insert(0, str(ROOT / "benchmarks"))
import nodes

HOUR = {
    "environment": {
        "commit": "0",
        "torch": "2",
        "device": "A processor, 2 cores",
        "threads": 1,
        "time": "2026-01-01T0",
    },
    "minutes": 12.4,
    "again": {"nothing": [0.4, 0.2, 0.3], "text": [25.0, 31.0, 28.0]},
    "quick": {"trainings": (600.0, 50), "faces": (240.0, 9), "notebooks": (60.0, 10)},
    "reference": {"trainings": (7200.0, 700), "faces": (3600.0, 40)},
    "machines": {"A processor, 2 cores": 690, "A GPU": 10},
}


@pytest.fixture
def table(monkeypatch):
    """What `show_table` is given: the table, and its caption."""
    shown = []
    monkeypatch.setattr(speed_hours, "show_table", lambda table, name, caption, source: shown.append((table, caption)))
    return shown


def test_the_hour_is_parted_by_kind(table):
    """In minutes and hours, with counts and shares; what one profile lacks is a dash."""
    speed_hours.show_hour(HOUR, "tab-hour")
    ((found, caption),) = table
    assert list(found.index) == ["trainings", "faces", "notebooks"]
    assert list(found["quick, minutes"]) == ["10.0 (50)", "4.0 (9)", "1.0 (10)"]
    assert list(found["reference, hours"]) == ["2.0 (700)", "1.0 (40)", "—"]
    assert list(found["quick, share"]) == ["67 %", "27 %", "7 %"] and found["reference, share"].iloc[1] == "33 %"
    assert "690 on A processor, 2 cores, 10 on A GPU" in caption


def test_what_a_second_call_costs_is_told_beside_what_was_wanted():
    """And the largest part that trains nothing."""
    told = speed_hours.in_words(HOUR)
    assert "took 12 minutes" in told and "67 % of what" in told and "faces, 80 % of it" in told
    assert "0.3 s, as wanted (3 s)" in told and "28.0 s, more than wanted (20 s)" in told


def test_the_committed_hour_is_whole():
    """Every kind of work under quick; three calls of each sort; no time is negative."""
    record = speed_hours.load_hour()
    assert {"trainings", "notebooks", "the book is rendered", "data are read"} < set(record["quick"])
    assert set(record["quick"]) & set(MEASURES) >= {"latent_fit", "probes", "generation", "faces", "information"}
    for kinds in (record["quick"], record["reference"]):
        assert all(seconds >= 0 and n > 0 for seconds, n in kinds.values())
    assert sum(s for s, _ in record["quick"].values()) <= 2 * 60 * record["minutes"] + 120  # of two cores
    assert [len(times) for times in record["again"].values()] == [3, 3]


def test_a_thousand_runs_are_scheduled_by_hand_alike():
    """Each core takes the longest job left: held against trying it out, step by step."""
    for minutes, cores in itertools.product(([7.0, 5.0, 4.0, 3.0, 1.0], [60.0] * 5, [90.0, 1.0]), (1, 2, 3, 10)):
        ends = [0.0] * cores
        for one in minutes:
            ends[ends.index(min(ends))] += one
        assert nodes.hours(minutes, cores) == pytest.approx(max(ends) / 60)


def test_the_longest_run_decides_on_a_hundred_nodes(table):
    """As the page on re-execution says; and the table holds the record's numbers."""
    record = speed_hours.load_nodes()
    for one in record["jobs"].values():
        assert one["hours"]["1"] > 5 * one["hours"]["10"] > 0
        assert one["hours"]["100"] == pytest.approx(record["minutes a run"]["longest"] / 60, rel=0.02)
    speed_hours.show_nodes(record, "tab-nodes")
    speed_hours.show_stores(record, "tab-stores")
    (of_nodes, caption), (of_stores, _) = table
    assert list(of_nodes.index) == ["1", "10", "100"] and f"{record['of']} recorded runs" in caption
    hours = [float(re.match(r"[\d.]+", cell)[0]) for cell in of_nodes.iloc[0]]
    assert hours == [round(one["hours"]["1"], 1) for one in record["jobs"].values()]
    assert list(of_stores["files"]) == [f"{one['files']:,}" for one in record["stores"].values()]
