"""The pages of an account's API keys and of its webhook URL for media servers."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog.errors import InvalidEvent, InvalidKey
from catalog.hooks.formats import SERVERS
from catalog.hooks.services import create_hook, events_of, remove_hook, save_names
from catalog.hooks.unmatched import match_events_again
from catalog.imports.candidates import add_candidates
from catalog.keys import create_key, revoke_key, revoke_keys, scopes_for
from catalog.models import APIKey, Hook, User
from catalog.models.api_key import NAME_LENGTH
from catalog.models.hook import NAMES_LENGTH
from catalog.throttling import KeyThrottle, limited
from catalog.views.pages import SignedInRequest, post_only


class KeyForm(forms.Form):
    """A form for a new API key. `keys.create_key` validates the values."""

    name = forms.CharField(label=gettext_lazy("Purpose"), max_length=NAME_LENGTH)
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Permissions"), initial=["read"], widget=forms.CheckboxSelectMultiple
    )
    expires_in = forms.TypedChoiceField(
        label=gettext_lazy("Valid for"),
        required=False,
        choices=[
            ("", gettext_lazy("No expiry")),
            ("30", gettext_lazy("30 days")),
            ("90", gettext_lazy("90 days")),
            ("365", gettext_lazy("1 year")),
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
    """Lists the account's keys. A POST creates a key, shown only in its response."""
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
    messages.success(request, _("The key has been revoked. Programs can no longer use it."))
    return redirect("catalog:keys")


@post_only
@login_required
def revoke_all(request: SignedInRequest) -> HttpResponse:
    n = revoke_keys(request.user)
    messages.success(request, ngettext("%(n)d key has been revoked.", "%(n)d keys have been revoked.", n) % {"n": n})
    return redirect("catalog:keys")


class NamesForm(forms.Form):
    names = forms.CharField(
        label=gettext_lazy("Your usernames on the media server"),
        max_length=NAMES_LENGTH,
        help_text=gettext_lazy("Separate several names with commas. Events from other users are rejected."),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited(KeyThrottle)
def media_servers(request: SignedInRequest) -> HttpResponse:
    """Shows the secret URL and its latest events. A POST creates a new URL, shown only in its response."""
    secret = create_hook(user=request.user).secret if request.method == "POST" else ""
    return _media_servers(request, secret=secret)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def media_server_names(request: SignedInRequest) -> HttpResponse:
    hook = Hook.objects.filter(user=request.user).first()
    form = NamesForm(request.POST)
    if request.method != "POST" or hook is None:
        return redirect("catalog:media-servers")
    if form.is_valid():
        try:
            save_names(hook=hook, **form.cleaned_data)
        except InvalidEvent as error:
            form.add_error("names", str(error))
        else:
            messages.success(request, _("Your usernames have been saved."))
            return redirect("catalog:media-servers")
    return _media_servers(request, form=form, status=422)


@post_only
@login_required
def remove_media_servers(request: SignedInRequest) -> HttpResponse:
    remove_hook(user=request.user)
    messages.success(request, _("The address has been disabled. The data that it received is kept."))
    return redirect("catalog:media-servers")


@post_only
@login_required
def match_again(request: SignedInRequest) -> HttpResponse:
    """Looks for the movies of all unmatched events again."""
    n = match_events_again(user=request.user)
    text = ngettext("%(n)d event was matched now.", "%(n)d events were matched now.", n) % {"n": n}
    messages.success(request, text if n else _("The catalogue still has none of these movies."))
    return redirect("catalog:media-servers")


def _media_servers(
    request: SignedInRequest, *, secret: str = "", form: NamesForm | None = None, status: int = 200
) -> HttpResponse:
    hook = Hook.objects.filter(user=request.user).first()
    shown = secret or (f"{hook.prefix}\u2026" if hook else "")
    start = request.build_absolute_uri(reverse("api:hook", args=["service", "key"])).removesuffix("service/key/")
    servers = [{"server": server, "address": f"{start}{server.code}/{shown}/"} for server in SERVERS.values()]
    events = list(events_of(hook)) if hook else []
    add_candidates(events)
    context = {
        "hook": hook,
        "is_new": bool(secret),
        "servers": servers,
        "events": [(SERVERS[event.service].label, event) for event in events],
        "is_unmatched": any(event.is_matchable for event in events),
        "next_url": reverse("catalog:media-servers"),
        "form": form or NamesForm({"names": hook.names} if hook else None),
    }
    return render(request, "catalog/media_servers.html", context, status=status)
