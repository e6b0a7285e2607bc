"""Do the published numbers still follow from this code? Recorded runs are replayed, and measured anew where cheap."""

import math
from collections import Counter
from dataclasses import replace

import torch

from vimae_core.data import Dataset, data_root
from vimae_core.datasets import TOY_FACES, load_dataset
from vimae_core.environment import made_on_gpu
from vimae_core.evaluation import batches, faces, generation, information, latent_fit, probes
from vimae_core.evaluation.digit_network import digit_network
from vimae_core.evaluation.record import as_measured, measure_digest
from vimae_core.networks import as_pixels
from vimae_core.process import own_settings, pick_device
from vimae_core.reference import REFERENCE, determined_by
from vimae_core.runs import RECORDED_STEPS, Run
from vimae_core.store import RunError, is_whole, read_json
from vimae_core.training import Training

# How many recorded steps are replayed, which part of the loss a small term is held against, and by how much a term
# may deviate on another processor. Rounding grows fast in bf16 and through batch norm: between one thread and two, or
# with other instructions, a term of such a run was off by up to 0.02 after 10 steps, and by up to 0.3 after 50.
REPLAY = (RECORDED_STEPS, 1e-3, 2e-3)
REPLAY_ROUGHLY = (10, 1e-2, 0.1)  # bf16, or convolutional


def verify(run: Run, data: Dataset | None = None) -> float:
    """Replays the first steps of a recorded run with today's code; the largest relative deviation of a term.

    In the precision of the record, whatever this processor's own, and to the tolerance that it needs.
    Raises RunError where a term deviates by more.
    """
    rough = run.precision == "bf16" or run.config.architecture == "conv"
    steps, floor, tolerance = REPLAY_ROUGHLY if rough else REPLAY
    data = data or load_dataset(run.config.dataset, run.config.data_root)
    if data.digest != run.environment["data_digest"]:
        raise RunError(f"{run.path}: recorded with data {run.environment['data_digest'][:12]}, here {data.digest[:12]}")
    with own_settings():
        device = pick_device(run.config.device)
        training = Training(replace(run.config, precision=run.precision), data["train"][0], device)
        steps = min(steps, training.total_steps)
        for _ in range(steps):
            training.advance()
    worst = 0.0
    for i, term in enumerate(training.terms):
        for step, recorded in enumerate(run.history["steps"][term][:steps]):
            found = training.log[step, i].item()
            deviation = abs(found - recorded) / max(abs(recorded), floor * abs(run.history["steps"]["loss"][step]))
            worst = max(worst, deviation)
            if not deviation <= tolerance or not math.isfinite(found):
                raise RunError(
                    f"{run.path}: {term} at step {step} was {recorded:.6g} when it was recorded and is {found:.6g} "
                    f"with today's code (tolerance {tolerance:g}): the published numbers are not this code's"
                )
    return worst


# From weights in half precision: by which part a number may deviate, by how much one near 0, by how many points one in
# percent.
PART, POINTS = 0.02, 0.3
NEAR_ZERO = {
    **dict.fromkeys(("mmd2", "mmd2_in_batches", "mmd2_pooled", "fixed_in_batches", "fixed_pooled"), 2e-5),
    **dict.fromkeys(("kl", "kl_below"), 0.01),
    "active": 1.0,
}
NOT_ANEW = ("drawn_codes", "disentanglement", "disentanglement_floors")  # a picture; forests, which take long


def measured_again(
    run: Run, data: Dataset | None, measure: str, record: dict, settings: dict
) -> dict[str, int | float]:
    """What is cheap of a measure, from a recorded run's weights and today's code: name in the record -> number.

    Of the probes one draw of labels on clean images, of the faces what needs no pictures. Without its data a measure
    that needs them gives nothing, as do those of `NOT_ANEW`. Raises ValueError for an unknown measure.
    """
    if measure == "faces":
        samples = run.sample(record["n"], torch.Generator().manual_seed(run.config.seed))
        return {"prior_sharpness": faces.sharpness(samples)}
    if data is None or measure in NOT_ANEW:
        return {}
    if measure == "latent_fit":
        generator = torch.Generator().manual_seed(run.config.seed)
        return latent_fit.codes_and_images(run, data["test"][0][: record["n"]], generator)
    if measure == "batches":
        return batches.batches(run, data, n_test=settings["n_test"])
    if measure == "information":
        return information.information(run, data, n_test=settings["n_test"])
    if measure == "generation":
        images, labels = (part[: record["n"]] for part in data["test"])
        network = digit_network(data)
        error, kept = generation.given_back(run, images, as_pixels(images), labels, network)
        return {"reconstruction_error": error, "label_kept": kept}
    if measure != "probes":
        raise ValueError(f"measure {measure!r} is unknown here: say how it is measured anew, or add it to NOT_ANEW")
    one = {"conditions": ["clean"], "curve": [], "n_labels": settings["n_labels"], "draws": settings["draws"][:1]}
    one["fractions"] = record.get("fractions", "labels")  # the first records had no other
    found = probes.probes(run, data, n_test=record["n"], **one)["accuracy"]["test"]["clean"]
    return {f"accuracy test clean {name}": values[0] for name, values in found.items()}


