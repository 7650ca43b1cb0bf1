"""Sign-ups that require a confirmed address. Only the link in an e-mail creates the account.

The response to a sign-up therefore does not reveal whether its name is free, or whether an account has its address.
"""

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.app_settings import EMAIL_CONFIRMATION_EXPIRE_DAYS as DAYS
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog.accounts import check_passwords_are_on
from catalog.errors import InvalidSignUp, MailNotSent, SignUpNotFound
from catalog.invitations import check_invitation
from catalog.models import PendingSignUp, User
from catalog.models.invitation import hash_of, new_code
from catalog.sign_ups import check_sign_up, create, new_user


def request_sign_up(
    request: HttpRequest, *, username: str, email: str, password: str, invitation: str = ""
) -> PendingSignUp:
    """Stores the sign-up and sends a mail to its address. The work does not depend on existing accounts.

    Raises PasswordSignInOff, SignUpClosed, InvitationNeeded, InvalidSignUp with messages per field, or MailNotSent.
    """
    check_passwords_are_on()
    usable = check_invitation(invitation)
    check_sign_up(username=username, email=email, password=password, compares_names=False)
    user, key = new_user(username, email), new_code()
    pending = PendingSignUp.objects.create(
        key_hash=hash_of(key),
        username=user.username,
        email=user.email,
        password=make_password(password),
        invitation=usable,
        expires_at=timezone.now() + timedelta(days=DAYS),
    )
    try:
        _send_mail(request, pending, key)
    except MailNotSent:
        pending.delete()
        raise
    return pending


def has_account(email: str) -> bool:
    """Returns whether an account has confirmed this address."""
    return EmailAddress.objects.filter(email=email, verified=True).exists()


def _send_mail(request: HttpRequest, pending: PendingSignUp, key: str) -> None:
    adapter = get_adapter(request)
    address = request.build_absolute_uri(reverse("account_confirm_sign_up", args=[key]))
    if has_account(pending.email):
        adapter.send_account_already_exists_mail(pending.email)
    else:
        facts = {"name": pending.username, "address": address, "days": DAYS}
        adapter.send_mail("account/email/sign_up", pending.email, facts)


def confirm(*, key: str, username: str) -> User:
    """Creates the account that belongs to a link, with its address confirmed.

    `username` may differ from that of the sign-up, which may be taken by now. Raises SignUpNotFound if the link is no
    longer valid. The link remains valid after InvalidSignUp with messages per field, SignUpClosed and InvitationNeeded.
    """
    with transaction.atomic():
        of_address = _locked(key)
        pending = next((row for row in of_address if row.key_hash == hash_of(key)), None)
        if pending is None:
            raise SignUpNotFound
        if has_account(pending.email):
            raise InvalidSignUp(fields={"email": [address_taken()]})
        check_sign_up(username=username, email=pending.email, password=None)
        user = new_user(username, pending.email)
        user.password = pending.password
        create(user, invitation=pending.invitation, link=_confirm_address)
        PendingSignUp.objects.filter(pk__in=[row.pk for row in of_address]).delete()
    return user


def _locked(key: str) -> list[PendingSignUp]:
    """Locks all sign-ups with the address of a link, so that two links for one address wait for each other."""
    address = PendingSignUp.objects.behind(key).values("email")
    rows = PendingSignUp.objects.usable().filter(email__in=address).select_related("invitation")
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def _confirm_address(user: User) -> None:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)


def address_taken() -> str:
    return _("An account with this email address already exists. Sign in or reset your password.")


def remove_expired() -> int:
    """Deletes sign-ups whose link has expired. Returns their number."""
    return PendingSignUp.objects.filter(expires_at__lte=timezone.now()).delete()[0]
