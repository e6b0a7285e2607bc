"""The probes of Table 1 as one would write them down: sklearn's grid search and predictions, a draw at a time.

What `vimae_core.evaluation.probes` is held against, in numbers and in time. It shares with it the choices (grid,
numbers of points, temperatures) and the draws of labels and noise, and no computation.
"""

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from vimae_core.corruptions import corrupt
from vimae_core.evaluation.probes import FOLDS, GAMMA, N_LANDMARKS, N_UNLABELLED, NEIGHBOURS, C, draw_labels
from vimae_core.evaluation.tsvm import RELABELLINGS, SHARES, STEPS, TEMPERATURES


def plain_probes(run, data, conditions, curve, draws, n_labels=1000) -> dict:
    """`accuracy` and `chosen` as `probes` records them."""
    (train, train_labels), (test, test_labels) = data["train"], data["test"]
    names = list(dict.fromkeys([*conditions, *curve]))
    accuracy = {"test": {name: {} for name in names}, "both": {name: {} for name in conditions}}
    chosen = []
    seen = {name: run.encode(corrupt(train, name, seed=0)) for name in dict.fromkeys(["clean", *conditions])}
    tested = {name: run.encode(corrupt(test, name, seed=1)) for name in names}

    def record(protocol, condition, predictors, mean, std):
        for probe, predict in predictors.items():
            right = torch.as_tensor(predict((tested[condition] - mean) / std)) == test_labels
            accuracy[protocol][condition].setdefault(probe, []).append(100 * right.double().mean().item())

    for draw in draws:
        some, others = draw_labels(train_labels, n_labels, N_UNLABELLED, draw)
        for condition, codes in seen.items():
            mean, std = codes[some].mean(0), codes[some].std(0)
            x, y = (codes[some] - mean) / std, train_labels[some]
            grid = {"C": C, "gamma": [g / x.shape[1] for g in GAMMA]}
            svm = GridSearchCV(SVC(), grid, cv=FOLDS).fit(x, y)
            kernel = svm.best_params_["C"], svm.best_params_["gamma"]
            unlabelled = (codes[others] - mean) / std
            fractions = torch.from_numpy(svm.predict(unlabelled)).bincount(minlength=len(y.unique())) / len(others)
            predictors = {
                "svm": svm.predict,
                "tsvm": plain_tsvm(x, y, unlabelled, *kernel, fractions.double(), seed=draw),
                "knn": KNeighborsClassifier(NEIGHBOURS).fit(x, y).predict,
                "linear": LogisticRegression(max_iter=1000).fit(x, y).predict,
            }
            if condition == "clean":
                chosen.append(svm.best_params_)
                for name in names:
                    record("test", name, predictors, mean, std)
            if condition in conditions:
                record("both", condition, predictors, mean, std)
    return {"accuracy": accuracy, "chosen": chosen}


def plain_tsvm(labelled, labels, unlabelled, c, gamma, positive, seed, tolerance=1e-4):
    """`fit_tsvm` in double precision, a step as it is written in its formulas. Returns its `predict`."""

    def rbf(x, y):
        return torch.exp(-gamma * torch.cdist(x, y).square()) + 1

    classes = labels.unique()
    points = torch.cat([labelled, unlabelled]).double()
    landmarks = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))[:N_LANDMARKS]]
    values, vectors = torch.linalg.eigh(rbf(landmarks, landmarks))
    kept = values > 1e-10 * values[-1]
    basis = vectors[:, kept] * values[kept].rsqrt()
    features = rbf(points, landmarks) @ basis
    weight = torch.full((len(points), 1), c, dtype=torch.double)
    weight[len(labelled) :] = c * len(labelled) / len(unlabelled)
    known = torch.where(labels[:, None] == classes, 1.0, -1.0).double()

    def minimise(w, target, share, factor, tolerance):
        ahead, momentum = w, 1.0
        for _ in range(STEPS):
            f = features @ ahead
            slope = (1 - target) * (1 + f).relu() - (1 + target) * (1 - f).relu()
            step = torch.cholesky_solve(ahead + features.T @ (share * weight * slope), factor)
            following = ahead - step
            if (step * (following - w)).sum() > 0:
                momentum = 1.0
            grown = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
            ahead = following + (momentum - 1) / grown * (following - w)
            w, momentum = following, grown
            if step.abs().max() <= tolerance * w.abs().max():
                break
        return w

    def chances(f, temperature):
        gain = (1 + f).relu().square() - (1 - f).relu().square()
        low, high = gain.min(0).values - 50 * temperature, gain.max(0).values + 50 * temperature
        for _ in range(40):
            middle = (low + high) / 2
            above = torch.sigmoid((gain - middle) / temperature).mean(0) > positive
            low, high = torch.where(above, middle, low), torch.where(above, high, middle)
        return torch.sigmoid((gain - (low + high) / 2) / temperature)

    def decided(f):
        rank = f.argsort(0, descending=True).argsort(0)
        return torch.where(rank < (positive * len(f)).round(), 1.0, -1.0).double()

    gram = features.T @ (weight * features)
    w = torch.zeros(features.shape[1], len(classes), dtype=torch.double)
    for temperature, share in zip(TEMPERATURES, SHARES, strict=True):
        chance = chances(features[len(labelled) :] @ w, temperature)
        factor = torch.linalg.cholesky(torch.eye(len(gram), dtype=torch.double) + 2 * share * gram)
        w = minimise(w, torch.cat([known, 2 * chance - 1]), share, factor, 1e-2)
    for _ in range(RELABELLINGS):
        signs = decided(features[len(labelled) :] @ w)
        w = minimise(w, torch.cat([known, signs]), 1.0, factor, tolerance)
        if torch.equal(signs, decided(features[len(labelled) :] @ w)):
            break
    return lambda x: classes[(rbf(x.double(), landmarks) @ (basis @ w)).argmax(1)]
