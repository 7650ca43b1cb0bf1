"""The languages of the site: the reader's choice, or else what the browser asks for, or else that of LANGUAGE_CODE."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers

WITHOUT_WORDS = ("image/", "application/xml", "text/plain")


class ReadersLanguage(LocaleMiddleware):
    """Django's own, but that caches may keep one copy of what has no words, and ask for the cookie where it decides."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        if response.get("Content-Type", "").startswith(WITHOUT_WORDS):
            return response
        patch_vary_headers(response, ("Cookie",))
        return super().process_response(request, response)
