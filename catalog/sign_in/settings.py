"""Settings of accounts: django-allauth, passwords and the identity provider.

Only the provider and the policy differ between sites.
"""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

APPS = ("allauth", "allauth.account", "allauth.mfa", "allauth.socialaccount")
MIDDLEWARE = "allauth.account.middleware.AccountMiddleware"
LINK_HOURS = 24  # validity of a link to set a new password
LOOPBACK = ("127.0.0.1", "::1", "localhost")
ISSUER_LENGTH = 200  # characters; limited by the column of django-allauth that stores the issuer of each identity


@dataclass(frozen=True)
class IdentityProvider:
    """The OpenID Connect provider for sign-in."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str


def identity_provider(issuer: str, client_id: str, client_secret: str, name: str) -> IdentityProvider | None:
    """Returns the provider, or None if none of its settings is set. Raises ImproperlyConfigured."""
    needed = {"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": client_id, "OIDC_CLIENT_SECRET": client_secret}
    if not any((*needed.values(), name)):
        return None
    if missing := [key for key, value in needed.items() if not value]:
        raise ImproperlyConfigured(f"Single sign-on also takes {' and '.join(missing)} (docs/accounts.md)")
    if not _is_issuer(issuer):
        raise ImproperlyConfigured(
            f"OIDC_ISSUER: expected an address as https://id.example.org of at most {ISSUER_LENGTH} characters, "
            f"http on this host alone; got {issuer!r}"
        )
    return IdentityProvider(issuer, client_id, client_secret, name or "single sign-on")


def _is_issuer(address: str) -> bool:
    try:
        parts = urlsplit(address)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    except ValueError:
        return False
    rest = parts.query or parts.fragment or parts.username or " " in address
    return bool(is_safe and parts.hostname and not rest and len(address) <= ISSUER_LENGTH)


def password_sign_in(wanted: bool, provider: IdentityProvider | None) -> bool:
    """Returns whether password sign-in is enabled.

    Raises ImproperlyConfigured if people without a passkey could not sign in.
    """
    if not wanted and provider is None:
        raise ImproperlyConfigured("PASSWORD_SIGN_IN=false takes another way in: set OIDC_ISSUER (docs/accounts.md)")
    return wanted


def account_settings() -> dict[str, Any]:
    """Returns the Django settings, keyed by name."""
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
        "ACCOUNT_CHANGE_EMAIL": True,  # one address per account; a new one replaces it after confirmation
        # `catalog.sign_in.stages` makes it mandatory if the policy requires it
        "ACCOUNT_EMAIL_VERIFICATION": "optional",
        "ACCOUNT_EMAIL_SUBJECT_PREFIX": "",
        "ACCOUNT_REAUTHENTICATION_REQUIRED": True,
        "ACCOUNT_REAUTHENTICATION_METHODS": ("password", "mfa"),
        "ACCOUNT_SESSION_REMEMBER": True,
        "SOCIALACCOUNT_ADAPTER": "catalog.sign_in.identities.IdentityAdapter",
        "SOCIALACCOUNT_AUTO_SIGNUP": False,  # a page asks first, because the person may already have an account
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION": False,
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_REQUESTS_TIMEOUT": 5,  # seconds
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
        # `catalog.throttling` counts instead, across all processes and together with the API
        "ACCOUNT_RATE_LIMITS": False,
    }
