"""Every test was committed before the first run that it judges began: by the records, and by the history if there."""

import math
import subprocess
from datetime import datetime

import numpy as np
from scipy import stats

from tests.conftest import ROOT
from vimae_core.chapters import capacity, conventions, disentanglement, doses
from vimae_core.chapters.registered import REGISTERED, began, judged, registrations
from vimae_core.profiles import parameters
from vimae_core.report.results import reference_results


def test_no_run_began_before_its_test_was_committed():
    """By each record's time and seconds; the first of a test's runs names the commit that the test came with."""
    runs = judged()
    assert runs.keys() == REGISTERED.keys() and sum(map(bool, runs.values())) >= 4
    for name, own in runs.items():
        commit, made = REGISTERED[name]
        assert all(began(run) > datetime.fromisoformat(made) for run in own), name
        if own and not name.startswith("its "):  # those were trained when their turn came
            assert min(own, key=began).environment["commit"] == commit


def test_the_history_has_these_commits():
    """Where there is a history: an archive has none, a shallow clone not all."""
    if not (ROOT / ".git").exists():
        return
    for commit, made in REGISTERED.values():
        asked = ["git", "log", "-1", "--format=%cI", commit]
        found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
        if found.returncode == 0:
            assert datetime.fromisoformat(found.stdout.strip()) == datetime.fromisoformat(made)


def test_the_table_tells_the_times():
    """A row a test; dashes where nothing was run yet."""
    runs = judged()
    table = registrations(runs)
    row = table.loc["claim 1"]
    assert row["committed"] == "23 Nov 17:34:34<br>`5ec9394`"
    assert row["first run began"] == f"{min(map(began, runs['claim 1'])):%d %b %H:%M:%S}"
    assert row["runs"] == str(len(runs["claim 1"]))
    empty = registrations({"claim 6": []}).loc["claim 6"]
    assert list(empty[1:]) == ["—", "—", "0"]


def test_the_changes_name_how_many_runs_there_were():
    """The page's counts of runs that had ended when it was changed, by their records."""
    page = " ".join((ROOT / "book" / "second_analysis.md").read_text(encoding="utf-8").split())
    runs = judged()["the second analysis"]
    ended = lambda at: [r for r in runs if datetime.fromisoformat(r.environment["time"]) < datetime.fromisoformat(at)]  # noqa: E731
    first, second = ended("2026-11-26T02:33:24Z"), ended("2026-11-26T02:42:49Z")
    assert len(first) == 10 and "with ten runs trained, none under `wae` or `wae-code`" in page
    assert {run.config.likelihood for run in first} == {"bernoulli", "gaussian"}
    assert f"with {len(second)} runs trained, all in two dimensions" in page
    assert {run.config.latent_dim for run in second} == {2}
    assert not [
        r
        for r in judged()["its question of scale"]
        if began(r) < datetime.fromisoformat(REGISTERED["its question of scale"][1])
    ]
    found = reference_results("conventions", None)
    last = max(run.environment["time"] for run in found["constraint"].runs)
    assert len([r for r in found["digits"].runs if r.environment["time"] < last]) == 2
    assert "but for two of the paper's Table 1, which ended before the last of the multiplier's" in page


