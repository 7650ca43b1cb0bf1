"""Breakpoints in a training: it waits at an injection point until the fault is injected, even in a short step.

Triggers in the site's database make the training wait for an advisory lock. The waiting connection is closed before the
lock is released, so the pending write is lost.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import psycopg2

from benchmarks.chaos.processes import wait_for

LOCK_SPACE = 7001  # first key of the advisory locks


class InjectionPoint(NamedTuple):
    """A point in a step of a training. Without a breakpoint, the fault is injected while the step computes."""

    step: str
    has_breakpoint: bool
    description: str


INJECTION_POINTS = {
    "queued": InjectionPoint("", True, "taken from the queue, not yet claimed"),
    "export": InjectionPoint("export", True, "done, not yet recorded"),
    "snapshot": InjectionPoint("snapshot", True, "done, not yet recorded"),
    "checks": InjectionPoint("checks", True, "done, not yet recorded"),
    "fit": InjectionPoint("fit", False, "computing"),
    "evaluate": InjectionPoint("evaluate", False, "computing"),
    "register": InjectionPoint("register", True, "the version has a row, MLflow does not know it yet"),
    "gate": InjectionPoint("gate", True, "decided, not yet recorded"),
    "promote": InjectionPoint("promote", True, "inside the transaction that changes the champion"),
    "promoted": InjectionPoint("promote", True, "the champion has changed, the run has not ended"),
}

_TRIGGERS = f"""
CREATE FUNCTION chaos_breakpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({LOCK_SPACE}, hashtext(
        CASE TG_ARGV[0] WHEN 'step' THEN to_jsonb(NEW)->>'name' ELSE TG_ARGV[0] END));
    RETURN NEW;
END $$;
CREATE TRIGGER chaos_queued BEFORE UPDATE OF status ON catalog_job FOR EACH ROW
    WHEN (NEW.kind = 'training' AND OLD.status = 'queued' AND NEW.status = 'running')
    EXECUTE FUNCTION chaos_breakpoint('queued');
CREATE TRIGGER chaos_step BEFORE UPDATE OF status ON mlops_runstep FOR EACH ROW
    WHEN (NEW.status = 'succeeded' AND NEW.name NOT IN ('promote', 'register'))
    EXECUTE FUNCTION chaos_breakpoint('step');
CREATE TRIGGER chaos_mirror BEFORE UPDATE OF activity ON mlops_runstep FOR EACH ROW
    WHEN (NEW.activity = 'mlflow') EXECUTE FUNCTION chaos_breakpoint('register');
CREATE TRIGGER chaos_promote BEFORE INSERT ON mlops_promotion FOR EACH ROW EXECUTE FUNCTION chaos_breakpoint('promote');
CREATE TRIGGER chaos_promoted BEFORE UPDATE OF status ON mlops_runstep FOR EACH ROW
    WHEN (NEW.status = 'succeeded' AND NEW.name = 'promote') EXECUTE FUNCTION chaos_breakpoint('promoted');
"""


def prepare(url: str) -> None:
    _execute(url, _TRIGGERS)


class Breakpoint:
    """Blocks the training at the injection point until the `with` block ends."""

    def __init__(self, url: str, point: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True
        self._key = point
        self._query("SELECT pg_advisory_lock(%s, hashtext(%s))", LOCK_SPACE, point)

    def wait(self, seconds: float) -> None:
        wait_for(self._waiting, seconds=seconds, what=f"the training reaches {self._key}", pause=0.02)

    def drop(self) -> None:
        """Closes the waiting connections, whose process was killed. This rolls back their transactions."""
        with suppress(psycopg2.Error):
            for (pid,) in self._waiting():
                self._query("SELECT pg_terminate_backend(%s)", pid)

    def __enter__(self) -> Breakpoint:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with suppress(psycopg2.Error):  # Postgres may have been killed, which also releases the lock
            self._connection.close()

    def _waiting(self) -> list[Any]:
        return self._query(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = %s", LOCK_SPACE
        )

    def _query(self, query: str, *values: Any) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()


def _execute(url: str, query: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(query)
    connection.close()
