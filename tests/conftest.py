"""Shape checks behind every jaxtyping signature, and what several tests share."""

import gzip
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from jaxtyping import install_import_hook
from PIL import Image
from playwright.sync_api import Page, sync_playwright

# All but config, whose dataclass checks its own types and is to say so in its own words.
ROOT = Path(__file__).parent.parent
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip
SHAPED = [
    f"vimae_core.{path.stem}" for path in (ROOT / "vimae_core").glob("*.py") if path.stem not in ("__init__", "config")
]
if "PYTEST_VERSION" in os.environ:  # and not where the book reads what the tests say, which takes seconds longer then
    hooked = [*SHAPED, "vimae_core.evaluation", "vimae_core.report", "vimae_core.chapters"]
    install_import_hook(hooked, "beartype.beartype")

import torch  # noqa: E402 (the hook must come first)

from vimae_core.report.style import use_style  # noqa: E402

torch.set_num_threads(1)  # small tensors: threads only wait for each other
os.environ["OMP_NUM_THREADS"] = "1"  # and in the processes that tests start


def pytest_collection_modifyitems(items):
    """What waits for a built book comes first, so that at the end no process waits for another's longest tests."""
    items.sort(key=lambda item: "built_tree" not in item.fixturenames)


@pytest.fixture(autouse=True)
def own_store(tmp_path, monkeypatch):
    """Every test has a run store and a cache of its own."""
    monkeypatch.setenv("VIMAE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("VIMAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))  # where somebody may have Inception's weights


@pytest.fixture(autouse=True)
def book_style():
    """Every figure is drawn in the book's style, whichever test came before."""
    use_style()


@pytest.fixture
def displayed(monkeypatch) -> list[dict]:
    """What was displayed, as mime bundles."""
    bundles: list[dict] = []
    monkeypatch.setattr("vimae_core.report.show.display", lambda bundle, raw: bundles.append(bundle))
    return bundles


def write_idx(folder: Path, train: int = 256, test: int = 64, side: int = 8, seed: int = 0) -> Path:
    """A tiny data set in the form of MNIST: blobs whose place is their class."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for part, n in (("train", train), ("t10k", test)):
        labels = rng.integers(0, 4, n).astype(np.uint8)
        images = rng.integers(0, 60, (n, side, side)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 2)
            image[row * side // 2 :, column * side // 2 :][: side // 2, : side // 2] += 150
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
            (folder / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(header + array.tobytes()))
    return folder


@pytest.fixture
def tiny(tmp_path) -> Path:
    """A data root that holds the data set `tiny`: 256 training and 64 test images of 8 x 8."""
    write_idx(tmp_path / "data" / "tiny")
    return tmp_path / "data"


@pytest.fixture
def config(tiny):
    """A short training on the tiny data set."""
    from vimae_core import RunConfig

    return RunConfig(dataset="tiny", data_root=str(tiny), epochs=3, batch_size=16, width=0.1)


def draw_picture(size: tuple[int, int] = (178, 218), seed: int = 0, mode: str = "RGB") -> Image.Image:
    """A smooth picture, so that JPEG keeps it."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).convert(mode)


def write_celeba(root: Path, n: int = 10, size: tuple[int, int] = (178, 218), name: str = "celeba") -> Path:
    """Aligned CelebA as it is distributed, of n pictures; the folder of the data set."""
    folder = root / name / "img_align_celeba"
    folder.mkdir(parents=True)
    for i in range(n):
        draw_picture(size, seed=i).save(folder / f"{i + 1:06}.jpg", quality=95)
    return root / name


def copy_tree(target: Path) -> Path:
    """The repository as git would clone it with today's changes, without runs and built pages."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def clean_environment() -> dict[str, str]:
    """Without the variables that lead out of a copy of the repository, and those of the tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("VIMAE_", "PYTEST_")) and k != "PYTHONPATH"}


def make_book(tree: Path, profile: str = "smoke", **options) -> subprocess.CompletedProcess:
    """What `make book` does after installation, in a copy of the repository."""
    environment = clean_environment()
    command = [sys.executable, *options.pop("prefix", []), "workflow/run.py", profile, *options.pop("arguments", [])]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, **options)


@pytest.fixture(scope="session")
def built_tree(tmp_path_factory) -> Path:
    """A copy of the repository in which the book was built in profile smoke; one for all processes of the tests."""
    own = tmp_path_factory.getbasetemp()
    tree = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "built"
    with FileLock(f"{tree}.lock"):
        if not (tree / "_build" / "html" / "index.html").is_file():
            done = make_book(copy_tree(tree))
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return tree


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium; a missing one is a failure that says what to install."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "the browser test needs Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


def _opening(browser, built_tree):
    """Opens a page of the book and waits until its equations are set; keeps what went wrong on the way."""
    contexts = []

    def open_page(name: str, width: int = 1280, scheme: str = "light", **options) -> Page:
        viewport = {"width": width, "height": 900}
        context = browser.new_context(viewport=viewport, color_scheme=scheme, **options)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda m: page.problems.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else page.problems.append(r.url))
        page.goto((built_tree / "_build" / "html" / name).as_uri())
        page.wait_for_function("!window.MathJax || MathJax.startup && MathJax.startup.promise")
        page.evaluate("window.MathJax ? MathJax.startup.promise.then(() => null) : null")
        return page

    yield open_page
    for context in contexts:
        context.close()


opened = pytest.fixture(_opening)
kept_open = pytest.fixture(scope="module")(_opening)  # for pages that several tests only read
