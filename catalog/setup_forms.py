"""The form for site-wide settings, used on the setup page and in the admin."""

from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django import forms
from django.conf import settings
from django.core.validators import RegexValidator
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from catalog.forms import password_field
from catalog.mail import refusal_of_server
from catalog.models import SiteSettings
from catalog.site_settings import SECRETS, Values, current, set_by

TMDB_SECONDS = 5
MAIL = ("mail_host", "mail_port", "mail_security", "mail_user", "mail_password", "mail_from")
_ONE_LINE = RegexValidator(r"[\x00-\x1f\x7f]", _("Enter a single line."), inverse_match=True)
_HOST = RegexValidator(r"^[\w.:\[\]-]+$", _("Enter a server name or IP address, such as mail.example.org."))
_TOKEN = RegexValidator(r"^[!-~]+$", _("The token cannot contain spaces or accented characters."))


class SiteSettingsForm(forms.ModelForm):
    """Tests the mail server and the token by using them. Never shows secrets. An empty field keeps a secret."""

    site_name = forms.CharField(
        label=_("Site name"),
        max_length=40,
        required=False,
        validators=[_ONE_LINE],
        help_text=_("Shown in the header, in emails and in authenticator apps. The default is Movierec."),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=lambda: settings.LANGUAGES,
        required=False,
        help_text=_("Used for emails, and for visitors whose browser does not ask for one of the available languages."),
    )
    region = forms.ChoiceField(
        label=_("Country"),
        choices=lambda: [("", _("None")), *countries],
        required=False,
        help_text=_("Determines the streaming offers that the site shows."),
    )
    mail_host = forms.CharField(
        label=_("Mail server"),
        max_length=253,
        required=False,
        validators=[_HOST],
        help_text=_("The SMTP server, such as mail.example.org. Leave this empty to disable email."),
    )
    mail_port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535, required=False, initial=587)
    mail_security = forms.ChoiceField(
        label=_("Encryption"), choices=SiteSettings.Security.choices, required=False, initial="starttls"
    )
    mail_user = forms.CharField(
        label=_("Mail server username"),
        max_length=254,
        required=False,
        help_text=_("Leave this empty if the server does not require one."),
    )
    mail_password = password_field("off", label=_("Mail server password"), required=False, max_length=500)
    mail_from = forms.EmailField(label=_("Sender address"), required=False)
    tmdb_read_token = password_field("off", label=_("TMDB token"), required=False, max_length=1000, validators=[_TOKEN])
    forget_secrets = forms.MultipleChoiceField(
        label=_("Remove"), required=False, widget=forms.CheckboxSelectMultiple, choices=[]
    )

    class Meta:
        model = SiteSettings
        fields = ["site_name", "language", "region", *(name for name in MAIL if name not in SECRETS)]

    def __init__(self, *args: Any, test_to: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.test_to = test_to
        if not (set_by("language") or self.instance.language):
            self.initial["language"] = get_language()
        self.fields["tmdb_read_token"].help_text = _(
            "The API read access token of your themoviedb.org account. The site uses it for posters, plots "
            "and new movies."
        )
        kept = [name for name in SECRETS if getattr(self.instance, f"{name}_sealed") and not set_by(name)]
        for name in kept:
            self.fields[name].help_text = (
                _("The stored value cannot be decrypted because SECRET_KEY has changed. Enter it again.")
                if name in current().unreadable
                else _("A value is stored. Leave this empty to keep it.")
            )
        self.fields["forget_secrets"].choices = [(name, self.fields[name].label) for name in kept]  # type: ignore[attr-defined]
        if not kept:
            del self.fields["forget_secrets"]
        for name, field in self.fields.items():
            if variable := set_by(name):
                field.disabled = True
                field.help_text = _("Set by the environment variable %(variable)s.") % {"variable": variable}

    def clean_mail_port(self) -> int:
        return self.cleaned_data["mail_port"] or 587

    def clean_mail_security(self) -> str:
        return self.cleaned_data["mail_security"] or SiteSettings.Security.STARTTLS

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not set_by("mail_host") and not any(name in self.errors for name in MAIL):
            self._clean_mail(cleaned)
        if (token := cleaned.get("tmdb_read_token")) and (refusal := refusal_of_tmdb(token)):
            self.add_error("tmdb_read_token", refusal)
        return cleaned

    def _clean_mail(self, cleaned: dict[str, Any]) -> None:
        if not cleaned["mail_host"]:
            if cleaned["mail_user"] or cleaned["mail_password"] or cleaned["mail_from"]:
                self.add_error("mail_host", _("Enter a mail server, or leave all mail fields empty."))
            return
        if not cleaned["mail_from"] and not set_by("mail_from"):
            self.add_error("mail_from", _("Enter the sender address."))
        elif self._password_is_for_another_server(cleaned):
            self.add_error(
                "mail_password", _("Enter the password again. The stored one belongs to a different server.")
            )
        elif not set(MAIL).isdisjoint(self.changed_data):
            # Send a real message only if everything else is valid, so that not every correction sends one.
            test_to = "" if self.errors else self.test_to
            if refusal := refusal_of_server(self.values(), test_to=test_to):
                self.add_error("mail_host", refusal)

    def _password_is_for_another_server(self, cleaned: dict[str, Any]) -> bool:
        is_kept = bool(self.instance.mail_password_sealed) and not cleaned["mail_password"]
        is_forgotten = "mail_password" in cleaned.get("forget_secrets", [])
        return is_kept and not is_forgotten and "mail_host" in self.changed_data

    def values(self) -> Values:
        """Returns the settings that would be in effect."""
        given = {name: self.cleaned_data[name] for name in self._meta.fields or [] if name in self.cleaned_data}
        forgotten = self.cleaned_data.get("forget_secrets", [])
        stored = "" if "mail_password" in forgotten else current().mail_password
        return Values(**given, mail_password=self.cleaned_data["mail_password"] or stored)

    def write_to(self, row: SiteSettings) -> None:
        """Writes the values to the row, except fields set by the environment."""
        for name in self._meta.fields or []:
            if not set_by(name):
                setattr(row, name, self.cleaned_data[name])
        for name in SECRETS:
            if name in self.cleaned_data.get("forget_secrets", []):
                row.seal(name, "")
            if not set_by(name) and (secret := self.cleaned_data[name]):
                row.seal(name, secret)


class SetupForm(SiteSettingsForm):
    """The form of the setup page, which also asks what data to start with."""

    start_with = forms.ChoiceField(
        label=_("Initial movies"),
        choices=[
            ("sample", _("Sample data: 100,000 MovieLens ratings and a first model. You can remove it later.")),
            ("own", _("My own data. I will import it next.")),
            ("none", _("None for now")),
        ],
        widget=forms.RadioSelect,
        initial="sample",
        error_messages={"required": _("Choose the initial movies.")},
    )

    def __init__(self, *args: Any, has_movies: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if has_movies:
            del self.fields["start_with"]


class _NoRedirects(HTTPRedirectHandler):
    """Prevents redirects, because another server would receive the token."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def refusal_of_tmdb(token: str) -> str:
    """Makes a request to TMDB with the token. Returns the error, or ""."""
    address = f"{settings.TMDB_API_URL.rstrip('/')}/configuration"
    server = {"server": urlsplit(address).netloc.rpartition("@")[2], "seconds": TMDB_SECONDS}
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        with build_opener(_NoRedirects).open(Request(address, headers=headers), timeout=TMDB_SECONDS):
            return ""
    except HTTPError as error:
        if error.code in (401, 403):
            return gettext("TMDB rejected this token. Enter the API read access token, not the API key.")
        return gettext("%(server)s responded with status %(status)d. Try again, or leave the token empty for now.") % (
            server | {"status": error.code}
        )
    except (OSError, HTTPException):
        return (
            gettext(
                "%(server)s did not respond within %(seconds)d seconds. Try again, or leave the token empty for now."
            )
            % server
        )
