"""The page of an account's followed sources: add, sync, pause and remove them."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog.errors import InvalidSource, SyncTooSoon
from catalog.following.formats import SOURCES, available
from catalog.following.formats.address import MAX_LENGTH
from catalog.following.services import follow, pause, sources_of, sync_now, unfollow
from catalog.imports.formats import CHOICES
from catalog.imports.reading import QUESTIONS
from catalog.imports.report import MORE, RATINGS
from catalog.models import FollowedRow, FollowedSource, SourceSync, User
from catalog.throttling import FollowingThrottle, limited
from catalog.views.pages import SignedInRequest, post_only

SHOWN_ROWS = 30


class FollowForm(forms.Form):
    """A form for a new source; `services.follow` validates the values. The last three fields are for files."""

    kind = forms.ChoiceField(label=gettext_lazy("What to follow"), widget=forms.RadioSelect)
    address = forms.CharField(label=gettext_lazy("User name or address"), max_length=MAX_LENGTH)
    with_existing = forms.BooleanField(
        label=gettext_lazy("Also import what is there already"), required=False, initial=True
    )
    format = forms.ChoiceField(label=gettext_lazy("Format"), required=False)
    rows = forms.ChoiceField(label=gettext_lazy("Rows that say neither watched, rated nor wanted"), required=False)
    dates = forms.ChoiceField(label=gettext_lazy("Dates such as 03/04/2026"), required=False)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        fields: dict[str, Any] = self.fields
        fields["kind"].choices = [(kind.code, kind.label) for kind in available()]
        fields["format"].choices = [("", _("Recognise it")), *CHOICES]
        fields["rows"].choices = [("", _("Leave them out")), *QUESTIONS["rows"][1].items()]
        fields["dates"].choices = [("", _("Leave them out")), *QUESTIONS["dates"][1].items()]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited(FollowingThrottle)
def following(request: SignedInRequest) -> HttpResponse:
    """Lists the account's sources, with their latest sync. A POST adds one."""
    form = FollowForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = dict(form.cleaned_data)
        values = {name: given.pop(name) for name in ("kind", "address", "with_existing")}
        try:
            follow(user=request.user, options=given, trigger=SourceSync.Trigger.PAGE, **values)
        except InvalidSource as error:
            form.add_error(next(iter(error.fields), None), str(error))
        else:
            messages.success(request, _("The source is followed from now on."))
            return redirect("catalog:following")
    return _page(request, form)


def _page(request: SignedInRequest, form: FollowForm) -> HttpResponse:
    sources = list(sources_of(request.user))
    unmatched = FollowedRow.objects.filter(source__in=sources, outcome=FollowedRow.Outcome.UNMATCHED)
    context = {
        "form": form,
        "kinds": list(zip(form["kind"], available(), strict=True)),
        "sources": [(source, SOURCES[source.kind].label, _brought(source)) for source in sources],
        "is_under_way": any(source.latest_sync and source.latest_sync.is_active for source in sources),
        "unmatched": unmatched.select_related("source")[:SHOWN_ROWS],
        "lacks_trakt": request.user.is_staff and not SOURCES["trakt"].is_available(),
        "hours": settings.POLICY.following.every_hours,
    }
    return render(request, "catalog/following.html", context, status=422 if form.errors else 200)


def _brought(source: FollowedSource) -> str:
    """Returns what the latest sync added and changed as a sentence; empty if nothing."""
    counts = source.latest_sync.counts if source.latest_sync else {}
    texts = {name: text for name, text in {**RATINGS, **MORE}.items() if counts.get(name)}
    return ", ".join(str(text.format(n=counts[name])) for name, text in texts.items())


def _own(request: SignedInRequest, source_id: int) -> FollowedSource:
    return get_object_or_404(FollowedSource.objects.filter(user=request.user), pk=source_id)


@post_only
@login_required
@limited(FollowingThrottle)
def sync(request: SignedInRequest, source_id: int) -> HttpResponse:
    try:
        sync_now(_own(request, source_id), trigger=SourceSync.Trigger.PAGE)
    except SyncTooSoon as error:
        messages.error(request, str(error))
    return redirect("catalog:following")


@post_only
@login_required
def change(request: SignedInRequest, source_id: int) -> HttpResponse:
    """Pauses (`paused=1`) or resumes the source."""
    pause(_own(request, source_id), paused=request.POST.get("paused") == "1")
    return redirect("catalog:following")


@post_only
@login_required
def remove(request: SignedInRequest, source_id: int) -> HttpResponse:
    source = _own(request, source_id)
    unfollow(source)
    messages.success(request, _("%(name)s is no longer followed. What came from it stays.") % {"name": source.name})
    return redirect("catalog:following")


def summary(user: User) -> dict[str, Any]:
    """Returns what the account page says about followed sources."""
    sources = list(user.followed_sources.all())
    failing = [source for source in sources if source.is_failing and not source.paused_at]
    return {"n_followed": len(sources), "failing": failing}
