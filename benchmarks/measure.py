"""Seconds, CPU seconds and memory of a piece of work in this process, and work that its memory must not be seen in."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Figures = dict[str, float]


@contextmanager
def timed(figures: Figures, name: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    figures[f"{name} s"] = round(time.perf_counter() - wall, 2)
    figures[f"{name} CPU s"] = round(time.process_time() - cpu, 2)


def in_a_process_of_its_own(function: Callable[..., None], *arguments: Any) -> None:
    """For what takes much memory before commands are measured: their peak is never below what this process holds."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{function.__name__} ended with code {process.exitcode}")


def peak_mb() -> int:
    """The most memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
