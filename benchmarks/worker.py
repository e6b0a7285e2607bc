"""One piece of work in one process: prepares it, warms up, then answers each line on stdin with its seconds.

python benchmarks/worker.py '{"work": "vimae", "config": {"method": "vae"}, "steps": 100}'
"""

import json
import os
import subprocess
import sys
import time

import torch
from levers import LEVERS
from stacked import StackedTraining
from torch import nn
from tried import TRIED

from vimae_core import Run, RunConfig, load_dataset, mmd2, runs
from vimae_core.networks import build_network
from vimae_core.process import keep_buffers
from vimae_core.runs import ROWS
from vimae_core.training import Training

BATCH = 128
CPU = torch.device("cpu")


def vimae(config: dict, steps: int, compiled: bool = False, without: str | None = None, added: str | None = None):
    """The package's own training: its steps, with nothing left out but the progress line and the checkpoints.

    `without` takes one of its levers away: see levers.py; `added` gives it one that it does not have: see tried.py.
    """
    training = Training(RunConfig(batch_size=BATCH, **config), load_dataset()["train"][0], CPU)
    if without:
        LEVERS[without](training)
    if added:
        {what: add for of in TRIED.values() for what, add in of.items()}[added](training)
    if compiled:
        training.losses = torch.compile(training.losses)
    return lambda: [training.advance() for _ in range(steps)]


def seeds(config: dict, steps: int, stacked: bool):
    """Five seeds: all in one batched product, or one training after the other."""
    config = RunConfig(batch_size=BATCH, **config)
    together = StackedTraining(config, range(5), load_dataset())
    trainings = [together] if stacked else together.alone
    return lambda: [training.advance() for training in trainings for _ in range(steps)]


def side_by_side(task: dict):
    """Two processes of one thread each, that share a task's steps: how the workflow trains."""
    command = [sys.executable, __file__, json.dumps({**task, "steps": task["steps"] // 2})]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    pair = [subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, **pipes) for _ in range(2)]
    for process in pair:
        process.stdout.readline()  # ready

    def work():
        for process in pair:
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in pair:
            process.stdout.readline()

    return work


def encode(config: dict, bare: bool = False, rows: int = ROWS, inference: bool = False):
    """All 60,000 training images through the encoder: as `Run.encode` does it, or a loop of forward passes alone.

    `rows` at a time; under PyTorch's inference mode, or as `Run.encode` has it.
    """
    runs.ROWS = rows
    images, _ = load_dataset()["train"]
    run = Run(RunConfig(**config), path=None, history={}, environment={})
    network = build_network(run.config, (1, 28, 28)).eval().requires_grad_(False)
    run.__dict__["network"] = network  # untrained: speed does not depend on the weights
    pixels = images.float() / 255 if bare else None
    if inference:
        return torch.inference_mode()(lambda: run.encode(images))
    return lambda: [network.encoder(x) for x in pixels.split(ROWS)] if bare else run.encode(images)


def distances(n: int, d: int, bare: bool):
    """MMD^2 of n against n points, or one matrix product of that size, [n, d] times [d, n]."""
    z, z_prior = torch.randn(n, d), torch.randn(n, d)
    return (lambda: z @ z_prior.T) if bare else (lambda: mmd2(z, z_prior, block=250))


def product(size: int, dtype: str):
    """One square matrix product, four times: what the processor can do at most."""
    a, b = (torch.randn(size, size).to(getattr(torch, dtype)) for _ in range(2))
    return lambda: [a @ b for _ in range(4)]


def pythae(config: dict, steps: int):
    """pythae's BaseTrainer on the same network in PyTorch's own layers; its train_step is one epoch."""
    import logging
    import tempfile

    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, WAE_MMD, VAEConfig, WAE_MMD_Config
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    logging.disable(logging.WARNING)
    d, is_vae = config.get("latent_dim", 2), config["method"] == "vae"
    encode, decode = plain_networks(config, d, 2 * d if is_vae else d)

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.layers = encode

        def forward(self, x):
            mean, *log_variance = self.layers(x).split(d, dim=1)
            return ModelOutput(embedding=mean, **({"log_covariance": log_variance[0]} if is_vae else {}))

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.layers = decode

        def forward(self, z):
            return ModelOutput(reconstruction=torch.sigmoid(self.layers(z)).view(-1, 1, 28, 28))

    common = {"input_dim": (1, 28, 28), "latent_dim": d}
    if is_vae:
        model = VAE(VAEConfig(reconstruction_loss="bce", **common), Encoder(), Decoder())
    else:
        model = WAE_MMD(WAE_MMD_Config(kernel_choice="imq", reg_weight=10.0, **common), Encoder(), Decoder())
    images, labels = load_dataset()["train"]
    images, labels = images[: steps * BATCH].float() / 255, labels[: steps * BATCH]
    trainer = BaseTrainer(
        model,
        BaseDataset(images, labels),
        training_config=BaseTrainerConfig(
            output_dir=tempfile.mkdtemp(), per_device_train_batch_size=BATCH, no_cuda=True, num_epochs=1
        ),
    )
    trainer.prepare_training()
    trainer.callback_handler.callbacks = trainer.callback_handler.callbacks[:1]  # without its progress bar
    return lambda: trainer.train_step(1)


def plain_networks(config: dict, latent_dim: int, outputs: int):
    """The same networks as a user of PyTorch writes them."""
    width = config.get("width", 1.0)
    if config.get("architecture", "mlp") == "mlp":
        h = round(256 * width)

        def mlp(a, b):
            return nn.Sequential(
                nn.Linear(a, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU(), nn.Linear(h, b)
            )

        return nn.Sequential(nn.Flatten(), mlp(784, outputs)), mlp(latent_dim, 784)
    a, b, c, e = (round(f * width) for f in (128, 256, 512, 1024))
    encoder = nn.Sequential(
        *(nn.Conv2d(1, a, 4, 2, 1), nn.BatchNorm2d(a), nn.ReLU()),
        *(nn.Conv2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()),
        *(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(b, c, 4, 2), nn.BatchNorm2d(c), nn.ReLU()),
        *(nn.Conv2d(c, e, 4, 2, 1), nn.BatchNorm2d(e), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(4 * e, outputs)),
    )
    decoder = nn.Sequential(
        *(nn.Linear(latent_dim, 49 * e), nn.ReLU(), nn.Unflatten(1, (e, 7, 7))),
        *(nn.ConvTranspose2d(e, c, 4, 2, 1), nn.BatchNorm2d(c), nn.ReLU()),
        *(nn.ConvTranspose2d(c, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()),
        *(nn.ZeroPad2d((2, 1, 2, 1)), nn.Conv2d(b, 1, 4)),
    )
    return encoder, decoder


def main(task: dict) -> None:
    if task["work"] != "pythae" and task.get("without") != "kept buffers":  # the peer has glibc as it comes
        keep_buffers()
    work = globals()[task.pop("work")](**task)
    work()
    work()  # twice: the second has the buffers of the first
    print("ready", flush=True)
    for _ in sys.stdin:
        begun = time.perf_counter()
        work()
        print(time.perf_counter() - begun, flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
