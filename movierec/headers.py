"""Security headers that Django does not set itself."""

from collections.abc import Callable

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from catalog.providers.commons import PICTURES
from catalog.site_settings import tmdb_read_token

# Browser features that the site does not use. Embedded or injected content must not use them either.
UNUSED = ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "payment", "usb")
WITH_PICTURES = ("catalog:movie-detail", "catalog:person-detail")  # views that show pictures of Wikimedia Commons
PERMISSIONS_POLICY = ", ".join(f"{name}=()" for name in UNUSED)


def permissions_policy(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return respond


class ContentSecurityPolicy(CSPMiddleware):
    """Extends the policy in settings. Pages may load TMDB's pictures if TMDB is enabled, and some pages Commons'."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        is_page = response.status_code < 500 and response.get("Content-Type", "").startswith("text/html")
        origins = ["https://image.tmdb.org", settings.TMDB_LOGO_URL] if is_page and tmdb_read_token() else []
        if is_page and request.resolver_match and request.resolver_match.view_name in WITH_PICTURES:
            origins.append(PICTURES)
        if origins := [*filter(None, origins)]:
            parts.update = {"img-src": origins} | (parts.update or {})
        return parts
