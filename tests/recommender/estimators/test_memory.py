"""Memory that goes back to the system."""

from pathlib import Path

import numpy as np
import pytest

from recommender.estimators.memory import forget_pages

SMAPS = Path("/proc/self/smaps")


@pytest.mark.skipif(not SMAPS.exists(), reason="the kernel tells what is in memory only on Linux")
def test_a_mapped_array_leaves_memory_and_can_be_read_again(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.ones(1_000_000))
    array = np.load(tmp_path / "array.npy", mmap_mode="r")
    assert array.sum() == 1_000_000
    assert resident_kb(tmp_path / "array.npy") > 7000
    forget_pages(array)
    assert resident_kb(tmp_path / "array.npy") == 0
    assert array.sum() == 1_000_000


def test_an_array_of_its_own_stays() -> None:
    array = np.ones(10)
    forget_pages(array)
    assert array.sum() == 10


def resident_kb(path: Path) -> int:
    lines = iter(SMAPS.read_text(encoding="utf-8").splitlines())
    next(line for line in lines if line.endswith(str(path)))
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
