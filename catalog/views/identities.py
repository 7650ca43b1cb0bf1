"""Sign-in with the identity provider, and the page of an account's connected identities."""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from allauth.account.models import EmailAddress
from allauth.socialaccount.internal.flows.signup import (
    clear_pending_signup,
    complete_social_signup,
    get_pending_signup,
)
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from catalog.accounts import has_way_in
from catalog.errors import DomainError, InvalidSignUp
from catalog.forms import IdentitySignUpForm
from catalog.models import User
from catalog.return_addresses import safe_next
from catalog.sign_in.identities import address_is_taken, invitation_of, the_provider, usable_address
from catalog.sign_ups import sign_up as create_account
from catalog.throttling import SignInThrottle, SignUpThrottle, limited
from catalog.views.pages import SignedInRequest, post_only

View = Callable[..., HttpResponse]
APP = "allauth.socialaccount"


@post_only
@never_cache
@limited(SignInThrottle)
def start(request: HttpRequest) -> HttpResponse:
    """Redirects to the provider to sign in. In a session, reauthenticates or connects the identity instead."""
    the_provider()
    if not request.user.is_authenticated:
        next_url = safe_next(request, "recommender:home") if request.POST.get("next") else ""
        return _to_provider(request, "login", next_url, invitation=request.POST.get("invitation", "")[:64])
    if "confirm" in request.POST:
        return _to_provider(request, "redirect", safe_next(request, "catalog:account"), confirm=True)
    if is_reauthentication_required(request, app=APP):
        return redirect("identity_connect")
    return _to_provider(request, "connect", reverse("socialaccount_connections"))


def _to_provider(request: HttpRequest, process: str, next_url: str, **data: Any) -> HttpResponse:
    """Returns a page that redirects, because browsers check a form's redirects against the policy's `form-action`."""
    answer = _protocol("start")(request, process=process, next_url=next_url, data=data)
    if answer.status_code != 302:
        return answer
    return render(
        request, "socialaccount/login_redirect.html", {"address": answer["Location"], "name": the_provider().name}
    )


@require_safe
@never_cache
def callback(request: HttpRequest) -> HttpResponse:
    return _protocol("callback")(request)


def _protocol(name: str) -> View:
    """Imports a view on first use, because most sites have no provider and its libraries take memory."""
    view: View = import_string(f"catalog.sign_in.openid.{name}")
    return view


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@limited(SignUpThrottle)
def sign_up(request: HttpRequest) -> HttpResponse:
    """Asks new users for a username, and explains what to do if they already have an account."""
    pending = get_pending_signup(request)
    if pending is None or request.user.is_authenticated or not _is_new(pending):
        return redirect("catalog:sign-in")
    address = usable_address(pending)
    given = request.POST if request.method == "POST" else None
    form = IdentitySignUpForm(address, given, initial={"username": pending.user.username})
    if form.is_valid() and (user := _created(form, pending, address)):
        clear_pending_signup(request)
        pending.user = user
        answer: HttpResponse = complete_social_signup(request, pending)
        if request.user.is_authenticated:
            messages.success(request, _("Welcome, %(name)s!") % {"name": user.username})
        return answer
    context = {"form": form, "name": the_provider().name, "address": address, "is_known": _is_known(pending)}
    return render(request, "socialaccount/signup.html", context)


def _is_new(pending: SocialLogin) -> bool:
    """Returns whether the identity belongs to the current provider and is not connected yet."""
    issuer, sub = pending.account.provider, pending.account.uid
    return issuer == the_provider().issuer and not SocialAccount.objects.filter(provider=issuer, uid=sub).exists()


def _is_known(pending: SocialLogin) -> bool:
    """Returns whether an account has an address that the provider has verified for this person.

    The page mentions the account only in this case, so that other people do not learn about it.
    """
    return any(address.verified and address_is_taken(address.email) for address in pending.email_addresses)


def _created(form: IdentitySignUpForm, pending: SocialLogin, address: str) -> User | None:
    def link(user: User) -> None:
        pending.account.user = user
        pending.account.save()
        if address:
            EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)

    try:
        return create_account(**form.account(), invitation=invitation_of(pending), link=link)
    except InvalidSignUp as error:  # another request took the name after the form was validated
        form.add_errors(error.fields)
    except DomainError as error:  # sign-up was closed or the invitation used meanwhile
        form.add_error(None, str(error))
    return None


@require_safe
@never_cache
@login_required
def connections(request: SignedInRequest) -> HttpResponse:
    rows = SocialAccount.objects.filter(user=request.user).order_by("pk")
    if settings.OIDC is None and not rows:
        raise Http404
    return render(request, "socialaccount/connections.html", {"identities": rows, "oidc": settings.OIDC})


@require_safe
@never_cache
@login_required
def confirm(request: SignedInRequest) -> HttpResponse:
    return render(request, "socialaccount/confirm.html", {"name": the_provider().name})


@require_safe
@never_cache
@login_required
@reauthentication_required(app=APP)
def connect(request: SignedInRequest) -> HttpResponse:
    return render(request, "socialaccount/connect.html", {"name": the_provider().name})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@reauthentication_required(app=APP)
def disconnect(request: SignedInRequest, pk: int) -> HttpResponse:
    identity = get_object_or_404(SocialAccount, pk=pk, user=request.user)
    if not has_way_in(request.user, without=identity):
        messages.error(request, _("This is your only way to sign in. Set a password or add a passkey first."))
        return redirect("socialaccount_connections")
    if request.method != "POST":
        return render(request, "socialaccount/disconnect.html", {"identity": identity})
    identity.delete()
    messages.success(
        request, _("Disconnected. You have been signed out in other browsers, and your API keys have been revoked.")
    )
    return redirect("socialaccount_connections")
