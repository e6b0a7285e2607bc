"""The convolutional autoencoder against the original's sizes, TensorFlow's padding, and fp32 against bf16."""

import subprocess
import sys

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.conftest import ROOT, write_idx
from vimae_core import RunConfig, load_dataset
from vimae_core.layers import Convolution, TransposedConvolution
from vimae_core.networks import ARCHITECTURES, build_network, pick_precision
from vimae_core.objectives import loss_terms
from vimae_core.runs import _train
from vimae_core.training import Training

CPU = torch.device("cpu")
MNIST, CELEBA = (1, 28, 28), (3, 64, 64)


def conv(**changes) -> RunConfig:
    return RunConfig(**{"architecture": "conv", "width": 1 / 16, "latent_dim": 8, **changes})


def parameters(module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("shape", "latent_dim", "encoder_millions", "decoder_millions"),
    [(MNIST, 8, 11.05, 10.94), (CELEBA, 64, 18.27, 21.48)],
)
def test_parameter_counts_are_the_originals(shape, latent_dim, encoder_millions, decoder_millions):
    """In millions, as the protocol says them."""
    with torch.device("meta"):
        network = build_network(conv(width=1.0, latent_dim=latent_dim, encoder="deterministic", method="ae"), shape)
    assert round(parameters(network.encoder) / 1e6, 2) == encoder_millions
    assert round(parameters(network.decoder) / 1e6, 2) == decoder_millions


def test_parameter_counts_by_hand():
    """To the last one: weight, bias, batch norm's two, layer by layer."""
    f, z, k = (128, 256, 512, 1024), 8, 16
    encoder = sum(a * b * k + 3 * b for a, b in [(1, f[0]), (f[0], f[1]), (f[1], f[2]), (f[2], f[3])]) + 4096 * z + z
    decoder = z * 50176 + 50176 + sum(a * b * k + 3 * b for a, b in [(f[3], f[2]), (f[2], f[1])]) + f[1] * k + 1
    network = build_network(conv(width=1.0, encoder="deterministic", method="ae"), MNIST)
    assert (parameters(network.encoder), parameters(network.decoder)) == (encoder, decoder)
    gaussian = build_network(conv(width=1.0), MNIST)
    assert parameters(gaussian.encoder) - encoder == 4096 * z + z  # the head of the variances
    assert parameters(gaussian.decoder) == decoder


@pytest.mark.parametrize(
    ("shape", "sides"), [(MNIST, [14, 7, 4, 2, 7, 14, 28, 28]), (CELEBA, [32, 16, 8, 4, 8, 16, 32, 64, 64])]
)
def test_images_shrink_and_grow_as_in_the_original(shape, sides):
    """The side of the image after every layer that changes it."""
    network = build_network(conv(), shape)
    seen = []
    for layer in [*network.encoder, *network.decoder]:
        if layer.__class__.__name__ in ("Convolution", "TransposedConvolution", "ChannelsLast"):
            layer.register_forward_hook(lambda _layer, _x, y: seen.append(y.shape[-1]))
    x = torch.rand(3, *shape)
    posterior = network.encode(x)
    assert posterior.mean.shape == posterior.log_variance.shape == (3, 8)
    assert network.decode(posterior.mean).shape == x.shape
    assert seen == sides


def test_weights_are_drawn_as_in_the_wae_code():
    """By name and kind of every parameter."""
    network = build_network(conv(width=0.25), MNIST)
    for name, p in network.named_parameters():
        layer = network.get_submodule(name.rsplit(".", 1)[0])
        if isinstance(layer, torch.nn.BatchNorm2d):
            assert (p == (1.0 if name.endswith("weight") else 0.0)).all()
            assert layer.eps == 1e-5 and layer.momentum == 0.1  # TensorFlow's decay 0.9
        elif name.endswith("bias"):
            assert (p == 0).all()
        elif isinstance(layer, Convolution):  # a normal cut off at two standard deviations has 0.88 of its own
            assert p.abs().max() <= 0.02
            assert p.std().item() == pytest.approx(0.0088, rel=0.15)
        else:
            assert p.std().item() == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize("architecture", ["conv", "mlp"])
