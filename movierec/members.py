"""Restricts a members-only site. Without an account, only the pages for signing in and up are accessible."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import resolve_url
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated

from catalog.api.authentication import KeyAuthentication
from movierec.api import error_body

WAYS_IN = {
    "account_confirm_email",
    "account_confirm_sign_up",
    "account_email_verification_sent",
    "account_login",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_sign_up_sent",
    "account_signup",
    "admin:login",
    "api:accounts",
    "api:feed",  # protected by the secret in its URL
    "api:hook",  # protected by the secret in its URL
    "api:token",
    "catalog:favicon",
    "catalog:language",
    "catalog:manifest",
    "catalog:offline",
    "catalog:robots",
    "catalog:service-worker",
    "catalog:setup",
    "catalog:theme",
    "identity_start",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "openid_connect_callback",
    "sign_in_link",
    "socialaccount_signup",
}


class MembersOnly:
    """Middleware that allows only WAYS_IN to visitors, so that new pages and endpoints are closed by default."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return cast(HttpResponse, self.get_response(request))

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.POLICY.accounts.members_only or (match and match.view_name in WAYS_IN):
            return None
        if request.path_info.startswith("/api/"):
            return _refusal(request)
        if request.user.is_authenticated:
            return None
        return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))


def _refusal(request: HttpRequest) -> JsonResponse | None:
    """Return a 401, or None for a request with a session or a key. The API itself checks their permissions."""
    try:
        if request.user.is_authenticated or KeyAuthentication().identify(request):
            return None
        error: NotAuthenticated | AuthenticationFailed = NotAuthenticated()
    except AuthenticationFailed as refused:
        error = refused
    headers = {"WWW-Authenticate": "Token"}
    return JsonResponse(error_body(error.default_code, str(error.detail)), status=error.status_code, headers=headers)
