"""Who may sign up, by the policy `accounts.sign_up`: everyone, people with an invitation, or no one."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from catalog.errors import InvitationNeeded, SignUpClosed
from catalog.models import Invitation, User
from catalog.models.invitation import DAYS, hash_of, new_code


def invite(*, by: User, note: str = "") -> tuple[Invitation, str]:
    """An invitation and its code, which is not kept."""
    code = new_code()
    expires_at = timezone.now() + timedelta(days=DAYS)
    return Invitation.objects.create(code_hash=hash_of(code), note=note, created_by=by, expires_at=expires_at), code


def is_open() -> bool:
    """Whether everybody may sign up."""
    return bool(settings.POLICY.accounts.sign_up == "open")


def check_invitation(code: str) -> Invitation | None:
    """The invitation, if this site takes one. Raises SignUpClosed, or InvitationNeeded if the code is of no use."""
    _check_not_closed()
    found = None if is_open() else Invitation.objects.usable(code).first()
    if found is None and not is_open():
        raise InvitationNeeded
    return found


def use_invitation(invitation: Invitation | None, user: User) -> None:
    """Marks the invitation as used, in the transaction that makes the account.

    It was checked when the person signed up, which may be days ago. Raises SignUpClosed or InvitationNeeded.
    """
    _check_not_closed()
    if is_open():
        return
    unused = Invitation.objects.filter(pk=invitation.pk, used_at=None) if invitation else Invitation.objects.none()
    if not unused.update(used_by=user, used_at=timezone.now(), note=""):  # used in the meantime, or taken back
        raise InvitationNeeded


def _check_not_closed() -> None:
    if settings.POLICY.accounts.sign_up == "closed":
        raise SignUpClosed
