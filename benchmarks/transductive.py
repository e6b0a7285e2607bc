"""Why is the transductive SVM of Table 1 below the plain one? Each of its choices changed alone, on validation digits.

PYTHONPATH=. .venv/bin/python benchmarks/transductive.py     (a quarter of an hour on one core)

Codes of the committed networks of seed 0, which have seen the validation digits (the last 10,000 of the training set),
but not their labels; labels are drawn among the first 50,000. Writes benchmarks/transductive.json. The test digits
are not read.
"""

import itertools
import json
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from scipy import stats
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from vimae_core import Run, load_dataset
from vimae_core.corruptions import corrupt
from vimae_core.environment import environment
from vimae_core.evaluation import tsvm
from vimae_core.evaluation.probes import FOLDS, GAMMA, N_LANDMARKS, N_UNLABELLED, C, Probes, draw_labels
from vimae_core.reference import REFERENCE

MODELS = {
    "AE": "b8856696f8ee1686", "VAE": "ccd50db4e3cc523d", "beta-VAE": "19b3a35c1966194f",
    "VIMAE-n": "cf423c39eabcb59a", "VIMAE-l": "fb73694f74fc4d4f",
}  # fmt: skip
SEEN, CONDITIONS, DRAWS, MORE = 50_000, ("clean", "mask 0.5", "gaussian 0.4"), range(10), range(4)
FREE = {  # no fraction of positives is asked for
    "_chances": lambda gain, positive, temperature: torch.sigmoid(gain / temperature),
    "_decided": lambda f, positive: 2 * (f > 0).to(f.dtype) - 1,
}
SUPERVISED = {"TEMPERATURES": [1.0], "SHARES": [1.0]}  # C_u = 0: nothing to anneal
SCHEDULES = {
    **{
        f"{n} temperatures": {
            "TEMPERATURES": torch.logspace(0, -2, n).tolist(),
            "SHARES": torch.logspace(-3, 0, n).tolist(),
        }
        for n in (8, 72)
    },
    "C does not grow": {"SHARES": [1.0] * 24},
    "one temperature": {"TEMPERATURES": [1e-6], "SHARES": [1.0]},
}


def fitted(points: dict, chosen: dict, changes: dict | None = None, landmarks: int = N_LANDMARKS, **settings):
    """`predict` of the transductive SVM, with changes of its module."""
    with ExitStack() as stack:
        for name, value in (changes or {}).items():
            stack.enter_context(patch.object(tsvm, name, value))
        svm = tsvm.fit_tsvm(**points, c=chosen["C"], gamma=chosen["gamma"], n_landmarks=landmarks, **settings)
    return lambda z: svm.predict(z).numpy()


def libsvm(points: dict, chosen: dict, squared: bool, rest: bool):
    """`predict` by the labelled alone, all columns of the kernel, which the squared hinge gives a ridge of 1/2C."""
    x, y, c = points["labelled"].double(), points["labels"].numpy(), chosen["C"]
    kernel = torch.exp(-chosen["gamma"] * torch.cdist(x, x).square()).numpy()
    if squared:
        kernel, c = kernel + np.eye(len(x)) / (2 * c), 1e6
    svms = [SVC(C=c, kernel="precomputed").fit(kernel, y == k if rest else y) for k in (range(10) if rest else [0])]

    def predict(z):
        columns = torch.exp(-chosen["gamma"] * torch.cdist(z.double(), x).square()).numpy()
        return np.stack([s.decision_function(columns) for s in svms]).argmax(0) if rest else svms[0].predict(columns)

    return predict


def own_choice(points: dict, seed: int) -> dict[str, float]:
    """C and gamma by cross-validation of one against the rest by the squared hinge: all folds and classes at once."""
    x, y = points["labelled"], points["labels"]
    known = (2.0 * (y == torch.arange(10)[:, None]) - 1).repeat(FOLDS, 1)
    held = torch.zeros(FOLDS, len(y))
    for fold, (_, rows) in enumerate(StratifiedKFold(FOLDS).split(x, y)):
        held[fold, rows] = 1
    both = torch.cat([x, points["unlabelled"]]).double()
    landmarks = both[torch.randperm(len(both), generator=torch.Generator().manual_seed(seed))[:N_LANDMARKS]]
    score = {}
    for gamma in (g / x.shape[1] for g in GAMMA):
        values, vectors = torch.linalg.eigh(tsvm.rbf(landmarks, landmarks, gamma))
        kept = values > 1e-10 * values[-1]
        features = (tsvm.rbf(x.double(), landmarks, gamma) @ (vectors[:, kept] * values[kept].rsqrt())).float()
        w = torch.zeros(len(known), features.shape[1])
        for c in C:
            costs = c * (1 - held).repeat_interleave(10, 0)
            w = tsvm._Problem(features, costs, c * features.T @ features).minimise(w, known, 1e-2)
            right = (w @ features.T).view(FOLDS, 10, -1).argmax(1) == y
            score[c, gamma] = (right * held).sum().item()
    return dict(zip(("C", "gamma"), max(score, key=score.get), strict=True))


