"""Settings of accounts: django-allauth and passwords. They are the same at every site; policy says what differs."""

from typing import Any

APPS = ("allauth", "allauth.account", "allauth.mfa")
MIDDLEWARE = "allauth.account.middleware.AccountMiddleware"
LINK_HOURS = 24  # how long a link for a new password works


def account_settings() -> dict[str, Any]:
    """Django's settings by name."""
    return {
        "AUTH_USER_MODEL": "catalog.User",
        "AUTH_PASSWORD_VALIDATORS": [
            {"NAME": f"django.contrib.auth.password_validation.{name}"}
            for name in (
                "UserAttributeSimilarityValidator",
                "MinimumLengthValidator",
                "CommonPasswordValidator",
                "NumericPasswordValidator",
            )
        ],
        "LOGIN_URL": "catalog:sign-in",
        "PASSWORD_RESET_TIMEOUT": LINK_HOURS * 3600,
        "ACCOUNT_ADAPTER": "catalog.sign_in.adapter.AccountAdapter",
        "ACCOUNT_FORMS": {
            "login": "catalog.sign_in.forms.SignInForm",
            "reauthenticate": "catalog.sign_in.forms.ReauthenticationForm",
            "reset_password": "catalog.sign_in.forms.PasswordResetForm",
            "reset_password_from_key": "catalog.sign_in.forms.NewPasswordForm",
            "add_email": "catalog.sign_in.forms.NewEmailForm",
        },
        "ACCOUNT_LOGIN_METHODS": {"username", "email"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "email", "password1*", "password2*"],
        "ACCOUNT_CHANGE_EMAIL": True,  # one address per account; a new one replaces it once it is confirmed
        "ACCOUNT_EMAIL_VERIFICATION": "optional",  # `catalog.sign_in.stages` makes it mandatory where policy says so
        "ACCOUNT_EMAIL_SUBJECT_PREFIX": "",
        "ACCOUNT_REAUTHENTICATION_REQUIRED": True,
        "ACCOUNT_REAUTHENTICATION_METHODS": ("password", "mfa"),
        "ACCOUNT_SESSION_REMEMBER": True,
        "MFA_ADAPTER": "catalog.sign_in.second_factor.SecondFactorAdapter",
        "MFA_FORMS": {
            "authenticate": "catalog.sign_in.forms.SecondFactorForm",
            "reauthenticate": "catalog.sign_in.forms.SecondFactorAgainForm",
            "login_webauthn": "catalog.sign_in.forms.PasskeySignInForm",
            "authenticate_webauthn": "catalog.sign_in.forms.PasskeyForm",
            "reauthenticate_webauthn": "catalog.sign_in.forms.PasskeyAgainForm",
            "add_webauthn": "catalog.sign_in.forms.AddPasskeyForm",
        },
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,  # not every site sends mail
        "MFA_TOTP_TOLERANCE": 1,
        "MFA_RATE_LIMITS": False,
        "ACCOUNT_RATE_LIMITS": False,  # `catalog.throttling` counts, over all processes and with the API
    }
