"""Sign-up, sign-in, password resets by e-mail or a link from staff, and the account's e-mail address."""

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
from django.views.decorators.http import require_http_methods, require_safe

from catalog.accounts import must_confirm_email
from catalog.errors import DomainError, InvalidSignUp, InvitationNeeded, MailNotSent, SignUpClosed
from catalog.forms import ConfirmSignUpForm, SignUpForm
from catalog.invitations import check_invitation
from catalog.mail import sends_mail
from catalog.models import PendingSignUp, User
from catalog.pending_sign_ups import DAYS, confirm, request_sign_up
from catalog.return_addresses import safe_next
from catalog.sign_in import links
from catalog.sign_ups import sign_up as create_account
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
    confirms = must_confirm_email()
    form = SignUpForm(request.POST or None, compares_names=not confirms)
    made = (_asked if confirms else _signed_up)(request, form, invitation) if form.is_valid() else None
    return made or render(request, "account/signup.html", {"form": form, "invitation": invitation})


def _asked(request: HttpRequest, form: SignUpForm, invitation: str) -> HttpResponse:
    """Returns the same response for all accounts. The link in the e-mail creates the account."""
    try:
        request_sign_up(request, **form.account(), invitation=invitation)
    except DomainError as error:  # no mail was sent, or another request used the invitation meanwhile
        form.add_error(None, str(error))
        return render(request, "account/signup.html", {"form": form, "invitation": invitation}, status=error.status)
    return redirect("account_sign_up_sent")


@never_cache
@require_safe
def sign_up_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "account/signup_sent.html", {"days": DAYS})


def _signed_up(request: HttpRequest, form: SignUpForm, invitation: str) -> HttpResponse | None:
    user = _created(form, invitation)
    if user is None:
        return None
    answer: HttpResponse = complete_signup(request, user, None, safe_next(request, "recommender:welcome"))
    if request.user.is_authenticated:
        messages.success(request, _("Welcome, %(name)s!") % {"name": user.username})
    return answer


def _created(form: SignUpForm, invitation: str) -> User | None:
    try:
        return create_account(**form.account(), invitation=invitation)
    except InvitationNeeded as error:  # another request used it meanwhile
        form.add_error(None, str(error))
    except InvalidSignUp as error:  # another request took the name after the form was validated
        form.add_errors(error.fields)
    return None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@with_passwords("POST")
@limited(SignUpThrottle)
def confirm_sign_up(request: HttpRequest, key: str) -> HttpResponse:
    """Confirms a sign-up by the link in its e-mail. Asks for another username if it has been taken."""
    pending = PendingSignUp.objects.behind(key).first()
    if pending is None:
        return render(request, "account/signup_confirm.html", status=404)
    form = ConfirmSignUpForm(pending.email, {"username": request.POST.get("username", pending.username)})
    if form.is_valid() and request.method == "POST" and (user := _confirmed(form, key)):
        messages.success(request, _("Your account has been created. Sign in as %(name)s.") % {"name": user.username})
        return redirect("catalog:sign-in")
    return render(request, "account/signup_confirm.html", {"form": form, "pending": pending})


def _confirmed(form: ConfirmSignUpForm, key: str) -> User | None:
    try:
        user = confirm(key=key, username=form.cleaned_data["username"])
    except InvalidSignUp as error:  # another request took the name or the address after the form was validated
        form.add_errors(error.fields)
    except DomainError as error:  # sign-up was closed, or the invitation or link was used meanwhile
        form.add_error(None, str(error))
    else:
        return user
    return None


@method_decorator(with_passwords("POST"), name="dispatch")
@method_decorator(limited(SignInThrottle), name="dispatch")
class SignInView(views.LoginView):
    pass


@method_decorator(with_passwords(*ALL_METHODS), name="dispatch")
@method_decorator(never_cache, name="dispatch")
@method_decorator(limited(SignInThrottle), name="dispatch")
class ConfirmPasswordView(views.ReauthenticateView):
    """Asks for the password again before the account's address or second factor changes."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited(SignInThrottle)
def sign_in_by_link(request: HttpRequest, key: str, token: str) -> HttpResponse:
    """Signs in with a link from `sign_in_link`. The user may then change sign-in methods without reauthenticating."""
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
    """Sets a new password with a link from an e-mail or from staff. Each link works once."""


@method_decorator(never_cache, name="dispatch")
@method_decorator(login_required, name="dispatch")
@method_decorator(limited(MailThrottle), name="dispatch")
class ChangeEmailView(views.EmailView):
    extra_context = {"sends_mail": sends_mail}
