"""The languages of the site: the reader's choice, or else what the browser asks for, or else the site's own."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.translation import activate, get_language, get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from catalog.site_settings import language

WITHOUT_WORDS = ("image/", "application/xml", "text/plain")


class ReadersLanguage(LocaleMiddleware):
    """As Django's own, with two differences: the language for readers who ask for none that the site speaks is that
    of its settings, and caches may keep one copy of what has no words, and ask for the cookie where it decides."""

    def process_request(self, request: HttpRequest) -> None:
        activate(_asked_for(request) or language())
        request.LANGUAGE_CODE = get_language()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if response.get("Content-Type", "").startswith(WITHOUT_WORDS):
            return response
        patch_vary_headers(response, ("Cookie",))
        return super().process_response(request, response)


def _asked_for(request: HttpRequest) -> str:
    """The first that the site speaks of the reader's choice and of what the browser prefers, in that order."""
    asked = [code for code, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]
    for code in (request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""), *asked):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return ""
