"""Pages for operators.

/healthz reports that this process responds, and /readyz whether its dependencies are ready. /metrics shows the counters
of all web processes and the metrics that `mlops.dashboard.metrics` reads from the database.
"""

import logging
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from mlops.dashboard.metrics import RowsCollector
from mlops.monitoring.watch import disk_error
from movierec import bounded_waits
from movierec.api_keys import may_read_metrics
from recommender.models import ServedModel
from recommender.serving.model_server import server
from recommender.serving.periodic import PeriodicThread

logger = logging.getLogger(__name__)

READY_SECONDS = 0.8  # timeout of /readyz for the database; probes often time out after a second
REFRESH_SECONDS = 10.0
MAX_AGE_SECONDS = 60.0  # maximum age of metrics shown while the database does not respond

Handler = Callable[[HttpRequest], HttpResponseBase]


def probes(get_response: Handler) -> Handler:
    """Middleware that serves these pages for any host name, without HTTPS or session. HEALTH_PORT serves only these."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path_info in settings.PROBES:
            page: Handler = resolve(request.path_info).func
            return page(request)
        if request.META.get("SERVER_PORT") == str(settings.HEALTH_PORT):
            return HttpResponseNotFound(
                f"Only {', '.join(settings.PROBES)} are served on this port.\n", content_type="text/plain"
            )
        return get_response(request)

    return answer


class Part(TypedDict):
    ok: bool
    detail: str


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Return 503 if the database is down or has no tables. Lists need neither a model nor a writable disk."""
    with bounded_waits.at_most(READY_SECONDS):
        parts = _database_and_model()
    ready = all(part["ok"] for part in parts.values())
    parts["disk"] = _disk()
    return JsonResponse({"status": "ready" if ready else "not ready", "parts": parts}, status=200 if ready else 503)


def _database_and_model() -> dict[str, Part]:
    """Check both with one query, because each query may wait for busy threads of the process."""
    try:
        champion = ServedModel.champion()
    except DatabaseError as error:
        logger.error("not ready: %s", error)  # only logged, because the message contains addresses
        return _what_is_wrong()
    return {"database": Part(ok=True, detail="answers"), "model": _model(champion)}


def _what_is_wrong() -> dict[str, Part]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        unknown = Part(ok=False, detail="unknown without the database")
        return {"database": Part(ok=False, detail="does not answer"), "model": unknown}
    missing = Part(ok=False, detail="the database has no tables; run migrate")
    return {"database": Part(ok=True, detail="answers"), "model": missing}


def _model(champion: ServedModel | None) -> Part:
    if champion is None:
        return Part(ok=True, detail="no model yet: popular movies are shown")
    served = server.models()
    if any(model.version == champion.version for model in served):
        return Part(ok=True, detail=f"version {champion.version} ({champion.algorithm})")
    instead = f"version {served[0].version} is served" if served else "popular movies are shown"
    return Part(ok=True, detail=f"version {champion.version} is not loaded: {instead}")


def _disk() -> Part:
    error = disk_error()
    return Part(ok=not error, detail=f"nothing can be written below VAR_DIR: {error}" if error else "can be written to")


class LatestRows:
    """The database metrics, as last read by a background thread. A scrape does not wait for queries."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(RowsCollector())
        self._text = b""
        self._read_at = -math.inf
        self.thread = PeriodicThread("read figures for /metrics", self._read, lambda: REFRESH_SECONDS)

    def start(self) -> None:
        self.thread.ensure_started()
        self.thread.wake()

    def text(self) -> bytes:
        """Return the metrics in Prometheus format, or nothing if they are too old."""
        if not self._text or not self.thread.is_alive():
            try:
                self._read()
            except DatabaseError as error:
                logger.error("Figures of the database are missing from /metrics: %s", error)
                return b""
        return self._text if time.monotonic() - self._read_at < MAX_AGE_SECONDS else b""

    def _read(self) -> None:
        self._text = generate_latest(self._registry)
        self._read_at = time.monotonic()


latest_rows = LatestRows()


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read_metrics(request):
        told = "Send the METRICS_TOKEN, or an API key of staff with the scope metrics, as a bearer token.\n"
        refusal = HttpResponse(told, status=401, content_type="text/plain")
        refusal["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refusal
    return HttpResponse(generate_latest(_registry()) + latest_rows.text(), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and Path(folder).is_dir():
        MultiProcessCollector(registry, folder)  # under gunicorn, the sum over its workers' files
    else:
        registry.register(REGISTRY)
    return registry
