"""make book ON=slurm on a real SLURM of one node: jobs go through, come again when killed, and show why they failed."""

import json
import subprocess
import sys
import time

import pytest

from tests.conftest import clean_environment, copy_tree
from tests.one_node_slurm import missing, one_node
from vimae_core.chapters import training
from vimae_core.profiles import parameters

TARGET = "book/results/02_training.ipynb"
QUICKLY = [
    "--seconds-between-status-checks",
    "2",
    "--slurm-init-seconds-before-status-checks",
    "2",
    "--latency-wait",
    "9",
]
RUNS = len(training.runs(parameters("training", "smoke"))["training"])


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The environment in which a SLURM of one node is reached."""
    if why := missing():
        pytest.skip(why)
    with one_node(tmp_path_factory.mktemp("slurm"), memory=16000) as environment:
        yield clean_environment() | {"SLURM_CONF": environment["SLURM_CONF"]}


@pytest.fixture
def tree(tmp_path):
    """A copy of the repository."""
    return copy_tree(tmp_path / "copy")


def submit(request, tree, environment, target: str, *options: str) -> subprocess.Popen:
    command = [sys.executable, "workflow/run.py", "smoke", "--on", "slurm", *QUICKLY, *options, target]
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=tree, env=environment, **told)
    request.addfinalizer(process.kill)
    return process


def jobs(environment) -> list[dict[str, str]]:
    """What the accounting has of all jobs, the first one first."""
    columns = ("JobIDRaw", "State", "ReqMem", "TimelimitRaw", "Comment")
    command = ["sacct", "-X", "-n", "--parsable2", f"--format={','.join(columns)}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [dict(zip(columns, line.split("|"), strict=True)) for line in done.stdout.splitlines()]


def trained(tree) -> dict[str, int]:
    """The finished runs, each with the time of its end."""
    return {path.parent.name: path.stat().st_mtime_ns for path in (tree / "runs").glob("*/history.json")}


def test_a_killed_job_is_redone_and_a_second_submission_trains_nothing_twice(slurm, tree, request):
    """Of five trainings in one job, two are done when it is killed: the others follow in another, with more time. Who
    submits the same meanwhile waits, and finds all done."""
    first = submit(request, tree, slurm, TARGET)
    end = time.monotonic() + 240
    while len(trained(tree)) < 2:
        assert first.poll() is None and time.monotonic() < end, first.communicate()[0][-3000:]
        time.sleep(0.1)
    (job,) = jobs(slurm)
    subprocess.run(["scancel", job["JobIDRaw"]], env=slurm, check=True)
    second, before = submit(request, tree, slurm, TARGET), trained(tree)
    told, again = (one.communicate(timeout=300)[0] for one in (first, second))
    assert first.returncode == second.returncode == 0, told[-3000:] + again[-3000:]
    after = trained(tree)
    assert len(after) == RUNS and after | before == after
    assert "waiting for it" in again and "nothing was to be trained, measured or executed" in again
    killed, redone, notebook = jobs(slurm)
    assert killed["State"].startswith("CANCELLED") and redone["State"] == notebook["State"] == "COMPLETED"
    assert int(redone["TimelimitRaw"]) > int(killed["TimelimitRaw"]) > 0 and redone["ReqMem"] == "6000M"
    assert (tree / TARGET).is_file()


def test_a_failed_job_shows_its_log(slurm, tree, request):
    """The traceback of a notebook that fails on its node stands where `make book` was called."""
    path = tree / "notebooks" / "00_findings.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    of_parameters = next(c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", []))
    of_parameters["source"] = ["raise RuntimeError('on purpose')\n"]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    process = submit(request, tree, slurm, "book/results/00_findings.ipynb", "--retries", "0")
    told, _ = process.communicate(timeout=200)
    assert process.returncode != 0 and "RuntimeError: on purpose" in told, told[-3000:]
