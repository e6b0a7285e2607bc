"""What the paper leaves open, in named bundles: a convention says it for all models alike.

Argued in book/second_analysis.md before the runs. "The WAE code" is the public one of Tolstikhin et al. (2018), from
which the paper takes "the same autoencoder models".
"""

from functools import cache

from vimae_core.config import RunConfig, paper_model

# Fields of RunConfig for section 5.2's digits; what "plane" (section 5.1) and "faces" have otherwise stands under them.
CONVENTIONS = {
    "bernoulli": {},  # that of the first registered verdicts
    "gaussian": {"likelihood": "gaussian"},  # of unit variance
    "wae": {  # that code's cost and start, the paper's kernel and encoder
        "likelihood": "wae",
        "pretraining": 1000,
        "faces": {"likelihood": "wae-symmetric", "pretraining": 256},
    },
    "wae-code": {  # that code to the letter
        "likelihood": "wae",
        "pretraining": 1000,
        "kernel": "wae",
        "encoder": "deterministic",
        "input_noise": 0.01,
        "schedule": "wae",
        # "plateau", which lowers the learning rate after 30 epochs at the soonest
        "plane": {"architecture": "wae-mlp", "schedule": "constant"},
        # of pixels in [-1, 1], whose noise of 0.01 is 0.005 of ours
        "faces": {"likelihood": "wae-symmetric", "pretraining": 256, "input_noise": 0.005, "schedule": "constant"},
    },
    "constrained": {
        "lambda_schedule": "ramp",
        "lambda_": 1000.0,
        "faces": {"lambda_": 10_000.0},
    },  # Eq. (8) at its word
}
_plain = cache(paper_model)  # what it weighs; asked for thousands of times
SECTIONS = ("plane", "digits", "faces")
OF_DIVERGENCE = ("kernel", "lambda_", "lambda_schedule", "memory", "more_codes")
OF_POINTS = ("encoder", "input_noise")  # a rate asks for a Gaussian encoder


def under_convention(convention: str, section: str, model: str, **fields) -> RunConfig:
    """One of the paper's models under a convention, which goes before `fields`; without what does not concern it.

    `section` is plane, digits or faces. Raises ValueError that lists the names.
    """
    for what, given, allowed in (("convention", convention, CONVENTIONS), ("section", section, SECTIONS)):
        if given not in allowed:
            raise ValueError(f"{what}={given!r} is unknown: must be one of {', '.join(allowed)}")
    bundle = CONVENTIONS[convention]
    bundle = {**{k: v for k, v in bundle.items() if k not in SECTIONS}, **bundle.get(section, {})}
    config = _plain(model)
    without = (OF_DIVERGENCE if config.lambda_ == config.alpha else ()) + (OF_POINTS if config.alpha > 0 else ())
    return paper_model(model, **{**fields, **{k: v for k, v in bundle.items() if k not in without}})
