"""Every test was committed before the first run that it judges began: by the records, and by the history if there."""

import subprocess
from datetime import datetime

from tests.conftest import ROOT
from vimae_core.chapters.registered import REGISTERED, began, judged, registrations
from vimae_core.report.results import reference_results


def test_no_run_began_before_its_test_was_committed():
    """By each record's time and seconds; the first of a test's runs names the commit that the test came with."""
    runs = judged()
    assert runs.keys() == REGISTERED.keys() and sum(map(bool, runs.values())) >= 4
    for name, own in runs.items():
        commit, made = REGISTERED[name]
        assert all(began(run) > datetime.fromisoformat(made) for run in own), name
        if own and not name.startswith("its "):  # those were trained when their turn came
            assert min(own, key=began).environment["commit"] == commit


def test_the_history_has_these_commits():
    """Where there is a history: an archive has none, a shallow clone not all."""
    if not (ROOT / ".git").exists():
        return
    for commit, made in REGISTERED.values():
        asked = ["git", "log", "-1", "--format=%cI", commit]
        found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
        if found.returncode == 0:
            assert datetime.fromisoformat(found.stdout.strip()) == datetime.fromisoformat(made)


def test_the_table_tells_the_times():
    """A row a test; dashes where nothing was run yet."""
    runs = judged()
    table = registrations(runs)
    row = table.loc["claim 1"]
    assert row["committed"] == "23 Nov 17:34:34<br>`5ec9394`"
    assert row["first run began"] == f"{min(map(began, runs['claim 1'])):%d %b %H:%M:%S}"
    assert row["runs"] == str(len(runs["claim 1"]))
    empty = registrations({"claim 6": []}).loc["claim 6"]
    assert list(empty[1:]) == ["—", "—", "0"]


def test_the_changes_name_how_many_runs_there_were():
    """The page's counts of runs that had ended when it was changed, by their records."""
    page = " ".join((ROOT / "book" / "second_analysis.md").read_text(encoding="utf-8").split())
    runs = judged()["the second analysis"]
    ended = lambda at: [r for r in runs if datetime.fromisoformat(r.environment["time"]) < datetime.fromisoformat(at)]  # noqa: E731
    first, second = ended("2026-11-26T02:33:24Z"), ended("2026-11-26T02:42:49Z")
    assert len(first) == 10 and "with ten runs trained, none under `wae` or `wae-code`" in page
    assert {run.config.likelihood for run in first} == {"bernoulli", "gaussian"}
    assert f"with {len(second)} runs trained, all in two dimensions" in page
    assert {run.config.latent_dim for run in second} == {2}
    assert not [
        r
        for r in judged()["its question of scale"]
        if began(r) < datetime.fromisoformat(REGISTERED["its question of scale"][1])
    ]
    found = reference_results("conventions", None)
    last = max(run.environment["time"] for run in found["constraint"].runs)
    assert len([r for r in found["digits"].runs if r.environment["time"] < last]) == 2
    assert "but for two of the paper's Table 1, which ended before the last of the multiplier's" in page
