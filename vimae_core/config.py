"""What determines a run: one frozen dataclass, and the names of the paper's models."""

import os
import re
from dataclasses import MISSING, asdict, dataclass, fields

import numpy as np

from vimae_core.data import FOLDER_NAME, names_folder
from vimae_core.mmd import KERNELS
from vimae_core.priors import PRIORS

# method -> (alpha, lambda) of the one objective,  -E log p(x|z) + alpha R + (lambda - alpha) D
METHODS = {
    "ae": (0.0, 0.0),  # section 4: the unregularised control
    "vae": (1.0, 1.0),  # Eq. (2)
    "beta-vae": (10.0, 10.0),  # section 2.3; the paper's beta = 10
    "infovae": (0.5, 10.0),  # Eq. (4); the paper names no alpha: half of the VAE's
    "vimae": (0.0, 10.0),  # Eq. (9); the paper's lambda = 10
}

# The paper's names of its models, and of the control that tells a prior's part from an objective's: VAE-l.
PAPER_MODELS = {
    "AE": {"method": "ae"},
    "VAE": {"method": "vae"},
    "beta-VAE": {"method": "beta-vae"},
    "InfoVAE": {"method": "infovae"},
    "VIMAE-n": {"method": "vimae", "prior": "normal"},
    "VIMAE-l": {"method": "vimae", "prior": "logistic"},
    "VAE-l": {"method": "vae", "prior": "logistic"},
}

CHOICES = {
    "method": tuple(METHODS),
    "prior": tuple(PRIORS),
    "likelihood": ("bernoulli", "gaussian", "wae", "wae-symmetric"),
    "divergence": ("mmd", "adversarial"),
    "kernel": tuple(KERNELS),
    "encoder": ("gaussian", "deterministic"),
    "architecture": ("mlp", "wae-mlp", "conv"),
    "decoder": ("plain", "autoregressive"),
    "precision": ("auto", "fp32", "bf16"),
    "schedule": ("wae", "exponential", "one-cycle", "constant"),
    "lambda_schedule": ("constant", "ramp", "constrained"),
}

# The tables of alternatives that training picks from, and the field that picks: a run is named by its own alone.
TABLES = {
    "PRIORS": "prior",
    "RATES": "prior",
    "DIVERGENCES": "divergence",
    "KERNELS": "kernel",
    "LIKELIHOODS": "likelihood",
    "ARCHITECTURES": "architecture",
    "DECODERS": "decoder",
    "SCHEDULES": "schedule",
    "LAMBDA_SCHEDULES": "lambda_schedule",
}

# Where and how a run is computed, not what: no part of its digest.
UNSCIENTIFIC = ("device", "data_root")


