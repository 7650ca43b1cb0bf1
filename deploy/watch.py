"""Says when the site answers, and ends it when `make` was interrupted or killed alone; run by supervisord.

Make hands a SIGTERM on to the site, but neither a SIGINT sent to make alone nor its own death. Both can be seen: in
the first case make blocks the signal and waits for us, in the second the site has another parent. Then supervisord
is ended, and with it every child.
"""

import os
import signal
import sys
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
    """The fields of /proc/PID/status; none where there is no such process, or no /proc."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return dict(line.split(":", 1) for line in lines if ":" in line)


def wants_an_end(supervisor: int, make: int) -> bool:
    if int(status(supervisor)["PPid"]) != make:
        return True
    blocked, caught, ignored = (int(status(make).get(field, "0"), 16) for field in ("SigBlk", "SigCgt", "SigIgn"))
    pending = blocked & ~caught & ~ignored
    return any(pending >> (number - 1) & 1 for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT))


def main() -> None:
    address, log = f"http://127.0.0.1:{os.environ['PORT']}", Path(os.environ["VAR_DIR"]) / "log"
    supervisor = os.getppid()
    make = int(os.environ.get("MAKE_PID") or 0) if status(supervisor) else 0
    started, ready, warned = time.monotonic(), False, False
    while not ready or make:
        if not ready and is_ready(address):
            ready = True
            say(f"Movierec is at {address}  (Ctrl-C ends it; logs are in {log})")
        elif not ready and not warned and time.monotonic() - started > SLOW_SECONDS:
            warned = True
            say(f"The site does not answer yet; {log / 'web.log'} may say why.")
        if make and wants_an_end(supervisor, make):
            os.kill(supervisor, signal.SIGTERM)
            return
        time.sleep(0.5 if ready else 0.2)


if __name__ == "__main__":
    main()