def deviations(measure: str, found: dict[str, int | float], record: dict) -> dict[str, float]:
    """Each number's distance from the recorded one, in units of what it may be."""
    told = {}
    for name, value in found.items():
        recorded = record
        for part in name.split(" "):
            recorded = recorded[part]
        recorded = recorded[0] if isinstance(recorded, list) else recorded
        percent = "label_kept" in name or measure == "probes"
        allowed = POINTS if percent else max(PART * abs(recorded), NEAR_ZERO.get(name, 0.0))
        told[name] = 0.0 if value == recorded else abs(value - recorded) / allowed if allowed else math.inf
    return told


def verify_measures(run: Run, data: Dataset | None) -> tuple[dict[str, str], list[str]]:
    """Of each recorded measure, in words, whether today's code made it, agrees with it, or does not; what differs."""
    stored, told, faults = read_json(run.path / "record.json"), {}, []
    weights = (run.path / "weights.safetensors").is_file()
    for measure, settings in determined_by(stored).items():
        record = as_measured(stored[measure])
        if settings["sources"] == measure_digest(measure, run.config):
            told[measure] = "made by today's code"
            continue
        with own_settings():
            found = measured_again(run, data, measure, record, settings) if weights else {}
        off = {name: size for name, size in deviations(measure, found, record).items() if not size <= 1}
        faults += [
            f"{run.path}: {measure}, {name} is off by {size:.1f} times what it may" for name, size in off.items()
        ]
        told[measure] = "made by other code, " + (
            "not measured anew" if not found else "with which today's does not agree" if off else "today's agrees"
        )
    return told, faults


def verify_all() -> int:
    """Replays every recorded run whose data are here, measures anew what is cheap, and says what was found of each.

    Raises RunError where a loss, or a number of a measure, is not what today's code gives.
    """
    paths = sorted(p for p in REFERENCE.iterdir() if is_whole(p)) if REFERENCE.is_dir() else []
    if not paths:
        raise RunError(f"{REFERENCE} holds no records")
    runs = [Run.load(path) for path in paths]
    names = {run.config.dataset for run in runs}
    data = {name: load_dataset(name) for name in sorted(names) if name == TOY_FACES or (data_root() / name).is_dir()}
    digests = {name: found.digest for name, found in data.items()}
    here = {run.path for run in runs if digests.get(run.config.dataset) == run.environment["data_digest"]}
    if not here:
        raise RunError(f"none of the {len(runs)} recorded runs was trained on data that are in {data_root()}")
    gpu_here = pick_device("auto").type == "cuda"
    on_gpu = {run.path for run in runs if made_on_gpu(run.environment) and not gpu_here}
    worst, faults, counts = 0.0, [], Counter()
    for run in runs:
        its = data[run.config.dataset] if run.path in here else None
        replayed = "not replayed"
        if its and run.path not in on_gpu:
            worst = max(worst, deviation := verify(run, its))
            replayed = f"replayed to {deviation:.1e}"
        told, off = verify_measures(run, its)
        faults += off
        counts.update(told.values())
        measures = "; ".join(f"{measure} {words}" for measure, words in told.items())
        print(f"{run.path.name}  {run.config.label} seed {run.config.seed}: {replayed}; {measures}")
    agree = f"{len(here - on_gpu)} recorded runs agree with today's code"
    print(f"{agree}; largest relative deviation of a loss term {worst:.1e}")
    if absent := len(runs) - len(here):
        others = ", ".join(sorted({run.config.dataset for run in runs if run.path not in here}))
        print(f"{absent} were not replayed: their pictures ({others}) are not in {data_root()}")
    if on_gpu:
        print(f"{len(on_gpu)} were not replayed: a GPU's random numbers, with which they were trained, are not a CPU's")
    print("; ".join(f"{n} measures {words}" for words, n in counts.most_common()))
    if faults:
        raise RunError("the published numbers are not this code's: " + "; ".join(faults))
    return 0
