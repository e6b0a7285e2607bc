"""The workflow in a copy of the repository: what it redoes, what it leaves, how it fails and goes on."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests import children
from tests.conftest import ROOT, clean_environment, copy_tree, make_book
from vimae_core.asked import asked_runs
from vimae_core.chapters import CHAPTERS, all_runs, load_chapter
from vimae_core.profiles import parameters
from vimae_core.reference import REFERENCE

sys.path.insert(0, str(ROOT / "workflow"))
import run as workflow

NOTEBOOK = "notebooks/01_latent_shape.ipynb"
RUNS = len(all_runs("smoke"))


def smoke_runs(measure: str, chapters: tuple[str, ...] = tuple(CHAPTERS)) -> int:
    """How many runs of profile smoke have a measure in some chapter."""
    found = set()
    for chapter in chapters:
        module, p = load_chapter(chapter), parameters(chapter, "smoke")
        found |= {run for group, runs in module.runs(p).items() if measure in module.measures(group, p) for run in runs}
    return len(found)


def everything(runs: int = RUNS) -> dict[str, int]:
    """All that is made from runs: every chapter, and the book."""
    return {"runs": runs, "notebook": len(CHAPTERS), "book": 1}


@pytest.fixture
def tree(built_tree, tmp_path_factory) -> Iterator[Path]:
    """The built copy, copied again with its times, so that a test may change it."""
    target = tmp_path_factory.mktemp("tree") / "copy"
    shutil.copytree(built_tree, target, symlinks=True, copy_function=copied)
    yield target
    shutil.rmtree(target.parent)  # 200 MB


def copied(source: str, target: str) -> None:
    """The thousands of the reference's files are the same ones: nothing writes into them, and `edit` replaces one."""
    if "/results/reference/" in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def planned(tree: Path, profile: str = "smoke") -> dict[str, int]:
    """How many runs would be trained or measured now, how many notebooks executed, and whether the book rendered."""
    status, told = children.script(tree, clean_environment(), "run.py", profile, "--dry-run")
    assert status == 0, told
    records = re.findall(r"record\.json", " ".join(re.findall(r"^ +output: (.*)$", told, re.MULTILINE)))
    rows = {rule: int(count) for rule, count in re.findall(r"^(notebook|book)\s+(\d+)$", told, re.MULTILINE)}
    return ({"runs": len(records)} if records else {}) | rows


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.unlink()
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_build_left_runs_notebook_and_book(built_tree):
    """Every run with its record, every notebook executed without an error, and its page."""
    records = list((built_tree / "runs").glob("*/record.json"))
    assert len(records) == RUNS
    assert not list((built_tree / "runs").glob("*.partial"))
    for name in CHAPTERS.values():
        notebook = nbformat.read(built_tree / "book" / "results" / f"{name}.ipynb", as_version=4)
        assert all(c.execution_count for c in notebook.cells if c.cell_type == "code")
        assert (built_tree / "_build" / "html" / "book" / "results" / f"{name}.html").is_file()


