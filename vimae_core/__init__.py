"""vimae_core: the models, objectives and measurements of "The variational infomax autoencoder"."""

from vimae_core.config import RunConfig, paper_model
from vimae_core.datasets import load_dataset
from vimae_core.evaluation.record import evaluate
from vimae_core.mmd import gaussian_kernel, imq_kernel, mmd2, null_band
from vimae_core.priors import make_prior
from vimae_core.reference import find_reference
from vimae_core.runs import Run, fit

__all__ = [
    "Run",
    "RunConfig",
    "evaluate",
    "find_reference",
    "fit",
    "gaussian_kernel",
    "imq_kernel",
    "load_dataset",
    "make_prior",
    "mmd2",
    "null_band",
    "paper_model",
]
