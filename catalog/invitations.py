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


def check_invitation(code: str) -> None:
    """Raises SignUpClosed or InvitationNeeded where this code does not let people sign up."""
    if settings.POLICY.accounts.sign_up == "closed":
        raise SignUpClosed
    if not is_open() and not Invitation.objects.usable(code).exists():
        raise InvitationNeeded


def use_invitation(code: str, user: User) -> None:
    """Marks the invitation as used, in the transaction that makes the account. Raises InvitationNeeded."""
    if is_open():
        return
    usable = Invitation.objects.usable(code)
    if not usable.update(used_by=user, used_at=timezone.now(), note=""):  # used by another request in the meantime
        raise InvitationNeeded
