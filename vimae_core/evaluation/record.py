"""What is measured of a run lies beside it, with what determined it; it is measured again where that has changed."""

from collections.abc import Callable
from pathlib import Path

from vimae_core.runs import read_json, write_json


def recorded(path: Path, section: str, determined_by: dict, measure: Callable[[], dict]) -> dict:
    """The `section` of a JSON record: as it is stored, or measured and stored now."""
    if path.is_file() and (record := read_json(path)) and record["determined_by"] == determined_by:
        return record[section]
    values = measure()
    write_json(path, {"determined_by": determined_by, section: values})
    return values
