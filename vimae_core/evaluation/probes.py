"""Table 1: how well 1000 labels and the codes of images tell the digits apart, under corruption (section 5.2)."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from vimae_core.config import RunConfig
from vimae_core.corruptions import Corruption, corrupt
from vimae_core.data import Dataset
from vimae_core.evaluation.svm import fit_svm
from vimae_core.evaluation.tsvm import fit_tsvm
from vimae_core.runs import Run

# Chosen on validation digits, the last 10,000 of the training set, with a VAE and a VIMAE-n that had not seen them.
C = (1.0, 3.0, 10.0)
GAMMA = (0.5, 1.0, 2.0)  # over the number of features, as sklearn's "scale" is for standardised ones
FOLDS = 5
N_UNLABELLED = 3000
N_LANDMARKS = 300
NEIGHBOURS = 5

CONDITIONS = ("clean", "gaussian 0.2", "gaussian 0.4", "mask 0.2", "mask 0.5")  # Table 1's
PROBES = ("svm", "tsvm", "knn", "linear")
FRACTIONS = ("svm", "labels")  # where the transductive SVM has its fractions of the classes from


def draw_labels(
    labels: Int64[Tensor, " n"], n_labels: int, n_unlabelled: int, seed: int
) -> tuple[Int64[Tensor, " l"], Int64[Tensor, " u"]]:
    """Rows of `n_labels` balanced labels, and of others whose labels are not used. Raises ValueError."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    classes = labels.unique()
    each, rest = divmod(n_labels, len(classes))
    rows = [order[labels[order] == c][:each] for c in classes]
    if rest or each < FOLDS or min(map(len, rows)) < each:
        raise ValueError(
            f"n_labels={n_labels} is not possible: must be a multiple of the {len(classes)} classes, at least {FOLDS} "
            f"of each for cross-validation, and at most {int(labels.bincount()[classes].min())} of each, as many as "
            "the rarest has"
        )
    chosen = torch.cat(rows)
    left = torch.ones(len(labels), dtype=torch.bool)
    left[chosen] = False
    others = order[left[order]][:n_unlabelled]
    if len(others) == 0:
        raise ValueError(f"n_labels={n_labels} is not possible: it leaves no image without a label")
    return chosen, others


def check(
    config: RunConfig, data: Dataset, n_test: int | None = None, conditions: Sequence[str] = CONDITIONS,
    curve: Sequence[str] = (), n_labels: object = 1000, draws: object = (0,), fractions: str = "svm",
) -> None:  # fmt: skip
    """Raises ValueError for images without labels, for too few of them, for what is named twice, or is no number."""
    if data.labels is None:
        raise ValueError(f"{data.name} has no labels: the probes tell classes apart")
    if fractions not in FRACTIONS:
        raise ValueError(f"fractions={fractions!r} is not possible: must be one of {', '.join(FRACTIONS)}")
    if not isinstance(draws, list | tuple) or not draws:
        raise ValueError(f"draws={draws!r} is not possible: must be a list of whole numbers, at least one")
    for what, value in [("n_labels", n_labels), *(("draws", draw) for draw in draws)]:
        if type(value) is not int or value < 0:
            raise ValueError(f"{what}={value!r} is not possible: must be a whole number from 0 on")
    names = [Corruption.of(name).name for name in (*conditions, *curve)]
    given = {"conditions": names[: len(conditions)], "curve": names[len(conditions) :], "draws": list(draws)}
    for what, values in given.items():
        if len(set(values)) < len(values):
            raise ValueError(f"{what}={values} names one of them twice: a repeat is no independent measurement")
    draw_labels(data["train"][1][: config.n_train], n_labels, N_UNLABELLED, seed=0)


