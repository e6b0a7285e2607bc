"""The widget, driven as its sliders and buttons drive it, without a browser."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from tests.test_papermill import papermill
from vimae_core import RunConfig, fit, load_dataset
from vimae_core.report import explore
from vimae_core.report.explore import Directions, Explorer, as_png, in_words, runs_at_hand


def seen(picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.value))).astype(float)


@pytest.fixture
def runs(tiny, tmp_path, monkeypatch):
    """Two runs of the tiny digits in the store and no reference."""
    monkeypatch.setattr(explore, "REFERENCE", tmp_path / "no-reference")
    monkeypatch.setenv("VIMAE_DATA", str(tiny))
    explore.images_of.cache_clear()
    common = {"dataset": "tiny", "data_root": str(tiny), "epochs": 20, "batch_size": 16, "width": 0.1, "latent_dim": 3}
    yield [fit(RunConfig(method=m, **common), progress=False) for m in ("vimae", "vae")]
    explore.images_of.cache_clear()


@pytest.fixture
def explorer(runs, tiny):
    explorer = Explorer(3, epochs=1, batch_size=16, architecture="mlp", width=0.1)
    explorer.dataset.value = "tiny"
    return explorer


def test_a_code_is_split_and_joined(runs, tiny):
    """What the sliders cannot hold, beyond their reach or number, stays; the widest directions come first."""
    directions = Directions.of(runs[0], load_dataset("tiny", tiny)["test"][0])
    np.testing.assert_allclose(directions.vectors @ directions.vectors.T, torch.eye(3), atol=1e-5)
    assert directions.lengths.tolist() == sorted(directions.lengths.tolist(), reverse=True)
    codes = runs[0].encode(load_dataset("tiny", tiny)["test"][0])
    np.testing.assert_allclose(((codes - codes.mean(0)) @ directions.vectors.T).std(0), directions.lengths, rtol=1e-4)
    for z in (torch.randn(3), 1000 * torch.ones(3), directions.origin):
        values, rest = directions.split(z)
        assert max(map(abs, values)) <= explore.REACH
        torch.testing.assert_close(directions.join(values, rest), z)


def test_the_sliders_decode(explorer):
    """A slider moves the picture to what the run decodes there; the image's own code gives its reconstruction."""
    run, images = explorer.run, load_dataset("tiny", explorer.run.config.data_root)["test"][0]
    explorer.index.value = 5
    assert np.array_equal(seen(explorer.given), np.asarray(Image.open(io.BytesIO(as_png(images[5])))).astype(float))
    expected = as_png(run.decode(run.encode(images[5:6]))[0])
    assert abs(seen(explorer.decoded) - np.asarray(Image.open(io.BytesIO(expected)))).max() <= 2
    before = seen(explorer.decoded)
    explorer.sliders[0].value = -explorer.sliders[0].value + 2
    z = explorer.directions.join([slider.value for slider in explorer.sliders], explorer.rest)
    assert explorer.decoded.value == as_png(run.decode(z[None])[0])
    assert abs(seen(explorer.decoded) - before).max() > 1


def test_the_pickers_choose_a_run(explorer, runs):
    """By data, size, method and prior; what is not there is said, and trained when it is asked for."""
    assert explorer.run.config.method == "vimae" and explorer.choice.options[0][0] == in_words(runs[0])
    explorer.method.value = "vae"
    assert explorer.run.path == runs[1].path and len(explorer.sliders) == 3
    explorer.prior.value = "logistic"
    assert explorer.choice.value is None and not explorer.of_directions.children
    assert "Runs of tiny have latent sizes [3]" in explorer.told.value
    explorer.train.click()
    assert explorer.run.config.prior == "logistic" and explorer.run.config.latent_dim == 3
    assert len(runs_at_hand()) == 3 and explorer.run.path in [run.path for run in runs_at_hand()]


def test_a_draw_of_the_prior(explorer):
    """Other sliders, another picture, and no image beside it; an image is there again when it is asked for."""
    before = [slider.value for slider in explorer.sliders]
    explorer.draw.click()
    assert [slider.value for slider in explorer.sliders] != before
    assert explorer.given.layout.visibility == "hidden"
    explorer.index.value = 3
    assert explorer.given.layout.visibility == "visible"


def test_what_cannot_be_trained_is_said(explorer):
    """In the widget, in the words of the configuration."""
    explorer.size.value, explorer.training["epochs"] = 7, 0
    explorer.train.click()
    assert "epochs=0 is not possible: must be greater than 0" in explorer.told.value


def test_published_faces_need_no_pictures(tmp_path, monkeypatch):
    """CelebA is not in the repository: its networks' directions come from the decoder, and there is no test image."""
    monkeypatch.setenv("VIMAE_DATA", str(tmp_path))
    explore.images_of.cache_clear()
    explorer = Explorer(64)
    explorer.dataset.value = "celeba"
    assert explorer.run.config.dataset == "celeba" and explorer.index.disabled
    assert len(explorer.sliders) == explore.SLIDERS and "its test images are not here" in explorer.told.value
    before = seen(explorer.decoded)
    explorer.sliders[0].value = 3
    assert seen(explorer.decoded).shape == (256, 256, 3)
    first = abs(seen(explorer.decoded) - before).mean()
    explorer.sliders[0].value, explorer.sliders[7].value = 0, 3
    assert first > abs(seen(explorer.decoded) - before).mean() > 0.1
    explore.images_of.cache_clear()


def test_the_notebook_runs(tmp_path):
    """Under papermill, with other parameters."""
    done = papermill(tmp_path, "notebooks/explore.ipynb", "-p", "latent_dim", "2")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Explorer" not in done.stderr and (tmp_path / "out.ipynb").read_text().count("widget-view+json") >= 1
