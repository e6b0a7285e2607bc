"""Does bf16 cost quality? The same trainings in both precisions, over seeds."""

import os
import tempfile

import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from vimae_core import Run, RunConfig, fit, load_dataset

SEEDS = (0, 1, 2)
NETS = {
    "conv 1/8": {"architecture": "conv", "width": 1 / 8, "n_train": 10_000, "epochs": 5},
    "mlp 3x256": {"epochs": 2},
}


def quality() -> dict:
    """net -> method -> precision -> the final training loss and the probe's test accuracy, one number a seed."""
    data = load_dataset()
    found = {"seeds": list(SEEDS)}
    with tempfile.TemporaryDirectory() as store:
        os.environ["VIMAE_RUNS"] = store
        for net, config in NETS.items():
            for method in ("vae", "vimae"):
                for precision in ("fp32", "bf16"):
                    common = {**config, "latent_dim": 8, "batch_size": 128, "schedule": "one-cycle"}
                    runs = [
                        fit(RunConfig(method=method, precision=precision, seed=s, **common), data, False) for s in SEEDS
                    ]
                    found.setdefault(net, {"config": config}).setdefault(method, {})[precision] = {
                        "loss": [run.history["epochs"]["loss"][-1] for run in runs],
                        "accuracy": [probe_accuracy(run, data) for run in runs],
                        "images a second": [run.environment["images_per_second"] for run in runs],
                    }
        del os.environ["VIMAE_RUNS"]
    return found


def probe_accuracy(run: Run, data) -> float:
    """Of an RBF support vector machine on the posterior means of 100 training images a class."""
    images, labels = data["train"]
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(labels), generator=generator)
    rows = torch.cat([order[labels[order] == label][:100] for label in range(10)])
    probe = make_pipeline(StandardScaler(), SVC()).fit(run.encode(images[rows]), labels[rows])
    test_images, test_labels = data["test"]
    return float(probe.score(run.encode(test_images), test_labels))