def machines(labelled, labels, unlabelled, true, seed: int, more: bool) -> tuple[dict, tuple[float, float]]:
    """Each machine's `predict` of standardised codes; processor seconds to fit the probes, with a tenth and as now."""
    start = time.process_time()
    with patch.object(Probes, "_fractions", lambda *_: torch.full((10,), 0.1)):
        before = Probes(labelled, labels, unlabelled, seed)
    between = time.process_time()
    now = Probes(labelled, labels, unlabelled, seed)
    seconds = between - start, time.process_time() - between
    points = {"labelled": now._standard(labelled), "labels": labels, "unlabelled": now._standard(unlabelled)}
    chosen, fractions = now.chosen, now._fractions(points["unlabelled"].numpy(), labels.unique())
    its = {"fractions": fractions, "seed": seed}
    found = {
        "SVM": lambda z: now.svm.predict(z.numpy()),
        "a tenth": lambda z: before.tsvm.predict(z).numpy(),
        "the SVM's fractions": lambda z: now.tsvm.predict(z).numpy(),
        "true fractions": fitted(points, chosen, fractions=true, seed=seed),
        "C_u = 0": fitted(points, chosen, SUPERVISED, weight=0.0, seed=seed),
    }
    if len(labels) == 100:
        return found, seconds
    found["C_u x 0.3"] = fitted(points, chosen, weight=0.3, **its)
    if more:
        found["no fractions"] = fitted(points, chosen, FREE, seed=seed)
        for weight in (0.01, 0.1):
            found[f"C_u x {weight}"] = fitted(points, chosen, weight=weight, **its)
        for squared, rest in ((True, False), (False, True), (True, True)):
            name = f"{'squared' if squared else 'plain'} hinge, one against {'the rest' if rest else 'one'}"
            found[name] = libsvm(points, chosen, squared, rest)
        found["1000 landmarks"] = fitted(points, chosen, landmarks=1000, **its)
        others = {"own C and gamma": own_choice(points, seed), "C = 1, gamma = 1/8": {"C": 1.0, "gamma": 1 / 8}}
        for name, other in others.items():
            found[f"{name}; C_u = 0"] = fitted(points, other, SUPERVISED, weight=0.0, seed=seed)
            found[name] = fitted(points, other, **its)
        found |= {name: fitted(points, chosen, changes, **its) for name, changes in SCHEDULES.items()}
    return found, seconds


def against(found: dict, one: str, other: str) -> dict:
    """Points by which a machine is above another, in each condition: over draws, each a mean over the models."""
    draws = [d for d in DRAWS if one in found["AE", d]]
    told = {"draws": len(draws)}
    for i, condition in enumerate(CONDITIONS):
        values = np.array([[found[m, d][one][i] - found[m, d][other][i] for d in draws] for m in MODELS])
        half = stats.t.ppf(0.975, len(draws) - 1) * stats.sem(values.mean(0))
        by_model = sorted(values.mean(1))
        numbers = {"mean": values.mean(), "half width": half, "lowest model": by_model[0], "highest": by_model[-1]}
        told[condition] = {name: round(float(value), 3) for name, value in numbers.items()}
    return told


@torch.no_grad()
def main() -> None:
    made = environment(torch.device("cpu"))
    images, labels = load_dataset()["train"]
    held, truth = images[SEEN:], labels[SEEN:].numpy()
    found, seconds, away = {1000: {}, 100: {}}, {1000: [], 100: []}, []
    for model, name in MODELS.items():
        run = Run.load(REFERENCE / name, device="cpu")
        codes, tested = run.encode(images[:SEEN]), [run.encode(corrupt(held, c, seed=1)) for c in CONDITIONS]
        for draw, n in itertools.product(DRAWS, found):
            some, others = draw_labels(labels[:SEEN], n, N_UNLABELLED, draw)
            true = labels[others].bincount(minlength=10).double() / len(others)
            mean, std = codes[some].mean(0), codes[some].std(0)
            by_name, both = machines(codes[some], labels[some], codes[others], true, draw, n == 1000 and draw in MORE)
            seconds[n].append(both)
            away += [(true - 0.1).abs().sum().item() / 2 * len(others)] * (model == "AE" and n == 1000)
            found[n][model, draw] = {
                name: [100 * np.mean(predict((z - mean) / std) == truth) for z in tested]
                for name, predict in by_name.items()
            }
            print(model, draw, n, f"{time.process_time():.0f} s", flush=True)
    content = {
        "environment": made,
        "runs": MODELS, "draws": list(DRAWS), "validation digits": [SEEN, len(images)],
        "unlabelled digits that a tenth takes for another class, at least, by draw": away,
        "processor seconds to fit the probes, with a tenth and with the SVM's fractions": {
            n: [sum(column) for column in zip(*rows, strict=True)] for n, rows in seconds.items()
        },
        "accuracy of the SVM": {
            n: [round(np.mean([row["SVM"][i] for row in rows.values()]), 3) for i in range(len(CONDITIONS))]
            for n, rows in found.items()
        },
        "points above": {
            n: {
                other: {one: against(rows, one, other) for one in rows["AE", 0] if one != other}
                for other in ("SVM", "C_u = 0", "the SVM's fractions")
            }
            for n, rows in found.items()
        },
    }  # fmt: skip
    (Path(__file__).parent / "transductive.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    with threadpool_limits(1):
        main()
