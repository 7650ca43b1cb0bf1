"""/metrics: counters of all web processes, and figures that `mlops.dashboard.metrics` reads from the database."""

import hmac
import os

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from mlops.dashboard.metrics import collectors


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not _may_read(request):
        refusal = HttpResponse("Send the METRICS_TOKEN as a bearer token.\n", status=401, content_type="text/plain")
        refusal["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refusal
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # under gunicorn: the sum of its workers, from their files
        MultiProcessCollector(registry)
    else:
        registry.register(REGISTRY)
    for collector in collectors():
        registry.register(collector)
    return registry
