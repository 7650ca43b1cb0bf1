"""Users' lists of movies, public profiles, and statistics of taste."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from catalog import taste
from catalog.diary import diary_of
from catalog.errors import InvalidList
from catalog.forms import MovieListForm
from catalog.guests import mark_for
from catalog.lists import add_to_list, change_list, create_list, move_in_list, remove_from_list
from catalog.models import Credit, Movie, MovieList, Profile, User, genre_label
from catalog.plots import Point, Series, pair_bars, points_chart, row_bars
from catalog.return_addresses import safe_next
from catalog.search.query import suggest
from catalog.templatetags.movies import language_name
from catalog.views.pages import SignedInRequest, paginated, post_only

LATEST = 12  # viewings shown on a profile
ROWS = 100


def by_title(request: HttpRequest) -> dict[str, Any]:
    """Returns the title from the query and the matching movies."""
    text = request.GET.get("q", "")[:200].replace("\x00", "")
    return {"text": text, "movies": suggest(text) if text.strip() else []}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def lists(request: SignedInRequest) -> HttpResponse:
    """Shows the user's lists and the form for a new one."""
    form = MovieListForm(request.POST or None)
    if form.is_valid() and (made := _saved(form, request.user)):
        return redirect("catalog:edit-list", made.key)
    context = {"form": form, "lists": MovieList.objects.filter(user=request.user).with_covers()}
    return render(request, "catalog/lists.html", context, status=422 if form.errors else 200)


def _saved(form: MovieListForm, user: User) -> MovieList | None:
    """Saves the form and returns its list, or None if the form has errors."""
    try:
        if form.instance.pk:
            return change_list(form.instance, **form.cleaned_data)
        return create_list(user=user, **form.cleaned_data)
    except InvalidList as error:
        form.add_error("name" if error.fields else None, str(error))
    return None


@require_safe
def movie_list(request: HttpRequest, key: str) -> HttpResponse:
    """Shows a list to its owner, or to everyone if it is public."""
    rows = MovieList.objects.readable_by(request.user).select_related("user__profile")
    found = get_object_or_404(rows, key=key)
    page = paginated(request, found.items.select_related("movie"), page_size=ROWS)
    mark_for(request, [item.movie for item in page.object_list])
    context = {"list": found, "page": page, "is_own": found.user_id == request.user.pk}
    return render(request, "catalog/list.html", context)


@require_safe
def lists_with(request: HttpRequest, movie_id: int) -> HttpResponse:
    """Shows other users' public lists that contain this movie."""
    movie = get_object_or_404(Movie, pk=movie_id)
    page = paginated(request, MovieList.objects.on_page_of(movie, request.user).with_covers(), page_size=24)
    return render(request, "catalog/lists_with.html", {"movie": movie, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: SignedInRequest, key: str) -> HttpResponse:
    """Edits the list, or deletes it (button `delete`). Also finds movies for it and shows their order."""
    found = get_object_or_404(MovieList, key=key, user=request.user)
    if "delete" in request.POST:
        found.delete()
        messages.success(request, _("The list %(name)s has been deleted.") % {"name": found.name})
        return redirect("catalog:lists")
    form = MovieListForm(request.POST or None, instance=found)
    if form.is_valid() and _saved(form, request.user):
        messages.success(request, _("The list %(name)s has been saved.") % {"name": found.name})
        return redirect(found)
    context = by_title(request) | {
        "form": form,
        # from the database, because the form has modified the other instance
        "list": MovieList.objects.get(pk=found.pk),
        "page": paginated(request, found.items.select_related("movie"), page_size=ROWS),
        "next_url": request.get_full_path(),
    }
    return render(request, "catalog/list_edit.html", context, status=422 if form.errors else 200)


@post_only
@login_required
def change_movie(request: SignedInRequest, key: str, movie_id: int) -> HttpResponse:
    """Adds the movie to the list, moves it (`position`) or removes it (`remove`)."""
    found = get_object_or_404(MovieList, key=key, user=request.user)
    movie = get_object_or_404(Movie, pk=movie_id)
    position = request.POST.get("to") or request.POST.get("position", "")
    try:
        if "remove" in request.POST:
            remove_from_list(found, movie)
            messages.success(request, _("%(movie)s has been removed from the list.") % {"movie": movie.title})
        elif not position:
            add_to_list(found, movie)
            messages.success(request, _("%(movie)s has been added to the list.") % {"movie": movie.title})
        elif position.isascii() and position.isdigit() and len(position) < 7:
            move_in_list(found, get_object_or_404(Movie, pk=movie_id, movielistitem__movie_list=found), int(position))
        else:
            messages.error(request, _("Enter a position such as 3."))
    except InvalidList as error:
        messages.error(request, str(error))
    return redirect(safe_next(request, found))


@require_safe
def profile(request: HttpRequest, name: str) -> HttpResponse:
    """Shows a user's public lists and, if enabled, their latest viewings. The owner sees the same page as others."""
    shown = Profile.objects.filter(user=request.user.pk) | Profile.objects.published()
    found = get_object_or_404(shown.select_related("user"), name=name)
    viewings = diary_of(found.user).exclude(watched_on=None)[:LATEST] if found.shows_diary else ()
    context = {
        "profile": found,
        "is_own": found.user_id == request.user.pk,
        "lists": MovieList.objects.published().filter(user=found.user).with_covers(),
        "viewings": viewings,
        "figures": taste.summary(found.user),
        "genres": [genre_label(name) for name in taste.favourite_genres(found.user)],
        "n_watched": found.user.viewings.values("movie").distinct().count(),
    }
    return render(request, "catalog/profile.html", context)


@require_safe
@login_required
def statistics(request: SignedInRequest) -> HttpResponse:
    """Compares the user's taste with that of all users."""
    user = request.user
    names = (_("everyone"), _("you"))
    figures = taste.summary(user)
    latest = taste.months(user, timezone.localdate())
    counts = (_("Watched"), [month[1] for month in latest]), (_("Rated"), [month[2] for month in latest])
    series = [Series(name, [Point(at, n) for at, n in enumerate(row)]) for name, row in counts]
    genres = [(genre_label(name), all_, own) for name, all_, own in taste.genres(user)]
    languages = [(language_name(code), all_, own) for code, all_, own in taste.languages(user)]
    context = {
        "figures": figures,
        "difference": figures["mean"] - figures["others"] if figures["others"] else 0,
        "decades": pair_bars(_("Decades"), taste.decades(user), names),
        "genres": row_bars(_("Genres"), genres, names),
        "languages": row_bars(_("Languages"), languages, names) if len(languages) > 1 else "",
        "months": points_chart(_("Over time"), [month[0].strftime("%Y-%m") for month in latest], series),
        "directors": taste.people(user, Credit.Role.DIRECTOR),
        "cast": taste.people(user, Credit.Role.CAST),
    }
    return render(request, "catalog/statistics.html", context)
