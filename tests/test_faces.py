"""What is measured of generated faces: against independent computations, and with a model that is perfect."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial.distance import cdist

from tests.test_features import released_features
from vimae_core import RunConfig, fit, toy_faces
from vimae_core.chapters.faces import measures
from vimae_core.chapters.faces import runs as faces_runs
from vimae_core.data import Dataset
from vimae_core.datasets import data_digest, load_dataset
from vimae_core.evaluation.drawn_codes import drawn_codes
from vimae_core.evaluation.faces import LADDER, SHOWN, faces, sharpness
from vimae_core.networks import as_pixels
from vimae_core.profiles import parameters, profile_at_hand
from vimae_core.reference import REFERENCE
from vimae_core.runs import Run
from vimae_core.store import RunError

N = 24
GREY = (0.2989, 0.587, 0.114)  # ITU-R 601


@pytest.fixture(scope="module")
def few() -> Dataset:
    """Toy faces, 200 to train on and 40 held out."""
    factors = toy_faces.draw_factors(240)
    split = {"train": slice(0, 200), "test": slice(200, 240)}
    return Dataset("toy-faces", toy_faces.render(factors), None, split, "few", factors)


@pytest.fixture
def run(few):
    """A model that has hardly seen anything."""
    config = RunConfig(dataset="toy-faces", architecture="conv", width=0.03, latent_dim=64, epochs=1, batch_size=50)
    return fit(config, few, progress=False)


def test_toy_faces_are_a_data_set_that_needs_no_files(tmp_path):
    """8,000 and 2,000 of them, the first as drawn alone, with their factors, from any data root."""
    data = load_dataset("toy-faces", tmp_path)
    assert data.split == {"train": slice(0, 8000), "test": slice(8000, 10_000)}
    assert data.images.shape == (10_000, 3, 64, 64) and data["test"][1] is None
    assert data.factors.shape == (10_000, len(toy_faces.FACTORS))
    assert torch.equal(toy_faces.render(data.factors[[0, 9999]]), data.images[[0, 9999]])
    assert data.digest == data_digest("toy-faces")


def laplacian_variance(x: torch.Tensor) -> float:
    """Of the grey picture (ITU-R 601), over the pixels that have all neighbours, mean over pictures."""
    grey = np.tensordot(GREY, x.numpy(), (0, 1))
    return np.mean([ndimage.laplace(g)[1:-1, 1:-1].var(ddof=1) for g in grey])


def test_sharpness_is_scipys_laplacian(few):
    """And falls where pictures are blurred."""
    x = as_pixels(few["test"][0][:5])
    expected = laplacian_variance(x)
    assert sharpness(x) == pytest.approx(expected, rel=1e-4)
    assert sharpness(LADDER["blurred by 1 pixel"](x)) < 0.5 * expected < expected < sharpness(LADDER["noise of 0.2"](x))


def test_the_ladder_does_what_it_says(few):
    """Blocks are constant, no colour means equal channels, a tenth means a tenth; all keep shape and range."""
    x = as_pixels(few["train"][0][:40])
    worse = {name: change(x) for name, change in LADDER.items()}
    for found in worse.values():
        assert found.shape == x.shape and found.min() >= 0 and found.max() <= 1 and not torch.equal(found, x)
    blocks = worse["blocks of 4 pixels"].unfold(2, 4, 4).unfold(3, 4, 4)
    assert torch.allclose(blocks.amax((-1, -2)), blocks.amin((-1, -2)))
    assert torch.allclose(blocks[..., 0, 0], x.unfold(2, 4, 4).unfold(3, 4, 4).mean((-1, -2)), atol=1e-6)
    assert torch.equal(worse["without colour"][:, 0], worse["without colour"][:, 2])
    assert len(worse["a tenth of them, ten times"].flatten(1).unique(dim=0)) == 4
    spread = (worse["noise of 0.05"] - x)[(x > 0.3) & (x < 0.7)].std().item()
    assert spread == pytest.approx(0.05, rel=0.03)


@pytest.fixture(scope="module")
def measured(few, tmp_path_factory) -> tuple[Run, dict]:
    """A trained VIMAE-n (of CelebA), as if of another seed and of some of these training pictures, and its record."""
    run = Run.load(REFERENCE / "7651541c908e4897", device="cpu")
    run = replace(run, config=replace(run.config, n_train=150, seed=3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIMAE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return run, faces(run, few, N, "efficientnet-lite0")


def rows_of_the_record(few) -> tuple[torch.Tensor, torch.Tensor]:
    """Training and test pictures in [0, 1]: the same training pictures for every seed, the first test pictures."""
    chosen = torch.randperm(150, generator=torch.Generator().manual_seed(0))[:N]
    return few.images[chosen] / 255, few.images[200 : 200 + N] / 255


def described(x: torch.Tensor) -> np.ndarray:
    """Features of pixels in [0, 1] by the released network, in double precision from there on."""
    return released_features((255 * x).round().to(torch.uint8)).double().numpy()


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet's, in the space that the rows span, where the covariances are small; their roots by eigenvalues."""
    basis = np.linalg.qr(np.vstack([a, b]).T)[0]
    a, b = a @ basis, b @ basis
    values, axes = np.linalg.eigh(np.cov(a.T))
    root = axes * np.sqrt(values.clip(0)) @ axes.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ np.cov(b.T) @ root).clip(0)).sum()
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(np.cov(a.T)) + np.trace(np.cov(b.T)) - 2 * cross