class Probes:
    """The four classifiers, fitted to the codes of one draw of labels."""

    def __init__(
        self,
        labelled: Float[Tensor, "l d"],
        labels: Int64[Tensor, " l"],
        unlabelled: Float[Tensor, "u d"],
        seed: int = 0,
        fractions: str = "svm",
    ):
        self.mean, std = labelled.mean(0), labelled.std(0)  # standardised by the labelled alone
        self.std = torch.where(std > 1e-6, std, 1.0)  # a constant feature stays one
        x, y = self._standard(labelled).numpy(), labels.numpy()
        self.svm = fit_svm(x, y, C, [g / x.shape[1] for g in GAMMA], FOLDS)
        self.chosen = self.svm.chosen
        self.others = {
            "knn": KNeighborsClassifier(NEIGHBOURS, algorithm="brute").fit(x, y),  # faster than trees at 8 features
            "linear": LogisticRegression(max_iter=1000).fit(x, y),
        }
        classes, u = labels.unique(), self._standard(unlabelled)
        self.tsvm = fit_tsvm(
            self._standard(labelled), labels, u, self.chosen["C"], self.chosen["gamma"], N_LANDMARKS, seed,
            fractions=self._fractions(u.numpy(), classes) if fractions == "svm" else None,
        )  # fmt: skip

    def _fractions(self, x: Float[np.ndarray, "n d"], classes: Int64[Tensor, " k"]) -> Float64[Tensor, " k"]:
        """Of each class, by the SVM: the labels cannot tell, which were drawn to be equally many of each.

        Measured in benchmarks/transductive.json. With 100 labels the SVM knows less of MNIST's than "a tenth" does.
        """
        return (torch.from_numpy(self.svm.predict(x)) == classes[:, None]).double().mean(1)

    def _standard(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.std

    def accuracy(self, features: Float[Tensor, "n d"], labels: Int64[Tensor, " n"]) -> dict[str, float]:
        """Each classifier's accuracy, in percent."""
        x, y = self._standard(features), labels.numpy()
        predicted = {"svm": self.svm.predict(x.numpy()), "tsvm": self.tsvm.predict(x).numpy()}
        predicted |= {name: probe.predict(x.numpy()) for name, probe in self.others.items()}
        return {name: 100 * float(np.mean(predicted[name] == y)) for name in PROBES}


@torch.no_grad()
def probes(
    run: Run,
    data: Dataset,
    n_test: int | None = None,
    conditions: Sequence[str] = CONDITIONS,
    curve: Sequence[str] = (),
    n_labels: int = 1000,
    draws: Sequence[int] = tuple(range(10)),
    fractions: str = "svm",
) -> dict:
    """Accuracies in percent, `accuracy[protocol][condition][probe]`, a value a draw; and each draw's C and gamma.

    Protocol test: fitted to codes of clean training images. Protocol both: fitted to codes of training images under
    the condition that the test images are under; of `conditions` alone, those of `curve` are measured under the first.
    The transductive SVM takes of each class as many of the unlabelled as the SVM finds there (`fractions` "svm"), or as
    many as among the labels ("labels", as in the first analysis). Features are posterior means. Labels and noise are
    determined by the draw's number and the condition: they are
    the same for every model. (Section 5.2; Kingma et al. 2014 for M1+TSVM.)
    """
    train, train_labels = (part[: run.config.n_train] for part in data["train"])
    test, test_labels = (part[:n_test] for part in data["test"])
    rows = {d: draw_labels(train_labels, n_labels, N_UNLABELLED, d) for d in draws}
    drawn = torch.cat([part for parts in rows.values() for part in parts]).unique()  # the others need no code

    def fitted(images: Tensor) -> list[Probes]:
        codes = torch.empty(len(images), run.config.latent_dim)
        codes[drawn] = run.encode(images[drawn])
        return [
            Probes(codes[some], train_labels[some], codes[others], d, fractions) for d, (some, others) in rows.items()
        ]

    def measured(by_draw: list[Probes], codes: Tensor) -> dict[str, list[float]]:
        found = [p.accuracy(codes, test_labels) for p in by_draw]
        return {name: [row[name] for row in found] for name in PROBES}

    names = list(dict.fromkeys([*conditions, *curve]))
    codes = {name: run.encode(corrupt(test, name, seed=1)) for name in names}
    clean = fitted(train)
    of_clean = {name: measured(clean, codes[name]) for name in names}
    of_same = {
        name: of_clean[name] if name == "clean" else measured(fitted(corrupt(train, name, seed=0)), codes[name])
        for name in conditions
    }
    accuracy = {"test": of_clean, "both": of_same}
    told = {"n": len(test), "draws": list(draws), "fractions": fractions}
    return {**told, "accuracy": accuracy, "chosen": [p.chosen for p in clean]}
