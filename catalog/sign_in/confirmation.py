"""The mail that asks its recipient to confirm an address."""

from allauth.account.models import EmailAddress
from django.http import HttpRequest

from catalog.mail import sends_mail
from catalog.models import User


def ask_to_confirm(request: HttpRequest, user: User) -> None:
    """Sends the mail of a new account, if it has an address and the site sends mail."""
    if user.email and sends_mail():
        EmailAddress.objects.add_email(request, user, user.email).send_confirmation(request, signup=True)
