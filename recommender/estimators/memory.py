"""Gives memory back to the system."""

import ctypes
import mmap
from contextlib import suppress

import numpy as np


def forget_pages(array: object) -> None:
    """A mapped array leaves this process's memory; what is read of it again comes from the page cache."""
    mapped = getattr(array, "base", None)
    while isinstance(mapped, np.ndarray):  # `array` is a view
        mapped = mapped.base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def forget_model(model: object) -> None:
    """As `forget_pages`, for all arrays of a model that stays but is not asked for lists."""
    for value in vars(model).values():
        if hasattr(value, "indptr"):  # a sparse matrix
            forget_pages(value.data)
            forget_pages(value.indices)
        elif hasattr(value, "movie_ids_"):  # a model within the model
            forget_model(value)
        else:
            forget_pages(value)


def trim_heap() -> None:
    """What glibc keeps of freed memory: loading a model takes several times what stays. Elsewhere nothing."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
