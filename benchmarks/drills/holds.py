"""Holds a training at a moment of its way, so that a kill hits that moment however short it is.

Triggers in the installation's database make the training wait for a lock that the drill has. What it was about to
write is then not written: the waiting connection is ended before the lock is given free.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, NamedTuple

import psycopg2

from benchmarks.drills.processes import wait_for

SPACE = 7001  # of the advisory locks


class Moment(NamedTuple):
    """`step` is the one that is going on. Where `is_held` is false it computes: there nothing is held, but met."""

    step: str
    is_held: bool
    meaning: str


MOMENTS = {
    "queued": Moment("", True, "taken from the queue, not claimed"),
    "export": Moment("export", True, "done, not recorded"),
    "snapshot": Moment("snapshot", True, "done, not recorded"),
    "checks": Moment("checks", True, "done, not recorded"),
    "fit": Moment("fit", False, "computing"),
    "evaluate": Moment("evaluate", False, "computing"),
    "register": Moment("register", True, "the version's row is there, MLflow knows nothing"),
    "gate": Moment("gate", True, "judged, not recorded"),
    "promote": Moment("promote", True, "in the transaction that changes the champion"),
    "promoted": Moment("promote", True, "the champion is changed, the run has not ended"),
}

_TRIGGERS = f"""
CREATE FUNCTION drill_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({SPACE}, hashtext(
        CASE TG_ARGV[0] WHEN 'step' THEN to_jsonb(NEW)->>'name' ELSE TG_ARGV[0] END));
    RETURN NEW;
END $$;
CREATE TRIGGER drill_queued BEFORE UPDATE OF status ON mlops_pipelinerun FOR EACH ROW
    WHEN (OLD.status = 'queued' AND NEW.status = 'running') EXECUTE FUNCTION drill_hold('queued');
CREATE TRIGGER drill_step BEFORE UPDATE OF status ON mlops_runstep FOR EACH ROW
    WHEN (NEW.status = 'succeeded' AND NEW.name NOT IN ('promote', 'register')) EXECUTE FUNCTION drill_hold('step');
CREATE TRIGGER drill_mirror BEFORE UPDATE OF progress ON mlops_runstep FOR EACH ROW
    WHEN (NEW.progress = 'MLflow') EXECUTE FUNCTION drill_hold('register');
CREATE TRIGGER drill_promote BEFORE INSERT ON mlops_promotion FOR EACH ROW EXECUTE FUNCTION drill_hold('promote');
CREATE TRIGGER drill_promoted BEFORE UPDATE OF status ON mlops_runstep FOR EACH ROW
    WHEN (NEW.status = 'succeeded' AND NEW.name = 'promote') EXECUTE FUNCTION drill_hold('promoted');
"""


def prepare(url: str) -> None:
    _ask(url, _TRIGGERS)


class Hold:
    """Holds what comes to the moment while the block lasts."""

    def __init__(self, url: str, moment: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True
        self._key = moment
        self._do("SELECT pg_advisory_lock(%s, hashtext(%s))", SPACE, moment)

    def wait(self, seconds: float) -> None:
        wait_for(self._waiting, seconds=seconds, what=f"the training comes to the moment {self._key}", pause=0.02)

    def drop(self) -> None:
        """What waits here is undone: its process was killed and has no more to say."""
        with suppress(psycopg2.Error):
            for (pid,) in self._waiting():
                self._do("SELECT pg_terminate_backend(%s)", pid)

    def __enter__(self) -> Hold:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with suppress(psycopg2.Error):  # Postgres may be gone, and the lock with it
            self._connection.close()

    def _waiting(self) -> list[Any]:
        return self._do("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = %s", SPACE)

    def _do(self, query: str, *values: Any) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchall()


def _ask(url: str, query: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(query)
    connection.close()
