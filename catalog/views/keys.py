"""The page of an account's API keys."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog.errors import InvalidKey
from catalog.keys import create_key, revoke_key, revoke_keys, scopes_for
from catalog.models import APIKey, User
from catalog.models.api_key import NAME_LENGTH
from catalog.throttling import KeyThrottle, limited
from catalog.views.pages import SignedInRequest, post_only


class KeyForm(forms.Form):
    """A new API key; `keys.create_key` decides whether the values are acceptable."""

    name = forms.CharField(label=gettext_lazy("What it is for"), max_length=NAME_LENGTH)
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"), initial=["read"], widget=forms.CheckboxSelectMultiple
    )
    expires_in = forms.TypedChoiceField(
        label=gettext_lazy("Valid for"),
        required=False,
        choices=[
            ("", gettext_lazy("until I revoke it")),
            ("30", gettext_lazy("30 days")),
            ("90", gettext_lazy("90 days")),
            ("365", gettext_lazy("a year")),
        ],
        coerce=lambda days: timedelta(days=int(days)),
        empty_value=None,
    )

    def __init__(self, user: User, *args: Any) -> None:
        super().__init__(*args)
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(scope.value, scope.label) for scope in scopes_for(user)]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited(KeyThrottle)
def keys(request: SignedInRequest) -> HttpResponse:
    """The account's keys, and a form for a new one, which only the answer to that form shows."""
    form, key = KeyForm(request.user, request.POST or None), ""
    if form.is_valid():
        try:
            key = create_key(user=request.user, **form.cleaned_data).key
            form = KeyForm(request.user)
        except InvalidKey as error:
            form.add_error(next(iter(error.fields), None), str(error))
    rows = list(APIKey.objects.filter(user=request.user))
    context = {"form": form, "new_key": key, "keys": rows}
    return render(request, "catalog/keys.html", context, status=422 if form.errors else 200)


@post_only
@login_required
def revoke_one(request: SignedInRequest, key_id: int) -> HttpResponse:
    if not revoke_key(user=request.user, key_id=key_id):
        raise Http404
    messages.success(request, _("The key is revoked; programs that use it are signed out."))
    return redirect("catalog:keys")


@post_only
@login_required
def revoke_all(request: SignedInRequest) -> HttpResponse:
    n = revoke_keys(request.user)
    messages.success(request, ngettext("%(n)d key is revoked.", "%(n)d keys are revoked.", n) % {"n": n})
    return redirect("catalog:keys")