def test_the_third_analysis_has_its_doses():
    """The page's tables are what the profile trains: every value and seed, and how many runs there are."""
    page = " ".join((ROOT / "book" / "third_analysis.md").read_text(encoding="utf-8").split())
    p = parameters("doses", "reference")
    listed = lambda values: ", ".join(f"{v:,g}" for v in values)  # noqa: E731
    groups = doses.runs(p)
    assert f"likelihood; {sum(len(v) for k, v in groups.items() if k != 'collapse')} runs." in page
    assert p.shape_seeds == [*range(50, 62)] and p.seeds == [*range(50, 55)] and page.count("50 to 61") == 2
    for values in ("normal of σ = 1/2, 1, 2, 4 |", f"σ = {p.equal_scales[0]:g}, the logistic's entropy",
                   f"β = {listed(p.betas)} |", f"α = {listed(p.alphas)} |",
                   f"λ rising to {listed(p.lambdas)};", f"to at most {p.lambda_:,g}",
                   "normal of σ = 1/4 and 4 |", "is 1, 10 or 100 times", "λ rising to 10 and to 100 |",
                   "at the paper's width, eight coordinates, fifteen epochs", "the mean of five draws",
                   "trainings of 1, 2, 4 and 8 epochs", "has standard deviation 1/4"):  # fmt: skip
        assert values in page, values
    assert (p.noisy_scales, p.scales, p.tolerances) == ([0.5, 1, 2, 4], [0.25, 4], [1, 10, 100])
    assert p.adversarial_lambdas == [10, 100]
    assert (p.width, p.latent_dim, p.epochs, len(p.draws), p.noise) == (1, 8, 15, 5, 0.25)
    assert p.collapse_epochs == [1, 2, 4, 8] and p.lambda_ == 10_000
    q = parameters("disentanglement", "reference")
    assert (q.width, q.latent_dim, q.epochs, q.seeds, q.noise) == (1 / 16, 10, 20, p.seeds, 0.25)
    assert "ten coordinates, twenty epochs, seeds 50 to 54" in page and (q.betas, q.noisy_scales) == ([100], [0.5, 4])
    found = disentanglement.runs(q)
    assert len(found["models"]) + len(found["doses"]) == 11 * 5
    assert {c.lambda_ for c in found["models"] if c.method == "vimae"} == {10_000} and "rises to 10,000" in page


def test_the_third_analysis_has_its_numbers():
    """Entropies of its pairs of priors, by scipy; the seeds' scatter and the power that it implies, by the records."""
    page = " ".join((ROOT / "book" / "third_analysis.md").read_text(encoding="utf-8").split())
    normal, logistic, laplace = (d.entropy() for d in (stats.norm(), stats.logistic(0, math.sqrt(3) / math.pi),
                                                       stats.laplace(0, math.sqrt(0.5))))  # fmt: skip
    uniform = math.log(2 * math.sqrt(3))
    for shape, entropy in ((0.73996, uniform), (3.07590, logistic), (6.91314, laplace)):
        prior = stats.gennorm(shape)
        assert abs(prior.entropy() - math.log(prior.std()) - entropy) < 1e-5 and f"{shape:g}" in page
    assert abs(math.exp(logistic - normal) - 0.985740) < 1e-6 and "σ = 0.98574" in page
    told = "(1.4046 nats a coordinate), Laplace and 6.91 (1.3466), shape 0.74 and uniform (1.2425)"
    assert told in page and [round(h, 4) for h in (logistic, laplace, uniform, normal)] == [
        1.4046,
        1.3466,
        1.2425,
        1.4189,
    ]
    runs = conventions.digits(parameters("conventions", "reference"), "constrained")
    found = reference_results("conventions", None)["digits"].among(runs)
    scatter = []
    for condition in ("clean", "gaussian 0.4", "mask 0.5"):
        one, other = (capacity.accuracies(found, m, condition) for m in ("VIMAE-l", "VIMAE-n"))
        assert len(one) == 12
        scatter.append(np.std([np.mean(one[seed]) - np.mean(other[seed]) for seed in one], ddof=1))
    assert "was {:.2f} points on clean digits, {:.1f} under σ = 0.4 and {:.1f} under p = 0.5".format(*scatter) in page
    entropies = np.array([normal, *2 * [logistic], *2 * [laplace], *2 * [uniform]])
    errors = [std / math.sqrt(2 * 12) / np.sqrt(np.square(entropies - entropies.mean()).sum()) for std in scatter]
    assert "about {:.1f}, {:.1f} and {:.1f} points a nat".format(*errors) in page
    assert min(paper / (0.0144 * e) for paper, e in zip((0.5, 1.8, 0.9), errors, strict=True)) > 40
