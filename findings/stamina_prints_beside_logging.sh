#!/usr/bin/env bash
# stamina prints its retries to stdout, past `logging`, as soon as structlog is installed.
#
# Seen with stamina 26.1.0 and structlog 26.1.0. Without structlog a retry is a line of the logger `stamina`. With it,
# installed by any other dependency, stamina logs to structlog alone; and structlog that nobody has configured prints to
# stdout, so the line misses every handler of `logging`, its level, format and redaction, and breaks the output of a
# command.
#
# So a site that uses structlog only for parts of it (`contextvars`, `ProcessorFormatter`) needs
# `stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
install() { "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }

retried() { # stdout and the log of a function that is called twice
    "$work/venv/bin/python" - "$@" <<'PYTHON'
import contextlib
import io
import logging
import sys

import stamina

log, printed = io.StringIO(), io.StringIO()
logging.basicConfig(level=logging.INFO, stream=log)
if "hook" in sys.argv:
    stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])


@stamina.retry(on=ValueError, attempts=2, wait_max=0.01)
def fails() -> None:
    raise ValueError


with contextlib.redirect_stdout(printed), contextlib.suppress(ValueError):
    fails()
print(f"stdout {len(printed.getvalue().splitlines())}, log {len(log.getvalue().splitlines())}")
PYTHON
}

install stamina==26.1.0
without=$(retried)
install structlog==26.1.0
with=$(retried)
hooked=$(retried hook)
echo "lines of a retry without structlog: $without; with it: $with; with it and LoggingOnRetryHook: $hooked"
[ "$without" = "stdout 0, log 1" ] && [ "$with" = "stdout 1, log 0" ] && [ "$hooked" = "stdout 0, log 1" ]
