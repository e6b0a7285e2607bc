"""One run store for several machines, whose file system may tell none of them what another has locked."""

import dataclasses
import errno
import os
import shutil
import threading
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests import children
from vimae_core import fit, runs, store
from vimae_core.prune import unfound
from vimae_core.store import runs_root

# What another machine is: a host of another name, and no lock of the system's that is seen here.
ELSEWHERE = """
import socket, sys
host = sys.argv[1]
socket.gethostname = lambda: host
import filelock._identity, filelock._soft, filelock._marker
for module in (filelock._identity, filelock._soft, filelock._marker):
    if hasattr(module, "host_name"):
        module.host_name = lambda: host
from vimae_core import store
store.FileLock.acquire = lambda self, **_: (_ for _ in ()).throw(NotImplementedError)
store.LEASE = float(sys.argv[2])
"""
TRAIN = """
from vimae_core import RunConfig, fit
print(fit(RunConfig(**eval(sys.argv[3])), checkpoint_seconds=0.5).path)
"""
LEASE = 1.5


def on(host: str, config, said: Path, code: str = TRAIN, lease: float = LEASE) -> BaseProcess:
    """The same training on a machine of that name, or what is told in its place."""
    fields = repr(config and dataclasses.asdict(config))
    return children.begin(ELSEWHERE + code, host, str(lease), fields, said=said)


def test_two_machines_share_one_training(config, tmp_path):
    """One trains, longer than a lease, the other waits for it; both end with the run."""
    config = dataclasses.replace(config, epochs=100)
    both = [on(host, config, tmp_path / host) for host in "ab"]
    for process in both:
        process.join(timeout=200)
    outputs = [(tmp_path / host).read_text() for host in "ab"]
    assert sum(": begins" in text for text in outputs) == 1
    assert sum("waiting for its result" in text for text in outputs) == 1
    assert outputs[0].splitlines()[-1] == outputs[1].splitlines()[-1]


def test_a_machine_that_died_is_taken_over_from(config, tmp_path):
    """After a lease another one goes on from its last checkpoint."""
    config = dataclasses.replace(config, epochs=100)
    first = on("a", config, tmp_path / "a")
    end = time.monotonic() + 60
    while not list(runs_root().glob("*.partial/checkpoint.safetensors")):
        assert first.exitcode is None and time.monotonic() < end
        time.sleep(0.05)
    first.kill()
    second = on("b", config, tmp_path / "b")
    second.join(timeout=200)
    told = (tmp_path / "b").read_text()
    assert second.exitcode == 0 and "waiting for its result" in told and ": goes on at epoch" in told


def test_a_machine_that_died_is_taken_over_from_without_an_exchange(tmp_path, monkeypatch):
    """NFS exchanges no two names, by which filelock takes a silent lease over: what was left there for ever, is not."""
    monkeypatch.setattr(store, "LEASE", 0.4)
    monkeypatch.setattr("filelock._soft.exchange_names", lambda *names: False)
    run = tmp_path / "store" / "run"
    run.parent.mkdir()
    code = f"from pathlib import Path; held = store.lock(Path({str(run)!r})); held.__enter__()"
    left = on("a", None, tmp_path / "said", f"{code}; import os; os._exit(0)", 0.4)  # ends without a word
    left.join(timeout=60)
    assert left.exitcode == 0 and run.with_name("run.lease").is_file()
    with store.lock(run):
        assert "host=a\n" not in run.with_name("run.lease").read_text()
    assert os.listdir(run.parent) == ["run.lock"]


def test_who_is_faster_keeps_a_lease_that_both_thought_dead(tmp_path, monkeypatch):
    """What was moved aside is put back where it is not what was seen."""
    monkeypatch.setattr(store, "LEASE", 0.4)
    monkeypatch.setattr("filelock._soft.exchange_names", lambda *names: False)
    lease = store.SoftFileLease(tmp_path / "run.lease", lease_duration=0.4)
    other = store.SoftFileLease(tmp_path / "run.lease", lease_duration=0.4, is_singleton=False, thread_local=False)
    other.acquire()
    other._stop_heartbeat()  # silent
    rename, waiting = Path.rename, []

    def renamed(path, target):
        if not waiting:  # in the moment before, another machine takes it over and is at it
            other.release()
            other.acquire()
            waiting.append(threading.Timer(2.0, other.release))
            waiting[0].start()
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", renamed)
    begun = time.monotonic()
    store._outlive(lease)
    assert time.monotonic() - begun > 2.0
    lease.release()
    assert os.listdir(tmp_path) == []


def test_what_a_network_file_system_does_not_let_go_of_fails_no_training(config, monkeypatch):
    """There a file that is open still leaves another in its folder, which cannot be removed then."""
    rmdir = os.rmdir

    def kept(path, *args, **options):
        if str(path).endswith(".partial"):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(path))
        rmdir(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", kept)
        run = fit(config, progress=False)
    partial = run.path.with_name(f"{run.path.name}.partial")
    assert partial.is_dir() and list(unfound()) == [partial]  # what `prune` removes
    assert fit(config, progress=False).path == run.path


@pytest.mark.parametrize("gone", [False, True])
def test_who_was_thought_dead_ends_with_the_others_run(config, monkeypatch, tmp_path, gone):
    """That ended the same training meanwhile, and has put its checkpoint away, or is about to."""
    other, check = fit(config, progress=False), runs._check_finite
    moved = other.path.rename(tmp_path / "other")

    def checked(training, checkpoint, last):
        check(training, checkpoint, last)
        if last:
            moved.rename(other.path)
            if gone:
                shutil.rmtree(checkpoint.parent)

    monkeypatch.setattr(runs, "_check_finite", checked)
    before = (moved / "environment.json").read_bytes()
    run = fit(config, progress=False)
    assert run.path == other.path and (run.path / "environment.json").read_bytes() == before
    assert {path.suffix for path in runs_root().iterdir()} == {"", ".lock"}


def test_a_lock_leaves_nothing_that_others_wait_for(tmp_path):
    """Its file of who is at it is gone when it is released."""
    with store.lock(tmp_path / "run"):
        assert (tmp_path / "run.lease").is_file()
    assert os.listdir(tmp_path) == ["run.lock"]
