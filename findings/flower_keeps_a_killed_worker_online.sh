#!/usr/bin/env bash
# In Flower's metrics for Prometheus a worker that was killed stays online for ever.
#
# Seen with Flower 2.2.0, Celery 5.7.0 and Redis 7. flower_worker_online follows the events worker-online,
# worker-heartbeat and worker-offline. A worker that is killed sends no worker-offline, so its series stays 1, while
# Flower's own API (/api/workers?status=1) says false for it seconds later. In containers each new one has a name of its
# own, so that series of dead workers also grow in number.
#
# With --purge-offline-workers=SECONDS the series of such a worker, its counters among them, end with the first scrape
# after that time. So an alert must count the workers that are online, not wait for a 0.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check flower==2.2.0 'celery[redis]==5.7.0'

cd "$work"
export PATH="$work/venv/bin:$PATH" FLOWER_UNAUTHENTICATED_API=true
cat >app.py <<'PYTHON'
from celery import Celery

app = Celery("app", broker="redis://127.0.0.1:16390/0")
PYTHON
redis-server --port 16390 --bind 127.0.0.1 --save '' >/dev/null &
celery --app app flower --address=127.0.0.1 --port=15590 >keeps.log 2>&1 &
celery --app app flower --address=127.0.0.1 --port=15591 --purge-offline-workers=5 >purges.log 2>&1 &
for port in 15590 15591; do
    until curl --silent --fail "http://127.0.0.1:$port/healthcheck" >/dev/null; do sleep 0.5; done
done
celery --app app worker --pool solo --hostname w@host --events >worker.log 2>&1 &
worker=$!

online() { curl --silent "http://127.0.0.1:$1/metrics" | grep '^flower_worker_online{worker="w@host"}' || true; }
until [ -n "$(online 15590)" ] && [ -n "$(online 15591)" ]; do sleep 0.5; done
kill -9 "$worker"
until curl --silent 'http://127.0.0.1:15590/api/workers?status=1' | grep --quiet '"w@host": false'; do sleep 0.5; done
until [ -z "$(online 15591)" ]; do sleep 0.5; done
sleep 20

kept=$(online 15590)
echo "20 s after the API says that the worker is offline: $kept"
echo "with --purge-offline-workers=5: no series"
[ "$kept" = 'flower_worker_online{worker="w@host"} 1.0' ]
