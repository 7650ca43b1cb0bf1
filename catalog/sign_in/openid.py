"""OpenID Connect. django-allauth handles the redirects, and this module verifies the ID token.

django-allauth 65.22 takes the issuer from the provider's own document, does not check the signature of a token that it
fetched itself, sends no nonce, and prefers the `sub` of the userinfo endpoint to the token's. Only sign-ins by the
provider import this module, and with it `requests` and PyJWT.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from requests import RequestException

from catalog.sign_in.identities import SUBJECT_LENGTH, Failure, asks_to_confirm, failure_page, shown_name, the_provider
from catalog.sign_in.settings import LOOPBACK

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
CLOCK_SECONDS = 60  # maximum difference between the two clocks
CONFIRM_SECONDS = 180  # maximum age of a reauthentication; some providers, such as Google, do not state its time


class ProviderFailed(OAuth2Error):
    """An error in the provider's response. The message is logged and contains no tokens, codes or other data."""


@contextmanager
def failures(place: str) -> Iterator[None]:
    """Converts errors caused by non-standard responses to ProviderFailed."""
    try:
        yield
    except ProviderFailed:
        raise
    except (OAuth2Error, RequestException, jwt.PyJWTError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ProviderFailed(f"{place}: {type(error).__name__}") from None


class OpenIDAdapter(OpenIDConnectOAuth2Adapter):
    state: dict[str, Any]

    @property
    def openid_config(self) -> dict[str, Any]:
        with failures("the provider's configuration"):
            config: dict[str, Any] = super().openid_config
            if config["issuer"] != the_provider().issuer:
                raise ProviderFailed("the provider's configuration names another issuer than OIDC_ISSUER")
            addresses = [urlsplit(config[name]) for name in ENDPOINTS]
            if any(address.scheme != "https" and address.hostname not in LOOPBACK for address in addresses):
                raise ProviderFailed("the provider's configuration names addresses without https")
        return config

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return request.build_absolute_uri(reverse("openid_connect_callback"))

    def get_access_token_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        with failures("the token endpoint refused the code; client, secret or redirect address may be wrong"):
            return dict(super().get_access_token_data(*args, **kwargs))

    def parse_token(self, data: dict[str, Any]) -> Any:
        with failures("the token endpoint's answer"):
            return super().parse_token(data)

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        with failures("the ID token"):
            claims = self._verified(kwargs["response"]["id_token"])
        with failures("the userinfo endpoint"):
            claims = self._completed(claims, token.token)
            return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _verified(self, token: str) -> dict[str, Any]:
        """Verifies the token's signature, issuer, audience, times and nonce. Returns its claims."""
        client_id = the_provider().client_id
        claims: dict[str, Any] = jwt.decode(
            token,
            self._key_of(token),
            algorithms=ALGORITHMS,
            issuer=the_provider().issuer,
            audience=client_id,
            leeway=CLOCK_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
        is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", "" if is_shared else client_id) != client_id:
            raise ProviderFailed("the ID token is for another client")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), self.state["nonce"].encode()):
            raise ProviderFailed("the ID token is of another sign-in: its nonce differs")
        if not claims["sub"].isprintable() or not 1 <= len(claims["sub"]) <= SUBJECT_LENGTH:
            raise ProviderFailed("the ID token's sub is empty, too long or no text that can be stored")
        if asks_to_confirm(self.state) and time.time() - claims.get("auth_time", time.time()) > CONFIRM_SECONDS:
            raise ProviderFailed("the provider did not ask again who it is: auth_time is old")
        return claims

    def _key_of(self, token: str) -> jwt.PyJWK:
        header = jwt.get_unverified_header(token)
        if header["alg"] not in ALGORITHMS:
            raise ProviderFailed("the ID token is not signed by a public key; choose RS256 or ES256 at the provider")
        keys = jwt.PyJWKSet.from_dict(self._fetched("jwks_uri")).keys
        kid = header.get("kid")
        fitting = [key for key in keys if key.public_key_use != "enc" and kid in (None, key.key_id)]
        if len(fitting) != 1:
            raise ProviderFailed("the ID token is signed by a key that the provider does not publish")
        return fitting[0]

    def _completed(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """Adds a name and address from the userinfo endpoint. Never overwrites the token's own claims."""
        if {"preferred_username", "email"} <= claims.keys() or "userinfo_endpoint" not in self.openid_config:
            return claims
        more = self._fetched("userinfo_endpoint", Authorization=f"Bearer {access_token}")
        if more["sub"] != claims["sub"]:
            raise ProviderFailed("the userinfo endpoint speaks of another person")
        return more | claims

    def _fetched(self, endpoint: str, **headers: str) -> dict[str, Any]:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config[endpoint], headers=headers)
        answer.raise_for_status()
        return dict(answer.json())


class OpenIDProvider(OpenIDConnectProvider):
    oauth2_adapter_class = OpenIDAdapter

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Returns the only data stored from the provider: the name by which people recognise the identity."""
        name = shown_name(data["id_token"].get("preferred_username"))
        return {"preferred_username": name} if name else {}


class CallbackView(OAuth2CallbackView):
    def _get_state(self, request: HttpRequest, provider: OpenIDProvider) -> tuple[Any, HttpResponse | None]:
        """Passes the state to the adapter, which compares the nonce before the token is used."""
        self.adapter.state, response = super()._get_state(request, provider)
        return self.adapter.state, response


def start(request: HttpRequest, *, process: str, next_url: str, data: dict[str, Any]) -> HttpResponse:
    """Redirects to the provider, and stores the state in the session."""
    auth = {"nonce": (nonce := secrets.token_urlsafe(32))}
    if asks_to_confirm({"data": data}):
        auth |= {"prompt": "login", "max_age": "0"}
    redirect = get_adapter(request).get_provider(request, the_provider().issuer).redirect
    return _ended(
        request, partial(redirect, process=process, next_url=next_url, data=data, auth_params=auth, nonce=nonce)
    )


def callback(request: HttpRequest) -> HttpResponse:
    """Completes what `start` began: signs in, connects or reauthenticates."""
    return _ended(request, CallbackView.adapter_view(OpenIDAdapter(request, the_provider().issuer)))


def _ended(request: HttpRequest, step: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    try:
        return step(request)
    except ProviderFailed as error:
        return failure_page(request, Failure.PROVIDER, str(error))
