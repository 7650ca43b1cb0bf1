"""How responses are sent: who may cache them, whether the client has them already, and compression.

One middleware, inside of which all others have had their say about the answer.
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
SCRIPTS = "scripts"  # a cookie of early.js
# Django masks the token differently in each page, so that two answers that say the same differ in it.
MASKED_TOKEN = re.compile(rb'(name="csrfmiddlewaretoken" value="|"x-csrftoken": ")\w+')


def deliver(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The middleware. What a view says about caching stays.

    Otherwise browsers keep an answer for themselves and ask each time whether it still holds. By "Back" they may show a
    page as it was left; `static/js/early.js` says when they may not. Where it does not run, they keep no page of an
    account: nothing would take it away after signing out.
    """
    conditional, compression = _Conditional(get_response), _Compression(get_response)

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        unguarded = _is_html(response) and SCRIPTS not in request.COOKIES and _is_signed_in(request)
        response.headers.setdefault("Cache-Control", "private, no-store" if unguarded else "private, no-cache")
        if _is_html(response):
            patch_vary_headers(response, ["HX-Request"])  # a page and its fragment may have the same address
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
    """Answers 304 where the client has the same content, for pages apart from how their CSRF token is masked."""

    def process_response(self, request: Any, response: Any) -> Any:
        is_page = _is_html(response) and not response.streaming
        if is_page and request.method == "GET" and self.needs_etag(response) and not response.has_header("ETag"):
            secret = request.META.get("CSRF_COOKIE", "").encode()  # with another one, a kept page's forms would fail
            content = MASKED_TOKEN.sub(rb"\1", response.content)
            response.headers["ETag"] = f'"{blake2b(content, digest_size=16, key=secret[:64]).hexdigest()}"'
        return super().process_response(request, response)


class _Compression(GZipMiddleware):
    """Compresses texts; static files are compressed on disk.

    Random bytes of Django's make sizes say nothing about the content (BREACH).
    """

    def process_response(self, request: Any, response: Any) -> Any:
        is_text = TEXTS.match(response.headers.get("Content-Type", "")) is not None
        return super().process_response(request, response) if is_text else response
