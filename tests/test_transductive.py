"""What chapter 6 says of the transductive SVM, held against the record that it is said of."""

import numpy as np
import pytest

from vimae_core.chapters.transductive import CONDITIONS, SHOWN, in_words, points, record, table


def half(found: dict, change: str, other: str, condition: str, labels: int = 1000) -> tuple[float, float]:
    mean, width = points(found, change, other, condition, labels).replace("−", "-").split(" ± ")
    return float(mean) - float(width), float(mean) + float(width)


def test_the_sentences_are_what_the_record_shows():
    """The mending gains under both corruptions and is open on clean digits; the other changes move little."""
    found = record()
    assert half(found, "the SVM's fractions", "a tenth", "mask 0.5")[0] > 0
    assert half(found, "the SVM's fractions", "a tenth", "gaussian 0.4")[0] > 0
    low, high = half(found, "the SVM's fractions", "a tenth", "clean")
    assert low < 0 < high
    for change in ("1000 landmarks", "own C and gamma", "72 temperatures"):
        for condition in CONDITIONS:
            of = found["points above"]["1000"]["the SVM's fractions"][change][condition]
            assert abs(of["mean"]) < 0.2, (change, condition)
    assert 0 < half(found, "the SVM's fractions", "C_u = 0", "clean")[1] < 0.3
    assert half(found, "the SVM's fractions", "SVM", "clean", 100)[0] > 1
    forced = found["unlabelled digits that a tenth takes for another class, at least, by draw"]
    assert f"{np.mean(forced):.0f} of 3,000" in " ".join(in_words(found).split())


def test_the_numbers_are_the_records():
    """A row a change, signs written as signs."""
    found = record()
    rows = table(found)
    assert rows.shape == (len(SHOWN), len(CONDITIONS) + 1)
    of = found["points above"]["1000"]["SVM"]["a tenth"]["mask 0.5"]
    assert of["mean"] < 0
    told = rows.loc[SHOWN["a tenth"], "mask 0.5"]
    assert told.startswith("−") and float(told.replace("−", "-").split(" ± ")[0]) == pytest.approx(
        of["mean"], abs=0.005
    )
    assert points(found, "a tenth", "SVM", "mask 0.5") == told
    back = found["points above"]["1000"]["the SVM's fractions"]["a tenth"]["mask 0.5"]["mean"]
    assert points(found, "the SVM's fractions", "a tenth", "mask 0.5").startswith(f"{-back:+.2f} ")
