"""Returns memory to the operating system."""

import ctypes
import mmap
from contextlib import suppress

import numpy as np


def forget_pages(array: object) -> None:
    """Drop the pages of a memory-mapped array from this process. Later reads use the page cache."""
    mapped = getattr(array, "base", None)
    while isinstance(mapped, np.ndarray):  # `array` is a view
        mapped = mapped.base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def forget_model(model: object) -> None:
    """Apply `forget_pages` to all arrays of a model that stays loaded but does not serve lists."""
    for value in vars(model).values():
        if hasattr(value, "indptr"):  # a sparse matrix
            forget_pages(value.data)
            forget_pages(value.indices)
        elif hasattr(value, "movie_ids_"):  # a model within the model
            forget_model(value)
        else:
            forget_pages(value)


def trim_heap() -> None:
    """Release freed memory that glibc keeps, because loading a model needs several times its final size.

    Does nothing without glibc.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
