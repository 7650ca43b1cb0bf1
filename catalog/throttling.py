"""Rate limits, shared by pages, API and admin. `limits` in config.yaml sets the rates; `catalog.counter` counts."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from ipaddress import ip_address, ip_network
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from rest_framework import throttling
from rest_framework.request import Request

from catalog import counter
from catalog.models import APIKey, User

View = Callable[..., HttpResponseBase]
_PORT = re.compile(r"\[(.*)\](?::\d+)?|([^:]*):\d+")  # added by some proxies


class ExactThrottle(throttling.SimpleRateThrottle):
    """Allows exactly the rate's number of requests per window, across all processes."""

    num_requests: int
    duration: int

    def allow_request(self, request: Request | HttpRequest, view: Any) -> bool:
        return all(self._count(key) for key in self.get_cache_keys(request, view) if key)

    def get_cache_keys(self, request: Request | HttpRequest, view: Any) -> Iterator[str | None]:
        yield self.get_cache_key(request, view)  # type: ignore[arg-type]

    def get_ident(self, request: Request | HttpRequest) -> str:
        return _visitor(super().get_ident(request) or "")  # type: ignore[arg-type]

    def _count(self, key: str, n: int = 1) -> bool:
        number, self.seconds_left = counter.count(key, seconds=self.duration, n=n)
        return number <= self.num_requests

    def allow_more(self, n: int, request: Request, view: Any) -> bool:
        """Counts n more requests, for a request as expensive as several. Call `allow_request` first."""
        return n == 0 or all(self._count(key, n) for key in self.get_cache_keys(request, view) if key)

    def wait(self) -> float:
        return self.seconds_left


class AnonThrottle(throttling.AnonRateThrottle, ExactThrottle):
    pass


class AccountThrottle(throttling.UserRateThrottle, ExactThrottle):
    """Counts requests per account, otherwise per address."""


class UserThrottle(AccountThrottle):
    """Counts requests per API key, so that programs of one account do not share a limit; otherwise per account."""

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        return _of_key(self, request) or super().get_cache_key(request, view)


class ScopedThrottle(throttling.ScopedRateThrottle, ExactThrottle):
    def get_cache_key(self, request: Any, view: Any) -> str | None:
        return _of_key(self, request) or super().get_cache_key(request, view)


class ImportThrottle(AccountThrottle):
    scope = "imports"


class FollowingThrottle(AccountThrottle):
    scope = "following"


class KeyThrottle(AccountThrottle):
    scope = "keys"


def _of_key(throttle: ExactThrottle, request: Any) -> str | None:
    """Returns the cache key of an API key. Sign-in keys share the limit of their account.

    Otherwise each new key would come with a new limit.
    """
    key = request.auth
    if not isinstance(key, APIKey) or key.is_from_sign_in:
        return None
    return throttle.cache_format % {"scope": throttle.scope, "ident": f"key {key.pk}"}


class AddressThrottle(ExactThrottle):
    """Counts requests per address, even if the user is signed in."""

    def get_cache_key(self, request: Request | HttpRequest, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class SecretThrottle(AddressThrottle):
    """Counts requests to secret URLs per sender, which limits guessing, and per secret."""

    def get_cache_keys(self, request: Request | HttpRequest, view: Any) -> Iterator[str]:
        yield self.get_cache_key(request, view)
        yield self.cache_format % {"scope": f"secret of {self.scope}", "ident": view.kwargs["key"]}


class HookThrottle(SecretThrottle):
    scope = "hooks"


class FeedThrottle(SecretThrottle):
    scope = "feeds"


class SignUpThrottle(AddressThrottle):
    scope = "sign_up"


class MailThrottle(AddressThrottle):
    """Counts mails that visitors cause, per sender; `allows_mail_to` counts per recipient."""

    scope = "mail"

    def allows_mail_to(self, recipient: str) -> bool:
        return self._count(self.cache_format % {"scope": "recipient", "ident": _folded(recipient)})


class SignInThrottle(AddressThrottle):
    """Counts attempts to enter a password, per address and then per given name, whether or not the account exists.

    An address over its limit does not use up a name's limit. A name and an e-mail address of one account are counted
    apart: a shared limit would tell that both belong to one account.
    """

    scope = "token"

    def get_cache_keys(self, request: Request | HttpRequest, view: Any) -> Iterator[str]:
        yield self.get_cache_key(request, view)
        sent = request.data if isinstance(request, Request) else request.POST
        given = str(sent.get("username") or "") if isinstance(sent, Mapping) else ""
        for name in {_folded(given), _folded(request.user.get_username())} - {""}:
            yield self.cache_format % {"scope": "account", "ident": name}


class SetupThrottle(AddressThrottle):
    """Counts attempts to enter the code of the first run, with the same rate as passwords."""

    scope = "token"


class SecondFactorThrottle(AddressThrottle):
    """Counts codes entered for an account after its password."""

    scope = "second_factor"

    def allows(self, user: User) -> bool:
        return self._count(self.cache_format % {"scope": self.scope, "ident": user.pk})


def _visitor(address: str) -> str:
    """Normalises an address: removes the port, and reduces IPv6 to its /64 network, which one subscriber owns."""
    found = _PORT.fullmatch(address)
    host = (found[1] or found[2]) if found else address
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4 or ip.ipv4_mapped:
        return str(getattr(ip, "ipv4_mapped", ip))
    return str(ip_network(f"{ip}/64", strict=False))


def _folded(username: str) -> str:
    return unicodedata.normalize("NFKC", username).strip().casefold()


def limited(throttle: type[ExactThrottle]) -> Callable[[View], View]:
    """Counts POST requests of a page, and responds with 429 and Retry-After above the limit."""

    def decorate(view: View) -> View:
        @wraps(view)
        def check(request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
            refused = refusal(request, throttle) if request.method == "POST" else None
            return refused or view(request, *args, **kwargs)

        return check

    return decorate


def refusal(request: HttpRequest, throttle: type[ExactThrottle]) -> HttpResponseBase | None:
    """Counts the request. Returns a 429 response if it exceeds the limit, otherwise None."""
    limit = throttle()
    if limit.allow_request(request, None):
        return None
    seconds = math.ceil(limit.wait())
    response = render(request, "429.html", {"seconds": seconds}, status=429)
    response["Retry-After"] = str(seconds)
    return response
