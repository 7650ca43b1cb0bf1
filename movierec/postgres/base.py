"""Django's backend for Postgres, without a query that asks at each request whether its connection still works.

A server that ended has told the connection so, and one that hangs would answer neither that query nor the next.
"""

import select
import time

from django_prometheus.db.backends.postgresql import base

FRESH_SECONDS = 5.0  # after its last request; later, a firewall or pool may have dropped a connection without a word


class DatabaseWrapper(base.DatabaseWrapper):
    _usable_at = float("-inf")

    def is_usable(self) -> bool:
        is_usable = self._is_fresh() or super().is_usable()
        if is_usable:
            self._usable_at = time.monotonic()
        return bool(is_usable)

    def _is_fresh(self) -> bool:
        """Whether it worked just now, nothing went wrong since, and the server has said nothing unasked."""
        if self.errors_occurred or not self.connection or self.connection.closed:
            return False
        poller = select.poll()
        poller.register(self.connection.fileno(), select.POLLIN)
        return time.monotonic() - self._usable_at < FRESH_SECONDS and not poller.poll(0)
