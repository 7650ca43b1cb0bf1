"""URLs of sign-in and the account, with the names that django-allauth expects."""

from functools import partial

from allauth.account import views
from django.contrib.auth.views import LogoutView
from django.urls import path, re_path

from catalog.views import accounts, sign_in
from catalog.views.pages import loaded_when_used

identities = partial(loaded_when_used, "catalog.views.identities")
second_factor = partial(loaded_when_used, "catalog.views.second_factor")
mfa = partial(loaded_when_used, "allauth.mfa.base.views")
totp = partial(loaded_when_used, "allauth.mfa.totp.views")
passkeys = partial(loaded_when_used, "allauth.mfa.webauthn.views")

urlpatterns = [
    path("sign-in/", sign_in.SignInView.as_view(), name="account_login"),
    path("sign-in/<str:key>/<str:token>/", sign_in.sign_in_by_link, name="sign_in_link"),
    path("sign-up/", sign_in.sign_up, name="account_signup"),
    path("sign-up/sent/", sign_in.sign_up_sent, name="account_sign_up_sent"),
    path("sign-up/<str:key>/", sign_in.confirm_sign_up, name="account_confirm_sign_up"),
    path("sign-out/", LogoutView.as_view(), name="account_logout"),
    path("confirm/", sign_in.ConfirmPasswordView.as_view(), name="account_reauthenticate"),
    path("email/", sign_in.ChangeEmailView.as_view(), name="account_email"),
    path("email/sent/", views.email_verification_sent, name="account_email_verification_sent"),
    path("email/confirm/<str:key>/", views.confirm_email, name="account_confirm_email"),
    path("password/", accounts.ChangePasswordView.as_view(), name="account_change_password"),
    path("password/reset/", sign_in.ResetPasswordView.as_view(), name="account_reset_password"),
    path("password/reset/sent/", views.password_reset_done, name="account_reset_password_done"),
    path("password/reset/done/", views.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        sign_in.NewPasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("second-factor/", mfa("index"), name="mfa_index"),
    path("second-factor/code/", second_factor("second_factor"), name="mfa_authenticate"),
    path("second-factor/confirm/", mfa("reauthenticate"), name="mfa_reauthenticate"),
    path("second-factor/app/", second_factor("activate_app"), name="mfa_activate_totp"),
    path("second-factor/app/off/", totp("deactivate_totp"), name="mfa_deactivate_totp"),
    path("second-factor/codes/", second_factor("view_codes"), name="mfa_view_recovery_codes"),
    path("second-factor/codes/new/", second_factor("new_codes"), name="mfa_generate_recovery_codes"),
    path("second-factor/codes/file/", second_factor("codes_file"), name="mfa_download_recovery_codes"),
    path("passkeys/add/", second_factor("add_passkey"), name="mfa_add_webauthn"),
    path("passkeys/<id:pk>/remove/", second_factor("remove_passkey"), name="mfa_remove_webauthn"),
    path("passkeys/sign-in/", second_factor("sign_in"), name="mfa_login_webauthn"),
    path("identities/", identities("connections"), name="socialaccount_connections"),
    path("identities/start/", identities("start", is_post_only=True), name="identity_start"),
    path("identities/callback/", identities("callback"), name="openid_connect_callback"),
    path("identities/sign-up/", identities("sign_up"), name="socialaccount_signup"),
    path("identities/connect/", identities("connect"), name="identity_connect"),
    path("identities/confirm/", identities("confirm"), name="identity_confirm"),
    path("identities/<id:pk>/disconnect/", identities("disconnect"), name="identity_disconnect"),
    path("passkeys/confirm/", passkeys("reauthenticate_webauthn"), name="mfa_reauthenticate_webauthn"),
]
