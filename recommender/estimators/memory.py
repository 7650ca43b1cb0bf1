"""Gives memory back to the system."""

import ctypes
import mmap
from contextlib import suppress


def forget_pages(array: object) -> None:
    """A mapped array leaves this process's memory; what is read of it again comes from the page cache."""
    mapped = getattr(array, "base", None)
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def trim_heap() -> None:
    """What glibc keeps of freed memory: loading a model takes several times what stays. Elsewhere nothing."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
