"""The process that works on a job, and whether it still runs.

A PID names a process only within its PID namespace and until the PID is used again. So it is stored with the
namespace, the boot of the machine and the start of the process, and trusted only where all of them match.
"""

import os
import socket
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
STATE, START = 0, 19  # positions in /proc/PID/stat after the name, which may hold spaces
ENDED = {"Z", "X"}  # a zombie's parent has not asked for its exit code yet


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
    """Empty where the system has no /proc: then only heartbeats tell who lives."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{(PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def uptime() -> float | None:
    """Seconds since the machine's boot, independent of its clock; None where the system does not tell."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if namespace() else None


def is_same_boot(other: str) -> bool:
    """Whether the PID namespace is of this machine, since its last boot."""
    return bool(other) and other.partition(":")[0] == namespace().partition(":")[0]


def is_running(pid: int | None, start: int | None) -> bool:
    """Whether the process of this PID, in this namespace, is the one that started then."""
    return pid is not None and start is not None and start_of(pid) == start


def start_of(pid: int) -> int | None:
    """In ticks since boot; None when no process has this PID, or it has ended."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[STATE] in ENDED else int(fields[START])
