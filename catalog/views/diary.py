"""The diary: what the user watched and when, and watched movies without a rating."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models.functions import ExtractYear
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from catalog.diary import change_viewing, diary_of, unrated_by
from catalog.errors import InvalidViewing
from catalog.forms import ViewingForm
from catalog.models import Viewing
from catalog.views.lists import by_title
from catalog.views.pages import SignedInRequest, paginated

ENTRIES = 50
DAY_FORM = "%Y-%m-%d"


@require_safe
@login_required
def diary(request: SignedInRequest) -> HttpResponse:
    rows = diary_of(request.user)
    years = list(rows.order_by().exclude(watched_on=None).values_list(ExtractYear("watched_on"), flat=True).distinct())
    year = request.GET.get("year", "")
    if year in map(str, years):
        rows = rows.filter(watched_on__year=year)
    context = {
        "page": paginated(request, rows, page_size=ENTRIES),
        "years": sorted(years, reverse=True),
        "year": year,
        "n_unrated": unrated_by(request.user).count(),
    }
    return render(request, "catalog/diary.html", context)


@require_safe
@login_required
def unrated(request: SignedInRequest) -> HttpResponse:
    """Shows movies that the user watched but has not rated."""
    page = paginated(request, unrated_by(request.user), page_size=24)
    return render(request, "catalog/unrated.html", {"page": page, "next_url": request.get_full_path()})


@require_safe
@login_required
def find(request: SignedInRequest) -> HttpResponse:
    """Finds movies by title, each with a form that adds it to the diary."""
    context = by_title(request) | {"form": new_viewing_form(), "next_url": reverse("catalog:diary")}
    return render(request, "catalog/diary_find.html", context)


def new_viewing_form(data: Any = None, *, is_rewatch: bool = False) -> ViewingForm:
    """Returns a form for a new viewing, with today as the default date."""
    today = timezone.localdate().strftime(DAY_FORM)
    return ViewingForm(data, auto_id="watched-%s", initial={"watched_on": today, "is_rewatch": is_rewatch})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def entry(request: SignedInRequest, viewing_id: int) -> HttpResponse:
    """Changes a viewing, or deletes it (button `delete`)."""
    viewing = get_object_or_404(Viewing.objects.select_related("movie", "user"), pk=viewing_id, user=request.user)
    names = {"movie": viewing.movie.title}
    if "delete" in request.POST:
        viewing.delete()
        messages.success(request, _("%(movie)s has been removed from your diary.") % names)
        return redirect("catalog:diary")
    form = ViewingForm(request.POST or None, initial=vars(viewing))
    if form.is_valid():
        try:
            change_viewing(viewing, **form.cleaned_data)
        except InvalidViewing as error:
            form.add_error("watched_on", str(error))
        else:
            messages.success(request, _("Your diary entry for %(movie)s has been updated.") % names)
            return redirect("catalog:diary")
    context = {"form": form, "viewing": viewing}
    return render(request, "catalog/diary_entry.html", context, status=422 if form.errors else 200)
