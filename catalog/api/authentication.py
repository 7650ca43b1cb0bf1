"""API key authentication.

Keys are read from the database on every request, so that a revoked key, a new password and a deactivated account take
effect at once in every process. `KeyAuthentication.query` is the only place that reads keys for requests. Anything
added in front of it, such as a cache, must keep that guarantee.
"""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from catalog.api.scopes import require_scope
from catalog.models import APIKey, User
from catalog.models.api_key import hash_of
from catalog.prepared import PreparedQuery, Row
from catalog.signals import key_used

SCHEMES = ("token", "bearer")
USE_RECORDED = timedelta(minutes=1)  # resolution of `last_used_at`
# columns of APIKey that requests need
KEY = ("id", "user_id", "scopes", "is_from_sign_in", "expires_at", "last_used_at")
USER = tuple(field.attname for field in User._meta.concrete_fields)


def of_hash(hashed: str) -> Any:
    return APIKey.objects.filter(hash=hashed).order_by().values_list(*KEY, *(f"user__{name}" for name in USER))


class KeyAuthentication(BaseAuthentication):
    """Authenticates `Authorization: Token <key>` or `Bearer <key>`, and requires the endpoint's scope."""

    query: ClassVar = PreparedQuery(of_hash, example="of a key")

    def authenticate(self, request: Request) -> tuple[User, APIKey] | None:
        found = self.identify(request)
        if found is not None:
            require_scope(found[1], *request.parser_context["view"].scopes.needed(request.method))
        return found

    def identify(self, request: Request | HttpRequest) -> tuple[User, APIKey] | None:
        """Returns the user and the key of a request, or None if it has no key. Does not check scopes.

        Raises AuthenticationFailed.
        """
        scheme, _space, key = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() not in SCHEMES:
            return None
        return self.authenticate_key(key.strip())

    def authenticate_header(self, request: Request) -> str:
        return "Token"

    def authenticate_key(self, key: str) -> tuple[User, APIKey]:
        """Returns the key's user and row. Raises AuthenticationFailed."""
        rows, now = self.query.rows(hash_of(key)), timezone.now()
        if not rows:
            raise AuthenticationFailed(_("This API key is invalid or has been revoked."))
        row: APIKey = APIKey.from_db(DEFAULT_DB_ALIAS, KEY, rows[0][: len(KEY)])
        row.user = user = self.user_of(rows[0][len(KEY) :])
        if not user.is_active:
            raise AuthenticationFailed(_("The account is not active."))
        if row.expires_at is not None and row.expires_at <= now:
            raise AuthenticationFailed(_("This API key has expired."))
        _note_use(row, now)
        return user, row

    def user_of(self, row: Row) -> User:
        """Returns the user in a row of the query. The row starts with the columns of USER."""
        return User.from_db(DEFAULT_DB_ALIAS, USER, row[: len(USER)])


def _note_use(key: APIKey, now: datetime) -> None:
    if key.last_used_at is None or now - key.last_used_at >= USE_RECORDED:
        key_used.send(sender=None, key_id=key.pk, at=now)