def test_nothing_changed_means_nothing_done(tree):
    """Not even where every file was touched."""
    assert planned(tree) == {}
    for path in [*tree.glob("vimae_core/**/*.py"), *tree.glob("notebooks/*"), *tree.glob("data/*/*")]:
        path.touch()
    assert planned(tree).keys() <= {"book"}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        # the objective: all runs, and what shows them
        ("vimae_core/objectives.py", "loss = loss + config.alpha", "loss = loss + 2 * config.alpha", everything()),
        # one likelihood: its runs
        ("vimae_core/objectives.py", "return 0.05 *", "return 0.06 *",
         everything(sum(run.likelihood == "wae" for run in all_runs("smoke")))),
        # the pictures' loader, which no run of digits executes
        ("vimae_core/pictures.py", "LANCZOS", "BICUBIC", {"notebook": len(CHAPTERS), "book": 1}),
        # a measure: the records from the stored weights, and what shows them
        ("vimae_core/evaluation/latent_fit.py", "[0.025, 0.975]", "[0.05, 0.95]",
         {"runs": smoke_runs("latent_fit"), "notebook": 8, "book": 1}),
        # another measure, of fewer runs: the four chapters that show them
        ("vimae_core/evaluation/probes.py", "NEIGHBOURS = 5", "NEIGHBOURS = 6",
         {"runs": smoke_runs("probes"), "notebook": 4, "book": 1}),
        # its settings in one chapter: that chapter's runs, and the three that share them
        ("workflow/profiles/smoke.yaml", "curve: [mask 0.9]", "curve: [mask 0.8]",
         {"runs": smoke_runs("probes", ("capacity",)), "notebook": 3, "book": 1}),
        # a chapter's tables: its notebook, and those that show its claim or all of them
        ("vimae_core/chapters/faces.py", "FAR, NEAR = 5 / 6", "FAR, NEAR = 4 / 6", {"notebook": 8, "book": 1}),
        # the style of all figures: the notebooks and the book
        ("vimae_core/report/style.py", '"font.size": 9', '"font.size": 10', {"notebook": len(CHAPTERS), "book": 1}),
        # the record of the benchmark: the notebook that renders it
        ("benchmarks/record-amx.json", '"rounds": 7', '"rounds": 8', {"notebook": 1, "book": 1}),
        # a published number: the notebooks, any of which may show it
        (f"results/reference/{sorted(p.name for p in REFERENCE.iterdir())[0]}/record.json", '"kl"', '"no kl"',
         {"notebook": len(CHAPTERS), "book": 1}),
        # the paper's numbers, which cells read: the notebooks
        ("book/paper_values.yml", "VIMAE-n: [", "VIMAE-n:  [", {"notebook": len(CHAPTERS), "book": 1}),
        # what no notebook imports: the book alone, which shows the source
        ("vimae_core/evaluation/discrete.py", "1e-9", "2e-9", {"book": 1}),
        # a page: the book
        ("book/claims.md", "Every claim that this book tests", "Every claim that this book asks", {"book": 1}),
        # a profile's parameter: one model more
        ("workflow/profiles/smoke.yaml", "lambdas: [10.0, 1000.0]", "lambdas: [10.0, 100.0, 1000.0]",
         {"runs": 3, "notebook": 1, "book": 1}),
    ],
)  # fmt: skip
def test_what_depends_on_a_change_is_redone_and_nothing_else(tree, file, old, new, expected):
    """A module, a parameter, a page: each with just what it determines."""
    edit(tree / file, old, new)
    assert planned(tree) == expected


def test_a_second_call_loads_nothing_and_a_changed_text_needs_no_plan(tree):
    """The first plans, as the tree has moved; then Python alone says that there is nothing, or has text rendered."""
    first = make_book(tree)
    assert first.returncode == 0 and "nothing was to be trained, measured or executed" in first.stdout, first.stderr
    second = make_book(tree, prefix=["-X", "importtime"])
    assert second.returncode == 0 and "Nothing has changed since the last build" in second.stdout
    assert "filelock" in second.stderr and "torch" not in second.stderr and "snakemake" not in second.stderr
    edit(tree / NOTEBOOK, "The question.", "A question.")
    edit(tree / "book" / "claims.md", "Every claim that this book tests", "Every claim that this book asks")
    third = make_book(tree, prefix=["-X", "importtime"])
    assert third.returncode == 0 and "only text had changed" in third.stdout, third.stdout + third.stderr
    assert "filelock" in third.stderr and "torch" not in third.stderr and "snakemake" not in third.stderr
    pages = [tree / "_build" / "html" / "book" / page for page in ("results/01_latent_shape.html", "claims.html")]
    assert "A question." in pages[0].read_text() and "Every claim that this book asks" in pages[1].read_text()
    assert planned(tree) == {}


def test_a_changed_text_redoes_its_notebook_and_the_book(tree):
    """Of the notebook no cell is executed; and nothing is trained."""
    edit(tree / NOTEBOOK, "The question.", "A question.")
    target = tree / "book" / "results" / Path(NOTEBOOK).name
    before = nbformat.read(target, 4)
    done = make_book(tree, arguments=[str(target.relative_to(tree))])
    assert done.returncode == 0 and "its text is told anew" in done.stdout + done.stderr
    after = nbformat.read(target, 4)
    assert "A question." in after.cells[0].source and after.metadata == before.metadata
    assert [cell.get("outputs") for cell in after.cells] == [cell.get("outputs") for cell in before.cells]
    edit(tree / NOTEBOOK, "globals())", "globals() | {})")
    assert planned(tree) == {"notebook": 1, "book": 1}


