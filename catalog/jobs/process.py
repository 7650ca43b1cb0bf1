"""Identifies the process that works on a job, and checks whether it is running.

A PID identifies a process only within its PID namespace, and only until it is reused. It is therefore stored with the
namespace, the boot of the machine and the start time of the process, and trusted only if all of them match.
"""

import os
import socket
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
STATE, START = 0, 19  # indexes in /proc/PID/stat after the name, which may contain spaces
ENDED = {"Z", "X"}  # a zombie has ended, but its parent has not read its exit code yet


class WorkerProcess(NamedTuple):
    host: str
    namespace: str
    pid: int
    start: int | None


def this_process() -> WorkerProcess:
    pid = os.getpid()
    return WorkerProcess(socket.gethostname()[:255], namespace(), pid, start_of(pid))


@cache
def namespace() -> str:
    """Returns the boot and PID namespace, or "" on systems without /proc, which rely on heartbeats only."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{(PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def uptime() -> float | None:
    """Returns the seconds since boot, which do not depend on the clock, or None if unknown."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if namespace() else None


def is_same_boot(other: str) -> bool:
    """Returns whether the PID namespace belongs to this machine since its last boot."""
    return bool(other) and other.partition(":")[0] == namespace().partition(":")[0]


def is_running(pid: int | None, start: int | None) -> bool:
    """Returns whether the process with this PID and start time is running in this namespace."""
    return pid is not None and start is not None and start_of(pid) == start


def start_of(pid: int) -> int | None:
    """Returns the start of a process in ticks since boot, or None if it does not exist or has ended."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[STATE] in ENDED else int(fields[START])
