"""Forms of django-allauth with this site's wording and field names."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as passkey_forms
from cryptography.fernet import InvalidToken
from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog import counter
from catalog.forms import password_field
from catalog.throttling import SecondFactorThrottle

CODE_SECONDS = 300  # longer than an authenticator app's code is valid
SECRETS_UNREADABLE = _(
    "This site can no longer verify codes from your authenticator app. Ask the staff to remove the "
    "app from your account."
)


class SignInForm(allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        widget = forms.TextInput(attrs=attributes)
        self.fields["login"] = forms.CharField(label=_("Username or email"), max_length=254, widget=widget)
        self.fields["password"] = password_field("current-password", label=_("Password"))
        self.order_fields(["login", "password"])

    def add_prefix(self, field_name: str) -> str:
        """Returns the field's name in HTML. It is the same as in the API, and `SignInThrottle` counts it."""
        return "username" if field_name == "login" else super().add_prefix(field_name)


class ReauthenticationForm(allauth_forms.ReauthenticateForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = password_field("current-password", label=_("Your password"))


class PasswordResetForm(allauth_forms.ResetPasswordForm):
    email = forms.EmailField(label=_("Email"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))


class NewPasswordForm(allauth_forms.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = _("New password")
        self.fields["password1"].help_text = password_validators_help_text_html()
        self.fields["password2"].label = _("Confirm password")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def clean(self) -> None:
        """Compares the two passwords even if the first one is rejected for another reason."""
        first, second = (self.data.get(name) for name in self.fields)
        if second and first != second:
            self.add_error("password2", _("The two passwords do not match."))


class NewEmailForm(allauth_forms.AddEmailForm):
    """A new address. The current one stays until the new one is confirmed."""

    email = forms.EmailField(label=_("New email address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    def save(self, request: HttpRequest) -> EmailAddress:
        with transaction.atomic():
            EmailAddress.objects.filter(user=self.user, verified=False).exclude(email=self.user.email).delete()
            address: EmailAddress = EmailAddress.objects.create(user=self.user, email=self.cleaned_data["email"])
        send_verification_email_to_address(request, address)
        return address


class CodeMixin(mfa_forms.BaseAuthenticateForm):
    """Limits guesses per account, and accepts each code only once across all processes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
        self.fields["code"] = forms.CharField(label=_("Code"), max_length=20, widget=forms.TextInput(attrs=attributes))

    def clean_code(self) -> str:
        if not SecondFactorThrottle().allows(self.user):
            raise forms.ValidationError(_("Too many attempts. Please try again later."))
        try:
            code: str = super().clean_code()
        except InvalidToken:
            raise forms.ValidationError(SECRETS_UNREADABLE) from None
        if counter.count(f"code:{self.user.pk}:{normalize_user_code(code)}", seconds=CODE_SECONDS)[0] > 1:
            raise get_mfa_adapter().validation_error("incorrect_code")
        return code


class SecondFactorForm(CodeMixin, mfa_forms.AuthenticateForm):
    pass


class SecondFactorAgainForm(CodeMixin, mfa_forms.ReauthenticateForm):
    pass


@contextmanager
def odd_ones_refused() -> Iterator[None]:
    """Converts errors of parsers that assume complete data from a browser."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise forms.ValidationError(_("This passkey does not belong to this site.")) from error


class PasskeyMixin(passkey_forms.AuthenticateWebAuthnForm):
    def clean_credential(self) -> Authenticator:
        with odd_ones_refused():
            return super().clean_credential()


class PasskeySignInForm(PasskeyMixin, passkey_forms.LoginWebAuthnForm):
    pass


class PasskeyForm(PasskeyMixin):
    pass


class PasskeyAgainForm(PasskeyMixin, passkey_forms.ReauthenticateWebAuthnForm):
    pass


class AddPasskeyForm(passkey_forms.AddWebAuthnForm):
    """Adds a passkey. It can sign in without a password, so it must verify its user."""

    passwordless = forms.BooleanField(widget=forms.HiddenInput, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Passkey name")
        self.fields["name"].max_length = 60

    def clean(self) -> dict[str, Any]:
        with odd_ones_refused():
            return super().clean()
