"""API keys outside the API: recording their last use, access to /metrics, and their OpenAPI description."""

import hmac
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import AuthenticationFailed

from catalog.api.authentication import KeyAuthentication
from catalog.models import APIKey, Scope
from catalog.models.api_key import MARK
from catalog.signals import key_used
from recommender.serving.write_behind import WriteBehindBuffer

FLUSH_SECONDS = 10.0
CAPACITY = 10_000  # maximum number of keys in the buffer


def _write(uses: list[tuple[int, datetime]]) -> None:
    """Write the latest time of use for all keys in one statement. Times may be seconds late."""
    latest = max(at for _, at in uses)
    APIKey.objects.filter(pk__in=[key_id for key_id, _ in uses]).update(last_used_at=latest)


uses = WriteBehindBuffer("uses of API keys", _write, seconds=FLUSH_SECONDS, capacity=CAPACITY)


def _note(key_id: int, at: datetime, **kwargs: Any) -> None:
    uses.put(key_id, (key_id, at))


key_used.connect(_note)


def may_read_metrics(request: HttpRequest) -> bool:
    """Return whether the request has METRICS_TOKEN or a staff user's key. Only checking a key uses the database."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    if hmac.compare_digest(token.encode(), settings.METRICS_TOKEN.encode()):
        return True
    if not token.startswith(MARK):
        return False
    try:
        user, key = KeyAuthentication().authenticate_key(token)
    except (AuthenticationFailed, DatabaseError):
        return False
    return user.is_staff and Scope.METRICS in key.scope_list


def scopes_of(view: Any, method: str) -> list[str]:
    """Return the scopes, one of which a key needs for the view. Returns none if the view accepts no keys."""
    takes_keys = any(issubclass(kind, KeyAuthentication) for kind in view.authentication_classes)
    return [scope.value for scope in view.scopes.needed(method)] if takes_keys else []


class KeyScheme(OpenApiAuthenticationExtension):
    target_class = KeyAuthentication
    match_subclasses = True
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        how = "An API key, as `Token <key>` or `Bearer <key>`. Each operation says which scope the key needs."
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": how}
