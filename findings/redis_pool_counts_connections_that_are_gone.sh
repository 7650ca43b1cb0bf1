#!/usr/bin/env bash
# A connection that redis-py's pool makes outside of get_connection() counts against its limit even after it is gone.
#
# Seen with redis-py 8.1.0: ConnectionPool.make_connection() raises MaxConnectionsError ("Too many connections") at its
# 101st call, although each connection was closed and collected before the next was made; none was ever alive beside
# another. Connections made of the pool's own `connection_class` and `connection_kwargs` have no such limit.
#
# So whoever keeps a connection for each thread, to save the pool's own bookkeeping, loses Redis for good in a process
# whose threads come and go. No server is needed to see it: nothing connects before the first command.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0

cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import gc
import weakref

from redis import ConnectionPool
from redis.exceptions import MaxConnectionsError

pool = ConnectionPool.from_url("redis://127.0.0.1:6379/0")
made, alive = 0, []
try:
    for _ in range(1000):
        connection = pool.make_connection()
        made += 1
        connection.disconnect()
        alive.append(weakref.ref(connection))
        del connection
        gc.collect()
except MaxConnectionsError as error:
    said = str(error)
else:
    said = "nothing"
n_alive = sum(one() is not None for one in alive)
for _ in range(1000):
    pool.connection_class(**pool.connection_kwargs)
print(f"made {made}, alive {n_alive}, then: {said}; without make_connection(): 1000 of 1000")
assert (made, n_alive, said) == (100, 0, "Too many connections"), (made, n_alive, said)
PYTHON
