"""The user's data about one movie, on the movie's page: viewings, a note and lists."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from catalog.diary import record_viewing, write_note
from catalog.errors import InvalidList, InvalidViewing
from catalog.forms import MovieListForm, NoteForm, ViewingForm
from catalog.lists import choose_lists
from catalog.models import Movie, MovieList, Note, User, Viewing
from catalog.return_addresses import safe_next
from catalog.services import is_wanted_by
from catalog.views.diary import new_viewing_form
from catalog.views.pages import HtmxRequest, is_on_page_of, post_only, to_sign_in


def record_of(user: User, movie: Movie, note: str | None = None) -> dict[str, Any]:
    """Returns the user's data about the movie for `catalog/_watched.html`. Pass `note` if it is already loaded."""
    viewings = list(Viewing.objects.filter(user=user, movie=movie))
    if note is None:
        note = Note.objects.filter(user=user, movie=movie).values_list("text", flat=True).first() or ""
    lists = list(MovieList.objects.filter(user=user).holding(movie))
    return {
        "viewings": viewings,
        "note": note,
        "watched_form": new_viewing_form(is_rewatch=bool(viewings)),
        "lists": lists,
        "in_lists": [row for row in lists if row.holds],
        "note_form": NoteForm(auto_id="note-%s", initial={"note": note}),
    }


def _answer(
    request: HtmxRequest, user: User, movie: Movie, said: str, *, is_error: bool = False, **changed: Any
) -> HttpResponse:
    """Renders the part of the movie's page with the user's data.

    Without htmx, redirects there, or renders a page with the error.
    """
    if request.htmx or is_error:
        context = record_of(user, movie) | changed
        context |= {"movie": movie, "said": said, "is_error": is_error, "next_url": safe_next(request, movie)}
        name = "catalog/_watched.html" if request.htmx else "catalog/record.html"
        return render(request, name, context, status=422 if is_error else 200)
    messages.success(request, said)
    return redirect(safe_next(request, movie))


@post_only
def watched(request: HtmxRequest, movie_id: int) -> HttpResponse:
    """Adds a viewing to the diary."""
    movie = get_object_or_404(Movie, pk=movie_id)
    if not request.user.is_authenticated:
        return to_sign_in(request, movie.get_absolute_url())
    form = new_viewing_form(request.POST)
    was_wanted = is_wanted_by(request.user, movie)
    if not _saved(request.user, form, movie):
        said = " ".join(str(text) for texts in form.errors.values() for text in texts)
        return _answer(request, request.user, movie, said, is_error=True, watched_form=form)
    said = _("%(movie)s has been added to your diary.") % {"movie": movie.title}
    if was_wanted:
        said += " " + _("It was removed from your watchlist.")
    left_watchlist = was_wanted and is_on_page_of(request, movie)
    return _answer(request, request.user, movie, said, left_watchlist=left_watchlist)


def _saved(user: User, form: ViewingForm, movie: Movie) -> bool:
    if form.is_valid():
        given = form.cleaned_data | {"note": form.cleaned_data["note"] or None}
        try:
            record_viewing(user=user, movie=movie, **given)
        except InvalidViewing as error:
            form.add_error("watched_on", str(error))
    return form.is_valid()


@post_only
def note(request: HtmxRequest, movie_id: int) -> HttpResponse:
    """Saves the user's note about the movie, or deletes it if the text is empty."""
    movie = get_object_or_404(Movie, pk=movie_id)
    if not request.user.is_authenticated:
        return to_sign_in(request, movie.get_absolute_url())
    form = NoteForm(request.POST, auto_id="note-%s")
    if not form.is_valid():
        said = str(form.errors["note"][0])
        return _answer(request, request.user, movie, said, is_error=True, note_form=form)
    write_note(user=request.user, movie=movie, text=form.cleaned_data["note"])
    said = _("Your note has been saved.") if form.cleaned_data["note"] else _("Your note has been deleted.")
    return _answer(request, request.user, movie, said)


@post_only
def choose(request: HtmxRequest, movie_id: int) -> HttpResponse:
    """Adds the movie to the selected lists and a new one, and removes it from all others."""
    movie = get_object_or_404(Movie, pk=movie_id)
    user = request.user
    if not user.is_authenticated:
        return to_sign_in(request, movie.get_absolute_url())
    said, name = _("Your lists have been saved."), request.POST.get("name", "").strip()
    is_error = False
    try:
        if name:
            form = MovieListForm({"name": name})
            if not form.is_valid():
                raise InvalidList(str(form.errors["name"][0]))
        choose_lists(user=user, movie=movie, keys=request.POST.getlist("list"), new_name=name)
    except InvalidList as error:
        said, is_error = str(error), True
    return _answer(request, user, movie, said, is_error=is_error, **({"new_list": name} if is_error else {}))
