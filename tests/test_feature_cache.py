"""The cache of features: what is trusted, what is computed again, and how its progress is told."""

from functools import partial
from types import SimpleNamespace

import torch
from filelock import FileLock
from torch_fidelity import FeatureExtractorBase

from tests.test_features import pictures
from vimae_core.evaluation import features as module
from vimae_core.evaluation.features import FeatureNetwork, cached_features, described_once
from vimae_core.store import load_tensors, save_tensors


class MeanColour(FeatureExtractorBase):
    """Three features, and how many images were described; as one processor rounds, or one version computes them."""

    def __init__(self, factor: float = 1.0):
        super().__init__("mean-colour", ["3"])
        self.described, self.factor = 0, factor

    @staticmethod
    def get_provided_features_list():
        return ("3",)

    def forward(self, images):
        self.described += len(images)
        return (self.factor * images.float().mean((2, 3)),)


def mean_colour(digest: str = "0" * 12, factor: float = 1.0) -> FeatureNetwork:
    return FeatureNetwork("mean-colour", digest, "distance of colours", MeanColour(factor), torch.device("cpu"))


def test_progress_is_a_line_every_ten_seconds(monkeypatch, capsys):
    """Of a job whose 16 images take 4 s each time, and not unless it is asked for."""
    clock = iter(range(10**6))
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock) * 4.0))
    mean_colour().describe(pictures(160, grain=8), progress=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mean-colour features: 32 of 160" and 2 <= len(lines) <= 4
    mean_colour().describe(pictures(160, grain=8))
    assert capsys.readouterr().out == ""


def test_features_are_computed_once(tmp_path):
    """Then read, by a network that describes noise alone; other keys, numbers and weights have other files."""
    images, network = pictures(40, grain=4), mean_colour()
    features = cached_features(network, images, "tiny-test")
    assert torch.equal(features, images.float().mean((2, 3)))
    assert (tmp_path / "cache" / f"features-mean-colour-{'0' * 12}-tiny-test-40.safetensors").is_file()
    assert network.extractor.described == 40 + module.PROBED
    for again, described in ((network, 40 + module.PROBED), (mean_colour(), module.PROBED)):
        assert torch.equal(cached_features(again, images, "tiny-test"), features)
        assert torch.equal(cached_features(again, images / 255, "tiny-test"), features)  # the same bytes
        assert again.extractor.described == described
    for digest, key, n in (("0", "tiny-train", 40), ("0", "tiny-test", 30), ("1", "tiny-test", 40)):
        other = mean_colour(digest * 12)
        cached_features(other, images[:n], key)
        assert other.extractor.described == n + module.PROBED
    assert len(list((tmp_path / "cache").iterdir())) == 4


def test_a_cache_that_is_not_these_features_is_computed_again(tmp_path):
    """Damaged, of a file's older form, or whole but of other images, of which only the last pixel differs."""
    images, network = pictures(40, grain=4), mean_colour()
    features = cached_features(network, images, "tiny-test")
    [path] = (tmp_path / "cache").iterdir()
    whole = path.read_bytes()
    for damaged in (whole[:-8], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        path.write_bytes(damaged)
        assert torch.equal(cached_features(network, images, "tiny-test"), features)
        assert path.read_bytes() == whole
    save_tensors(path, {"features": features + 1}, load_tensors(path)[1])  # without the probe
    assert torch.equal(cached_features(network, images, "tiny-test"), features)
    others = images.clone()
    others[-1, -1, -1, -1] ^= 255
    assert torch.equal(cached_features(network, others, "tiny-test"), others.float().mean((2, 3)))
    assert torch.equal(cached_features(network, images.mT, "tiny-test"), images.mT.float().mean((2, 3)))


def test_a_cache_of_another_version_is_computed_again():
    """Of a library or code by which the same weights describe otherwise; not where a processor rounds otherwise."""
    images = pictures(40, grain=4)
    cached_features(mean_colour(), images, "tiny-test")
    rounding, version = mean_colour(factor=1 + 1e-6), mean_colour(factor=1.01)
    assert torch.equal(cached_features(rounding, images, "tiny-test"), images.float().mean((2, 3)))
    assert rounding.extractor.described == module.PROBED
    assert torch.equal(cached_features(version, images, "tiny-test"), 1.01 * images.float().mean((2, 3)))
    assert version.extractor.described == 40 + module.PROBED


def test_processes_share_what_is_to_be_described(tmp_path):
    """What another is at comes last, and is then read; nobody describes it a second time."""
    images, network, made = {key: pictures(20, grain=4) + n for n, key in enumerate("abc")}, mean_colour(), []
    (tmp_path / "cache").mkdir()
    other = FileLock(tmp_path / "cache" / "features-mean-colour-a.lock", thread_local=False)
    other.acquire()

    def make(key: str):
        made.append(key)
        if key == "c":  # the other ends meanwhile
            cached_features(mean_colour(), images["a"], "a")
            other.release()
        return images[key]

    found = described_once(network, {key: partial(make, key) for key in "abc"})
    assert made == ["b", "c", "a"] and list(found) == made
    assert network.extractor.described == 40 + module.PROBED
    assert all(torch.equal(found[key], images[key].float().mean((2, 3))) for key in "abc")


def test_a_cache_without_locks_is_a_cache(tmp_path, monkeypatch):
    """On a file system that knows none."""
    monkeypatch.setattr(FileLock, "acquire", lambda *_, **__: (_ for _ in ()).throw(NotImplementedError))
    images = pictures(20, grain=4)
    assert torch.equal(described_once(mean_colour(), {"a": lambda: images})["a"], images.float().mean((2, 3)))
