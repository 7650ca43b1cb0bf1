"""Second factors and passkeys. URLs import this module on first use, because its libraries take memory."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.base import views as mfa_views
from allauth.mfa.recovery_codes import views as codes_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as passkey_views
from allauth.mfa.webauthn.internal.auth import begin_authentication
from cryptography.fernet import InvalidToken
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from catalog.accounts import has_way_in
from catalog.throttling import SignInThrottle, limited


@method_decorator(limited(SignInThrottle), name="dispatch")
class SecondFactorView(mfa_views.AuthenticateView):
    """The step after the password: a code from the app, a recovery code or a passkey."""


@method_decorator(never_cache, name="dispatch")
@method_decorator(limited(SignInThrottle), name="dispatch")
class PasskeySignInView(passkey_views.LoginWebAuthnView):
    """Passes the options for the browser's passkey API to the sign-in page, and verifies the result."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return JsonResponse({"request_options": begin_authentication(user=None)})


@method_decorator(never_cache, name="dispatch")
class ActivateAppView(totp_views.ActivateTOTPView):
    pass


@method_decorator(never_cache, name="dispatch")
class AddPasskeyView(passkey_views.AddWebAuthnView):
    pass


def with_readable_codes(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Handles recovery codes that SECRET_KEY can no longer decrypt. They are deleted when the app is turned off."""

    @wraps(view)
    def check(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except InvalidToken:
            text = _("This site can no longer verify your codes. Turn the authenticator app off and set it up again.")
            messages.error(request, text)
            return redirect("mfa_index")

    return check


class RemovePasskeyView(passkey_views.RemoveWebAuthnView):
    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        if has_way_in(self.request.user, without=self.object):
            return super().form_valid(form)
        messages.error(self.request, _("This is your only way to sign in. Add another passkey first."))
        return redirect(self.success_url)


second_factor = SecondFactorView.as_view()
sign_in = PasskeySignInView.as_view()
activate_app = ActivateAppView.as_view()
add_passkey = AddPasskeyView.as_view()
remove_passkey = RemovePasskeyView.as_view()
view_codes = with_readable_codes(codes_views.view_recovery_codes)
new_codes = with_readable_codes(codes_views.generate_recovery_codes)
codes_file = with_readable_codes(codes_views.download_recovery_codes)
