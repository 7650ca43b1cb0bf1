"""Services for API keys: creates and revokes them. Some events revoke them together with sessions."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from allauth.core import context as allauth_context
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.signals import social_account_added
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.errors import InvalidCredentials, InvalidKey
from catalog.models import APIKey, Scope, User
from catalog.models.api_key import NAME_LENGTH, PREFIX_LENGTH, hash_of, new_key
from catalog.text import visible

MAX_KEYS = 50  # per account, not counting those of sign-ins and feeds
MAX_SIGN_IN_KEYS = 10  # if there are more, the least recently used one is deleted
SIGN_IN_NAME = "POST token/"
SIGN_IN_SCOPES = (Scope.READ, Scope.RATE)
PERMISSIONS = {Scope.SERVICE: "recommender.recommend_for_others"}
FEEDS_NAME = "/accounts/feeds/"
FOR_STAFF = (Scope.BULK, Scope.MODELS, Scope.METRICS)


class NewKey(NamedTuple):
    """A new key, which is shown once, and its row."""

    key: str
    row: APIKey


def scopes_for(user: User) -> list[Scope]:
    """Returns the scopes that this account may use. Permissions are checked again on each request."""
    permitted = [scope for scope, permission in PERMISSIONS.items() if user.has_perm(permission)]
    return [*SIGN_IN_SCOPES, *permitted, *(FOR_STAFF if user.is_staff else ())]


def create_key(*, user: User, name: str, scopes: Iterable[str], expires_in: timedelta | None = None) -> NewKey:
    """Creates a key. Without `expires_in`, it is valid until it is revoked.

    Raises InvalidKey with messages per field. Raises InvalidCredentials if the account's password has changed since
    `user` was loaded.
    """
    name = visible(name)
    if not 1 <= len(name) <= NAME_LENGTH:
        raise _invalid("name", _("Enter a name of 1 to %(max)d characters.") % {"max": NAME_LENGTH})
    if expires_in is not None and expires_in <= timedelta(0):
        raise _invalid("expires_in", _("Choose a time in the future."))
    with transaction.atomic():
        _lock(user)
        if user.api_keys.filter(is_from_sign_in=False).exclude(scopes=Scope.FEEDS).count() >= MAX_KEYS:
            raise InvalidKey(_("You have reached the limit of %(max)d API keys. Revoke one first.") % {"max": MAX_KEYS})
        return _save(user, scopes, name=name, expires_at=timezone.now() + expires_in if expires_in else None)


def create_sign_in_key(*, user: User, scopes: Iterable[str] = SIGN_IN_SCOPES) -> NewKey:
    """Creates a key for a program that sent the account's name and password. Raises the errors of `create_key`."""
    with transaction.atomic():
        _lock(user)
        made = user.api_keys.filter(is_from_sign_in=True)
        by_use = made.order_by(Coalesce("last_used_at", "created_at").desc(), "-pk").values_list("pk", flat=True)
        made.filter(pk__in=list(by_use[MAX_SIGN_IN_KEYS - 1 :])).delete()
        return _save(user, scopes, name=SIGN_IN_NAME, is_from_sign_in=True)


def create_feeds_key(*, user: User) -> NewKey:
    """Creates the key in the URLs of the user's feeds. The previous key is revoked at once.

    Raises InvalidCredentials like `create_key`.
    """
    with transaction.atomic():
        _lock(user)
        feeds_keys(user).delete()
        return _store(user, Scope.FEEDS, name=FEEDS_NAME)


def feeds_keys(user: User) -> QuerySet[APIKey]:
    """Returns the key created by `create_feeds_key`, if any."""
    return user.api_keys.filter(scopes=Scope.FEEDS)


def revoke_key(*, user: User, key_id: int) -> bool:
    """Revokes one of the user's keys. Returns False if the user has no such key."""
    return bool(user.api_keys.filter(pk=key_id).delete()[0])


def revoke_keys(user: User) -> int:
    """Revokes all keys of the account and returns their number. Also called for a new password."""
    return user.revoke_keys()


@receiver(post_delete, sender=Authenticator)
def _end_access_with_factor(instance: Authenticator, **kwargs: Any) -> None:
    """Ends other sessions and API keys when a second factor is removed, but not for new recovery codes."""
    if instance.type == Authenticator.Type.RECOVERY_CODES:
        return
    _end_access(instance.user_id)


@receiver(post_delete, sender=SocialAccount)
def _end_access_without_identity(instance: SocialAccount, **kwargs: Any) -> None:
    _end_access(instance.user_id)


@receiver(social_account_added)
def _end_access_with_identity(sociallogin: Any, **kwargs: Any) -> None:
    """Ends other sessions and API keys when a sign-in method is added."""
    _end_access(sociallogin.account.user_id)


def _end_access(user_id: int) -> None:
    """Ends sessions and API keys of the account, except the session of the current request."""
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        return
    user.end_access()
    request = allauth_context.request
    if request is not None and request.user == user:
        update_session_auth_hash(request, user)


def _lock(user: User) -> None:
    """Locks the user, so that a request with the old password cannot create a key after the password has changed."""
    current = User.objects.select_for_update(no_key=True).filter(pk=user.pk, password=user.password)
    if not current.exists():
        raise InvalidCredentials


def _save(user: User, scopes: Iterable[str], **values: object) -> NewKey:
    wanted, possible = set(scopes), [scope.value for scope in scopes_for(user)]
    if not wanted or wanted.difference(possible):
        known = {"known": ", ".join(possible), "given": ", ".join(sorted(wanted)) or "-"}
        raise _invalid("scopes", _("Invalid scopes: %(given)s. This account can use: %(known)s.") % known)
    return _store(user, " ".join(scope for scope in possible if scope in wanted), **values)


def _store(user: User, scopes: str, **values: object) -> NewKey:
    key = new_key()
    row = APIKey.objects.create(user=user, hash=hash_of(key), prefix=key[:PREFIX_LENGTH], scopes=scopes, **values)
    return NewKey(key, row)


def _invalid(field: str, message: str) -> InvalidKey:
    return InvalidKey(message, fields={field: [message]})
