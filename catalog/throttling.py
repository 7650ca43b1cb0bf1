"""Rate limits of sign-up, sign-in and uploads, one count for page and API; the rates are `limits` in config.yaml."""

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle
from rest_framework.views import APIView


class AddressThrottle(SimpleRateThrottle):
    """Counts requests of an address, whoever is signed in."""

    def get_cache_key(self, request: Request | HttpRequest, view: APIView | None) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}  # type: ignore[arg-type]


class SignUpThrottle(AddressThrottle):
    scope = "sign_up"


class SignInThrottle(AddressThrottle):
    scope = "token"


class ImportThrottle(UserRateThrottle):
    scope = "imports"


def too_many(throttle: SimpleRateThrottle, request: HttpRequest) -> str:
    """Counts a page's POST; a sentence for people when the limit is reached, else nothing."""
    if request.method != "POST" or throttle.allow_request(request, None):  # type: ignore[arg-type]
        return ""
    return f"Too many attempts. Please try again in {int(throttle.wait() or 1) + 1} seconds."
