import os
import signal
import subprocess
import sys

from catalog.jobs.process import is_running, namespace, start_of, this_process
from tests.processes import wait_for


def test_a_pid_counts_with_its_start_alone():
    me = this_process()

    assert is_running(me.pid, me.start)
    assert not is_running(me.pid, me.start + 1)
    assert not is_running(None, None)


def test_a_zombie_does_not_run():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = start_of(child.pid)

    assert is_running(child.pid, start)
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: not is_running(child.pid, start), seconds=60, what="the process is seen to have ended")
    child.wait()


def test_the_namespace_names_the_boot_too():
    boot, _, inode = namespace().partition(":")

    assert len(boot) == 36
    assert inode.isdigit()
