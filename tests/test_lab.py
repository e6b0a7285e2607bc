"""`make lab`: the command as the Makefile has it, also as root, and what a browser then sees."""

import os
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import ROOT, clean_environment


def command(folder: Path, user: str) -> str:
    """What `make lab` runs in the checkout for a user of that number."""
    shown = folder / "id"
    shown.write_text(f"#!/bin/sh\necho {user}\n")
    shown.chmod(0o755)
    # Not as a part of the `make test` that may be running this.
    environment = {k: v for k, v in clean_environment().items() if not k.startswith(("MAKE", "MFLAGS"))}
    environment["PATH"] = f"{folder}:{environment['PATH']}"
    asked = ["make", "-n", "-o", ".venv/installed", "lab"]
    return subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_root_is_allowed_and_nobody_else_is_told_so(tmp_path):
    """JupyterLab refuses root, as one is in a container, unless it is told."""
    as_root, as_user = command(tmp_path, "0"), command(tmp_path, "1000")
    assert shlex.split(as_root)[-1] == "--allow-root" and "--allow-root" not in as_user
    assert f"JUPYTER_CONFIG_PATH={ROOT}/workflow/lab" in shlex.split(as_user)


@pytest.fixture
def lab(tmp_path):
    """JupyterLab as `make lab` starts it, for one who has never started it: its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = command(tmp_path, str(os.getuid())).replace(
        ".venv/bin/jupyter", shlex.quote(f"{Path(sys.executable).parent}/jupyter")
    )
    line += f" --no-browser --port={port} --ServerApp.port_retries=0 --IdentityProvider.token="
    home = tmp_path / "home"
    home.mkdir()
    environment = {**clean_environment(), "HOME": str(home)}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(f"exec env {line}", shell=True, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(240):
            assert server.poll() is None, (tmp_path / "log").read_text()
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=1)
                break
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def test_a_first_start(lab, browser):
    """The notebooks in the file browser, a page of the book beside them, no banner, and no request to anyone else."""
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(90_000)
    outside = []
    page.on("request", lambda r: None if r.url.startswith((lab, "data:", "blob:")) else outside.append(r.url))
    page.goto(lab)
    page.locator(".jp-DirListing-item", has_text="01_latent_shape.ipynb").wait_for()
    page.wait_for_timeout(2000)  # in which a banner would have come
    assert page.locator(".Toastify__toast").count() == 0
    page.goto(f"{lab}/lab/tree/book/protocol.md")
    page.locator(".jp-MarkdownViewer h1", has_text="Protocol").wait_for()
    assert not outside
    context.close()
