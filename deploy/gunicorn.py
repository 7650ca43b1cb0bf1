"""Gunicorn's configuration for `make run` and containers. Addresses and sizes come from the environment.

The master imports the code and loads the models once. It then forks the web processes, which start at once and share
its memory. No database connection or thread crosses the fork. Models promoted later are loaded by each web process,
which share the arrays through the page cache.
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
keepalive = 120  # longer than in proxies and clients (60 to 90 s), so that they do not reuse a connection being closed
limit_request_line = 8190  # bytes; leaves room for many ids in `exclude`
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a slow disk must not look like a dead worker
control_socket_disable = True
logger_class = "movierec.web_worker.Log"


def on_starting(server: Any) -> None:
    """Deletes the previous run's metrics, which would be counted twice, and then imports the code.

    `preload_app` is not used, because importing the code creates the metric files.
    """
    try:
        delete_metrics(_metrics)
    except OSError as error:  # the site must start even on a full or read-only disk
        server.log.error("Metrics of the previous run are still in /metrics: %s", error)
    import_module("movierec.metric_files").install()
    prepare()


def delete_metrics(folder: Path) -> None:
    """Deletes only the metric files, because an operator may choose a shared folder. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.iterdir():
        if re.fullmatch(r"(counter|gauge|histogram|summary)\w*_\d+\.(db|part)", file.name):
            file.unlink()


def prepare() -> None:
    """Imports Django, the views and the estimators. Loads the models if there are several web processes."""
    import_module("movierec.wsgi")
    import_module("recommender.estimators").ESTIMATORS  # noqa: B018 # imports them: they are lazy
    import_module(import_module("django.conf").settings.ROOT_URLCONF)
    if workers > 1:  # a single web process loads the models itself, to keep the master small
        import_module("recommender.serving.model_server").server.preload()
        import_module("django.db").connections.close_all()
    gc.collect()
    gc.freeze()  # prevents the garbage collector of a web process from copying shared memory


def child_exit(server: Any, worker: Any) -> None:
    # imported here, because prometheus_client decides on import whether it counts for several processes
    from prometheus_client.multiprocess import mark_process_dead

    with suppress(OSError):  # a read-only disk must not end the master
        mark_process_dead(worker.pid, path=str(_metrics))


def post_worker_init(worker: Any) -> None:
    """Loads models promoted since the master started, and starts the threads that monitor the site."""
    # imported here, because Django is set up after this file is read
    from mlops.monitoring.watch import site_watch
    from movierec.ops import latest_rows
    from recommender.serving.model_server import server

    settings = import_module("django.conf").settings
    if settings.TRACING:
        import_module("movierec.tracing").start()
    server.models()
    sys.setswitchinterval(0.001)  # the default of 5 ms delays each step of a short request while others compute
    site_watch.ensure_started()
    latest_rows.start()
    if settings.MODEL_STORE:
        import_module("mlops.delivery.fetch").served_fetcher.ensure_started()


def worker_exit(server: Any, worker: Any) -> None:
    if tracing := sys.modules.get("movierec.tracing"):
        tracing.end()
