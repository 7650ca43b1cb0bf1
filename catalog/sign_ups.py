"""Sign-up: rules for the names of new accounts, and immediate creation.

If people must confirm their address first, `catalog.pending_sign_ups` creates the account later, by the same rules.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.accounts import check_passwords_are_on, must_confirm_email
from catalog.errors import InvalidSignUp
from catalog.invitations import check_invitation, use_invitation
from catalog.models import Invitation, Source, User
from catalog.models.rating import SKELETON_LENGTH
from catalog.text import skeleton

_TAKEN = _("This username is already taken.")
_LOOKS_TAKEN = _("This username looks like one that is already taken.")
_IS_ADDRESS = _("The username cannot be an email address. You can also sign in with your email address.")
_NAMES_LOCK = 7003  # key of a Postgres advisory lock
_RESERVED = tuple(f"{source}-" for source in (Source.MOVIELENS, Source.GENERATED, Source.BULK))


def sign_up_errors(
    *, username: str, email: str, password: str | None, compares_names: bool = True
) -> dict[str, list[str]]:
    """Returns the errors of each field. Without `compares_names`, they do not depend on existing accounts."""
    user = new_user(username, email)
    errors = _errors(user, password)
    if compares_names and "username" not in errors and (conflict := _name_conflict(user)):
        errors["username"] = [conflict]
    return errors


def sign_up(
    *,
    username: str,
    email: str,
    password: str | None,
    invitation: str = "",
    link: Callable[[User], None] | None = None,
) -> User:
    """Creates an account at once. Raises InvalidSignUp with messages per field, SignUpClosed or InvitationNeeded.

    Without a password, `link` stores another sign-in method in the same transaction. An address of another account is
    accepted, so that the response does not reveal who has an account. Only one account can confirm it.
    """
    if password is not None:
        check_passwords_are_on()
    usable = check_invitation(invitation)
    check_sign_up(username=username, email=email, password=password)
    user = new_user(username, email)
    user.set_password(password)
    create(user, invitation=usable, link=link)
    return user


def check_sign_up(**given: Any) -> None:
    """Raises InvalidSignUp with the messages of `sign_up_errors`."""
    if errors := sign_up_errors(**given):
        raise InvalidSignUp(next(iter(errors.values()))[0], fields=errors)


def create(user: User, *, invitation: Invitation | None, link: Callable[[User], None] | None) -> None:
    """Saves a new account, stores its sign-in method with `link`, and uses the invitation, in one transaction.

    Raises SignUpClosed, InvitationNeeded, or InvalidSignUp if the name was taken meanwhile.
    """
    try:
        with transaction.atomic():
            _lock_look_alikes(user)
            if conflict := _name_conflict(user):
                raise InvalidSignUp(conflict, fields={"username": [conflict]})
            user.save()
            use_invitation(invitation, user)
            if link is not None:
                link(user)
    except IntegrityError:  # taken by staff or a program, which do not wait for the lock
        raise InvalidSignUp(_TAKEN, fields={"username": [str(_TAKEN)]}) from None


def _is_address(name: str) -> bool:
    try:
        validate_email(name)
    except ValidationError:
        return False
    return True


def new_user(username: str, email: str) -> User:
    """Returns an unsaved account with normalised name and address."""
    return User(username=User.normalize_username(username.strip()), email=User.objects.normalize_email(email.strip()))


def _errors(user: User, password: str | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        errors |= error.message_dict
    if not user.email and must_confirm_email():
        errors["email"] = [gettext("An email address is required on this site.")]
    if _looks_of(user).startswith(tuple(map(skeleton, _RESERVED))):
        errors["username"] = [gettext("Usernames of this form are reserved for imported data sets.")]
    elif "username" not in errors and _is_address(user.username):
        errors["username"] = [str(_IS_ADDRESS)]
    try:
        if password is not None:
            validate_password(password, user)
    except ValidationError as error:
        errors["password"] = list(error.messages)
    return errors


def _name_conflict(user: User) -> str:
    """Returns how the name conflicts with another account, or "" if it does not."""
    if User.objects.filter(username__iexact=user.username).exists():
        return str(_TAKEN)
    return str(_LOOKS_TAKEN) if User.objects.filter(skeleton=_looks_of(user)).exists() else ""


def _looks_of(user: User) -> str:
    return skeleton(user.username)[:SKELETON_LENGTH]


def _lock_look_alikes(user: User) -> None:
    """Prevents concurrent sign-ups with a similar name until the transaction ends.

    SQLite serialises writing transactions anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_NAMES_LOCK, _looks_of(user)])
