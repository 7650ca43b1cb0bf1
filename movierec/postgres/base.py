"""Django's backend for Postgres, without the query that tests the connection on each request.

A server that shut down has already notified the connection. A server that hangs would answer neither the test nor the
next query.
"""

import select
import time

from django_prometheus.db.backends.postgresql import base

FRESH_SECONDS = 5.0  # idle time without a test; after that, a firewall or pool may have silently dropped the connection


class DatabaseWrapper(base.DatabaseWrapper):
    _usable_at = float("-inf")

    def is_usable(self) -> bool:
        is_usable = self._is_fresh() or super().is_usable()
        if is_usable:
            self._usable_at = time.monotonic()
        return bool(is_usable)

    def _is_fresh(self) -> bool:
        """Return whether the connection worked recently, without later errors or unsolicited messages."""
        if self.errors_occurred or not self.connection or self.connection.closed:
            return False
        poller = select.poll()
        poller.register(self.connection.fileno(), select.POLLIN)
        return time.monotonic() - self._usable_at < FRESH_SECONDS and not poller.poll(0)
