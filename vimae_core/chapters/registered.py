"""When each test was written down, and when the first of the runs that it judges began."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from vimae_core.chapters.conventions import digits
from vimae_core.profiles import parameters
from vimae_core.report.results import reference_results
from vimae_core.runs import Run

REGISTERED = {  # tests of -> the commit that holds them, and when it was made
    "claim 1": ("5ec9394", "2026-11-23T17:34:34Z"),
    "claims 2 to 5": ("e43c83a", "2026-11-24T11:37:00Z"),
    "claim 6": ("34b27b9", "2026-11-24T14:35:24Z"),
    "the second analysis": ("87d7584", "2026-11-26T02:18:25Z"),
    "its codes of other images": ("f298a3a", "2026-11-26T12:24:31Z"),
    "its question of scale": ("4492762", "2026-11-26T08:40:42Z"),
    "the same at the paper's width": ("1663053", "2026-11-27T01:20:59Z"),
    "the third analysis, on digits": ("b0fc87c", "2026-11-27T15:39:33Z"),
    "its scores on toy faces": ("b0fc87c", "2026-11-27T15:39:33Z"),
}


def judged() -> dict[str, list[Run]]:
    """The committed runs that each test judges; of the scale's those at sizes that no other had trained."""
    first = {c: reference_results(c, None) for c in ("latent_shape", "capacity", "faces")}
    second = reference_results("conventions", None)
    p = parameters("conventions", "reference")
    others = {c for convention in p.conventions for c in digits(p, convention)}
    scale = [run for run in second["scale"].runs if run.config not in others]
    third, of_faces = (
        [run for results in reference_results(c, None).values() for run in results.runs]
        for c in ("doses", "disentanglement")
    )
    return {
        "claim 1": first["latent_shape"]["figure"].runs,
        "claims 2 to 5": first["capacity"]["table"].runs,
        "claim 6": first["faces"]["table"].runs,
        "the second analysis": [*second["plane"].runs, *second["constraint"].runs, *second["digits"].runs,
                                *first["faces"]["second"].runs],
        "its codes of other images": second["more_codes"].runs,
        "its question of scale": [run for run in scale if run.config.width < 1],
        "the same at the paper's width": [run for run in scale if run.config.width == 1],
        "the third analysis, on digits": third,
        "its scores on toy faces": of_faces,
    }  # fmt: skip


def began(run: Run) -> datetime:
    """Its record tells when it ended and for how long it trained; pauses of one that was interrupted are not known."""
    return _time(run.environment["time"]) - timedelta(seconds=run.environment["seconds"])


def registrations(runs: dict[str, list[Run]]) -> pd.DataFrame:
    """A row a test: when it was committed, when its first run began and its last one ended, and how many there are."""
    rows = {}
    for name, own in runs.items():
        commit, made = REGISTERED[name]
        ended = max((_time(run.environment["time"]) for run in own), default=None)
        first = min(map(began, own), default=None)
        rows[name] = (f"{_told(_time(made))}<br>`{commit}`", _told(first), _told(ended), str(len(own)))
    columns = ["committed", "first run began", "last ended", "runs"]
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="tests of"), columns=columns)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _told(time: datetime | None) -> str:
    return "—" if time is None else f"{time.astimezone(UTC):%d %b %H:%M:%S}"
