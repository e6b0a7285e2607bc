"""The page of speed: tables from the record of each kind of machine, goals beside their limits, what was tried."""

import pytest

from vimae_core.chapters import speed, speed_evaluation


@pytest.mark.parametrize("machine", speed.load_records())
def test_the_benchmark_page_shows_the_record(displayed, machine):
    """Every table of the speed page from the committed record of each kind of machine, its ratios among them."""
    record = speed.load_records()[machine]
    shown = [getattr(speed, f"show_{name}") for name in ("rates", "training", "goals", "levers", "shares", "seeds")]
    shown += [getattr(speed_evaluation, f"show_{name}") for name in ("evaluation", "memory", "quality")]
    for show in shown:
        show(record, "x")
    assert len(displayed) == 9
    training = displayed[2]["text/markdown"]
    for what in speed.TRAININGS:
        assert f"{record['comparisons'][what]['pythae']['ours is faster by']:.1f} (" in training
    assert all(abs(sum(shares.values()) - 1) < 1e-6 for shares in record["shares"].values())
    assert all(f"benchmarks/record-{machine}.json" in bundle["text/markdown"] for bundle in displayed)


@pytest.mark.parametrize(
    ("products", "share", "told"),
    [
        (0.5, 0.5, "0.45: reached"),
        (0.6, 0.44, "0.45: missed"),  # at most 0.44 / 0.84
        (0.2, 0.2, "0.45: beyond the limit of 0.2, of which 100 % are had"),
        (0.6, 0.3, "0.45: beyond the limit of 0.43, of which 70 % are had"),
    ],
)
def test_a_goal_beyond_the_limit_gives_way_to_it(products, share, told):
    """What there would be if every product ran at the peak, and all else took as long as it does."""
    ours = {"share of peak": share}
    record = {"comparisons": {"conv 1/4 VAE": {"ours": ours, "pythae": {"ours is faster by": 3.0}}}}
    record["shares"] = {"conv 1/4": {"convolutions": products, "batch norm": 1 - products}}
    ratio, limit = speed.limits(record, "conv 1/4 VAE")
    assert limit == pytest.approx(share / (1 - products + share)) and ratio == pytest.approx(3 * limit / share)
    assert speed._wanted(0.45, share, limit) == told


def test_what_was_tried_is_told_as_what_it_would_bring(displayed):
    """A training that it makes slower is below 1; a record that does not tell shows nothing."""
    found = {"ours is faster by": 1.25, "ratios": [1.0, 2.0]}
    record = {"machine": "amx", "environment": speed.load_records()["amx"]["environment"]}
    speed.show_tried(record | {"comparisons": {"levers, x": {"ours": {}}}}, "a")
    assert displayed == []
    speed.show_tried(record | {"comparisons": {"tried, x": {"ours": {}, "compiled": found}}}, "a")
    assert "| compiled | 0.80 (0.50 to 1.00) |" in displayed[0]["text/markdown"]
