"""Reports when the site is ready, and stops it if `make` is interrupted or killed. Run by supervisord.

make forwards SIGTERM to the site, but not a SIGINT that is sent only to make, and it cannot report its own death. This
script detects both: after a SIGINT, make blocks the signal and waits for its children, and after its death, the site
has another parent. It then stops supervisord and thus every child.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

SLOW_SECONDS = 60


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def status(pid: int) -> dict[str, str]:
    """Returns the fields of /proc/PID/status, or an empty dict if the process or /proc does not exist."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return dict(line.split(":", 1) for line in lines if ":" in line)


def is_interrupted(make: int) -> bool:
    """Returns whether make waits for its children after a signal. Also true briefly while make starts a child."""
    blocked, caught, ignored = (int(status(make).get(field, "0"), 16) for field in ("SigBlk", "SigCgt", "SigIgn"))
    pending = blocked & ~caught & ~ignored
    return any(pending >> (number - 1) & 1 for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT))


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    except OSError:
        return []


def watch_over(supervisor: int, make: int) -> None:
    """Stops the site when make exits or is interrupted. Also stops the children if supervisord is killed."""
    siblings: list[int] = []
    n_interrupted = 0  # consecutive checks that found make interrupted
    while os.getppid() == supervisor:
        siblings = [child for child in children(supervisor) if child != os.getpid()] or siblings
        n_interrupted = n_interrupted + 1 if is_interrupted(make) else 0
        if int(status(supervisor).get("PPid", make)) != make or n_interrupted > 1:
            os.kill(supervisor, signal.SIGTERM)
            return
        time.sleep(0.5)
    for child in siblings:  # each leads its own process group
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGTERM)


def announce(address: str, log: Path) -> None:
    started, warned = time.monotonic(), False
    while not is_ready(address):
        if not warned and time.monotonic() - started > SLOW_SECONDS:
            warned = True
            say(f"The site does not answer yet; see {log / 'web.log'}.")
        time.sleep(0.2)
    say(f"Movierec is at {address}  (Ctrl-C stops it; logs are in {log})")
    # prints nothing if a superuser exists
    subprocess.run([sys.executable, "manage.py", "setup_link", "--if-open", "--base", address], check=False)


def main() -> None:
    supervisor = os.getppid()
    host, log = os.environ["HOST"], Path(os.environ["VAR_DIR"]) / "log"
    address = f"http://{f'[{host}]' if ':' in host else host}:{os.environ['PORT']}"
    make = int(os.environ.get("MAKE_PID") or 0)
    if make and status(supervisor):
        threading.Thread(target=announce, args=(address, log), daemon=True).start()
        watch_over(supervisor, make)
    else:
        announce(address, log)


if __name__ == "__main__":
    main()
