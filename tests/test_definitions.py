"""What names a run and a measure: the code that computes it, and no other."""

import shutil
import sys
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT
from vimae_core import RunConfig, definitions, load_dataset, sources
from vimae_core.config import CHOICES, TABLES
from vimae_core.definitions import Definition, code_digest
from vimae_core.evaluation.record import measure_digest
from vimae_core.store import COMPUTES, run_path
from vimae_core.training import Training

PLAIN = RunConfig()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package whose sources may be changed."""
    copy = tmp_path / "vimae_core"
    shutil.copytree(sources.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sources, "PACKAGE", copy)
    return copy


def edit(package: Path, file: str, old: str, new: str) -> None:
    text = (package / file).read_text(encoding="utf-8")
    assert text.count(old) >= 1
    (package / file).write_text(text.replace(old, new, 1), encoding="utf-8")


CAUCHY = """class Cauchy(Prior):
    pass


PRIORS = {"cauchy": Cauchy, """
EDITS = [  # what is edited, and whether a run of that configuration has another name then
    ("objectives.py", "loss = loss + config.alpha", "loss = loss + 2 * config.alpha", {}, True),
    ("objectives.py", "return 0.05 *", "return 0.06 *", {"likelihood": "wae"}, True),
    ("objectives.py", "return 0.05 *", "return 0.06 *", {"likelihood": "bernoulli"}, False),
    ("mmd.py", "squared_distances(x, y) / c)", "squared_distances(x, y) / (2 * c))", {"kernel": "gaussian"}, True),
    ("mmd.py", "squared_distances(x, y) / c)", "squared_distances(x, y) / (2 * c))", {"kernel": "imq"}, False),
    ("mmd.py", "WAE_SCALES = (0.1,", "WAE_SCALES = (0.3,", {"kernel": "wae"}, True),
    ("mmd.py", "x - centre, y - centre", "x + centre, y + centre", {"kernel": "wae"}, True),
    ("mmd.py", "x - centre, y - centre", "x + centre, y + centre", {"divergence": "adversarial"}, False),
    ("adversary.py", "UNITS = 4, 512", "UNITS = 2, 1000", {"divergence": "adversarial"}, True),
    ("adversary.py", "softplus(of_codes)", "softplus(-of_codes)", {"divergence": "adversarial"}, True),
    ("adversary.py", "UNITS = 4, 512", "UNITS = 2, 1000", {}, False),
    ("adversary.py", "softplus(of_codes)", "softplus(-of_codes)", {}, False),
    ("mmd.py", "def null_band(", "def null_band(another=0, *,", {}, False),
    ("priors.py", "unit_scale = math.sqrt(3) / math.pi", "unit_scale = math.sqrt(3)", {"prior": "logistic"}, True),
    ("priors.py", "unit_scale = math.sqrt(3) / math.pi", "unit_scale = math.sqrt(3)", {"prior": "normal"}, False),
    ("priors.py", "exponential_(generator=generator)", "exponential_()", {"prior": "laplace"}, True),  # of a helper
    ("priors.py", "PRIORS = {", CAUCHY, {"prior": "logistic"}, False),
    ("networks.py", "nn.ReLU(inplace=True)", "nn.SiLU()", {"architecture": "mlp"}, True),
    ("networks.py", "nn.ReLU(inplace=True)", "nn.SiLU()", {"architecture": "conv"}, False),
    ("layers.py", "return total // 2, total", "return total, total", {"architecture": "conv"}, True),
    ("layers.py", "return total // 2, total", "return total, total", {"architecture": "mlp"}, False),
    ("convolutional.py", "std=0.01, a=", "std=0.02, a=", {"architecture": "conv"}, True),
    ("autoregressive.py", "F.relu(self.exp", "F.silu(self.exp", {"decoder": "autoregressive"}, True),
    ("autoregressive.py", "F.relu(self.exp", "F.silu(self.exp", {"decoder": "plain"}, False),
    ("networks.py", "(x > thresholds)", "(x < thresholds)", {"decoder": "plain"}, False),
    ("networks.py", '"amx_bf16", "avx512_bf16"', '"amx_bf16",', {}, True),
    ("training.py", "1_000_003", "1_000_033", {}, True),
    ("training.py", "100 ** -", "10 ** -", {"schedule": "exponential"}, True),
    ("training.py", "100 ** -", "10 ** -", {"schedule": "one-cycle"}, False),
    ("config.py", 'METHODS = {', 'METHODS = {"half-vae": (0.5, 0.5),', {}, False),
    ("config.py", "    seed: int = 0", "    patience: int = 3\n    seed: int = 0", {}, False),
    ("config.py", '"beta-VAE": {', '"half-VAE": {"method": "half-vae"}, "beta-VAE": {', {}, False),
    ("pictures.py", "LANCZOS", "BICUBIC", {}, False),  # the data have their own digest
    ("toy_faces.py", "CHUNK = 64", "CHUNK = 32", {"dataset": "toy-faces"}, False),
    ("idx.py", "import gzip", "import gzip\nPAD = 1", {}, False),
    ("datasets.py", "import os", "import os\nPAD = 1", {}, False),
    ("runs.py", "is_whole(path)", "(path).is_dir()", {}, False),  # finds and stores
    ("progress.py", "done about", "ends about", {}, False),
    ("store.py", "[:16]", "[:17]", {}, False),
    ("process.py", "1 << 30", "1 << 29", {}, False),
    ("evaluation/latent_fit.py", "[0.025, 0.975]", "[0.05, 0.95]", {}, False),
    ("training.py", "import math\n", "import math  # for pi\n", {}, False),
    ("mmd.py", '"""Inverse multiquadratic kernel', '"""The inverse multiquadratic kernel', {}, False),
    ("mmd.py", 'x: Float[Tensor, "n d"], y: Float', 'x: Tensor, y: Float', {}, False),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "fields", "renamed"), EDITS)
def test_an_edit_renames_what_it_changes_and_nothing_else(package, file, old, new, fields, renamed):
    """The name of a run changes with the code that computes it: not with other priors, loaders, figures, comments."""
    config = RunConfig(**fields)
    before = run_path(config, "0" * 64)
    edit(package, file, old, new)
    assert (run_path(config, "0" * 64) != before) is renamed


@pytest.mark.parametrize(
    ("file", "old", "new", "measure", "renamed"),
    [
        ("evaluation/latent_fit.py", "[0.025, 0.975]", "[0.05, 0.95]", "latent_fit", True),
        ("evaluation/latent_fit.py", "[0.025, 0.975]", "[0.05, 0.95]", "probes", False),
        ("evaluation/tsvm.py", "RELABELLINGS = 30", "RELABELLINGS = 31", "probes", True),
        ("evaluation/frechet.py", "NEIGHBOURS = 3", "NEIGHBOURS = 4", "generation", True),
        ("runs.py", "return self.posterior(images).mean", "return 2 * self.posterior(images).mean", "probes", True),
        ("runs.py", "checkpoint_seconds: float = 10.0", "checkpoint_seconds: float = 20.0", "latent_fit", False),
        ("training.py", "1_000_003", "1_000_033", "latent_fit", False),
        ("pictures.py", "LANCZOS", "BICUBIC", "latent_fit", False),
    ],
)
def test_a_measure_is_named_by_what_it_executes(package, file, old, new, measure, renamed):
    """Its own code, what that uses, and what a run encodes and decodes with."""
    before = measure_digest(measure, PLAIN)
    edit(package, file, old, new)
    assert (measure_digest(measure, PLAIN) != before) is renamed


@pytest.mark.parametrize(
    "fields",
    [
        {"method": "vae", "prior": "logistic"},
        {"method": "vae", "prior": "laplace", "schedule": "one-cycle", "likelihood": "gaussian"},
        {"method": "vimae", "prior": "uniform", "kernel": "wae", "encoder": "deterministic", "likelihood": "wae"},
        {"method": "infovae", "architecture": "conv", "width": 1 / 64, "kernel": "gaussian", "precision": "bf16"},
        {"method": "infovae", "divergence": "adversarial", "lambda_schedule": "ramp"},
        {"method": "vae", "decoder": "autoregressive"},
    ],
)
def test_every_function_that_a_step_runs_is_part_of_the_name(fields):
    """Watched by the interpreter while a training is made, advances twice, and is saved and restored."""
    config = RunConfig(batch_size=16, **fields)
    images, seen = load_dataset()["train"][0][:64], set()

    def watch(frame, event, _):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(sources.PACKAGE):
            module = ".".join(path.relative_to(sources.PACKAGE).with_suffix("").parts)
            seen.add(Definition(module, frame.f_code.co_qualname.split(".")[0]))

    sys.setprofile(watch)
    try:
        training = Training(config, images, torch.device("cpu"))
        training.advance()
        training.restore(training.state(), 1)
        training.advance()
    finally:
        sys.setprofile(None)
    named = definitions.definitions(COMPUTES, {table: getattr(config, field) for table, field in TABLES.items()})
    assert len(seen) > 12
    assert {d for d in seen if d.module not in definitions.NOT_FOLLOWED} <= set(named)


def test_the_tables_hold_every_choice():
    """What a field may be is what its table has, and so a digest finds its entry; RATES holds only closed forms,
    LAMBDA_SCHEDULES only what changes."""
    from vimae_core import mmd, multiplier, networks, objectives, priors, training

    for table, field in TABLES.items():
        found = next(
            vars(m)[table] for m in (mmd, multiplier, networks, objectives, priors, training) if table in vars(m)
        )
        assert set(found) <= set(CHOICES[field])
        some = table in ("RATES", "LAMBDA_SCHEDULES")
        assert some or set(found) == set(CHOICES[field])


def test_a_digest_is_the_same_in_every_locale(tmp_path):
    """Under LC_ALL=C without UTF-8 mode the sources are read as what they are."""
    import os
    import subprocess

    code = "from vimae_core.store import COMPUTES\nfrom vimae_core.definitions import code_digest\n"
    code += "from vimae_core.sources import source_digest, PACKAGE\nfrom vimae_core import RunConfig\n"
    code += "print(code_digest(COMPUTES, RunConfig()), source_digest(PACKAGE / 'mmd.py'))"
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == [code_digest(COMPUTES, PLAIN), sources.source_digest(sources.PACKAGE / "mmd.py")]


def test_names_of_the_package_lead_to_their_modules(package, tmp_path):
    """`from vimae_core import mmd2` depends on mmd.py; `import vimae_core` on all that it exports."""
    script = tmp_path / "script.py"
    script.write_text("from vimae_core import mmd2\n")
    assert {p.name for p in sources.imported_modules(script)} == {"mmd.py", "priors.py"}
    script.write_text("import vimae_core\n")
    assert {"runs.py", "training.py", "priors.py", "record.py"} <= {p.name for p in sources.imported_modules(script)}
