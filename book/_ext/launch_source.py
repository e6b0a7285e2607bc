"""Launch and repository buttons: only where the clone has a public remote, and onto the notebook's source.

The page of a chapter is made from the executed notebook in book/results, which git does not hold; what a reader
is to open is the one in notebooks/.
"""

import re
import shutil
import subprocess
from pathlib import Path

RESULTS, SOURCES = "book/results/", "notebooks/"
LAUNCHERS = {"binderhub_url": "https://mybinder.org", "colab_url": "https://colab.research.google.com"}


def public_remote(url: str) -> str | None:
    """The https address of a GitHub remote, from its https or ssh form; None for any other."""
    match = re.fullmatch(r"(?:https://|ssh://git@|git@)github\.com[/:]([\w.-]+/[\w.-]+?)(?:\.git)?/?", url.strip())
    return f"https://github.com/{match[1]}" if match else None


def remote_of(folder: str) -> str | None:
    """The public address of a clone's origin; None where it has none."""
    # An archive that was unpacked inside some other clone is not that clone.
    if not (Path(folder) / ".git").exists() or not shutil.which("git"):
        return None
    asked = subprocess.run(["git", "remote", "get-url", "origin"], cwd=folder, capture_output=True, text=True)
    return public_remote(asked.stdout) if asked.returncode == 0 else None


def source_buttons(buttons: list[dict], pagename: str) -> list[dict]:
    """The page's buttons, launchers led to notebooks/; on a page that is no chapter without launchers."""
    kept = []
    for button in buttons:
        if "buttons" in button:
            button = {**button, "buttons": source_buttons(button["buttons"], pagename)}
            if not button["buttons"]:
                continue
        elif str(button.get("url")).startswith(tuple(LAUNCHERS.values())):
            if not pagename.startswith(RESULTS):
                continue
            button = {**button, "url": button["url"].replace(RESULTS, SOURCES)}
        kept.append(button)
    return kept


def configure(app, config):
    """Tells the theme the repository, read from git now; no address stands in the configuration."""
    if remote := remote_of(app.srcdir):
        config.html_theme_options |= {
            "repository_url": remote,
            "repository_branch": "main",
            "use_repository_button": True,
            "launch_buttons": {"notebook_interface": "jupyterlab", **LAUNCHERS},
        }


def rewrite(app, pagename, templatename, context, doctree):
    """After the theme has added its buttons; and without Thebe, which Jupyter Book always loads, from a network."""
    if "header_buttons" in context:
        context["header_buttons"] = source_buttons(context["header_buttons"], pagename)
    scripts = context.get("script_files", [])
    context["script_files"] = [s for s in scripts if "thebe" not in f"{s} {getattr(s, 'attributes', '')}".lower()]


def setup(app):
    app.connect("config-inited", configure)
    app.connect("html-page-context", rewrite, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
