"""Disentanglement as a measure of runs: which data it takes, what it records, and the floors below it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d

from tests.conftest import write_idx
from vimae_core import RunConfig, evaluate, load_dataset
from vimae_core.data import Dataset
from vimae_core.evaluation.disentanglement import live, scores
from vimae_core.evaluation.disentanglement_floors import floor_encoders
from vimae_core.evaluation.disentanglement_scores import dci, equal_wide, factor_vae, information_gaps, mig, sap
from vimae_core.evaluation.record import check_measure
from vimae_core.networks import Posterior, as_pixels, build_network
from vimae_core.report.measures import MEANINGS
from vimae_core.runs import Run
from vimae_core.toy_faces import FACTORS, draw_factors, render

MEASURES = ("disentanglement", "disentanglement_floors")
SMALL = RunConfig(dataset="toy-faces", architecture="conv", width=0.02, latent_dim=6, n_train=300, seed=3)


@pytest.fixture(scope="module")
def faces() -> Dataset:
    return load_dataset("toy-faces")


def untrained(path, config: RunConfig = SMALL) -> Run:
    """As if this were what training had come to, the last coordinate's mean constant, the first's noise small."""
    path.mkdir()
    run = Run(config, path, history={}, environment={})
    network = build_network(config, (3, 64, 64)).eval().requires_grad_(False)
    last = network.encoder[-1]
    last.weight *= 100
    last.weight[config.latent_dim - 1] = 0
    last.weight[config.latent_dim :] = 0
    last.bias[config.latent_dim :] = -20
    run.__dict__["network"] = network
    return run


def test_a_record_holds_the_scores_of_the_runs_codes(faces, tmp_path):
    """By the scores themselves, of posterior means; a dead coordinate has no vote. Seeds are the configuration's."""
    run = untrained(tmp_path / "a")
    record = evaluate(run, 150, faces, "disentanglement", votes=1)
    other = evaluate(untrained(tmp_path / "b", replace(SMALL, seed=4)), 150, faces, MEASURES[0], votes=1)
    assert other["informativeness"] != record["informativeness"]
    codes, v = run.encode(faces["test"][0][:150]), faces.factors[8000:8150]
    found = dci(run.encode(faces["train"][0][:300]), faces.factors[:300], codes, v, seed=3)
    gaps = information_gaps(codes, v)
    expected = {
        "live": 5, "n": 150, "fitted": 300, "mig": mig(codes, v), "mig_equal_wide": mig(codes, v, equal_wide),
        "sap": sap(codes, v), "disentanglement": found.disentanglement, "completeness": found.completeness,
        "informativeness": found.informativeness,
        "factor_vae": factor_vae(lambda v: run.encode(render(v))[:, :5], draw_factors, seed=4, votes=1),
        "gaps": dict(zip(FACTORS, gaps.tolist(), strict=True)),
        "explained": dict(zip(FACTORS, found.explained, strict=True)),
    }  # fmt: skip
    assert record == expected
    assert set(record) == set(MEANINGS["disentanglement"])


def test_a_reading_of_the_factors_is_disentangled(faces):
    """Coordinates that are fitted to the factors, linearly in pixels: far better than the same ones mixed."""

    def pixels(images):
        small = avg_pool2d(as_pixels(images), 4).flatten(1).double()
        return torch.cat([small, torch.ones(len(small), 1)], 1)

    x, v = pixels(faces["train"][0][:4000]), faces.factors[:4000].double()
    reading = torch.linalg.solve(x.T @ x + 0.01 * torch.eye(x.shape[1]), x.T @ v)
    mixing = torch.linalg.qr(torch.randn(10, 10, generator=torch.Generator().manual_seed(0)).double())[0]
    config = replace(SMALL, n_train=2000)
    read = scores(lambda images: pixels(images) @ reading, faces, config, votes=2)
    mixed = scores(lambda images: pixels(images) @ reading @ mixing, faces, config, votes=2)
    for name, least in (
        ("mig", 0.3),
        ("sap", 0.5),
        ("disentanglement", 0.6),
        ("completeness", 0.6),
        ("factor_vae", 0.9),
    ):
        assert read[name] > least and read[name] > 1.3 * mixed[name], name
    assert read["informativeness"] > 0.8


