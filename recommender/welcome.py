"""The welcome page: titles to rate, and a list based on the answers, with or without an account.

A visitor's answers are kept in the session. `catalog.guests` keeps the ratings and records them when the visitor signs
up or in. This module keeps the titles that the visitor has not seen.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from catalog.forms import RatingForm
from catalog.guests import rate_for
from catalog.models import Movie
from catalog.throttling import AnonThrottle, limited
from recommender import services
from recommender.serving.lists import RecommendationList
from recommender.serving.profile import UserProfile

WALL = 12  # titles shown at a time
ENOUGH_RATINGS = 5  # ratings needed for personal lists; with fewer, the home page links here
FIRST_LIST = 3  # ratings after which the list is shown
LIST = 8  # movies in the list
ANSWERS_SHOWN = 10
NOT_SEEN, SHOWN = "welcome_not_seen", "welcome_shown"  # session keys
MAX_NOT_SEEN = 300  # titles kept; the oldest are dropped
STARS = range(1, 6)


@require_http_methods(["GET", "HEAD", "POST"])
@limited(AnonThrottle)
def welcome(request: HttpRequest) -> HttpResponse:
    said = error = ""
    if request.method == "POST":
        said, error = _answer(request)
        request.session[SHOWN] = _shown(request)
        if not request.htmx:  # type: ignore[attr-defined]
            messages.add_message(request, messages.ERROR if error else messages.SUCCESS, error or said)
            return redirect("recommender:welcome")
    context = _context(request) | {"said": said, "error": error}
    name = "recommender/_welcome.html" if request.method == "POST" else "recommender/welcome.html"
    return render(request, name, context, status=422 if error else 200)


def _answer(request: HttpRequest) -> tuple[str, str]:
    """Record the answer of the pressed button. Return a message and an error message, one of which is empty."""
    movie_id, _colon, answer = request.POST.get("answer", "").partition(":")
    if answer == "none":
        _add_not_seen(request, _shown(request))
        return _("Here are some other titles."), ""
    movie = get_object_or_404(Movie, pk=_id(movie_id))
    if answer == "not-seen":
        _add_not_seen(request, [movie.pk])
        return _("Marked %(movie)s as not seen.") % {"movie": movie.title}, ""
    if answer == "remove":
        rate_for(request, movie, None)
        return _("Your rating of %(movie)s has been removed.") % {"movie": movie.title}, ""
    form = RatingForm({"rating": answer})
    if not form.is_valid():
        return "", str(form.errors["rating"][0])
    rating = form.cleaned_data["rating"]
    rate_for(request, movie, rating)
    return _("You rated %(movie)s %(rating)s out of 5 stars.") % {"movie": movie.title, "rating": f"{rating:g}"}, ""


def _shown(request: HttpRequest) -> list[int]:
    """Return the ids of the titles shown to the user, in order."""
    sent = request.POST.get("shown", "").split(",")[:WALL]
    return [movie for movie in map(_id, sent) if movie] or request.session.get(SHOWN, [])


def _id(text: str) -> int:
    """Return the id, or 0 if the text is not an id."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _add_not_seen(request: HttpRequest, movie_ids: list[int]) -> None:
    known = dict.fromkeys([*request.session.get(NOT_SEEN, []), *movie_ids])
    request.session[NOT_SEEN] = list(known)[-MAX_NOT_SEEN:]


@dataclass(frozen=True)
class Answer:
    movie: Movie
    rating: float


def _context(request: HttpRequest) -> dict[str, Any]:
    profile = UserProfile.of_request(request)
    not_seen = request.session.get(NOT_SEEN, [])
    wall = services.titles_to_rate(profile=profile, not_seen=not_seen, shown=_shown(request), k=WALL)
    n_rated = len(profile.ratings)
    latest = list(profile.ratings)[:ANSWERS_SHOWN]
    movies = Movie.objects.in_bulk(latest)
    return {
        "wall": wall,
        "stars": STARS,
        "answers": [Answer(movies[movie], profile.ratings[movie]) for movie in latest if movie in movies],
        "n_rated": n_rated,
        "enough": ENOUGH_RATINGS,
        "steps": [number <= n_rated for number in range(1, ENOUGH_RATINGS + 1)],
        "n_missing": max(0, FIRST_LIST - n_rated),
        "recommendations": _first_list(request, profile) if n_rated >= FIRST_LIST else None,
    }


def _first_list(request: HttpRequest, profile: UserProfile) -> RecommendationList:
    """Return the first list. A visitor's list is not recorded, because there is no user to record it for."""
    user = request.user if request.user.is_authenticated else None
    return services.recommend(user=user, k=LIST, surface="welcome" if user else None, profile=profile)
