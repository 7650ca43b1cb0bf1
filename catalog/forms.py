from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from catalog.accounts import must_confirm_email
from catalog.imports.formats import CHOICES
from catalog.models import MovieList, User
from catalog.models.personal import PROFILE_NAME
from catalog.models.rating import NOTE_LENGTH, RATING_STEPS
from catalog.pending_sign_ups import address_taken, has_account
from catalog.sign_ups import sign_up_errors

SHORT_TEXT = forms.Textarea(attrs={"rows": 3})  # fields copy the widget


class RatingForm(forms.Form):
    CHOOSE = _("Choose a rating between half a star and five stars.")
    rating = forms.TypedChoiceField(
        choices=[(f"{step:g}", f"{step:g}") for step in RATING_STEPS],
        coerce=float,
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )


class NoteForm(forms.Form):
    """A note. Empty text deletes it."""

    note = forms.CharField(label=_("Private note"), required=False, max_length=NOTE_LENGTH, widget=SHORT_TEXT)


class ViewingForm(NoteForm):
    watched_on = forms.DateField(
        label=_("Watched on"),
        required=False,
        help_text=_("Leave this empty if you do not know the date."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"invalid": _("Enter a date such as 2026-05-31.")},
    )
    is_rewatch = forms.BooleanField(label=_("I had seen it before"), required=False)

    field_order = ("watched_on", "is_rewatch", "note")


class MovieListForm(forms.ModelForm):
    class Meta:
        model = MovieList
        fields = ["name", "description", "is_public"]
        labels = {"name": _("Name"), "description": _("Description")}
        widgets = {"description": SHORT_TEXT}
        help_texts = {
            "is_public": _(
                "Anyone with the link can view the list. If your profile is public, the list also appears "
                "there and on the pages of its movies."
            ),
        }

    def validate_unique(self) -> None:
        """Does nothing, because the service validates uniqueness."""


class ProfileForm(forms.Form):
    name = forms.RegexField(
        PROFILE_NAME,
        label=_("Name"),
        required=False,
        strip=True,  # otherwise a trailing line break would pass `$`
        help_text=_(
            "Appears in the address of your profile. 2 to 30 lowercase letters, digits, hyphens and "
            "underscores, starting with a letter."
        ),
        error_messages={
            "invalid": _("Enter 2 to 30 lowercase letters, digits, hyphens or underscores, starting with a letter.")
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    is_public = forms.BooleanField(
        label=_("Public"),
        required=False,
        help_text=_(
            "Everyone can see your public lists, how many movies you watch and rate, your average rating "
            "and your favourite genres."
        ),
    )
    shows_diary = forms.BooleanField(
        label=_("Show my diary"),
        required=False,
        help_text=_("Shows your latest movies with dates and ratings. Your notes stay private."),
    )


def password_field(autocomplete: str, **options: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(strip=False, widget=widget, **{"label": _("Password"), **options})


class UsernameForm(forms.Form):
    username = forms.CharField(
        label=_("Username"),
        max_length=150,
        help_text=_("Letters, digits and @ . + - _ only."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def add_errors(self, errors: dict[str, list[str]]) -> None:
        for name, texts in errors.items():
            self.add_error(name if name in self.fields else None, texts)


class ConfirmSignUpForm(UsernameForm):
    """The username of a pending account: the chosen one, or another if it is already taken."""

    def __init__(self, email: str, data: dict[str, Any]) -> None:
        super().__init__(data)
        self.email = email

    def clean(self) -> None:
        if has_account(self.email):
            self.add_error(None, address_taken())
        elif name := self.cleaned_data.get("username"):
            self.add_errors(sign_up_errors(username=name, email=self.email, password=None))


class SignUpForm(UsernameForm):
    """The sign-up form. `catalog.sign_ups` validates the values, and all errors are shown together.

    If `compares_names` is False, a taken name is not an error, so that the response does not reveal it.
    """

    email = forms.EmailField(required=False, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = password_field(
        "new-password", max_length=128, help_text=password_validation.password_validators_help_text_html
    )
    password_again = password_field("new-password", max_length=128, label=_("Confirm password"))

    def __init__(self, *args: Any, compares_names: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.compares_names = compares_names
        self.fields["email"].label = _("Email") if must_confirm_email() else _("Email (optional)")

    def account(self) -> dict[str, Any]:
        return {name: self.cleaned_data.get(name, "") for name in ("username", "email", "password")}

    def clean_password_again(self) -> str:
        again: str = self.cleaned_data["password_again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError(_("The two passwords do not match."))
        return again

    def clean(self) -> None:
        """Adds the service's errors to fields without errors."""
        errors = sign_up_errors(**self.account(), compares_names=self.compares_names)
        self.add_errors({name: texts for name, texts in errors.items() if name not in self.errors})


class IdentitySignUpForm(SignUpForm):
    """The form for people signed in by the identity provider. A verified address cannot be changed."""

    password = password_again = None  # type: ignore[assignment]

    def __init__(self, address: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if address:
            del self.fields["email"]
        self.address = address

    def account(self) -> dict[str, Any]:
        return super().account() | {"password": None} | ({"email": self.address} if self.address else {})


class DeleteAccountForm(forms.Form):
    password = password_field("current-password", label=_("Confirm with your password"))

    def __init__(self, user: User, asks_password: bool, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.user = user
        if not asks_password:
            del self.fields["password"]

    def clean_password(self) -> str:
        if not self.user.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("Incorrect password."))
        return str(self.cleaned_data["password"])


class UploadForm(forms.Form):
    format = forms.ChoiceField(
        label=_("Source"),
        choices=CHOICES,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the site that exported the file.")},
    )
    file = forms.FileField(
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".zip,.csv,.json,.xml,.nfo"}),
        error_messages={"required": _("Choose a file to upload.")},
    )
