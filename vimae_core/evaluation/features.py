"""Features that measure generated pictures: Inception's where its weights are at hand, else EfficientNet-Lite0's.

Only the distance on Inception's own features is the FID. Nothing is downloaded, and reading weights executes nothing.
"""

import contextlib
import hashlib
import io
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from efficientnet_lite_pytorch import EfficientNet
from filelock import FileLock, Timeout
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch_fidelity import FeatureExtractorBase
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from vimae_core.datasets import DataError, cache_root
from vimae_core.evaluation.feature_weights import Weights, lite_weights, weights_at_hand
from vimae_core.process import pick_device
from vimae_core.store import RunError, load_tensors, make_folder, save_tensors, say

BATCH_SIZE = 16  # of 8, 16 and 32 the fastest for EfficientNet-Lite0 on one core
LARGE = 3  # its first blocks, of 56 x 56 places and more: a picture by itself stays in the processor's cache
PROBED = 8  # pictures of noise whose features say whether a cache file is this network's


class EfficientNetLite0(FeatureExtractorBase):
    """EfficientNet-Lite0's features (Tan & Le 2019), pooled before the classifier, as torch-fidelity takes extractors.

    Byte images (n, 3, h, w) are resized bilinearly to 224 x 224 (align_corners=False) and normalised as Google
    trained these weights, by mean 127 and deviation 128 in every channel: the PyTorch file is copied from that
    TensorFlow checkpoint. Raises DataError where the weights file is not the one that was released.
    """

    def __init__(self, name: str, features_list, feature_extractor_weights_path=None, **_):
        super().__init__(name, features_list)
        network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(lite_weights(feature_extractor_weights_path).tensors)
        _turn(network.eval())
        blocks = network._blocks
        self.large = nn.Sequential(network._conv_stem, network._swish, *blocks[:LARGE])
        self.small = nn.Sequential(*blocks[LARGE:], network._conv_head, network._swish, nn.AdaptiveAvgPool2d(1))
        self.requires_grad_(False)

    def forward(self, images: UInt8[Tensor, "n 3 h w"]) -> tuple[Float[Tensor, "n 1280"]]:
        """The features, as a tuple of one."""
        x = ((images.flip(2, 3).float() - 127) / 128).contiguous(memory_format=torch.channels_last)
        resized = (interpolate(one, size=(224, 224), mode="bilinear", align_corners=False) for one in x.split(1))
        return (self.small(torch.cat([self.large(one) for one in resized])).flatten(1),)

    @staticmethod
    def get_provided_features_list():
        return ("1280",)

    @staticmethod
    def get_default_feature_layer_for_metric(metric):
        return "1280"


