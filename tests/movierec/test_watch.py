"""`deploy/watch.py`, which stops a site whose `make run` was interrupted. tests/slow runs it completely."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings

SUPERVISOR, MAKE = 4711, 4710


@pytest.fixture
def watch() -> ModuleType:
    spec = importlib.util.spec_from_file_location("watch", Path(settings.BASE_DIR) / "deploy" / "watch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("looks", "killed"), [([True, False] * 3, []), ([False, True, True], [SUPERVISOR])])
def test_the_site_is_ended_when_make_stays_interrupted(watch, monkeypatch, looks, killed):
    """Who starts a child blocks all signals for a moment, as make does when it is interrupted."""
    seen, ended = iter(looks), []
    parents = iter([SUPERVISOR] * len(looks) + [1])
    monkeypatch.setattr(watch, "is_interrupted", lambda make: next(seen))
    monkeypatch.setattr(watch, "status", lambda pid: {"PPid": str(MAKE)})
    monkeypatch.setattr(watch, "children", lambda pid: [])
    monkeypatch.setattr(watch.os, "getppid", lambda: next(parents))
    monkeypatch.setattr(watch.os, "kill", lambda pid, number: ended.append(pid))
    monkeypatch.setattr(watch.time, "sleep", lambda seconds: None)

    watch.watch_over(SUPERVISOR, MAKE)

    assert ended == killed


def test_a_process_blocking_an_interrupt_is_interrupted(watch):
    blocking = (
        "import signal, time; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # nohup has it ignored
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP}); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", blocking])
    try:
        until = time.monotonic() + 30
        while not watch.is_interrupted(process.pid):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert not watch.is_interrupted(os.getpid())
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
