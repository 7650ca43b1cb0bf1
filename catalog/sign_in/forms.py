"""Forms of django-allauth in this site's words, with fields named as elsewhere on the site."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.forms import password_field


class SignInForm(allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attributes = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        widget = forms.TextInput(attrs=attributes)
        self.fields["login"] = forms.CharField(label=_("Username or email"), max_length=254, widget=widget)
        self.fields["password"] = password_field("current-password", label=_("Password"))
        self.order_fields(["login", "password"])

    def add_prefix(self, field_name: str) -> str:
        """The name in HTML is that of the API and of what `SignInThrottle` counts."""
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
        self.fields["password2"].label = _("The same password again")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def clean(self) -> None:
        """Compares what was given, also where the first one is refused for something else."""
        first, second = (self.data.get(name) for name in self.fields)
        if second and first != second:
            self.add_error("password2", _("The two passwords differ."))


class NewEmailForm(allauth_forms.AddEmailForm):
    """A new address; the present one stays until the new one is confirmed, whether it was confirmed itself or not."""

    email = forms.EmailField(label=_("New address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    def save(self, request: HttpRequest) -> EmailAddress:
        with transaction.atomic():
            EmailAddress.objects.filter(user=self.user, verified=False).exclude(email=self.user.email).delete()
            address: EmailAddress = EmailAddress.objects.create(user=self.user, email=self.cleaned_data["email"])
        send_verification_email_to_address(request, address)
        return address