def _turn(network: EfficientNet) -> None:
    """Makes it a network for pictures turned by 180 degrees, whose features are the same to 1e-5, in half the time.

    Batch norms become part of the convolutions before them. TensorFlow pads an even side for a stride of 2 by one
    pixel more at its end, and so every picture would be copied into a larger one. Turned, it is one more at the
    start, which is PyTorch's own padding: what that adds at the end is never reached.
    """
    ends = {"_conv_stem": "_bn0", "_conv_head": "_bn1"}
    block = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}
    for part, pairs in ((network, ends), *((part, block) for part in network._blocks)):
        part._swish = nn.ReLU6(inplace=True)
        for conv, norm in pairs.items():
            if hasattr(part, conv):  # the first block expands nothing
                folded = fuse_conv_bn_eval(getattr(part, conv), getattr(part, norm))
                folded.weight.data = folded.weight.flip(2, 3)
                folded.padding = tuple(side // 2 for side in folded.kernel_size)
                folded.static_padding = nn.Identity()
                setattr(part, conv, folded)
                setattr(part, norm, nn.Identity())


@dataclass(frozen=True)
class FeatureNetwork:
    """A network that describes pictures; distances under other weights are others."""

    name: str  # "inception" or "efficientnet-lite0"
    digest: str  # sha256 of the weights file, its first 12 digits
    title: str  # what the Frechet distance on these features is called
    extractor: FeatureExtractorBase
    device: torch.device

    @torch.no_grad()
    def describe(
        self, images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"], progress: bool = False
    ) -> Float[Tensor, "n f"]:
        """Features of colour images: bytes, or pixels in [0, 1], which are rounded to bytes first; on the CPU.

        Raises ValueError for images without exactly three channels, and for pixels outside [0, 1].
        """
        if images.shape[1] != 3:
            raise ValueError(f"images of shape {tuple(images.shape)}: the features take 3 channels, (n, 3, h, w)")
        features, shown = [], time.monotonic()
        for done, part in enumerate(images.split(BATCH_SIZE)):
            if progress and time.monotonic() - shown >= 10:
                shown = time.monotonic()
                say(f"{self.name} features: {done * BATCH_SIZE:,} of {len(images):,}\n")
            features.append(self.extractor(_as_bytes(part).to(self.device))[0].cpu())
        return torch.cat(features)

    @cached_property
    def probe(self) -> Float[Tensor, "8 f"]:
        """Features of eight fixed pictures of noise: code, libraries or processors that change any change these."""
        noise = torch.randint(0, 256, (PROBED, 3, 64, 64), generator=torch.Generator().manual_seed(0))
        return self.describe(noise.to(torch.uint8))


def _as_bytes(images: Tensor) -> Tensor:
    if images.dtype == torch.uint8:
        return images
    if not ((images >= 0) & (images <= 1)).all():  # NaN likewise
        raise ValueError(f"pixels from {images.min():.3g} to {images.max():.3g}: those of floats are in [0, 1]")
    return (images * 255).round().to(torch.uint8)


def feature_network(name: str = "auto", weights: str | os.PathLike | None = None, device="auto") -> FeatureNetwork:
    """The network of that name, or of what is at hand, with the errors of `weights_at_hand`.

    Raises DataError too where a file holds other weights than Inception's.
    """
    found = weights_at_hand(name, weights)
    with torch.random.fork_rng(devices=[]):  # both draw weights before they load theirs
        if found.name == "inception":
            extractor = _inception(found)
            title = f"Fréchet distance on Inception features (weights {found.digest})"
        else:
            extractor, title = EfficientNetLite0("lite0", ["1280"]), "Fréchet distance on EfficientNet-Lite0 features"
    place = pick_device(device)
    extractor.to(place, memory_format=torch.channels_last)  # a third faster on the CPU
    return FeatureNetwork(found.name, found.digest, "FID" if found.are_the_fids else title, extractor, place)


def _inception(found: Weights) -> FeatureExtractorBase:
    # torch-fidelity unpickles its file with whatever code that holds. It gets the tensors alone, pickled here.
    clean = io.BytesIO()
    torch.save(found.tensors, clean)
    clean.seek(0)
    try:
        return FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=clean)
    except RuntimeError:
        raise DataError(f"{found.path} holds other weights than Inception's in torch-fidelity's format") from None


def described_once(
    network: FeatureNetwork, pictures: dict[str, Callable[[], UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"]]]
) -> dict[str, Float[Tensor, "n f"]]:
    """`cached_features` of several sets, which processes that begin together share: what another is at comes last."""
    found: dict[str, Tensor] = {}
    for seconds in (0, -1):  # at first none is waited for
        for key in [key for key in pictures if key not in found]:
            file = make_folder(cache_root()) / f"features-{network.name}-{key}.lock"
            with contextlib.suppress(Timeout), contextlib.ExitStack() as held:
                with contextlib.suppress(NotImplementedError):  # a file system without locks: each describes all
                    held.enter_context(FileLock(file, timeout=seconds))
                found[key] = cached_features(network, pictures[key](), key)
    return found


def cached_features(
    network: FeatureNetwork, images: UInt8[Tensor, "n c h w"] | Float[Tensor, "n c h w"], key: str
) -> Float[Tensor, "n f"]:
    """Features of fixed images that `key` names, read from the cache folder where they were computed before.

    A file is trusted where it is whole, of the same bytes, and of a network that describes noise as this one does, to
    far less than what moves a distance; else it is replaced.
    """
    path = cache_root() / f"features-{network.name}-{network.digest}-{key}-{len(images)}.safetensors"
    content = hashlib.sha256(_as_bytes(images).contiguous().numpy()).hexdigest()
    meta = {"key": key, "images": f"{content} {tuple(images.shape)}"}
    try:
        tensors, found = load_tensors(path)
        rounding = 1e-3 * float(network.probe.std())
        if found == meta and torch.allclose(tensors["probe"], network.probe, rtol=0, atol=rounding):
            return tensors["features"]
    except (RunError, KeyError):
        pass
    features = network.describe(images, progress=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(path, {"features": features, "probe": network.probe}, meta)
    return features
