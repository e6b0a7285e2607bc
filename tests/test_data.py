"""What a data set may be called, where data may lie, and what is said of what may not be read."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import draw_picture, write_idx
from vimae_core import RunConfig, load_dataset
from vimae_core.data import DataError, cache_root, data_root
from vimae_core.datasets import data_digest

POSSIBLE = ["my faces", "faces-2.1_b", "größe", "顔", "ä" * 100]
IMPOSSIBLE = ["", ".", "..", ".faces", "a/b", "/faces", "a\\b", "a\nb", "a\0b", "\udcff", "x" * 201]


@pytest.mark.parametrize("name", POSSIBLE)
def test_what_a_data_set_may_be_called(name, tmp_path):
    """A configuration and the cache take what the data root can hold."""
    for i in range(5):
        (tmp_path / name).mkdir(exist_ok=True)
        draw_picture((64, 64), seed=i).save(tmp_path / name / f"{i}.png")
    assert RunConfig(dataset=name).dataset == name == load_dataset(name, tmp_path).name


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_a_data_set_may_not_be_called(name, tmp_path):
    """All three say it in the same words."""
    told = set()
    for refused in (load_dataset, data_digest, lambda name, _: RunConfig(dataset=name)):
        with pytest.raises((DataError, ValueError)) as caught:
            refused(name, tmp_path)
        told.add(str(caught.value))
    (one,) = told
    assert one.startswith(f"dataset={name!r} is not possible: must be the name of a folder in the data root: printable")


FORBIDDEN = {  # data set, what is closed, its mode, what is said of it
    "a picture": ("faces", "faces/0.png", 0o000, "1 unreadable (left out): 0.png"),
    "the data root": ("faces", ".", 0o000, "faces cannot be read: Permission denied"),
    "a folder below": ("faces", "faces/b", 0o000, "faces/b cannot be read: Permission denied"),
    "the names below alone": ("faces", "faces/b", 0o444, "faces/b/1.png cannot be read: Permission denied"),
    "a partition list": (
        "listed",
        "listed/list_eval_partition.txt",
        0o000,
        "tion.txt cannot be read: Permission denied",
    ),
    "an IDX file": ("tiny", "tiny/t10k-labels-idx1-ubyte.gz", 0o000, "ubyte.gz cannot be read: Permission denied"),
    "a folder of IDX files": ("tiny", "tiny", 0o000, "tiny cannot be read: Permission denied"),
    "their names alone": ("tiny", "tiny", 0o444, "ubyte.gz cannot be read: Permission denied"),
}

READ = """
import json, sys, warnings
from pathlib import Path
from vimae_core.datasets import DataError, data_digest, load_dataset
warnings.simplefilter("error")
told = []
for name, closed, mode, _ in json.loads(sys.argv[2]):
    path = Path(sys.argv[1], closed)
    before = path.stat().st_mode
    path.chmod(mode)
    for read in (load_dataset, data_digest):
        try:
            told.append(str(read(name, sys.argv[1])))
        except (DataError, UserWarning) as error:
            told.append(str(error))
    path.chmod(before)
print(json.dumps(told))
"""


def test_what_may_not_be_read_is_named(tmp_path):
    """One line: which file or folder, and why. A picture is left out by name, until it may be read."""
    root = tmp_path / "data"
    write_idx(root / "tiny")
    for name in ("faces", "listed"):
        (root / name / "b").mkdir(parents=True)
        for i in range(10):
            draw_picture((64, 64), seed=i).save(root / name / ("b" * (i % 2)) / f"{i}.png")
    (root / "listed" / "list_eval_partition.txt").write_text("".join(f"{i}.png {i % 3}\n" for i in range(10)))
    command = [sys.executable, "-c", READ, root, json.dumps(list(FORBIDDEN.values()))]
    if os.geteuid() == 0:  # permissions do not bind root, unless it gives up that power
        if not shutil.which("setpriv"):
            pytest.skip("root without setpriv: no file can be closed to it")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded, digests = [json.loads(done.stdout.splitlines()[-1])[i::2] for i in range(2)]
    for told, digest, (name, closed, _, expected) in zip(loaded, digests, FORBIDDEN.values(), strict=True):
        assert expected in told and "\n" not in told
        if closed == "faces/0.png":
            assert len(digest) == 64 and digest != data_digest(name, root)
        else:
            assert told.startswith(str(root)) and digest == told


def test_a_data_root_that_is_none(tmp_path, monkeypatch):
    """A home of nobody, a file, a NUL; the cache's place likewise. Each is named."""
    (tmp_path / "file").touch()
    for root, message in [
        ("~nobody-of-this-name/data", "'~nobody-of-this-name/data' is no place for data: .*home"),
        (tmp_path / "file", "the data root .*file is a file: name the folder that holds"),
        ("a\0b", r"is no place for data: embedded null"),
    ]:
        with pytest.raises(DataError, match=message):
            data_root(root)
        with pytest.raises(DataError, match=message):
            load_dataset("mnist", root)
    monkeypatch.setenv("VIMAE_CACHE", "~nobody-of-this-name/cache")
    with pytest.raises(DataError, match="is no place for data"):
        cache_root()
    (tmp_path / "faces").touch()
    with pytest.raises(DataError, match="faces cannot be read: Not a directory"):
        load_dataset("faces", tmp_path)


def test_digits_load_no_pictures():
    """Who has MNIST or toy faces does not load the module of pictures."""
    program = (
        "import sys; from vimae_core import load_dataset; load_dataset(); load_dataset('toy-faces');"
        "print('vimae_core.pictures' in sys.modules, 'vimae_core.folders' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