def line(a: np.ndarray, b: np.ndarray) -> float:
    """The end of the line through the distance of all rows and the mean one of halves, drawn by seed 0."""
    generator = torch.Generator().manual_seed(0)
    a, b = (rows[torch.randperm(N, generator=generator).numpy()] for rows in (a, b))
    half = N // 2
    return 2 * distance(a, b) - (distance(a[:half], b[:half]) + distance(a[half:], b[half:])) / 2


def kernel(a: np.ndarray, b: np.ndarray) -> float:
    """The unbiased squared MMD, pair by pair."""
    k = [[[(p @ q / len(p) + 1) ** 3 for q in y] for p in x] for x, y in ((a, a), (b, b), (a, b))]
    own = sum(k[i][p][q] for i in (0, 1) for p in range(N) for q in range(N) if p != q)
    return own / (N * (N - 1)) - 2 * np.mean(k[2])


def part_among(points: np.ndarray, others: np.ndarray) -> float:
    """The part of the points that lie within the distance of one of the others to its third neighbour."""
    radius = np.sort(cdist(others, others))[:, 3]
    return np.mean([(np.linalg.norm(others - p, axis=1) <= radius).any() for p in points])


def test_the_record_follows_from_the_run(measured, few):
    """Draws written out, decoded picture by picture, described by the released network; distances by NumPy."""
    run, record = measured
    assert record["n"] == N and record["title"] == "Fréchet distance on EfficientNet-Lite0 features"
    train, test = rows_of_the_record(few)
    generator = torch.Generator().manual_seed(3)
    z = {"prior": torch.randn(N, 64, generator=generator)}
    mean, log_variance = run.network.encode(train)
    z["aggregate"] = mean + torch.exp(log_variance / 2) * torch.randn(N, 64, generator=generator)
    samples = {name: torch.cat([torch.sigmoid(run.network.decode(row[None])) for row in z[name]]) for name in z}
    held_out = described(test)
    for name, images in {**samples, "real": train}.items():
        found = described(images)
        assert record[f"{name}_distance"] == pytest.approx(distance(found, held_out), rel=1e-4)
        assert record[f"{name}_extrapolated"] == pytest.approx(line(found, held_out), rel=1e-3)
        assert record[f"{name}_kernel"] == pytest.approx(kernel(found, held_out), rel=1e-3)
        assert record[f"{name}_precision"] == pytest.approx(part_among(found, held_out))
        assert record[f"{name}_recall"] == pytest.approx(part_among(held_out, found))
    for name, images in samples.items():
        assert record[f"{name}_sharpness"] == pytest.approx(laplacian_variance(images), rel=1e-3)
    codes = run.network.encode(test).mean
    assert torch.allclose(torch.tensor(record["codes"]), codes[:SHOWN], atol=1e-4)
    rebuilt = torch.sigmoid(run.network.decode(codes))
    error = np.mean([np.sum((a.numpy() - b.numpy()) ** 2) for a, b in zip(rebuilt, test, strict=True)])
    assert record["reconstruction_error"] == pytest.approx(error, rel=1e-4)
    assert record["reconstruction_sharpness"] == pytest.approx(laplacian_variance(rebuilt), rel=1e-3)
    assert record["test_sharpness"] == pytest.approx(laplacian_variance(test), rel=1e-3)


