"""What the points of the page of lambda tell, in sentences whose words the records choose."""

import numpy as np

from vimae_core.report.live_lambda import CONVENTION, COSTS, Paths, Point
from vimae_core.report.statistics import signed


def story(paths: Paths) -> list[str]:
    """Of VIMAE-n under the Bernoulli likelihood over lambda, and of the VAE over conventions; MyST."""
    *held, rising = paths[COSTS["bernoulli"]]["VIMAE-n"]
    best = min((point for point in held if not point.empty), key=lambda point: np.median(point.values("kl")))
    vae = {point.label: point for point in paths[CONVENTION]["VAE"]}
    return [
        _nearer(held[0], best),
        *(_farther(held[0], point) for point in held[held.index(best) + 1 :]),
        _rising(rising, next(point for point in held if point.config.lambda_ == rising.config.lambda_)),
        "**The scale of the likelihood does as much.** The VAE has no λ to choose; its rate is "
        f"{_span(vae['bernoulli'], 'rate')} nats under `bernoulli` and {_span(vae['wae'], 'rate')} under `wae`.",
    ]


def _nearer(first: Point, best: Point) -> str:
    if first is best:
        return f"**No larger λ brings the codes nearer to the prior** than {first.label}: {_span(first, 'kl')} nats."
    return (
        f"**From λ = {first.label} to {best.label} the codes come nearer to the prior.** Over the seeds the "
        f"divergence goes from {_span(first, 'kl')} nats to {_span(best, 'kl')}; the rate is "
        f"{_span(best, 'rate')} nats there."
    )


def _farther(first: Point, point: Point) -> str:
    n = len(point.runs)
    if point.empty:
        alone = ", small for that reason alone: every digit has the prior itself for its code" * (point.empty == n)
        return (
            f"**At λ = {point.label} the code of {point.empty} of {n} seeds is empty:** the rate is "
            f"{_span(point, 'rate')} nats. The divergence is {_span(point, 'kl')} nats{alone}."
        )
    worse = sum(kl > max(first.values("kl")) for kl in point.values("kl"))
    return (
        f"**At λ = {point.label} the seeds part:** the divergence is {_span(point, 'kl')} nats, and {worse} of {n} end "
        f"farther from the prior than any at λ = {first.label}."
    )


def _rising(rising: Point, at_once: Point) -> str:
    n, best = len(rising.runs), min(at_once.values("kl"))
    nearer = sum(kl < best for kl in rising.values("kl"))
    return (
        f"**Where λ rises to {at_once.label}** over the first half of training, {n - rising.empty} of {n} seeds keep a "
        f"code (rate {_span(rising, 'rate')} nats); {nearer} of {n} lie nearer to the prior than the best with "
        f"that λ from the first step on, at {_span(rising, 'kl')} nats."
    )


def _span(point: Point, measure: str) -> str:
    """From the smallest seed to the largest."""
    low, high = (rounded(end(point.values(measure))) for end in (min, max))
    return low if low == high else f"{low}–{high}"


def rounded(nats: float) -> str:
    """To three significant digits, none finer than a hundredth, as the page's script does: "2,710", "31.4", "0.05"."""
    nats = float(f"{nats:.3g}")
    return signed(nats, f",.{2 if abs(nats) < 10 else 1 if abs(nats) < 100 else 0}f")
