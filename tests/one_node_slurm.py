"""A SLURM of one node with accounting, from Debian's packages, in a folder of its own: for tests, as root.

    with one_node(folder, cores=2) as environment: ...
    python -m tests.one_node_slurm FOLDER   # up until Ctrl-C; prints what to export

Every daemon listens on this machine alone, and ends with the block, or with the process that began it.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PACKAGES = "slurmctld slurmd slurmdbd slurm-client munge mariadb-server"
DAEMONS = ("setpriv", "munged", "mariadbd", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sacct")
CONFIGURED = Path("/etc/slurm/slurm.conf")  # where srun looks in a job, whose SLURM_CONF snakemake takes away
PATIENCE = 60.0  # seconds for a daemon to answer

SLURMDBD = """AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={slurmdbd}
SlurmUser=root
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mariadb}
StorageUser=slurm
StoragePass={password}
StorageLoc=accounting
"""
SLURM = """ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={slurmctld}
SlurmdPort={slurmd}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=1000000
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={slurmdbd}
AccountingStoragePass={folder}/munge.socket
AccountingStorageEnforce=associations
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why there can be no such SLURM here, and what to do; None where there can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "a SLURM of one's own is brought up by root"
    if CONFIGURED.is_file() and not CONFIGURED.is_symlink():
        return f"this machine has a SLURM of its own: {CONFIGURED}"
    lacking = [name for name in DAEMONS if not shutil.which(name)]
    return f"{', '.join(lacking)} missing: apt-get install --no-install-recommends {PACKAGES}" if lacking else None


def free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """A free port for each."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: s.getsockname()[1] for name, s in zip(names, sockets, strict=True)}


def wait(what: str, is_up, log: Path) -> None:
    """Until it is. Raises TimeoutError with the end of the log."""
    end = time.monotonic() + PATIENCE
    while not is_up():
        if time.monotonic() > end:
            told = log.read_text(encoding="utf-8", errors="replace")[-3000:] if log.is_file() else "no log"
            raise TimeoutError(f"{what} does not answer after {PATIENCE:.0f} s: {told}")
        time.sleep(0.2)


@contextmanager
def one_node(folder: Path, cores: int = 2, memory: int = 8000) -> Iterator[dict[str, str]]:
    """The environment in which sbatch and the others reach it; `memory` in MiB. Raises TimeoutError where one does not
    come up."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    (folder / "state").mkdir(exist_ok=True)
    (folder / "spool").mkdir(exist_ok=True)
    host = socket.gethostname().partition(".")[0]
    fields = {"folder": folder, "host": host, "cores": cores, "memory": memory, "password": secrets.token_hex(16)}
    fields |= free_ports(("slurmctld", "slurmd", "slurmdbd", "mariadb"))
    for name, text, mode in (("slurm.conf", SLURM, 0o644), ("slurmdbd.conf", SLURMDBD, 0o600)):
        (folder / name).write_text(text.format(**fields), encoding="utf-8")
        (folder / name).chmod(mode)
    CONFIGURED.parent.mkdir(exist_ok=True)
    CONFIGURED.unlink(missing_ok=True)  # of one that was killed
    CONFIGURED.symlink_to(folder / "slurm.conf")
    environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def answers(*command: str) -> bool:
        return subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE).returncode == 0

    with ExitStack() as running:
        running.callback(CONFIGURED.unlink)

        def start(name: str, *command: str) -> Path:
            log = folder / f"{name}.out"
            with log.open("wb") as out:
                process = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", *command],
                    env=environment,
                    stdout=out,
                    stderr=out,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            running.callback(_stop, process)
            return log

        key = folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        files = [f"--{what}={folder / f'munge.{what}'}" for what in ("socket", "pid-file", "log-file", "seed-file")]
        start("munged", "munged", "--foreground", "--force", f"--key-file={key}", *files)
        _database(folder, fields, start, answers)
        start("slurmdbd", "slurmdbd", "-D")
        wait("slurmdbd", lambda: answers("sacctmgr", "-n", "list", "cluster"), folder / "slurmdbd.log")
        for what in ("cluster tests", "account tests", "user root account=tests"):
            subprocess.run(["sacctmgr", "-i", "add", *what.split()], env=environment, check=True, capture_output=True)
        start("slurmctld", "slurmctld", "-D")
        wait("slurmctld", lambda: answers("scontrol", "ping"), folder / "slurmctld.log")
        start("slurmd", "slurmd", "-D", "-N", host)
        wait("the node", lambda: _idle(environment), folder / "slurmd.log")
        try:
            yield environment
        finally:
            subprocess.run(["scancel", "--user=root"], env=environment, capture_output=True)
            end = time.monotonic() + 10
            while _jobs(environment) and time.monotonic() < end:
                time.sleep(0.2)


def _database(folder: Path, fields: dict, start, answers) -> None:
    """MariaDB with one user, who may do what slurmdbd does."""
    data, sock = folder / "mariadb", folder / "mariadb.socket"
    install = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root", "--skip-test-db"]
    subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
    log = start(
        "mariadbd", "mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={sock}",
        f"--pid-file={folder}/mariadb.pid", "--bind-address=127.0.0.1", f"--port={fields['mariadb']}",
        "--innodb-lock-wait-timeout=900", "--innodb-log-file-size=16M",
    )  # fmt: skip
    client = ["mariadb", "--no-defaults", f"--socket={sock}", "-e"]
    wait("MariaDB", lambda: answers(*client, "select 1"), log)
    user = "slurm@127.0.0.1"
    create = f"create user {user} identified by '{fields['password']}'; grant all on accounting.* to {user}"
    subprocess.run([*client, create], check=True, capture_output=True)


def _idle(environment: dict) -> bool:
    done = subprocess.run(["sinfo", "-h", "-o", "%t"], env=environment, capture_output=True, text=True)
    return done.stdout.strip() == "idle"


def _jobs(environment: dict) -> list[str]:
    done = subprocess.run(["squeue", "-h", "-o", "%i"], env=environment, capture_output=True, text=True)
    return done.stdout.split()


def _stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)


def main(folder: str) -> None:
    """Keeps one up until it is interrupted."""
    if why := missing():
        sys.exit(why)
    with one_node(Path(folder).resolve()) as environment:
        print(f"export SLURM_CONF={environment['SLURM_CONF']}", flush=True)
        signal.sigwait([signal.SIGINT, signal.SIGTERM])


if __name__ == "__main__":
    main(*sys.argv[1:])
