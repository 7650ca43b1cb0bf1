"""Services for accounts: requirements for sign-in, and deletion."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from catalog.errors import EmailNotConfirmed, PasswordSignInOff, SecondFactorNeeded
from catalog.mail import sends_mail
from catalog.models import APIKey, Movie, Rating, User, WatchlistItem


def counts_of(user: User) -> dict[str, int]:
    """Returns the numbers of the user's API keys and watchlist items, with one query."""
    counts = {"n_keys": _count(APIKey.objects.all()), "n_watchlist": _count(WatchlistItem.objects.all())}
    found: Any = User.objects.filter(pk=user.pk).values(**counts).get()
    return found


def _count(rows: QuerySet[Any]) -> Coalesce:
    of_user = rows.filter(user=OuterRef("pk")).order_by().values("user")
    return Coalesce(Subquery(of_user.annotate(n=Count("pk")).values("n")), 0)


def must_confirm_email() -> bool:
    return sends_mail() and settings.POLICY.accounts.confirm_email == "mandatory"


def has_to_confirm(user: User) -> bool:
    """Returns whether the user must confirm their address before they can sign in.

    Accounts without an address predate the policy, or were created by staff or an identity provider.
    """
    if not must_confirm_email() or not user.email:
        return False
    return not EmailAddress.objects.filter(user=user, verified=True).exists()


def check_passwords_are_on() -> None:
    """Raises PasswordSignInOff if people can only sign in with an identity provider or a passkey."""
    if not settings.PASSWORD_SIGN_IN:
        raise PasswordSignInOff


def check_password_suffices(user: User) -> None:
    """Raises EmailNotConfirmed or SecondFactorNeeded if the password is not enough to sign in."""
    if has_to_confirm(user):
        raise EmailNotConfirmed
    if is_mfa_enabled(user):
        raise SecondFactorNeeded


def identities_of(user: Any) -> Any:
    """Returns the user's identities at the current provider, which they can sign in with."""
    issuer = settings.OIDC.issuer if settings.OIDC else None
    return SocialAccount.objects.filter(user_id=user.pk, provider=issuer)


def has_way_in(user: User, *, without: SocialAccount | Authenticator) -> bool:
    """Returns whether the user could still sign in if this identity or passkey were removed."""
    if settings.PASSWORD_SIGN_IN and user.has_usable_password():
        return True
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    found = [*passkeys, *identities_of(user)]
    return any(way != without for way in found)


def delete_account(*, user: User) -> None:
    """Deletes the user with their data in all apps, and subtracts their ratings from the movies' aggregates.

    First locks the user's row, so that they cannot rate meanwhile, then the movies they rated.
    """
    with transaction.atomic():
        if not User.objects.select_for_update().filter(pk=user.pk).exists():
            return
        rated = Movie.objects.filter(pk__in=Rating.objects.filter(user=user).values("movie"))
        list(rated.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        theirs = Rating.objects.filter(user=user, movie=OuterRef("pk")).values("rating")
        rated.update(rating_count=F("rating_count") - 1, rating_sum=F("rating_sum") - Subquery(theirs))
        about_them = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=user.pk)
        about_them.update(object_repr=f"user {user.pk}")  # keeps the log of staff actions, without the name
        user.delete()