def test_a_comment_trains_nothing(tree):
    """Comments and docstrings in a training module change no result."""
    edit(tree / "vimae_core" / "objectives.py", "import math", "import math  # for pi")
    edit(tree / "vimae_core" / "training.py", '"""One step of Adam', '"""A step of Adam')
    assert planned(tree) == {"book": 1}  # which shows the source


def test_a_deleted_run_and_another_data_set_are_noticed(tree):
    """A missing record is made again; changed data are other runs; altered MNIST is refused."""
    next((tree / "runs").glob("*/record.json")).unlink()
    assert planned(tree)["runs"] == 1
    labels = tree / "data" / "mnist" / "t10k-labels-idx1-ubyte.gz"
    content = labels.read_bytes()
    labels.write_bytes(content[:2000] + bytes([content[2000] ^ 1]) + content[2001:])
    status, told = children.script(tree, clean_environment(), "run.py", "smoke", "--dry-run")
    assert status != 0 and f"{labels} is altered" in told


def test_a_job_whose_records_came_while_it_waited_ends_well(tree):
    """On a cluster a job's own snakemake reads the rules anew: it finds its own, and that there is nothing to do."""
    first = min(asked_runs("smoke"), key=lambda one: (one.config.architecture, one.config.dataset))
    job = ["--mode", "remote", "--target-jobs", f"run_{first.path.name}:", "--force", "--cores", "1"]
    status, told = children.script(tree, clean_environment(), "run.py", "smoke", *job)
    assert status == 0 and f"Rule: run_{first.path.name}" in told, told[-3000:]


def test_a_failing_notebook_ends_with_its_traceback(tree):
    """On the terminal; with no executed notebook and no page that look done."""
    edit(tree / NOTEBOOK, "globals())\\n", "globals())\\n\",\n    \"raise RuntimeError('on purpose')\\n")
    json.loads((tree / NOTEBOOK).read_text())
    shutil.rmtree(tree / "_build")
    done = make_book(tree)
    assert done.returncode != 0
    assert "RuntimeError: on purpose" in done.stdout + done.stderr
    assert NOTEBOOK.split("/")[1] not in {path.name for path in tree.glob("book/results/*")}
    assert not (tree / "_build" / "html").exists()


