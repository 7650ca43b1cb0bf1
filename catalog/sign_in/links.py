"""Single-use sign-in links for people who have lost all other ways to sign in.

The operator's command creates them. Staff can create them if the site has password sign-in disabled.
"""

from allauth.account.utils import url_str_to_user_pk, user_pk_to_url_str
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.urls import reverse

from catalog.models import Source, User


class _Tokens(PasswordResetTokenGenerator):
    """Tokens that are valid for a day, until the user signs in, or until the account's access is ended."""

    key_salt = "catalog.sign_in.links"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.session_epoch}"


_tokens = _Tokens()


def can_sign_in(user: User) -> bool:
    return user.is_active and user.source not in (Source.MOVIELENS, Source.GENERATED)


def path_for(user: User) -> str:
    return reverse("sign_in_link", args=[user_pk_to_url_str(user), _tokens.make_token(user)])


def user_of(key: str, token: str) -> User | None:
    """Returns the user whom this link signs in, or None if it is no longer valid."""
    try:
        user = User.objects.filter(pk=url_str_to_user_pk(key)).first()
    except (ValidationError, ValueError, OverflowError):
        return None
    return user if user is not None and can_sign_in(user) and _tokens.check_token(user, token) else None