def test_collapsed_coordinates_are_told_by_what_images_decide():
    """A twentieth of the codes' variance, in whatever unit; without noise all that is not constant lives."""
    mean = torch.randn(5000, 4, generator=torch.Generator().manual_seed(0))
    mean = (mean - mean.mean(0)) / mean.std(0) * torch.tensor([1.0, 0.23, 0.22, 0.0])
    for unit in (1.0, 100.0):
        posterior = Posterior(unit * mean, torch.full_like(mean, 2 * np.log(unit)))
        assert live(posterior).tolist() == [True, True, False, False]
    assert live(Posterior(mean, torch.full_like(mean, -torch.inf))).tolist() == [True, True, True, False]


def sources(n: int = 3000) -> tuple[torch.Tensor, Dataset]:
    """Four independent uniform sources, and images whose pixels are mixtures of them."""
    rng = np.random.default_rng(0)
    s = rng.uniform(-1, 1, (n, 4))
    pixels = 128 + 100 * s @ rng.normal(size=(4, 256)) / 8
    images = torch.from_numpy(pixels.clip(0, 255).round().astype(np.uint8)).view(n, 1, 16, 16)
    return torch.from_numpy(s), Dataset("mixed", images, None, {"train": slice(0, n), "test": slice(0, n)}, "0" * 64)


def test_floors_are_components_and_an_untrained_encoder():
    """Principal components by NumPy; independent ones are the sources that were mixed, which principal ones are not."""
    s, data = sources()
    config = RunConfig(dataset="mixed", latent_dim=4, width=0.1)
    codes = {name: encode(data.images) for name, encode in floor_encoders(data, config).items()}
    x = data.images.flatten(1).double().numpy() / 255
    left = np.linalg.svd(x - x.mean(0), full_matrices=False)[0][:, :4] * np.sqrt(len(x) - 1)
    np.testing.assert_allclose(codes["pca"].abs(), np.abs(left), atol=1e-3)
    found = {name: np.abs(np.corrcoef(s.T, z.T)[:4, 4:]) for name, z in codes.items()}
    assert (found["ica"].max(1) > 0.98).all() and len(set(found["ica"].argmax(1))) == 4
    assert found["pca"].max(1).min() < 0.9
    with torch.no_grad():
        own = build_network(config, (1, 16, 16)).encode(as_pixels(data.images)).mean
    torch.testing.assert_close(codes["untrained"], own)


def test_floors_are_recorded_beside_a_run(faces, tmp_path):
    """Each score of each floor; its codes are the same to the digit whenever they are fitted."""
    record = evaluate(untrained(tmp_path / "a"), 150, faces, "disentanglement_floors", votes=1)
    assert set(record) == set(MEANINGS["disentanglement_floors"])
    assert all(set(record[name]) == {"untrained", "pca", "ica"} for name in set(record) - {"n", "fitted"})
    encode = floor_encoders(faces, SMALL)["ica"]
    assert record["sap"]["ica"] == sap(encode(faces["test"][0][:150]), faces.factors[8000:8150])


@pytest.mark.parametrize("measure", MEASURES)
def test_data_without_known_factors_are_refused(measure, tmp_path):
    """By the data set's name, with which has them."""
    write_idx(tmp_path / "digits")
    data = load_dataset("digits", tmp_path)
    with pytest.raises(ValueError, match=r"digits has no known factors.*: dataset='toy-faces' has them"):
        check_measure(measure, RunConfig(dataset="digits"), data)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("fields", "settings", "told"),
    [
        ({"latent_dim": 1}, {}, "latent_dim=1 is not possible: the scores compare 2 coordinates or more"),
        ({"n_train": 99, "batch_size": 50}, {}, "n_train=99 is not possible: 20 bins of a factor need 100 images"),
        ({}, {"n_test": 20}, "n_test=20 is not possible: 20 bins of a factor need 100 images or more"),
        ({}, {"votes": 0}, "votes=0 is not possible: must be 1 or more of each factor"),
    ],
)
def test_what_cannot_be_measured_is_refused(measure, fields, settings, told, faces):
    """Before anything is trained."""
    with pytest.raises(ValueError, match=told):
        check_measure(measure, replace(SMALL, **fields), faces, **settings)


def test_more_components_than_images_are_refused(faces):
    """With how many there are at most."""
    config = replace(SMALL, n_train=100, latent_dim=100)
    told = "latent_dim=100 is not possible: 100 training images of 12288 values have at most 99 principal components"
    with pytest.raises(ValueError, match=told):
        check_measure("disentanglement_floors", config, faces)
    with pytest.raises(ValueError, match=told):
        floor_encoders(faces, config)
