"""Who may sign up according to `accounts.sign_up`: everyone, people with an invitation, or no one."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from catalog.errors import InvitationNeeded, SignUpClosed
from catalog.models import Invitation, User
from catalog.models.invitation import DAYS, hash_of, new_code


def invite(*, by: User, note: str = "") -> tuple[Invitation, str]:
    """Creates an invitation. Returns it with its code, which is not stored."""
    code = new_code()
    expires_at = timezone.now() + timedelta(days=DAYS)
    return Invitation.objects.create(code_hash=hash_of(code), note=note, created_by=by, expires_at=expires_at), code


def is_open() -> bool:
    """Returns whether everyone may sign up."""
    return bool(settings.POLICY.accounts.sign_up == "open")


def check_invitation(code: str) -> Invitation | None:
    """Returns the invitation, or None if sign-up is open. Raises SignUpClosed, InvitationNeeded."""
    _check_not_closed()
    found = None if is_open() else Invitation.objects.usable(code).first()
    if found is None and not is_open():
        raise InvitationNeeded
    return found


def use_invitation(invitation: Invitation | None, user: User) -> None:
    """Marks the invitation as used. Call it in the transaction that creates the account.

    The check at the sign-up may have been days ago. Raises SignUpClosed or InvitationNeeded.
    """
    _check_not_closed()
    if is_open():
        return
    unused = Invitation.objects.filter(pk=invitation.pk, used_at=None) if invitation else Invitation.objects.none()
    if not unused.update(used_by=user, used_at=timezone.now(), note=""):  # used or revoked meanwhile
        raise InvitationNeeded


def _check_not_closed() -> None:
    if settings.POLICY.accounts.sign_up == "closed":
        raise SignUpClosed
