"""The WSGI entry point."""

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from movierec import bounded_waits

Application = Callable[[dict[str, Any], Any], Any]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "movierec.settings")

if settings.TRACING:
    import_module("movierec.tracing").instrument_web()


def below(base_path: str, site: Application) -> Application:
    """Return an application that serves the site below a path such as /movies, or at the root if it is empty.

    Proxies must pass the path on unchanged. Operators' pages are also served at the root, because health checks do not
    know the path.
    """
    if not base_path:
        return site

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if f"{path}/".startswith(f"{base_path}/"):
            return site(environ | {"PATH_INFO": path.removeprefix(base_path) or "/"}, start_response)
        if path in settings.PROBES:
            return site(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [f"The site is at {base_path}/.\n".encode()]

    return answer


application = below(settings.BASE_PATH, get_wsgi_application())

if not settings.EMBEDDED:
    bounded_waits.install()
