"""Signing up and in, a new password by mail or by staff's link, and the account's e-mail address."""

from typing import Any

from allauth.account import views
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import complete_signup, perform_login
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from catalog.accounts import sign_up as create_account
from catalog.errors import InvalidSignUp, InvitationNeeded, MailNotSent, SignUpClosed
from catalog.forms import SignUpForm
from catalog.invitations import check_invitation
from catalog.mail import sends_mail
from catalog.models import User
from catalog.return_addresses import safe_next
from catalog.sign_in import links
from catalog.throttling import MailThrottle, SignInThrottle, SignUpThrottle, limited
from catalog.views.pages import ALL_METHODS, with_passwords


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_passwords("POST")
@limited(SignUpThrottle)
def sign_up(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(safe_next(request, "recommender:home"))
    invitation = request.GET.get("invitation", "")[:64]
    try:
        check_invitation(invitation)
    except (SignUpClosed, InvitationNeeded) as refusal:
        return render(request, "account/signup_closed.html", {"reason": str(refusal)}, status=refusal.status)
    form = SignUpForm(request.POST or None)
    if form.is_valid() and (user := _created(form, invitation)):
        answer = complete_signup(request, user, None, safe_next(request, "recommender:welcome"))
        if request.user.is_authenticated:
            messages.success(request, _("Welcome, %(name)s!") % {"name": user.username})
        return answer
    return render(request, "account/signup.html", {"form": form, "invitation": invitation})


def _created(form: SignUpForm, invitation: str) -> User | None:
    try:
        return create_account(**form.account(), invitation=invitation)
    except InvitationNeeded as error:  # another request used it in the meantime
        form.add_error(None, str(error))
    except InvalidSignUp as error:  # another request took the name since the form looked
        form.add_errors(error.fields)
    return None


@method_decorator(with_passwords("POST"), name="dispatch")
@method_decorator(limited(SignInThrottle), name="dispatch")
class SignInView(views.LoginView):
    pass


@method_decorator(with_passwords(*ALL_METHODS), name="dispatch")
@method_decorator(never_cache, name="dispatch")
@method_decorator(limited(SignInThrottle), name="dispatch")
class ConfirmPasswordView(views.ReauthenticateView):
    """Asks for the password again before the account's address or its second factor changes."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited(SignInThrottle)
def sign_in_by_link(request: HttpRequest, key: str, token: str) -> HttpResponse:
    """Behind a link of `sign_in_link`. Who has one may change how they sign in, too."""
    user = links.user_of(key, token)
    if user is None or request.method != "POST":
        return render(request, "account/link.html", {"chosen": user}, status=200 if user else 404)
    if request.user.is_authenticated:
        logout(request)
    record_authentication(request, user, "link", reauthenticated=True)
    answer: HttpResponse = perform_login(request, user, redirect_url=resolve_url("catalog:account"))
    return answer


@method_decorator(with_passwords(*ALL_METHODS), name="dispatch")
@method_decorator(limited(MailThrottle), name="dispatch")
class ResetPasswordView(views.PasswordResetView):
    extra_context = {"sends_mail": sends_mail}

    def form_valid(self, form: Any) -> HttpResponse:
        if not sends_mail():
            return self.render_to_response(self.get_context_data(form=form), status=404)
        try:
            return super().form_valid(form)
        except MailNotSent as error:
            form.add_error(None, str(error))
            return self.render_to_response(self.get_context_data(form=form), status=error.status)


@method_decorator(with_passwords(*ALL_METHODS), name="dispatch")
@method_decorator(never_cache, name="dispatch")
class NewPasswordView(views.PasswordResetFromKeyView):
    """Behind the link of a mail or of staff, which works once."""


@method_decorator(never_cache, name="dispatch")
@method_decorator(login_required, name="dispatch")
@method_decorator(limited(MailThrottle), name="dispatch")
class ChangeEmailView(views.EmailView):
    extra_context = {"sends_mail": sends_mail}
