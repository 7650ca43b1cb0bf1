"""Rate limits of sign-up, sign-in and uploads, shared by pages and API. `limits` in config.yaml sets the rates."""

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle, UserRateThrottle
from rest_framework.views import APIView


class AddressThrottle(SimpleRateThrottle):
    """Counts requests by address, also when signed in."""

    def get_cache_key(self, request: Request | HttpRequest, view: APIView | None) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}  # type: ignore[arg-type]


class SignUpThrottle(AddressThrottle):
    scope = "sign_up"


class SignInThrottle(AddressThrottle):
    scope = "token"


class ImportThrottle(UserRateThrottle):
    scope = "imports"


def too_many(throttle: SimpleRateThrottle, request: HttpRequest) -> str:
    """Counts a page's POST. Returns a sentence if the limit is reached, otherwise an empty text."""
    if request.method != "POST" or throttle.allow_request(request, None):  # type: ignore[arg-type]
        return ""
    return f"Too many attempts. Please try again in {int(throttle.wait() or 1) + 1} seconds."
