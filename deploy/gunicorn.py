"""Gunicorn's configuration, for `make run` and containers alike; addresses and sizes come from the environment.

The master imports the code and loads the models once, and forks the web processes, which start at once and share its
memory. No database connection or thread crosses the fork. A web process loads what is promoted later itself; the page
cache shares a model's arrays.
"""

import gc
import os
import re
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

_var = Path(os.environ.get("VAR_DIR") or Path(__file__).resolve().parent.parent / "var")
_metrics = Path(os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(_var / "prometheus")))

wsgi_app = "movierec.wsgi:application"
_ports = [os.environ.get("PORT", "8000"), os.environ.get("HEALTH_PORT", "")]
_host = os.environ.get("HOST", "127.0.0.1")
bind = [f"[{_host.strip('[]')}]:{port}" if ":" in _host else f"{_host}:{port}" for port in _ports if port]
worker_class = "movierec.web_worker.Worker"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 20
keepalive = 120  # longer than proxies and clients keep theirs (60 to 90 s), so that none uses one that just closes
limit_request_line = 8190  # for lists with many ids in `exclude`
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a slow disk must not look like a dead worker
control_socket_disable = True
logger_class = "movierec.web_worker.Log"


def on_starting(server: Any) -> None:
    """Deletes the metrics of the previous run, which would be counted twice, and then imports the code.

    The order matters, so this does not use `preload_app`: importing the code creates the files of the metrics.
    """
    try:
        delete_metrics(_metrics)
    except OSError as error:  # a site on a disk that is full or read-only starts all the same
        server.log.error("Metrics of the previous run are still in /metrics: %s", error)
    import_module("movierec.metric_files").install()
    prepare()


def delete_metrics(folder: Path) -> None:
    """Leaves all other files alone: an operator may name a folder that is not for metrics only. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.iterdir():
        if re.fullmatch(r"(counter|gauge|histogram|summary)\w*_\d+\.(db|part)", file.name):
            file.unlink()


def prepare() -> None:
    """Imports what web processes need, Django, the views and the estimators, and loads the models for several."""
    import_module("movierec.wsgi")
    import_module("recommender.estimators").ESTIMATORS  # noqa: B018 # imports them: they are lazy
    import_module(import_module("django.conf").settings.ROOT_URLCONF)
    if workers > 1:  # a single one loads them itself, and the master stays small
        import_module("recommender.serving.model_server").server.preload()
        import_module("django.db").connections.close_all()
    gc.collect()
    gc.freeze()  # keeps the collector of a web process from touching, and so copying, shared memory


def child_exit(server: Any, worker: Any) -> None:
    # Imported here: prometheus_client decides at its import, once, whether it counts for several processes.
    from prometheus_client.multiprocess import mark_process_dead

    with suppress(OSError):  # a read-only disk must not end the master
        mark_process_dead(worker.pid, path=str(_metrics))


def post_worker_init(worker: Any) -> None:
    """Loads what was promoted since the master loaded its models, and starts the threads that watch the site."""
    # Imported here: Django is set up in the worker, after this file was read.
    from mlops.monitoring.watch import site_watch
    from movierec.ops import latest_rows
    from recommender.serving.model_server import server

    settings = import_module("django.conf").settings
    if settings.TRACING:
        import_module("movierec.tracing").start()
    server.models()
    sys.setswitchinterval(0.001)  # 5 ms by default, which a short request waits at each step while others compute
    site_watch.ensure_started()
    latest_rows.start()
    if settings.MODEL_STORE:
        import_module("mlops.delivery.fetch").served_fetcher.ensure_started()


def worker_exit(server: Any, worker: Any) -> None:
    if tracing := sys.modules.get("movierec.tracing"):
        tracing.end()
