"""The configuration: presets, refusals, what counts as the same run; and which sources a result depends on."""

import argparse
import dataclasses

import pytest

from vimae_core import RunConfig, paper_model
from vimae_core.__main__ import add_flags, as_flags

NAMES = ["AE", "VAE", "beta-VAE", "InfoVAE", "VIMAE-n", "VIMAE-l"]


def test_presets_have_the_papers_weights():
    """(alpha, lambda) and prior of each model, as in the protocol's table."""
    weights = {name: (c.alpha, c.lambda_, c.prior) for name, c in zip(NAMES, map(paper_model, NAMES), strict=True)}
    assert weights == {
        "AE": (0, 0, "normal"), "VAE": (1, 1, "normal"), "beta-VAE": (10, 10, "normal"),
        "InfoVAE": (0.5, 10, "normal"), "VIMAE-n": (0, 10, "normal"), "VIMAE-l": (0, 10, "logistic"),
    }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_models_go_by_the_papers_names(name):
    """In any case; the label gives the name back."""
    assert paper_model(name.lower()).label == paper_model(name.upper()).label == name


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"method": "gan"}, "method='gan' is not possible: must be one of ae, vae, beta-vae, infovae, vimae"),
        ({"prior": "cauchy"}, "prior='cauchy' is not possible: must be one of normal, logistic, laplace, uniform"),
        ({"likelihood": "poisson"}, "likelihood='poisson' is not possible: must be one of bernoulli, gaussian, wae"),
        ({"kernel": "rbf"}, "kernel='rbf' is not possible"),
        ({"schedule": "cosine"}, "schedule='cosine' is not possible"),
        ({"architecture": "transformer"}, "architecture='transformer' is not possible"),
        ({"decoder": "gan"}, "decoder='gan' is not possible: must be one of plain, autoregressive"),
        (
            {"decoder": "autoregressive", "likelihood": "gaussian"},
            "decoder='autoregressive' is not possible: must be plain: it draws pixels 0 or 1",
        ),
        ({"encoder": "flow"}, "encoder='flow' is not possible"),
        ({"dataset": "../mnist"}, "dataset='../mnist' is not possible: must be the name of a folder"),
        ({"device": "gpu"}, "device='gpu' is not possible: must be auto, cpu, cuda or cuda:N"),
        ({"latent_dim": 0}, "latent_dim=0 is not possible: must be greater than 0"),
        ({"epochs": -1}, "epochs=-1 is not possible"),
        ({"batch_size": 1}, "batch_size=1 is not possible: must be at least 2"),
        ({"n_train": 50}, "n_train=50 is not possible: must be at least batch_size = 100"),
        ({"learning_rate": 0.0}, "learning_rate=0.0 is not possible"),
        ({"learning_rate": float("nan")}, "learning_rate=nan: must be finite"),
        ({"adam_beta1": 1.0}, r"adam_beta1=1.0 is not possible: must be in \[0, 1\)"),
        ({"seed": -1}, "seed=-1 is not possible"),
        ({"lambda_": -1}, "lambda=-1.0 is not possible: must be at least alpha = 0"),
        ({"method": "vae", "lambda_": 2}, "lambda=2.0 is not possible: must be 1 for vae"),
        ({"method": "vimae", "alpha": 1}, "alpha=1.0 is not possible: must be 0 for vimae"),
        ({"method": "infovae", "alpha": 5, "lambda_": 1}, "lambda=1.0 is not possible: must be at least alpha = 5"),
        ({"method": "beta-vae", "alpha": 1, "lambda_": 2}, "a beta-VAE has one weight"),
        ({"method": "vae", "encoder": "deterministic"}, "a point has an infinite rate"),
        ({"method": "vae", "prior": "uniform"}, "prior='uniform' is not possible: must be unbounded"),
        ({"encoder_std": 0.0}, "encoder_std=0.0 is not possible: must be greater than 0, or None"),
        ({"encoder": "deterministic", "encoder_std": 0.1}, "encoder_std=0.1 is not possible: must be None: a determin"),
        ({"lambda_schedule": "constrained", "tolerance": 0}, "tolerance=0.0 is not possible: must be greater than 0"),
        ({"tolerance": 2}, "tolerance=2.0 is not possible: must be 1, its default: only lambda_schedule='constrained'"),
        ({"prior_scale": 0.0}, "prior_scale=0.0 is not possible: must be greater than 0, or None"),
        ({"prior": "logistic", "prior_shape": 4}, "prior_shape=4.0 is not possible: must be None: the logistic prior"),
        (
            {"prior": "generalised-normal", "prior_shape": 0.1},
            "prior_shape=0.1 is not possible: must be 0.2 or more: be",
        ),
        ({"more_codes": 1}, "more_codes=1 is not possible: must be 0, or 2 or more images"),
        ({"prior": "generalised-normal", "prior_shape": -1}, "prior_shape=-1.0 is not possible: must be greater than"),
    ],
)
def test_impossible_values_are_refused(fields, message):
    """Each with the field, the value, and what is allowed."""
    with pytest.raises(ValueError, match=message):
        RunConfig(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epochs": "3"}, "epochs='3': expected int, got str"),
        ({"epochs": 3.0}, "epochs=3.0: expected int, got float"),
        ({"seed": True}, "seed=True: expected int, got bool"),
        ({"lambda_": "10"}, "lambda_='10': expected float, got str"),
        ({"method": None}, "method=None: expected str"),
    ],
)
def test_wrong_types_are_refused(fields, message):
    """Nothing is guessed from a value of another type."""
    with pytest.raises(TypeError, match=message):
        RunConfig(**fields)


def test_unknown_model_lists_the_known():
    """By the paper's names."""
    with pytest.raises(ValueError, match="method 'WAE' is not one of the paper's: AE, VAE, beta-VAE, InfoVAE, VIMAE-n"):
        paper_model("WAE")


def test_a_configuration_is_frozen_and_normal():
    """It cannot be changed, and 10 and 10.0 are one lambda."""
    config = RunConfig(lambda_=10)
    assert config == RunConfig(lambda_=10.0) == RunConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 3


def test_scientific_fields_are_those_that_matter():
    """Not where it is computed, and not what is the default (a later field must orphan no run)."""
    config = RunConfig(method="beta-vae", lambda_=4, device="cpu", data_root="/elsewhere", seed=2)
    assert config.scientific == {"method": "beta-vae", "alpha": 4.0, "lambda_": 4.0, "seed": 2}
    assert RunConfig().scientific == {}


@pytest.mark.parametrize(
    "config",
    [
        RunConfig(),
        RunConfig(method="infovae", alpha=0.25, lambda_=3.5, prior="laplace", epochs=2, device="cpu"),
        RunConfig(method="vae", n_train=500, dataset="fashion", data_root="/a b", kernel="wae", width=0.25),
        RunConfig(encoder="deterministic", learning_rate=1e-4, schedule="constant"),
    ],
)
def test_flags_name_a_configuration(config):
    """What as_flags writes the command line reads back."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    assert RunConfig(**vars(parser.parse_args(as_flags(config)))) == config


def test_a_priors_scale_and_shape_are_named_where_they_are_given():
    """In the label, so that no table takes two doses for one model; the defaults are in no name."""
    assert not {"prior_scale", "prior_shape"} & set(RunConfig().scientific)
    scaled = RunConfig(prior_scale=0.5)
    assert scaled.scientific["prior_scale"] == 0.5 and scaled.label == "VIMAE-n, scale 0.5"
    shaped = RunConfig(prior="generalised-normal", prior_shape=4)
    assert shaped.label == "vimae (generalised-normal prior), shape 4"
