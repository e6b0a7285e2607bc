"""The cache of shrunk pictures: read again, damaged, without room, read-only around it, stopped in the middle."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.conftest import draw_picture, write_celeba
from vimae_core import load_dataset
from vimae_core.data import DataError


@pytest.fixture
def own_cache(tmp_path) -> Path:
    """The cache that every test has of its own."""
    return tmp_path / "cache"


def test_the_second_time_nothing_is_read(tmp_path, monkeypatch, capsys):
    """The pictures lie in the cache, mapped and not copied; a changed one is noticed."""
    folder = write_celeba(tmp_path, 10)
    first = load_dataset("celeba", tmp_path)
    assert "10 of 10 pictures" in capsys.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr("vimae_core.pictures.read_picture", lambda *_: pytest.fail("read again"))
        again = load_dataset("celeba", tmp_path)
    assert torch.equal(again.images, first.images) and again.digest == first.digest
    again.images[0] = 0  # what one process writes, no other sees
    assert torch.equal(load_dataset("celeba", tmp_path).images, first.images)
    draw_picture(seed=77).save(folder / "img_align_celeba" / "000001.jpg")
    assert not torch.equal(load_dataset("celeba", tmp_path).images[0], first.images[0])


@pytest.mark.parametrize("damage", ["cut", "altered", "index", "removed"])
def test_a_damaged_cache_is_made_again(tmp_path, own_cache, damage):
    """Cut, written over, or with an index that is no JSON."""
    write_celeba(tmp_path, 10)
    first = load_dataset("celeba", tmp_path).images.clone()
    images, index = next(own_cache.glob("*.u8")), next(own_cache.glob("*.json"))
    content = images.read_bytes()
    time.sleep(0.02)
    if damage == "index":
        index.write_text(index.read_text()[:-20])
    elif damage == "removed":
        images.unlink()
    else:
        images.write_bytes(content[:-1] if damage == "cut" else b"\0" * len(content))
    assert torch.equal(load_dataset("celeba", tmp_path).images, first)


def test_a_read_only_folder_is_enough(tmp_path):
    """Nothing is written beside the pictures: every name and time is as before."""
    folder = write_celeba(tmp_path, 10)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555)
    try:
        load_dataset("celeba", tmp_path)
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    """Names the place, the room that is needed, and the variable."""
    write_celeba(tmp_path, 10)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIMAE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match=r"cannot prepare .* in .*file/cache.*needs 1 MB; VIMAE_CACHE"):
        load_dataset("celeba", tmp_path)
    monkeypatch.setenv("VIMAE_CACHE", str(tmp_path / "full"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))
    with pytest.raises(DataError, match=r"0 MB are free.*needs 1 MB"):
        load_dataset("celeba", tmp_path)
    assert not list((tmp_path / "full").glob("*.u8"))


def test_killed_in_the_middle_it_starts_again(tmp_path, own_cache):
    """kill -9 while pictures are read: nothing half-written is read, and no old lock stops the next call."""
    folder = write_celeba(tmp_path, 1)
    first = folder / "img_align_celeba" / "000001.jpg"
    for i in range(2, 4001):
        os.link(first, first.with_name(f"{i:06}.jpg"))
    program = f"from vimae_core import load_dataset; load_dataset('celeba', {str(tmp_path)!r})"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while not any(path.stat().st_size for path in own_cache.glob("*.part")):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    assert not list(own_cache.glob("*.u8")) and not list(own_cache.glob("*.json"))
    data = load_dataset("celeba", tmp_path)
    assert len(data.images) == 4000 and torch.equal(data.images[0], data.images[3999])
    assert not list(own_cache.glob("*.part"))


MEASURE = """
import resource, sys
from vimae_core.folders import find_pictures
from vimae_core.pictures import prepared
from pathlib import Path
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
about = prepared("celeba", find_pictures(Path(sys.argv[1])))
print(about["n"], peak() - before)
"""


def test_preparing_needs_little_memory(tmp_path):
    """12,000 pictures are 147 MB of pixels; beyond the imports it takes less than half of that."""
    folder = write_celeba(tmp_path, 1, size=(89, 109))
    first = folder / "img_align_celeba" / "000001.jpg"
    for i in range(2, 12_001):
        os.link(first, first.with_name(f"{i:06}.jpg"))
    done = subprocess.run([sys.executable, "-c", MEASURE, folder], capture_output=True, text=True, check=True)
    n, kilobytes = map(int, done.stdout.splitlines()[-1].split())
    assert n == 12_000 and kilobytes < 70_000
