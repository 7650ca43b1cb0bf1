"""Selects the language: the user's choice, the browser's preference, or the site's language, in this order."""

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
    """Language middleware with two changes to Django's. If the site supports none of the requested languages, it uses
    the language in the site's settings. Responses without text do not vary by language, and all others also vary by
    cookie."""

    def process_request(self, request: HttpRequest) -> None:
        activate(_asked_for(request) or language())
        request.LANGUAGE_CODE = get_language()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if response.get("Content-Type", "").startswith(WITHOUT_WORDS):
            return response
        patch_vary_headers(response, ("Cookie",))
        return super().process_response(request, response)


def _asked_for(request: HttpRequest) -> str:
    """Return the first supported language among the user's choice and the browser's preferences."""
    asked = [code for code, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]
    for code in (request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""), *asked):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return ""
