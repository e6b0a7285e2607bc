"""What the benchmarks rest on: the peer trains the same networks, stacked seeds are each alone, honest arithmetic."""

import sys

import pytest
import torch

from tests import children
from tests.conftest import ROOT
from vimae_core import RunConfig, load_dataset
from vimae_core.networks import build_network
from vimae_core.training import Training

sys.path.insert(0, str(ROOT / "benchmarks"))

from levers import LEVERS
from speed import CONV_8, MLP, flops, summary
from stacked import StackedTraining
from worker import plain_networks


@pytest.mark.parametrize("config", [CONV_8, MLP])
def test_the_peer_trains_the_same_network(config):
    """As many parameters, and with our weights the same outputs."""
    ours = build_network(RunConfig(**config), (1, 28, 28))
    for mine in ours.parameters():
        mine.data = mine.data + 0.02 * torch.randn_like(mine)  # so that every weight, scale and bias counts
    plain = plain_networks(config, 8, 16)
    for theirs, mine in zip(plain, (ours.encoder, ours.decoder), strict=True):
        assert [p.numel() for p in theirs.parameters()] == [p.numel() for p in mine.parameters()]
        for to, of in zip(theirs.parameters(), mine.parameters(), strict=True):
            # The peer writes the last transposed convolution, of stride 1, as a convolution.
            to.data = of.data.clone() if to.shape == of.shape else of.data.transpose(0, 1).flip(2, 3)
    if "architecture" in config:  # ours lays the channels of a pixel side by side
        for p in plain[1][0].parameters():
            p.data = p.data.unflatten(0, (7, 7, -1)).movedim(2, 0).flatten(0, 2)
    x, z = torch.rand(4, 1, 28, 28), torch.randn(4, 8)
    torch.testing.assert_close(plain[0](x), ours.encoder(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(plain[1](z).flatten(1), ours.decoder(z), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", ["vae", "vimae"])
def test_stacked_seeds_are_each_alone_to_rounding(method):
    """Losses of ten steps, seed by seed."""
    config = RunConfig(method=method, latent_dim=8, width=0.25, batch_size=64, precision="fp32")
    data = load_dataset()
    together = StackedTraining(config, range(3), data)
    found = torch.stack([together.advance()["loss"].detach() for _ in range(10)])
    for seed, losses in enumerate(found.T):
        one = RunConfig(**{**vars(config), "seed": seed, "schedule": "constant"})
        alone = Training(one, data["train"][0], torch.device("cpu"))
        for _ in range(10):
            alone.advance()
        torch.testing.assert_close(losses, alone.log[:10, 0], rtol=1e-4, atol=1e-3)


def test_operations_of_a_step_are_counted_right():
    """Against PyTorch's own counter, forwards and backwards."""
    from torch.utils.flop_counter import FlopCounterMode

    for config in (CONV_8, MLP):
        images, _ = load_dataset()["train"]
        training = Training(RunConfig(method="ae", batch_size=100, **config), images, torch.device("cpu"))
        with FlopCounterMode(display=False) as counted:
            training.advance()
        assert counted.get_total_flops() / 100 == pytest.approx(flops(config), rel=0.02)


def test_a_ratio_is_taken_within_a_round():
    """A slow round slows both and leaves the ratio; the share of the peak counts operations."""
    seconds = {"ours": [1.0, 10.0, 1.0], "pythae": [3.0, 30.0, 3.0], "peak": [1.0, 10.0, 1.0]}
    found = summary({"images": 128, "flops": 1e9}, seconds)
    assert found["pythae"]["ours is faster by"] == 3.0 and found["pythae"]["ratios"] == [3.0, 3.0]
    assert found["ours"]["median"] == 128 and found["ours"]["low"] == 12.8
    assert found["ours"]["share of peak"] == pytest.approx(128e9 / (4 * 2 * 2048**3))


CHANGES = [("levers", "conv", f"LEVERS[{lever!r}]", 0.01) for lever in LEVERS]
CHANGES += [("tried", "conv", "patches_of_the_first_layer", 0.01), ("tried", "mlp", "kept_roundings", 0)]


@pytest.mark.parametrize(("file", "architecture", "change", "tolerance"), CHANGES)
def test_with_a_change_it_is_the_same_training(file, architecture, change, tolerance):
    """The losses of three steps, to what the other order of summation or precision does."""
    program = f"""
import sys, torch
sys.path.insert(0, "benchmarks")
from {file} import *
from vimae_core import RunConfig, load_dataset
fields = {{"architecture": {architecture!r}, "width": 1 / 16, "batch_size": 32, "latent_dim": 8, "precision": "bf16"}}
losses = []
for change in (None, {change}):
    step = Training(RunConfig(method="vimae", **fields), load_dataset()["train"][0], torch.device("cpu"))
    if change:
        change(step)
    for _ in range(3):
        step.advance()
    losses.append(step.log[:3, 0])
torch.testing.assert_close(*losses, rtol={tolerance}, atol=0)
"""
    status, said = children.ended(program)
    assert status == 0, said
