"""Identities of an OpenID Connect provider: an account has those that it was connected with, by issuer and `sub` alone.

`SocialAccount.provider` is the issuer, so that another provider never inherits the identities of the one before.
"""

import logging
import re
import time
from enum import IntEnum
from typing import Any, NoReturn

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from catalog.errors import InvitationNeeded, SignUpClosed
from catalog.invitations import check_invitation
from catalog.models import User
from catalog.sign_in.settings import IdentityProvider

logger = logging.getLogger(__name__)

PROVIDER = "openid_connect"
SUBJECT_LENGTH = 191  # characters; a column of django-allauth
CONFIRMED_SECONDS = 300
CONFIRMING = ("socialaccount", "link")  # beside passwords and second factors, which django-allauth knows


class Failure(IntEnum):
    """Why a sign-in by the provider led to nothing, as the status of the page that says what to do."""

    STALE = 400
    DENIED = 403
    OTHER_PERSON = 409
    PROVIDER = 502


def the_provider() -> IdentityProvider:
    """The site's identity provider. Raises Http404 at a site without one."""
    if settings.OIDC is None:
        raise Http404
    return settings.OIDC


class IdentityAdapter(DefaultSocialAccountAdapter):
    error_messages = DefaultSocialAccountAdapter.error_messages | {
        "connected_other": _("Another account of this site is connected with it."),
    }

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """The provider of the environment alone: rows of the database are no way in."""
        known = settings.OIDC
        if known is None or provider not in (None, PROVIDER, known.issuer) or client_id not in (None, known.client_id):
            return []
        address = f"{known.issuer.rstrip('/')}/.well-known/openid-configuration"
        options = {"server_url": address, "oauth_pkce_enabled": True}
        secret = {"client_id": known.client_id, "secret": known.client_secret}
        return [SocialApp(provider=PROVIDER, provider_id=known.issuer, name=known.name, settings=options, **secret)]

    def list_providers(self, request: HttpRequest) -> list[Any]:
        return [self.get_provider(request, app.provider_id) for app in self.list_apps(request)]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        app = self.get_app(request, provider, client_id)
        return import_string("catalog.sign_in.openid.OpenIDProvider")(request, app=app)

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """An address says nothing about whose account it is."""

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        """What the form of a sign-up suggests."""
        sociallogin.user.username = shown_name(data.get("username"))
        return sociallogin.user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        sociallogin.token = None  # or a sign-up that waits for its form would keep it in the session
        if asks_to_confirm(sociallogin.state):
            raise ImmediateHttpResponse(_confirmed(request, sociallogin))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        try:
            check_invitation(invitation_of(sociallogin))
        except (SignUpClosed, InvitationNeeded) as refusal:
            page = render(request, "account/signup_closed.html", {"reason": str(refusal)}, status=refusal.status)
            raise ImmediateHttpResponse(page) from None
        return True

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: SocialAccount) -> str:
        return reverse("socialaccount_connections")

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> NoReturn:
        answered = request.GET.get("error", "") if "state" in (extra_context or {}) else ""
        if exception is not None:
            page = failure_page(request, Failure.PROVIDER, str(exception))
        elif answered:
            kind = Failure.DENIED if answered == "access_denied" else Failure.PROVIDER
            shown = answered if re.fullmatch("[a-z_]{1,40}", answered) else "an unknown error"
            page = failure_page(request, kind, f"the provider answered {shown}")
        else:
            page = failure_page(request, Failure.STALE, "no sign-in was waiting for this answer")
        raise ImmediateHttpResponse(page)


def failure_page(request: HttpRequest, kind: Failure, reason: str) -> HttpResponse:
    """Says what to do. The reason is for the log: without codes, tokens and names."""
    logger.warning("Single sign-on failed: %s", reason)
    context = {"failure": kind.name, "name": the_provider().name}
    return render(request, "socialaccount/authentication_error.html", context, status=kind)


def shown_name(sent: Any) -> str:
    """A name that the provider sent, without what a database refuses or a page does not show."""
    return "".join(filter(str.isprintable, sent))[:150] if isinstance(sent, str) else ""


def invitation_of(sociallogin: SocialLogin) -> str:
    return str((sociallogin.state.get("data") or {}).get("invitation", ""))


def asks_to_confirm(state: dict[str, Any]) -> bool:
    """Whether the person signs in again to change how they sign in."""
    return bool((state.get("data") or {}).get("confirm"))


def usable_address(sociallogin: SocialLogin) -> str:
    """The address that the provider has verified, unless an account has it already."""
    verified = next((address.email for address in sociallogin.email_addresses if address.verified), "")
    return "" if not verified or address_is_taken(verified) else User.objects.normalize_email(verified)


def address_is_taken(address: str) -> bool:
    rows = EmailAddress.objects.filter(email__iexact=address), User.objects.filter(email__iexact=address)
    return any(found.exists() for found in rows)


def _confirmed(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    if not request.user.is_authenticated or sociallogin.user != request.user:
        return failure_page(request, Failure.OTHER_PERSON, "another person signed in at the provider")
    record_authentication(request, request.user, "socialaccount", reauthenticated=True)
    return resume_request(request) or redirect(sociallogin.get_redirect_url(request) or "catalog:account")


def confirmed_lately(request: HttpRequest) -> bool:
    """Whether the person signed in at the provider again, or by a link of the site's operator, a short time ago."""
    records = get_authentication_records(request, request.user)
    confirmed = [row["at"] for row in records if row["method"] in CONFIRMING and row.get("reauthenticated")]
    return bool(confirmed) and time.time() - confirmed[-1] < CONFIRMED_SECONDS
