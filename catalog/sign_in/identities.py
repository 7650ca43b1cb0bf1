"""Identities of an OpenID Connect provider. They are tied to an account by issuer and `sub` only.

`SocialAccount.provider` stores the issuer, so that a new provider never inherits the identities of the previous one.
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
SUBJECT_LENGTH = 191  # characters; limited by a column of django-allauth
CONFIRMED_SECONDS = 300
CONFIRMING = ("socialaccount", "link")  # in addition to passwords and second factors, which django-allauth handles


class Failure(IntEnum):
    """Reasons why single sign-on failed. The value is the HTTP status of the page that explains what to do."""

    STALE = 400
    DENIED = 403
    OTHER_PERSON = 409
    PROVIDER = 502


def the_provider() -> IdentityProvider:
    """Returns the site's identity provider. Raises Http404 if there is none."""
    if settings.OIDC is None:
        raise Http404
    return settings.OIDC


class IdentityAdapter(DefaultSocialAccountAdapter):
    error_messages = DefaultSocialAccountAdapter.error_messages | {
        "connected_other": _("Another account on this site is already connected to it."),
    }

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Returns only the provider from the environment. Rows in the database do not add another one."""
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
        """Does nothing, because an address does not prove whose account it is."""

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> Any:
        """Sets the username that the sign-up form suggests."""
        sociallogin.user.username = shown_name(data.get("username"))
        return sociallogin.user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        sociallogin.token = None  # otherwise a pending sign-up would store it in the session
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
    """Renders a page that says what to do. `reason` is logged and must not contain codes, tokens or names."""
    logger.warning("Single sign-on failed: %s", reason)
    context = {"failure": kind.name, "name": the_provider().name}
    return render(request, "socialaccount/authentication_error.html", context, status=kind)


def shown_name(sent: Any) -> str:
    """Removes characters from a provider's name that are unprintable or rejected by databases."""
    return "".join(filter(str.isprintable, sent))[:150] if isinstance(sent, str) else ""


def invitation_of(sociallogin: SocialLogin) -> str:
    return str((sociallogin.state.get("data") or {}).get("invitation", ""))


def asks_to_confirm(state: dict[str, Any]) -> bool:
    """Returns whether the person reauthenticates to change how they sign in."""
    return bool((state.get("data") or {}).get("confirm"))


def usable_address(sociallogin: SocialLogin) -> str:
    """Returns the address verified by the provider, or "" if an account already has it."""
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
    """Returns whether the person recently reauthenticated with the provider or by a sign-in link."""
    records = get_authentication_records(request, request.user)
    confirmed = [row["at"] for row in records if row["method"] in CONFIRMING and row.get("reauthenticated")]
    return bool(confirmed) and time.time() - confirmed[-1] < CONFIRMED_SECONDS