@dataclass(frozen=True)
class RunConfig:
    """One training, named by its scientific fields.

    `alpha` and `lambda_` default to the method's own. A VAE's are fixed; a beta-VAE has one weight
    (give `lambda_`, the paper's beta). Raises ValueError or TypeError that names the field, the
    value and what is allowed.
    """

    dataset: str = "mnist"  # a folder under the data root, or toy-faces
    n_train: int | None = None  # the first n training images; None: all
    method: str = "vimae"
    prior: str = "normal"
    prior_scale: float | None = None  # the family's own, as of `make_prior`; None: unit variance
    prior_shape: float | None = None  # of a generalised normal: 1 Laplace's, 2 the normal's, larger towards the uniform
    alpha: float | None = None  # weight of the rate, that is of I(X, Z) in Eq. (4)
    lambda_: float | None = None  # weight of D(q(z)||p(z))
    lambda_schedule: str = "constant"  # how lambda gets there, Eq. (8): at once, rising, or rising until q(z) fits p(z)
    tolerance: float = 1.0  # of the constraint, in the smallest MMD^2 that its estimates tell from none
    divergence: str = "mmd"  # D; adversarial: Jensen-Shannon, by a discriminator of codes from draws of the prior
    memory: int = 0  # recent codes that the MMD of a step takes beside the batch's
    more_codes: int = 0  # or codes of so many other images, by the encoder as it is
    kernel: str = "imq"  # of the MMD, section 5
    likelihood: str = "bernoulli"  # the paper does not say; its scale gives alpha and lambda their meaning
    architecture: str = "mlp"  # of 5.1; wae-mlp: with the WAE code's batch norm; conv: that code's, of 5.2
    width: float = 1.0  # of the paper's hidden layers
    encoder: str = "gaussian"
    encoder_std: float | None = None  # of every coordinate of a Gaussian encoder; None: learnt
    decoder: str = "plain"  # pixels independent given z; autoregressive: each given those before it too, claim 9
    input_noise: float = 0.0  # on the encoder's input in training; the WAE code's deterministic encoder has 0.01
    pretraining: int = (
        0  # images a step that first bring the codes to the prior's moments; the WAE code: 1000, faces 256
    )
    latent_dim: int = 2
    epochs: int = 100
    batch_size: int = 100  # as in the WAE code, from which the paper takes its models
    learning_rate: float = 1e-3  # likewise
    adversary_learning_rate: float = 5e-4  # the discriminator's, likewise; lowered as the other
    adam_beta1: float = 0.5  # likewise
    schedule: str = "wae"
    seed: int = 0
    precision: str = "auto"  # of the networks' matrix products; auto: bf16 where the processor has it, else fp32
    device: str = "auto"
    data_root: str | None = None

    def __post_init__(self):
        for field in fields(self):
            self._check_type(field)
        for name, allowed in CHOICES.items():
            _require(getattr(self, name) in allowed, self, name, f"one of {', '.join(allowed)}")
        _require(names_folder(self.dataset), self, "dataset", FOLDER_NAME)
        _require(re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device), self, "device", "auto, cpu, cuda or cuda:N")
        for name in ("latent_dim", "epochs", "batch_size", "width", "learning_rate", "adversary_learning_rate"):
            _require(getattr(self, name) > 0, self, name, "greater than 0")
        _require(self.batch_size > 1, self, "batch_size", "at least 2: Eq. (15) compares pairs within a batch")
        _require(self.memory >= 0, self, "memory", "0 or more codes")
        _require(self.more_codes >= 0 and self.more_codes != 1, self, "more_codes", "0, or 2 or more images")
        _require(not (self.memory and self.more_codes), self, "more_codes", f"0 beside memory={self.memory}: either")
        _require(self.tolerance > 0, self, "tolerance", "greater than 0")
        held = self.tolerance == RunConfig.tolerance or self.lambda_schedule == "constrained"
        _require(held, self, "tolerance", "1, its default: only lambda_schedule='constrained' has one")
        _require(self.input_noise >= 0, self, "input_noise", "0 or more")
        _require(self.pretraining == 0 or self.pretraining > 1, self, "pretraining", "0, or 2 or more images a step")
        _require(0 <= self.adam_beta1 < 1, self, "adam_beta1", "in [0, 1)")
        _require(0 <= self.seed < 2**31, self, "seed", "in [0, 2^31)")
        _require(
            self.n_train is None or self.n_train >= self.batch_size,
            self,
            "n_train",
            f"at least batch_size = {self.batch_size}",
        )
        _require(self.encoder_std is None or self.encoder_std > 0, self, "encoder_std", "greater than 0, or None")
        learnt = self.encoder_std is None or self.encoder == "gaussian"
        _require(learnt, self, "encoder_std", f"None: a {self.encoder} encoder has none")
        independent = self.decoder == "plain" or self.likelihood == "bernoulli"
        _require(
            independent, self, "decoder", f"plain: it draws pixels 0 or 1, and likelihood={self.likelihood!r} none"
        )
        self._check_prior()
        self._check_divergence()
        self._set_weights()

    def _check_prior(self):
        for name in ("prior_scale", "prior_shape"):
            _require(getattr(self, name) is None or getattr(self, name) > 0, self, name, "greater than 0, or None")
        drawn = self.prior_shape is None or self.prior_shape >= 0.2
        _require(drawn, self, "prior_shape", "0.2 or more: below, single precision draws another prior, or none")
        shaped = hasattr(PRIORS[self.prior], "shape")
        _require(self.prior_shape is None or shaped, self, "prior_shape", f"None: the {self.prior} prior has none")

    def _check_divergence(self):
        if self.divergence == "mmd":
            own = RunConfig.adversary_learning_rate
            _require(
                self.adversary_learning_rate == own,
                self,
                "adversary_learning_rate",
                f"{own:g}, its default: only divergence='adversarial' has a discriminator",
            )
            return
        for name in ("memory", "more_codes", "kernel"):
            off = getattr(RunConfig, name)
            _require(getattr(self, name) == off, self, name, f"{off!r}: only an MMD has that, no discriminator")
        free = self.lambda_schedule != "constrained"
        _require(free, self, "lambda_schedule", "constant or ramp: the constraint's tolerance is an MMD's")

    def _check_type(self, field):
        value, kind = plain(getattr(self, field.name)), field.type
        object.__setattr__(self, field.name, value)
        if value is None and type(None) in getattr(kind, "__args__", ()):
            return
        wanted = getattr(kind, "__args__", (kind,))[0]
        if wanted is float and type(value) is int:
            object.__setattr__(self, field.name, value := float(value))
        if type(value) is not wanted:
            raise TypeError(f"{field.name}={value!r}: expected {wanted.__name__}, got {type(value).__name__}")
        if wanted is float and not abs(value) < float("inf"):
            raise ValueError(f"{field.name}={value!r}: must be finite")

    def _set_weights(self):
        alpha, lambda_ = METHODS[self.method]
        if self.method == "beta-vae":
            given = {self.alpha, self.lambda_} - {None}
            _require(len(given) < 2, self, "alpha", f"equal to lambda_ = {self.lambda_}: a beta-VAE has one weight")
            alpha = lambda_ = given.pop() if given else lambda_
        if self.method == "infovae" and self.alpha is not None:
            alpha = self.alpha
        if self.method in ("vimae", "infovae") and self.lambda_ is not None:
            lambda_ = self.lambda_
        _require(self.alpha in (None, alpha), self, "alpha", f"{alpha:g} for {self.method}; infovae has a free alpha")
        _require(
            self.lambda_ in (None, lambda_),
            self,
            "lambda_",
            f"{lambda_:g} for {self.method}; beta-vae, infovae and vimae have a free lambda_",
        )
        object.__setattr__(self, "alpha", alpha)
        object.__setattr__(self, "lambda_", lambda_)
        _require(alpha >= 0, self, "alpha", "0 or more")
        _require(lambda_ >= alpha, self, "lambda_", f"at least alpha = {alpha:g}: (lambda - alpha) weighs a divergence")
        if lambda_ == alpha:
            for name in ("lambda_schedule", "memory", "more_codes", "divergence"):
                off = getattr(RunConfig, name)
                _require(getattr(self, name) == off, self, name, f"{off!r}: {self.method} weighs no divergence")
        if alpha > 0:
            _require(self.encoder == "gaussian", self, "encoder", "gaussian: a point has an infinite rate")
            _require(self.prior != "uniform", self, "prior", "unbounded: a Gaussian's rate against it is infinite")

    @property
    def scientific(self) -> dict:
        """The fields that determine the result and differ from their defaults.

        Defaults are left out so that a field added later orphans no earlier run.
        """
        default = {f.name: f.default for f in fields(self) if f.default is not MISSING}
        default["alpha"], default["lambda_"] = METHODS[self.method]
        return {k: v for k, v in asdict(self).items() if k not in UNSCIENTIFIC and v != default[k]}

    @property
    def label(self) -> str:
        """The paper's name of the model, where it has one, and what it has that the paper's has not."""
        own = {"method": self.method, "prior": self.prior}
        name = next((n for n, m in PAPER_MODELS.items() if {"prior": "normal", **m} == own), None)
        own = {"scale": self.prior_scale, "shape": self.prior_shape, "noise": self.encoder_std}
        given = ["adversarial"] if self.divergence == "adversarial" else []
        given += [f"{field} {value:g}" for field, value in own.items() if value is not None]
        given += [f"{self.decoder} decoder"] if self.decoder != "plain" else []
        return ", ".join([name or f"{self.method} ({self.prior} prior)", *given])


def plain(value):
    """NumPy's numbers and texts, and paths, as Python's own."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _require(condition, config, name, allowed):
    if not condition:
        raise ValueError(f"{name.rstrip('_')}={getattr(config, name)!r} is not possible: must be {allowed}")


def paper_model(name: str, **changes) -> RunConfig:
    """The configuration of one of the paper's models, by the paper's name: "VIMAE-l", "beta-VAE", ...

    Letter case does not matter. Raises ValueError that lists the names.
    """
    models = {key.lower(): model for key, model in PAPER_MODELS.items()}
    if name.lower() not in models:
        raise ValueError(f"method {name!r} is not one of the paper's: {', '.join(PAPER_MODELS)}")
    return RunConfig(**{**models[name.lower()], **changes})
