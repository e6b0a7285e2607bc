"""Runs the workflow under one profile: python workflow/run.py [PROFILE] [--on WHERE] [snakemake targets and options].

WHERE is a folder in workflow/on, with what snakemake is to know of a cluster; without it, this machine.

Snakemake's own lock outlives a killed process and then wants a manual unlock. The one held here is let go by
the system, however the process ends.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import changes
import minutes
import text
from filelock import FileLock, Timeout

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
LOCK = ROOT / ".snakemake" / "workflow.lock"

PLACES = {path.parent.name: path.parent for path in sorted((ROOT / "workflow" / "on").glob("*/config.yaml"))}
NEEDS = {"slurm": "sbatch", "kubernetes": "kubectl"}  # the command by which one reaches it


def asked(profile: str, *options: str) -> list[str]:
    """Snakemake's arguments for a profile, from the repository's root; ends the process for an unknown one."""
    from vimae_core.profiles import profile_names  # here: importing it takes seconds

    if profile not in profile_names():
        sys.exit(f"profile {profile!r} is unknown: must be one of {', '.join(profile_names())}")
    on, config = [], [f"profile={profile}"]
    if options[:1] == ("--on",):
        where, options = options[1] if len(options) > 1 else "", options[2:]
        on, config = ["--profile", str(_folder(where).relative_to(ROOT))], [*config, f"on={where}"]
    os.chdir(ROOT)
    os.environ["PYTHONPATH"] = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p)
    command = ["--snakefile", "workflow/Snakefile", "--workflow-profile", "workflow/settings"]
    return [*command, *on, *options, "--config", *config]


def _folder(where: str) -> Path:
    """What snakemake is to know of a place; ends the process where it is unknown, or cannot be reached from here."""
    if where not in PLACES:
        sys.exit(f"ON={where!r} is unknown: must be one of {', '.join(PLACES)}, or left out for this machine")
    if not shutil.which(NEEDS[where]):
        sys.exit(f"ON={where}: no {NEEDS[where]} here. Call it on a machine from which jobs are submitted there.")
    return PLACES[where]


def main(profile: str = "quick", *options: str) -> None:
    """Ends the process with snakemake's exit status; with 1 for an unknown profile."""
    changed = None if options else changes.since_the_last(profile)
    if changed == []:
        print("Nothing has changed since the last build: _build/html/index.html")
    elif not (changed and told_anew(profile, changed)):
        build(profile, *options)


def told_anew(profile: str, changed: list[Path]) -> bool:
    """Whether only text has changed, and the book tells it now. Not while another build runs: what it leaves counts."""
    begun, before = time.time(), changes.inputs(profile)
    try:
        with FileLock(LOCK, timeout=0):
            if told := text.told_anew(changed):
                changes.note(profile, before)
                print(f"{time.time() - begun:.0f} seconds: only text had changed. Nothing was trained or executed.")
            return told
    except Timeout:
        return False


def build(profile: str, *options: str) -> None:
    """By snakemake, whose exit status ends the process."""
    command = asked(profile, *options)
    from snakemake.cli import main as snakemake  # here: importing it takes seconds

    LOCK.parent.mkdir(exist_ok=True)
    lock = FileLock(LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("another `make book` runs in this folder: waiting for it", flush=True)
        lock.acquire()
    begun, before, finished = time.time(), changes.inputs(profile), False
    try:
        snakemake(command)
    except SystemExit as end:  # as it always ends
        finished = not end.code
        raise
    finally:
        print(minutes.told(begun), flush=True)
        if finished and minutes.notebooks(begun):  # what they show may have moved
            moved = [sys.executable, "-m", "vimae_core.report.moved", profile]  # which loads much
            if status := subprocess.run(moved).returncode:
                sys.exit(status)
        if finished and not options:
            changes.note(profile, before)


if __name__ == "__main__":
    main(*sys.argv[1:])
