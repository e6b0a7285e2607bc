"""Every claim under every convention, and whether scale decides: the second registered analysis."""

from types import SimpleNamespace

from vimae_core.config import RunConfig, paper_model
from vimae_core.conventions import under_convention
from vimae_core.profiles import common_fields


def runs(p: SimpleNamespace) -> dict[str, list[RunConfig]]:
    """`plane`: Figure 1 under every convention. `digits`: Table 1 and Figure 2 under every convention, and more seeds
    where the paper's smallest effects are looked for. `constraint`: lambda found, in two dimensions, under several
    likelihoods, with and without a memory. `scale`: some models at other widths and epochs."""
    common = common_fields(p)
    of_plane = {**common, "architecture": "mlp", "width": p.plane_width, "latent_dim": 2, "epochs": p.plane_epochs}
    plane = [
        under_convention(c, "plane", m, seed=s, **of_plane)
        for s in p.plane_seeds
        for c in p.conventions
        for m in p.plane_methods
    ]
    digits = [
        under_convention(c, "digits", m, seed=s, **common) for c in p.conventions for s in p.seeds for m in p.methods
    ]
    more = [
        under_convention(c, "digits", m, seed=s, **common)
        for s in p.more_seeds
        for c in p.more_conventions
        for m in p.more_methods
    ]
    constraint = [
        paper_model(
            m,
            seed=s,
            likelihood=likelihood,
            lambda_=p.lambda_,
            lambda_schedule="constrained",
            memory=memory,
            **of_plane,
        )
        for s in p.plane_seeds
        for likelihood in p.likelihoods
        for memory in (p.memories if likelihood == p.likelihood else p.memories[:1])
        for m in p.more_methods
    ]
    scale = [
        paper_model(m, seed=s, **{**common, "width": width, "epochs": epochs})
        for width, epochs in map(size, p.scales)
        for s in p.scale_seeds
        for m in p.scale_methods
    ]
    groups = {"plane": plane, "digits": [*digits, *more], "constraint": constraint, "scale": scale}
    return {name: list(dict.fromkeys(configs)) for name, configs in groups.items()}


def size(text: str) -> tuple[float, int]:
    """Of "0.25 x 12": the width and the epochs. Raises ValueError."""
    try:
        width, epochs = text.split("x")
        return float(width), int(epochs)
    except ValueError:
        raise ValueError(f"scales: {text!r} is not possible: must be width x epochs, such as '0.25 x 12'") from None


def measures(group: str, p: SimpleNamespace) -> dict[str, dict]:
    """How the codes lie beside the prior; of Table 1 the probes, of Figure 2 what is decoded."""
    fit = {"latent_fit": {"n_test": p.n_test}}
    if group in ("plane", "constraint"):
        return fit
    settings = {"conditions": p.conditions, "curve": p.curve, "n_labels": p.n_labels, "draws": p.draws}
    generation = {"n_test": p.n_test, "condition": p.condition}
    return {**fit, "probes": {"n_test": p.n_test, **settings}, "generation": generation}