def test_killed_in_the_middle_the_next_call_carries_on(tmp_path):
    """kill -9 of the whole process group during training: no unlock by hand, no finished training twice."""
    tree = copy_tree(tmp_path)
    environment = clean_environment()
    trainings = [NOTEBOOK.replace("notebooks", "book/results"), "--omit-from", "notebook"]  # of one chapter
    command = [sys.executable, "workflow/run.py", "smoke", *trainings]
    with subprocess.Popen(
        command, cwd=tree, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            end = time.monotonic() + 120
            while len(kept := list((tree / "runs").glob("*/record.json"))) < 2:
                assert process.poll() is None and time.monotonic() < end
                time.sleep(0.05)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    trained = [path.with_name("weights.safetensors") for path in kept]
    before = {path: path.stat().st_mtime_ns for path in trained}
    done = make_book(tree, arguments=trainings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((tree / "runs").glob("*/record.json"))) >= smoke_runs("latent_fit", ("latent_shape",))
    assert all(path.stat().st_mtime_ns == time_ for path, time_ in before.items())


def test_an_unknown_profile_is_refused():
    """With the profiles there are."""
    with pytest.raises(SystemExit, match="profile 'fast' is unknown: must be one of paper, quick, reference, smoke"):
        workflow.asked("fast")


def test_braces_in_the_stores_path_are_braces(tree):
    """They are no wildcards of Snakemake's."""
    environment = clean_environment() | {"VIMAE_RUNS": str(tree / "a {b} c" / "runs")}
    status, told = children.script(tree, environment, "run.py", "smoke", "--dry-run")
    assert status == 0, told
    assert (tree / ".snakemake" / "store").resolve() == tree / "a {b} c" / "runs"
    assert ".snakemake/store/" in told


def test_a_build_tells_where_its_minutes_went(tree):
    """Trainings, each measure, notebooks, counted and timed; only those of this build."""
    record = next(path for path in (tree / "runs").glob("*/record.json") if "generation" in path.read_text())
    shutil.rmtree(record.parent)
    done = make_book(tree, arguments=["book/results/04_mnist_generation.ipynb"])
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(re.findall(r"^ +\d+  (\w+) \((\d+)\)$", done.stdout, re.MULTILINE))
    assert told == {"trainings": "1", "latent_fit": "1", "probes": "1", "generation": "1", "notebooks": "1"}
    assert re.search(r"^\d+\.\d minutes in all", done.stdout, re.MULTILINE)
    (rest,) = re.findall(r"^ +(\d+)  processes start, load packages, read data \(2\)$", done.stdout, re.MULTILINE)
    assert int(rest) >= 2
    report = (tree / "_build" / "report.txt").read_text()
    for text in (done.stdout, report):  # and what moved
        assert "This build beside the committed reference" in text
        assert "Runs of another size, which are not comparable seed by seed" in text


LAMBDAS = '''"""A toy chapter."""

from vimae_core.config import paper_model
from vimae_core.profiles import common_fields


def runs(p):
    return {"lambdas": [paper_model("VIMAE-n", lambda_=dose, **common_fields(p)) for dose in p.lambdas]}


def measures(group, p):
    return {"latent_fit": {"n_test": p.n_test}}
'''
CELL = """from vimae_core.report.parameters import prepare
from vimae_core.report.results import build_results, compare, sources
from vimae_core.report.show import show_table

p, data = prepare("lambdas", globals())
results = build_results("lambdas", p, data)["lambdas"]
show_table(compare(["VIMAE-n"], {"KL": ("kl", ".2f")}, [results]), "tab-lambdas", "KL.", sources([results]))"""


def test_a_chapter_is_added_and_removed_by_the_readmes_lines(tree):
    """A notebook, a module, its line in CHAPTERS and the table of contents, its parameters: built, then gone again."""
    cells = [
        nbformat.v4.new_markdown_cell("# Lambdas"),
        nbformat.v4.new_code_cell('# Parameters\nprofile = "quick"\nlambdas = None', metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(CELL),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    before = {file: (tree / file).read_text() for file in ("vimae_core/chapters/__init__.py", "_toc.yml")}
    base = tree / "workflow" / "profiles" / "base.yaml"
    nbformat.write(notebook, tree / "notebooks" / "09_lambdas.ipynb")
    (tree / "vimae_core" / "chapters" / "lambdas.py").write_text(LAMBDAS)
    edit(tree / "vimae_core/chapters/__init__.py", "CHAPTERS = {", 'CHAPTERS = {\n    "lambdas": "09_lambdas",')
    edit(tree / "_toc.yml", "{file: book/results/05_celeba_generation}",
         "{file: book/results/05_celeba_generation}, {file: book/results/09_lambdas}")  # fmt: skip
    with base.open("a") as file:
        file.write(
            "lambdas: {dataset: mnist, n_train: 500, epochs: 1, n_test: 100, lambdas: [3.0, 30.0], data_root: null}\n"
        )
    assert planned(tree) == {"runs": 2, "notebook": 1, "book": 1}
    done = make_book(tree, arguments=["book/results/09_lambdas.ipynb"])  # the book of all pages takes a minute
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tree / "book" / "results" / "09_lambdas.ipynb").read_text(encoding="utf-8")
    assert "KL, this build" in page and "2 runs" in page
    for file, text in before.items():
        (tree / file).write_text(text)
    for file in ("notebooks/09_lambdas.ipynb", "vimae_core/chapters/lambdas.py", "book/results/09_lambdas.ipynb"):
        (tree / file).unlink()
    base.write_text(base.read_text().partition("lambdas: {")[0])
    assert planned(tree).keys() <= {"book"}  # nothing is trained or executed: its files have new times alone
