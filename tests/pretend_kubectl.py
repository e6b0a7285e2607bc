#!/usr/bin/env python3
"""As much of kubectl as workflow/on/kubernetes asks of it: a Job's command is run here, in its folder, as one process.

PRETEND names the folder that holds the Jobs: each its manifest, what its pod says, and its end.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import yaml

JOBS = Path(os.environ["PRETEND"])
RUN = '"$@" > "$0/log" 2>&1; echo $? > "$0/ended"'


def create() -> str:
    manifest = yaml.safe_load(sys.stdin)
    name = f"{manifest['metadata']['generateName']}{len(list(JOBS.iterdir())) + 1}"
    folder = JOBS / name
    folder.mkdir()
    (folder / "job.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    command = ["/bin/sh", "-c", RUN, str(folder), *container["command"]]
    null = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    pod = {"PATH": os.environ["PATH"]}  # nothing else of the caller's environment reaches it
    process = subprocess.Popen(command, cwd=container["workingDir"], env=pod, start_new_session=True, **null)
    (folder / "pid").write_text(str(process.pid), encoding="utf-8")
    return f"job.batch/{name}"


def get(job: str) -> str:
    folder = JOBS / job.removeprefix("job.batch/")
    if not folder.is_dir():
        return ""
    ended = folder / "ended"
    succeeded, failed = ("", "") if not ended.is_file() else ("1", "") if ended.read_text() == "0\n" else ("", "1")
    return f"{folder.name} {succeeded} {failed}"


def kill(job: str) -> None:
    """As a node that fails."""
    folder = JOBS / job.removeprefix("job.batch/")
    os.killpg(int((folder / "pid").read_text()), signal.SIGKILL)
    (folder / "ended").write_text("137\n", encoding="utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["create", "--output=name", "--filename=-"]:
            print(create())
        case ["get", job, "--ignore-not-found", _]:
            print(get(job), end="")
        case ["logs", job, "--tail=50"]:
            print((JOBS / job.removeprefix("job.batch/") / "log").read_text(encoding="utf-8"))
        case ["delete", "--wait=false", *jobs]:
            for job in jobs:
                kill(job)
        case arguments:
            sys.exit(f"kubectl does not know {arguments}")
