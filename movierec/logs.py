"""Log lines, as text or JSON, with the ids of the request, task and run, and without secrets.

`structlog.contextvars` holds the ids. The middleware below binds a request's id, `movierec.celery` a task's while it
runs, and `catalog.jobs.queue` a run's after its worker has claimed it.
"""

import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from django.utils.module_loading import import_string
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.processors import EventRenamer, JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict

from movierec.redaction import redact

FORMATS = ("text", "json")
HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")  # any other client-supplied id is replaced
SHORT = 8  # characters shown of a long id in the text format
LONG = ("request_id", "task_id", "trace_id")
IDS = ("request_id", "task", "task_id", "run", "run_id", "trace_id")

logger = logging.getLogger("movierec.access")

Handler = Callable[[HttpRequest], HttpResponse]


def configure(*, form: str, level: str, ids: Sequence[str] = ()) -> dict[str, Any]:
    """Return the LOGGING setting. `ids` names processors that add further ids. Python's warnings are logged too."""
    logging.captureWarnings(True)
    os.environ.setdefault("MLFLOW_CONFIGURE_LOGGING", "false")  # otherwise it writes lines in its own format
    facts = [add_log_level, add_logger_name, TimeStamper(fmt="iso", utc=True), ExtraAdder(EXTRA), _without_path]
    last = [EventRenamer("message"), JSONRenderer(ensure_ascii=False, default=str)] if form == "json" else [_as_text]
    line = {
        "()": ProcessorFormatter,
        "foreign_pre_chain": [merge_contextvars, _ids_of_celery, *map(import_string, ids), *facts],
        "processors": [format_exc_info, ProcessorFormatter.remove_processors_meta, *last, _redacted],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        # Not sys.stderr: Celery replaces it with an object that logs prints, and that drops log lines written to it.
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.__stderr__"}
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "alembic": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},  # at INFO it logs every request
            "mlflow": {"level": "WARNING"},
            "opentelemetry": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},  # `access_line` logs the rest
            "django.server": {"handlers": [], "propagate": True},
        },
    }


EXTRA = ("method", "path", "status", "seconds")  # from `access_line`; other libraries' extras may contain anything


def _ids_of_celery(_: Any, __: str, event: EventDict) -> EventDict:
    """Add the task's name and id to lines of the worker's main process, which does not run the tasks itself."""
    data = getattr(event["_record"], "data", None)
    if isinstance(data, dict) and "id" in data and "name" in data:
        event.update(task=data["name"], task_id=data["id"])
    return event


def _without_path(_: Any, __: str, event: EventDict) -> EventDict:
    """Replace the request path in Django's own log lines with `shown_path`."""
    request = getattr(event["_record"], "request", None)
    if isinstance(request, HttpRequest):
        event["event"] = event["event"].replace(request.path, shown_path(request))
    return event


def _as_text(_: Any, __: str, event: EventDict) -> str:
    ids = " ".join(
        f"{name}={str(event[name])[:SHORT] if name in LONG else event[name]}" for name in IDS if name in event
    )
    line = f"{event['timestamp']} {event['level'].upper()} {event['logger']}: {event['event']}"
    return "\n".join(filter(None, (f"{line} [{ids}]" if ids else line, event.get("exception"))))


def _redacted(_: Any, __: str, line: str) -> str:
    return redact(line)


def shown_path(request: HttpRequest) -> str:
    """Return the path with all parameters but numbers replaced, because they may be usernames or secrets."""
    path = escape_uri_path(request.path)
    for name, value in request.resolver_match.kwargs.items() if request.resolver_match else ():
        if isinstance(value, str) and value and not value.isdigit():
            path = path.replace(escape_uri_path(value), f"<{name}>")
    return path


def request_ids(get_response: Handler) -> Handler:
    """Middleware that gives each request an id, or accepts a proxy's, and returns it in the response."""

    def respond(request: HttpRequest) -> HttpResponse:
        sent = request.headers.get(HEADER, "")
        request_id = sent if WELL_FORMED.fullmatch(sent) else uuid.uuid4().hex
        with bound_contextvars(request_id=request_id):
            response = get_response(request)
        response.headers[HEADER] = request_id
        return response

    return respond


def access_line(get_response: Handler) -> Handler:
    """Middleware that logs each request without its query string, client address and headers.

    The status is that of the view's response. `delivery` may later turn it into a 304 if the client already has it.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = get_response(request)
        facts = {"method": request.method, "path": shown_path(request), "status": response.status_code}
        seconds = round(time.perf_counter() - began, 4)
        logger.info("%(method)s %(path)s %(status)s", facts, extra=facts | {"seconds": seconds})
        return response

    return respond