def test_the_seed_determines_the_weights(architecture):
    """The same seed the same, another seed others; PyTorch's own generator is left as it was."""
    before = torch.get_rng_state()
    one, same, other = (build_network(conv(architecture=architecture, seed=s), MNIST).state_dict() for s in (1, 1, 2))
    drawn = [name for name, weight in one.items() if weight.ndim > 1]
    assert len(drawn) >= 8
    for name in drawn:
        assert torch.equal(one[name], same[name]) and not torch.equal(one[name], other[name])
    assert torch.equal(torch.get_rng_state(), before)


def test_other_sizes_are_refused():
    """With those that the architecture takes, and the one that takes any."""
    with pytest.raises(ValueError, match=r"8x8 pixels: must be 28x28 or 64x64; architecture='mlp'"):
        build_network(conv(), (1, 8, 8))


@pytest.mark.parametrize("shape", [MNIST, CELEBA])
def test_bf16_is_fp32_to_its_rounding(shape):
    """Encoder and decoder: not the same numbers, and none further off than a twentieth of the largest."""
    torch.manual_seed(0)
    network, x = build_network(conv(), shape), torch.rand(16, *shape)
    full = network.encode(x).mean, network.decode(torch.ones(16, 8))
    network.precision = "bf16"
    half = network.encode(x).mean, network.decode(torch.ones(16, 8))
    for a, b in zip(full, half, strict=True):
        assert b.dtype == torch.float32
        assert 0 < (a - b).abs().max() < 0.05 * a.abs().max()


