"""The account adapter of django-allauth: return URLs, mails, messages and sign-in steps."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from catalog.accounts import identities_of
from catalog.errors import MailNotSent
from catalog.mail import sends_mail
from catalog.return_addresses import is_readable
from catalog.sign_in.identities import confirmed_lately, the_provider
from catalog.sign_in.settings import LINK_HOURS
from catalog.site_settings import site_name
from catalog.throttling import MailThrottle

logger = logging.getLogger(__name__)

# Also used for inactive accounts and unknown names, so that the response does not distinguish them.
WRONG = _("Incorrect username or password.")


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": WRONG,
        "email_password_mismatch": WRONG,
        "incorrect_password": _("Incorrect password."),
        "duplicate_email": _("This is already your email address."),
    }

    def is_ajax(self, request: HttpRequest) -> bool:
        return False  # the API is under /api/

    def is_safe_url(self, url: str) -> bool:
        request = allauth_context.request
        hosts = {request.get_host()}
        return url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure()) and is_readable(url)

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url("recommender:welcome")

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        return reverse("catalog:account" if self.request.user.is_authenticated else "catalog:sign-in")

    def get_login_stages(self) -> list[str]:
        """Returns only the stages that this site uses, because each costs an import on every sign-in."""
        return ["catalog.sign_in.stages.ConfirmEmailStage", "allauth.mfa.stages.AuthenticateStage"]

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        """Responds to a closed account's passkey like to an unknown one, to reveal nothing."""
        by_passkey = request.resolver_match is not None and request.resolver_match.view_name == "mfa_login_webauthn"
        closed = _("This account is closed. Ask the staff of this site for help.")
        messages.error(request, _("This passkey does not belong to this site.") if by_passkey else closed)
        return redirect("catalog:sign-in")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return super().is_reauthentication_required(app=app, **kwargs) and not confirmed_lately(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Returns the methods. People use the first one before they change how they sign in."""
        methods = super().get_reauthentication_methods(user)
        if not settings.PASSWORD_SIGN_IN:
            methods = [method for method in methods if method["id"] != "reauthenticate"]
        if user.is_authenticated and identities_of(user).exists():
            methods.append({"id": "identity", "description": the_provider().name, "url": reverse("identity_confirm")})
        return methods

    def should_send_confirmation_mail(self, request: HttpRequest, email_address: EmailAddress, signup: bool) -> bool:
        return sends_mail()

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Sends a confirmation mail. If another account has confirmed the address, informs its owner instead.

        The page's response is the same in both cases.
        """
        address = emailconfirmation.email_address
        try:
            if address.can_set_verified():
                super().send_confirmation_mail(request, emailconfirmation, signup)
            else:
                self.send_account_already_exists_mail(address.email)
        except MailNotSent as error:
            messages.error(request, str(error))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Sends a mail unless its recipient has reached the limit. Raises MailNotSent."""
        if not MailThrottle().allows_mail_to(email):
            logger.warning("A mail was not sent: its recipient got too many within the window of limits.mail")
            return
        try:
            super().send_mail(template_prefix, email, context | {"link_hours": LINK_HOURS, "site_name": site_name()})
        except (OSError, SMTPException) as error:
            logger.error("A mail could not be sent: %s", type(error).__name__)  # its text may contain the recipient
            raise MailNotSent from error
