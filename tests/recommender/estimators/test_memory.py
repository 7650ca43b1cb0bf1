"""Memory is returned to the operating system."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recommender.estimators.memory import forget_model, forget_pages

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


@pytest.mark.skipif(not SMAPS.exists(), reason="the kernel tells what is in memory only on Linux")
def test_a_spare_model_leaves_memory_with_its_parts(tmp_path: Path) -> None:
    arrays = {}
    for name in ("vectors", "data", "indices"):
        np.save(tmp_path / f"{name}.npy", np.zeros(1_000_000, dtype=np.int32))
        arrays[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
    weights = csr_matrix((arrays["data"], arrays["indices"], np.array([0, 1_000_000])), shape=(1, 1))
    inner = SimpleNamespace(movie_ids_=np.arange(3), weights_=weights)
    model = SimpleNamespace(movie_ids_=np.arange(3), vectors_=arrays["vectors"], inner_=inner, shrinkage=0.5)
    assert sum(arrays["vectors"]) == weights.data.sum() == weights.indices.sum() == 0
    assert min(resident_kb(tmp_path / f"{name}.npy") for name in arrays) > 3000

    forget_model(model)

    assert {resident_kb(tmp_path / f"{name}.npy") for name in arrays} == {0}


def test_an_array_of_its_own_stays() -> None:
    array = np.ones(10)
    forget_pages(array)
    assert array.sum() == 10


def resident_kb(path: Path) -> int:
    lines = iter(SMAPS.read_text(encoding="utf-8").splitlines())
    next(line for line in lines if line.endswith(str(path)))
    return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
