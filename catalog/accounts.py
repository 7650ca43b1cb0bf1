"""Services for accounts: sign-up and deletion."""

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.password_validation import validate_password
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import F, OuterRef, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.errors import EmailNotConfirmed, InvalidSignUp, PasswordSignInOff, SecondFactorNeeded
from catalog.invitations import check_invitation, use_invitation
from catalog.mail import sends_mail
from catalog.models import Movie, Rating, Source, User
from catalog.models.rating import SKELETON_LENGTH
from catalog.text import skeleton

_TAKEN = _("This username is already taken.")
_LOOKS_TAKEN = _("This username looks like one that is already taken.")
_IS_ADDRESS = _("Choose a name that is not an email address. You can sign in with your address, too.")
_RESERVED = tuple(f"{source}-" for source in (Source.MOVIELENS, Source.GENERATED, Source.BULK))


def must_confirm_email() -> bool:
    return sends_mail() and settings.POLICY.accounts.confirm_email == "mandatory"


def has_to_confirm(user: User) -> bool:
    """Whether the user may not sign in before they confirm their address.

    Accounts without an address are from before the policy, or made by staff or an identity provider.
    """
    if not must_confirm_email() or not user.email:
        return False
    return not EmailAddress.objects.filter(user=user, verified=True).exists()


def check_passwords_are_on() -> None:
    """Raises PasswordSignInOff at a site whose people sign in at their identity provider or with a passkey."""
    if not settings.PASSWORD_SIGN_IN:
        raise PasswordSignInOff


def check_password_suffices(user: User) -> None:
    """Raises EmailNotConfirmed or SecondFactorNeeded where a right password alone does not sign in."""
    if has_to_confirm(user):
        raise EmailNotConfirmed
    if is_mfa_enabled(user):
        raise SecondFactorNeeded


def identities_of(user: Any) -> Any:
    """Those of the identity provider with which the user can sign in now."""
    issuer = settings.OIDC.issuer if settings.OIDC else None
    return SocialAccount.objects.filter(user_id=user.pk, provider=issuer)


def has_way_in(user: User, *, without: SocialAccount | Authenticator) -> bool:
    """Whether the user can sign in without this one."""
    if settings.PASSWORD_SIGN_IN and user.has_usable_password():
        return True
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    found = [*passkeys, *identities_of(user)]
    return any(way != without for way in found)


def sign_up_errors(*, username: str, email: str, password: str | None) -> dict[str, list[str]]:
    """What is wrong with each field."""
    return _errors(_new_user(username, email), password)


def sign_up(
    *,
    username: str,
    email: str,
    password: str | None,
    invitation: str = "",
    link: Callable[[User], None] | None = None,
) -> User:
    """Creates an account. Raises InvalidSignUp with messages per field, SignUpClosed or InvitationNeeded.

    Without a password, `link` stores another way in, in the same transaction.

    An address that another account has is accepted, so that it does not tell who has an account here; only one of them
    can confirm it.
    """
    if password is not None:
        check_passwords_are_on()
    check_invitation(invitation)
    user = _new_user(username, email)
    errors = _errors(user, password)
    if errors:
        raise InvalidSignUp(next(iter(errors.values()))[0], fields=errors)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            use_invitation(invitation, user)
            if link is not None:
                link(user)
    except IntegrityError:  # another request took the name in the meantime
        raise InvalidSignUp(_TAKEN, fields={"username": [str(_TAKEN)]}) from None
    return user


def delete_account(*, user: User) -> None:
    """Deletes the user with all that belongs to them in any app, and subtracts their ratings from the movies' figures.

    The user's row is locked first, so that they cannot rate in the meantime, then the movies they rated.
    """
    with transaction.atomic():
        if not User.objects.select_for_update().filter(pk=user.pk).exists():
            return
        rated = Movie.objects.filter(pk__in=Rating.objects.filter(user=user).values("movie"))
        list(rated.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
        theirs = Rating.objects.filter(user=user, movie=OuterRef("pk")).values("rating")
        rated.update(rating_count=F("rating_count") - 1, rating_sum=F("rating_sum") - Subquery(theirs))
        about_them = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=user.pk)
        about_them.update(object_repr=f"user {user.pk}")  # what staff did stays, without the name
        user.delete()


def _is_address(name: str) -> bool:
    try:
        validate_email(name)
    except ValidationError:
        return False
    return True


def _new_user(username: str, email: str) -> User:
    return User(username=User.normalize_username(username.strip()), email=User.objects.normalize_email(email.strip()))


def _errors(user: User, password: str | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        errors |= error.message_dict
    if not user.email and must_confirm_email():
        errors["email"] = [gettext("This site needs an email address.")]
    looks = skeleton(user.username)[:SKELETON_LENGTH]
    if looks.startswith(tuple(map(skeleton, _RESERVED))):
        errors["username"] = [gettext("Usernames of this form are reserved for users of data sets.")]
    elif "username" not in errors and _is_address(user.username):
        errors["username"] = [str(_IS_ADDRESS)]
    elif "username" not in errors and User.objects.filter(username__iexact=user.username).exists():
        errors["username"] = [str(_TAKEN)]
    elif "username" not in errors and User.objects.filter(skeleton=looks).exists():
        errors["username"] = [str(_LOOKS_TAKEN)]
    try:
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        errors["password"] = list(error.messages)
    return errors
