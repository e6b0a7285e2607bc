"""One run store for several machines, whose file system may tell none of them what another has locked."""

import dataclasses
import os
import subprocess
import sys
import time

from tests.conftest import ROOT
from vimae_core import store
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


def on(host: str, config) -> subprocess.Popen:
    """The same training on a machine of that name."""
    fields = repr(dataclasses.asdict(config))
    command = [sys.executable, "-c", ELSEWHERE + TRAIN, host, str(LEASE), fields]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_two_machines_share_one_training(config):
    """One trains, longer than a lease, the other waits for it; both end with the run."""
    config = dataclasses.replace(config, epochs=100)
    outputs = [process.communicate(timeout=200)[0] for process in [on("a", config), on("b", config)]]
    assert sum(": begins" in text for text in outputs) == 1
    assert sum("waiting for its result" in text for text in outputs) == 1
    assert outputs[0].splitlines()[-1] == outputs[1].splitlines()[-1]


def test_a_machine_that_died_is_taken_over_from(config):
    """After a lease another one goes on from its last checkpoint."""
    config = dataclasses.replace(config, epochs=100)
    with on("a", config) as first:
        end = time.monotonic() + 60
        while not list(runs_root().glob("*.partial/checkpoint.safetensors")):
            assert first.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        first.kill()
    second = on("b", config)
    told, _ = second.communicate(timeout=200)
    assert second.returncode == 0 and "waiting for its result" in told and ": goes on at epoch" in told


def test_a_lock_leaves_nothing_that_others_wait_for(tmp_path):
    """Its file of who is at it is gone when it is released."""
    with store.lock(tmp_path / "run"):
        assert (tmp_path / "run.lease").is_file()
    assert os.listdir(tmp_path) == ["run.lock"]
