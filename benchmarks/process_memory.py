"""Measures the memory of a process and its descendants, grouped by their function.

The kernel's proportional set size (PSS) divides a page among the processes that map it, so that sums count it once.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil

MB = 1024  # of the kernel's kB


class Usage(NamedTuple):
    group: str
    pid: int
    pss_mb: float
    private_mb: float  # additional memory of one more such process


def usages(root: int) -> list[Usage]:
    """Returns the memory of each process in the tree. Skips processes that have ended."""
    found = []
    main = psutil.Process(root)
    for process in [main, *main.children(recursive=True)]:
        try:
            kilobytes = _rollup(process.pid)
            found.append(Usage(_group(process), process.pid, *kilobytes))
        except (OSError, psutil.Error):
            continue
    return found


def total_mb(found: list[Usage]) -> float:
    return sum(usage.pss_mb for usage in found)


def _rollup(pid: int) -> tuple[float, float]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    values = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
    return values["Pss"] / MB, (values["Private_Clean"] + values["Private_Dirty"]) / MB


def _group(process: psutil.Process) -> str:
    """Returns the program's name. A process with its parent's command line is a fork of it."""
    words, parent = process.cmdline(), process.parent()
    is_fork = parent is not None and parent.cmdline() == words
    program = _program(words)
    return f"{program}: forked" if is_fork else program


def _program(words: list[str]) -> str:
    names = [Path(word).name for word in words]
    if "celery" in names:
        return f"celery {words[words.index('--queues') + 1]}" if "--queues" in words else "celery beat"
    known = ("gunicorn", "supervisord", "watch.py", "mlops.registry.smoke_test")
    return next((name for name in known if name in names), " ".join(names[:3]))
