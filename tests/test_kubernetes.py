"""make book ON=kubernetes, with a kubectl that runs each Job's command here: no cluster is at hand."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, clean_environment, copy_tree
from vimae_core.jobs import MEMORY

PLUGIN = "snakemake_executor_plugin_cluster_generic"
KUBECTL = ROOT / "tests" / "pretend_kubectl.py"
TARGET = "book/results/02_training.ipynb"
QUICKLY = ["--seconds-between-status-checks", "1", "--latency-wait", "9"]


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A copy of the repository, from which a cluster is reached that has no Jobs yet."""
    if importlib.util.find_spec(PLUGIN) is None:
        pytest.skip(f"{PLUGIN} missing: make .venv/on-kubernetes")
    (tmp_path / "bin").mkdir()
    (tmp_path / "jobs").mkdir()
    (tmp_path / "bin" / "kubectl").write_text(f'#!/bin/sh\nexec {sys.executable} {KUBECTL} "$@"\n')
    (tmp_path / "bin" / "kubectl").chmod(0o755)
    monkeypatch.setenv("PRETEND", str(tmp_path / "jobs"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return copy_tree(tmp_path / "copy")


def submit(tree: Path, target: str) -> subprocess.Popen:
    command = [sys.executable, "workflow/run.py", "smoke", "--on", "kubernetes", *QUICKLY, target]
    told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    environment = clean_environment() | {"VIMAE_RUNS": str(tree / "store")}
    return subprocess.Popen(command, cwd=tree, env=environment, **told)


def jobs(tree: Path) -> list[Path]:
    return sorted((tree.parent / "jobs").iterdir())


def test_a_killed_pod_is_redone_and_shows_what_it_said(tree):
    """The first Job's node fails in the middle: another goes on, with more time, and then the notebook is executed."""
    with submit(tree, TARGET) as process:
        end = time.monotonic() + 120
        while not list(tree.glob("store/*/history.json")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        subprocess.run(["kubectl", "delete", "--wait=false", jobs(tree)[0].name], check=True)
        before = {path: path.stat().st_mtime_ns for path in tree.glob("store/*/history.json")}
        told, _ = process.communicate(timeout=300)
    assert process.returncode == 0, told[-3000:]
    assert ": begins, " in told  # the killed pod's own words
    assert (tree / TARGET).is_file() and all(path.stat().st_mtime_ns == when for path, when in before.items())
    killed, redone, notebook = (yaml.safe_load((job / "job.yaml").read_text()) for job in jobs(tree))
    seconds = [manifest["spec"]["template"]["spec"]["activeDeadlineSeconds"] for manifest in (killed, redone)]
    assert seconds[1] > seconds[0] > 0
    for manifest in (killed, redone, notebook):
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        (mount,) = container["volumeMounts"]
        assert container["workingDir"] == mount["mountPath"] == str(tree)
        assert container["resources"]["requests"] == {"cpu": "1", "memory": f"{MEMORY}Mi"}
        assert container["resources"]["limits"] == {"nvidia.com/gpu": 0}
        assert manifest["spec"]["backoffLimit"] == 0 and Path(container["command"][1]).is_relative_to(tree)


def test_a_status_is_one_of_three(tree):
    """Of a Job that is gone too; and while the cluster does not answer, it is still running."""
    status = [ROOT / "workflow" / "on" / "kubernetes" / "status", "job.batch/vimae-1"]

    def said() -> tuple[str, str]:
        done = subprocess.run(status, capture_output=True, text=True)
        return done.stdout.strip(), done.stderr

    assert said()[0] == "failed"
    folder = tree.parent / "jobs" / "vimae-1"
    folder.mkdir()
    (folder / "log").write_text("what the pod said")
    assert said()[0] == "running"
    (folder / "ended").write_text("0\n")
    assert said() == ("success", "")
    (folder / "ended").write_text("1\n")
    assert said() == ("failed", "what the pod said\n")
    (tree.parent / "bin" / "kubectl").write_text("#!/bin/sh\nexit 1\n")
    assert said()[0] == "running"
