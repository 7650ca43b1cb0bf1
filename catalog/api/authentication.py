"""Who asks, by their API token.

The database says so at each request: a token that was deleted, a new password and a deactivated account take hold at
once in every process, however they came about.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext_lazy as _
from rest_framework import authentication, exceptions
from rest_framework.authtoken.models import Token

from catalog.models import User
from catalog.prepared import PreparedQuery, Row

TOKEN = ("key", "user_id", "created")
USER = tuple(field.attname for field in User._meta.concrete_fields)


def of_key(key: str) -> Any:
    return Token.objects.filter(key=key).values_list(*TOKEN, *(f"user__{name}" for name in USER))


class TokenAuthentication(authentication.TokenAuthentication):
    """As REST framework's, which also takes one query, at a third of its cost."""

    query = PreparedQuery(of_key, example="of a token")

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        rows = self.query.rows(key)
        if not rows:
            raise exceptions.AuthenticationFailed(_("Invalid token."))
        token = Token.from_db(DEFAULT_DB_ALIAS, TOKEN, rows[0][: len(TOKEN)])
        token.user = user = self.user_of(rows[0][len(TOKEN) :])
        if not user.is_active:
            raise exceptions.AuthenticationFailed(_("User inactive or deleted."))
        return user, token

    def user_of(self, row: Row) -> User:
        """`row` has the columns of USER, and any further ones of the query."""
        return User.from_db(DEFAULT_DB_ALIAS, USER, row[: len(USER)])