def test_precision_is_the_processors_or_as_asked(monkeypatch):
    """auto is bf16 where a unit multiplies it; another precision is refused."""
    for units, found in [({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({"avx2": True}, "fp32")]:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda units=units: units)
        assert pick_precision("auto", CPU) == found
        assert pick_precision("bf16", CPU) == "bf16" and pick_precision("fp32", CPU) == "fp32"
    with pytest.raises(ValueError, match=r"precision='fp16'.*auto, fp32, bf16"):
        RunConfig(precision="fp16")


class Operations(TorchDispatchMode):
    """The names and dtypes of all that a step computes, forwards and backwards."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        self.seen.append((operation.overloadpacket.__name__, getattr(result, "dtype", None)))
        return result


@pytest.fixture
def training(tmp_path):
    """The training of a configuration on a few 28 x 28 images."""
    write_idx(tmp_path / "noise", side=28)
    images, _ = load_dataset("noise", tmp_path)["train"]
    return lambda **changes: Training(conv(dataset="noise", batch_size=32, epochs=2, **changes), images, CPU)


@pytest.mark.parametrize("fields", [{"method": "vae"}, {}, {"method": "ae"}, {"divergence": "adversarial"}])
@pytest.mark.parametrize("prior", ["normal", "logistic"])
def test_a_step_waits_for_no_number(training, fields, prior):
    """What would make a GPU wait: reading a value, or an output whose size depends on values."""
    step = training(prior=prior, **fields)
    step.advance()  # the order of the epoch is drawn
    with Operations() as operations:
        step.advance()
    names = {name for name, _ in operations.seen}
    assert "convolution" in names and "convolution_backward" in names
    assert not names & {"_local_scalar_dense", "item", "nonzero", "is_nonzero", "equal", "masked_select", "unique"}


@pytest.mark.parametrize(("device", "looks"), [("cuda", [8, 16]), ("cpu", list(range(1, 17)))])
def test_on_a_gpu_a_loss_is_looked_at_between_epochs_only(training, tmp_path, monkeypatch, device, looks):
    """With a checkpoint wanted after every step; the steps themselves are left out."""
    run, looked = training(method="vae"), []
    run.device = torch.device(device)
    run.advance = lambda: setattr(run, "step", run.step + 1)
    monkeypatch.setattr("vimae_core.runs.save_tensors", lambda *_: None)
    monkeypatch.setattr("vimae_core.runs._check_finite", lambda *_: looked.append(run.step))
    _train(run, tmp_path / "checkpoint", tell=None, checkpoint_seconds=0.0)
    assert looked == looks


def test_bf16_multiplies_and_fp32_measures(training, monkeypatch):
    """All convolutions in bf16, all losses in fp32 or more, weights in fp32."""
    step = training(method="vimae", precision="bf16")
    measured = Operations()

    def watched(*args):
        with measured:
            return loss_terms(*args)

    monkeypatch.setattr("vimae_core.training.loss_terms", watched)
    with Operations() as operations:
        step.advance()
    assert {dtype for name, dtype in operations.seen if name == "convolution"} == {torch.bfloat16}
    assert {dtype for _, dtype in measured.seen} <= {torch.float32, torch.float64, torch.bool}
    assert len(measured.seen) > 20
    assert all(p.dtype == torch.float32 for p in step.network.parameters())


@pytest.mark.parametrize(
    ("architecture", "decoder", "models"),
    [
        ("mlp", "plain", [{"method": "vae"}, {}, {"divergence": "adversarial"}]),
        ("conv", "plain", [{}]),
        ("mlp", "autoregressive", [{}]),
    ],
)
def test_the_losses_are_one_graph(architecture, decoder, models):
    """What a GPU compiles: no break in the graph, the same numbers and gradients. Without the tests' type checks."""
    code = f"""
import torch
from vimae_core import RunConfig, load_dataset
from vimae_core.objectives import loss_terms
from vimae_core.runs import _train
from vimae_core.training import Training
for fields in {models}:
    networks = {{"architecture": "{architecture}", "decoder": "{decoder}", "width": 1 / 16, "precision": "fp32"}}
    config = RunConfig(**fields, **networks)
    step = Training(config, load_dataset()["train"][0], torch.device("cpu"))
    x, noise, z_prior = torch.rand(32, 1, 28, 28), torch.randn(32, 2), torch.randn(32, 2)
    given = x, x, noise, z_prior, None, torch.empty(0, 2), *step._given(x)
    compiled, _ = torch.compile(step._losses, backend="aot_eager", fullgraph=True)(*given)
    plain, _ = step._losses(*given)
    for name, value in plain.items():
        assert abs(compiled[name].item() - value.item()) < 1e-5 * abs(value.item()) + 1e-6, name
    def gradients(terms):
        return torch.autograd.grad([v for t, v in terms.items() if t in ("loss", "discriminator")], of)
    of = list(step.weights.values())
    for name, *pair in zip(step.weights, *(gradients(t) for t in (compiled, plain))):
        assert pair[1].norm() > 0 and (pair[0] - pair[1]).norm() < 1e-4 * pair[1].norm(), name
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_images_stay_bytes_and_channels_stay_together(training):
    """Weights and gradients of every convolution between layers of many channels lie channels-last."""
    step = training(method="vimae")
    step.advance()
    assert step.images.dtype == torch.uint8
    layers = [layer for layer in step.network.modules() if isinstance(layer, Convolution | TransposedConvolution)]
    between = [layer.weight for layer in layers if min(layer.weight.shape[:2]) > 1]
    assert len(between) == 5
    for weight in between:
        assert weight.is_contiguous(memory_format=torch.channels_last)
        assert weight.grad.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_codes_noise_is_learnt_or_given(architecture):
    """Given, the encoder has half as many outputs, and every coordinate of every posterior that standard deviation."""
    shape = (1, 28, 28)
    learnt, given, point = (
        build_network(RunConfig(architecture=architecture, latent_dim=3, width=0.1, **fields), shape)
        for fields in ({}, {"encoder_std": 0.3}, {"encoder": "deterministic"})
    )
    x = torch.rand(4, *shape, generator=torch.Generator().manual_seed(0))
    variances = [network.eval().encode(x).log_variance.exp() for network in (learnt, given, point)]
    assert variances[0].unique().numel() > 1
    torch.testing.assert_close(variances[1], torch.full((4, 3), 0.09))
    assert variances[2].eq(0).all()