def test_the_ladder_is_of_the_training_pictures_made_worse(measured, few):
    """Each rung by SciPy and NumPy; real against real lies below all."""
    _, record = measured
    train, test = rows_of_the_record(few)
    x, noise = train.numpy(), torch.randn(train.shape, generator=torch.Generator().manual_seed(1)).numpy()
    blocks = x.reshape(N, 3, 16, 4, 16, 4).mean((3, 5))
    worse = {
        "noise of 0.05": (x + 0.05 * noise).clip(0, 1),
        "noise of 0.2": (x + 0.2 * noise).clip(0, 1),
        "blurred by 1 pixel": ndimage.gaussian_filter(x, (0, 0, 1, 1), mode="mirror", truncate=4),
        "blurred by 2 pixels": ndimage.gaussian_filter(x, (0, 0, 2, 2), mode="mirror", truncate=4),
        "blocks of 4 pixels": blocks.repeat(4, axis=2).repeat(4, axis=3),
        "without colour": np.tensordot(x, GREY, (1, 0))[:, None].repeat(3, axis=1),
        "a tenth of them, ten times": x[np.arange(N) % 3],
    }
    assert list(record["ladder"]) == list(worse) == list(LADDER)
    held_out = described(test)
    for name, images in worse.items():
        wanted = distance(described(torch.from_numpy(images).float()), held_out)
        assert record["ladder"][name] == pytest.approx(wanted, rel=1e-3)
    assert record["real_distance"] < min(min(record["ladder"].values()), record["prior_distance"])


def test_codes_are_drawn_for_training_pictures(run, few):
    """Each its picture's posterior mean and as much noise as its spread, all by the run's seed; to three digits."""
    generator = torch.Generator().manual_seed(run.config.seed)
    images = as_pixels(few.images[torch.randperm(200, generator=generator)[:16]])
    mean, log_variance = run.network.encode(images)
    wanted = mean + torch.exp(log_variance / 2) * torch.randn(16, 64, generator=generator)
    codes = torch.tensor(drawn_codes(run, few)["codes"], dtype=torch.float64)
    assert torch.allclose(codes, wanted.double(), atol=6e-4) and torch.equal(codes, codes.round(decimals=3))


def test_other_weights_than_asked_for_are_refused(run, few):
    """The record would be another."""
    with pytest.raises(RunError, match="weights 579344248a93 are here, 000000000000 were asked for"):
        faces(run, few, N, "efficientnet-lite0", digest="0" * 12)


def test_the_digest_of_the_features_determines_the_record():
    """It stands among the settings, so that other weights measure anew."""
    p = parameters("faces", "smoke")
    asked = measures("table", p)["faces"]
    assert asked == {"n_test": 40, "features": "efficientnet-lite0", "weights": None, "digest": "579344248a93"}


def test_the_runs_of_the_chapter():
    """Table 2's models and the AE under Bernoulli, VIMAE at its lambda; three of them under other likelihoods."""
    groups = faces_runs(parameters("faces", "reference"))
    assert len(groups["table"]) == 12 and len(groups["scale"]) == 6
    assert {c.lambda_ for c in groups["table"] if c.method == "vimae"} == {100.0}
    assert {c.lambda_ for c in groups["table"] if c.method == "vae"} == {1.0}
    assert {c.likelihood for c in groups["scale"]} == {"gaussian", "wae"}
    paper = faces_runs(parameters("faces", "paper"))["table"][0]
    assert (paper.width, paper.epochs, paper.learning_rate, paper.schedule) == (1.0, 50, 5e-4, "exponential")


def test_without_celeba_the_chapter_has_toy_faces(tmp_path, monkeypatch):
    """Whatever the profile; with the folder it has CelebA."""
    monkeypatch.setenv("VIMAE_DATA", str(tmp_path))
    assert profile_at_hand("faces", "reference") == profile_at_hand("faces", "paper") == "quick"
    assert profile_at_hand("capacity", "reference") == "reference"
    (tmp_path / "celeba").mkdir()
    assert profile_at_hand("faces", "reference") == "reference"


def test_a_deterministic_encoder_is_an_option(few):
    """For VIMAE; a VAE with one is refused."""
    given = {"encoder": "deterministic", "methods": "AE,VIMAE-n", "scale_methods": "VIMAE-n"}
    runs = faces_runs(parameters("faces", "smoke", **given))
    assert {c.encoder for c in runs["table"] + runs["scale"]} == {"deterministic"}
    with pytest.raises(ValueError, match="encoder='deterministic' is not possible"):
        faces_runs(parameters("faces", "smoke", encoder="deterministic"))
