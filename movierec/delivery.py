"""Caching headers, conditional responses and compression.

All this is a single middleware, which runs after the inner middleware has finished the response.
"""

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import patch_vary_headers

TEXTS = re.compile(
    r"text/|image/svg\+xml|application/([\w.-]+\+)?(json|xml|javascript|yaml)|application/(x-ndjson|vnd\.oai\.openapi)"
)
SCRIPTS = "scripts"  # cookie set by early.js
# Django masks the token differently in each response, so that otherwise equal pages differ in it.
MASKED_TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value="|"x-csrftoken": ")\w+')


def deliver(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that sets caching headers, unless the view has set them.

    By default browsers cache responses privately and revalidate them each time. "Back" may show a page as the user left
    it, except when `static/js/early.js` prevents this. If scripts do not run, signed-in users' pages are not cached,
    because nothing would remove them after signing out.
    """
    conditional, compression = _Conditional(get_response), _Compression(get_response)

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        unguarded = _is_html(response) and SCRIPTS not in request.COOKIES and _is_signed_in(request)
        response.headers.setdefault("Cache-Control", "private, no-store" if unguarded else "private, no-cache")
        if _is_html(response):
            patch_vary_headers(response, ["HX-Request"])  # a page and its fragment may have the same URL
        if getattr(request, "has_signed_out", False):
            response.headers["Clear-Site-Data"] = '"cache"'
        answer: HttpResponse = compression.process_response(request, conditional.process_response(request, response))
        return answer

    return respond


def _is_signed_in(request: HttpRequest) -> bool:
    return hasattr(request, "user") and request.user.is_authenticated


def _is_html(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")


@receiver(user_logged_out)
def _note_sign_out(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    request.has_signed_out = True  # type: ignore[attr-defined]


class _Conditional(ConditionalGetMiddleware):
    """Returns 304 if the client already has the same content. The masking of the CSRF token in pages is ignored."""

    def process_response(self, request: Any, response: Any) -> Any:
        is_page = _is_html(response) and not response.streaming
        if is_page and request.method == "GET" and self.needs_etag(response) and not response.has_header("ETag"):
            secret = request.META.get("CSRF_COOKIE", "").encode()  # with another one, a cached page's forms would fail
            content = MASKED_TOKEN.sub(rb"\1", response.content)
            response.headers["ETag"] = f'"{blake2b(content, digest_size=16, key=secret[:64]).hexdigest()}"'
        return super().process_response(request, response)


class _Compression(GZipMiddleware):
    """Compresses text responses. Static files are compressed on disk.

    Django adds random bytes, so that the size reveals nothing about the content (BREACH).
    """

    def process_response(self, request: Any, response: Any) -> Any:
        is_text = TEXTS.match(response.headers.get("Content-Type", "")) is not None
        return super().process_response(request, response) if is_text else response
