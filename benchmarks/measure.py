"""Measures seconds, CPU seconds and memory, in this process or in a separate one."""

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
    """Runs memory-hungry preparations in a separate process, because a child's peak includes this process's memory."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{function.__name__} ended with code {process.exitcode}")


def peak_mb() -> int:
    """Returns the peak memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
