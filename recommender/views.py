"""The home page with its rows of lists, lists of similar movies, and feedback on recommended movies."""

import logging
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.guests import mark_for
from catalog.models import Movie, User
from catalog.return_addresses import safe_next
from catalog.views.pages import paginated, post_only
from recommender import services
from recommender.errors import ListNotShown, NotExplainable
from recommender.logs import log_once_a_minute
from recommender.models import Dismissal, Feedback
from recommender.serving.lists import Recommendation, RecommendationList, note
from recommender.serving.model_server import server
from recommender.serving.profile import UserProfile
from recommender.welcome import ENOUGH_RATINGS

logger = logging.getLogger(__name__)

ROW = 12  # movies in a row
SIMILAR = 12
LIKED_TRIED = 3
SAMPLED, SAMPLE_LENGTH = 12, 4
SAMPLE_SECONDS = 3600


@dataclass(frozen=True)
class Row:
    title: str
    recommendations: RecommendationList
    note: str
    id: str

    @property
    def see_all(self) -> str:
        """Return the URL of the page that continues the row, or "" if there is none."""
        movies = reverse("catalog:movies")
        pages = {"popular": f"{movies}?ordering=popular", "newest": f"{movies}?ordering=newest"}
        return reverse("recommender:for-you") if self.id == "for-you" else pages.get(self.id, "")


@dataclass(frozen=True)
class Sample:
    """A well-known movie and the movies that the served model considers similar, as a sample for visitors."""

    movie: Movie
    results: list[Recommendation]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = request.user if request.user.is_authenticated else None
    profile = UserProfile.of_request(request)
    rows = home_rows(user, profile)
    if not rows:
        Movie.objects.exists()  # raises if the database is down, so that the response is a 503 and not an empty page
    mark_for(request, [result.movie for row in rows for result in row.recommendations.results])
    context: dict[str, Any] = {
        "rows": rows,
        "dismissed": _just_dismissed(request),
        "has_model": bool(server.models()),
        "n_rated": len(profile.ratings),
        "enough": ENOUGH_RATINGS,
    }
    if user is None:
        context["sample"] = _sample_of_the_day()
    return render(request, "recommender/home.html", context)


def _sample_of_the_day() -> Sample | None:
    """Return the cached sample, which changes daily and with each model. Changed movies show within an hour."""
    champion = server.champion()
    if champion is None:
        return None
    return cache.get_or_set(f"home:sample:{champion.version}:{timezone.now().date()}", _sample, SAMPLE_SECONDS)


def _sample() -> Sample | None:
    """Make a sample with a different movie each day. Return None if no model knows the movie."""
    known = list(Movie.objects.filter(rating_count__gt=0).order_by("-rating_count", "id")[:SAMPLED])
    today = timezone.now().toordinal()
    for movie in known[today % SAMPLED :] + known[: today % SAMPLED]:
        similar = services.similar(movie=movie, k=SAMPLE_LENGTH, surface="home:sample", profile=UserProfile())
        if similar.model_version is None:
            return None
        if len(similar.results) == SAMPLE_LENGTH:
            return Sample(movie, similar.results)
    return None


def _just_dismissed(request: HttpRequest) -> Movie | None:
    """Return the movie that was just dismissed without scripts. The page shows an undo button for it."""
    movie_id = request.GET.get("dismissed", "")
    if not request.user.is_authenticated or not (movie_id.isascii() and movie_id.isdigit() and len(movie_id) < 19):
        return None
    row = Dismissal.objects.filter(user=request.user, movie=int(movie_id)).select_related("movie").first()
    return row.movie if row else None


def home_rows(user: User | None, profile: UserProfile) -> list[Row]:
    """Return the rows that have movies, or none on an empty site."""
    rows = _rows_for_visitors(profile) if user is None else _personal_rows(user, profile)
    return [row for row in rows if row.recommendations.results]


def _rows_for_visitors(profile: UserProfile) -> list[Row]:
    """Return the rows for visitors. Visitors who rated movies in this session also get an unrecorded list."""
    rows = []
    if profile.ratings:
        for_you = services.recommend(user=None, k=ROW, surface=None, profile=profile)
        rows.append(_row(_("For you"), for_you, "for-you", profile))
    popular = services.popular(user=None, k=ROW, surface="home:popular")
    newest = services.newest(k=ROW, surface="home:newest")
    return [*rows, _row(_("Popular now"), popular, "popular"), _row(_("Newest"), newest, "newest")]


def _personal_rows(user: User, profile: UserProfile) -> list[Row]:
    for_you = services.recommend(user=user, k=ROW, surface="home:for-you", profile=profile)
    rows = [_row(_("For you"), for_you, "for-you", profile), *_because_you_liked(profile), _unrated(user, profile)]
    if for_you.fallback not in ("popular", "newest"):
        popular = services.popular(user=user, k=ROW, surface="home:popular", profile=profile)
        rows.append(_row(_("Popular now"), popular, "popular", profile))
    return rows


def _unrated(user: User, profile: UserProfile) -> Row:
    """Return the row of unrated movies, limited to the best third of them so that it reflects the user's taste."""
    champion = server.champion()
    k = ROW if champion is None else min(ROW, max(1, len(champion.new) // 3))
    new = services.recommend_new(user=user, k=k, surface="home:new", profile=profile)
    if champion is None:
        return _row(_("Newest"), new, "new", profile)
    unrated = [result for result in new.results if not result.movie.rating_count]  # drops movies rated since training
    return _row(_("Not rated on this site yet"), replace(new, results=unrated), "new", profile)


def _because_you_liked(profile: UserProfile) -> list[Row]:
    """Return a row of movies similar to the latest highly rated movie that a model knows."""
    liked = profile.liked()[:LIKED_TRIED]
    movies = Movie.objects.in_bulk(liked)
    for movie in (movies[movie_id] for movie_id in liked if movie_id in movies):
        similar = services.similar(movie=movie, k=ROW, surface="home:because", profile=profile)
        if similar.model_version is not None:
            title = _("Because you liked %(title)s") % {"title": movie.title}
            return [_row(title, similar, "because", profile)]
    return []


def _row(title: str, recommendations: RecommendationList, row_id: str, profile: UserProfile | None = None) -> Row:
    return Row(title, recommendations, note(recommendations, profile or UserProfile()), row_id)


@require_safe
def similar_movies(request: HttpRequest, movie_id: int) -> HttpResponse:
    """Return similar movies as a fragment of the movie's page, or as a full page without scripts."""
    movie = get_object_or_404(Movie, pk=movie_id)
    profile = UserProfile.of_request(request)
    recommendations = services.similar(movie=movie, k=SIMILAR, surface="movie:similar", profile=profile)
    mark_for(request, [result.movie for result in recommendations.results])
    context = {"movie": movie, "recommendations": recommendations, "note": note(recommendations, profile)}
    context["next_url"] = movie.get_absolute_url()
    name = "recommender/_similar.html" if request.htmx else "recommender/similar.html"  # type: ignore[attr-defined]
    return render(request, name, context)


@require_safe
def why(request: HttpRequest, movie_id: int) -> HttpResponse:
    """Show the effect of each rating on a movie's score, as a fragment or, without scripts, as a full page."""
    movie = get_object_or_404(Movie, pk=movie_id)
    context: dict[str, Any] = {"movie": movie}
    try:
        context["attributed"] = services.attribute(profile=UserProfile.of_request(request), movie=movie)
    except NotExplainable as error:
        context["problem"] = error
    return render(request, f"recommender/{'_' if request.htmx else ''}why.html", context)  # type: ignore[attr-defined]


@require_safe
def follow(request: HttpRequest, request_id: UUID, movie_id: int) -> HttpResponse:
    """Record a click on a card and redirect to the movie.

    Redirects even if the click cannot be recorded, or if the list was shown to another user who shared the URL.
    """
    movie = get_object_or_404(Movie, pk=movie_id)
    if request.user.is_authenticated and request.method == "GET":
        try:
            services.record_feedback(user=request.user, movie=movie, kind=Feedback.Kind.CLICK, request_id=request_id)
        except ListNotShown:
            pass
        except DatabaseError:
            log_once_a_minute(logger.exception, "Cannot record a click")
    return redirect(movie)


@require_safe
@login_required
def not_interested(request: HttpRequest) -> HttpResponse:
    """List the movies that the user dismissed, with an undo button for each."""
    rows = Dismissal.objects.filter(user=request.user.pk).select_related("movie").order_by("-created_at", "-id")
    page = paginated(request, rows)
    mark_for(request, [row.movie for row in page.object_list])
    return render(request, "recommender/not_interested.html", {"page": page})


FeedbackForm = forms.modelform_factory(Feedback, fields=["kind", "movie", "request_id"])


@post_only
@login_required
def feedback(request: HttpRequest) -> HttpResponse:
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        problems = "; ".join(f"{field}: {' '.join(map(str, errors))}" for field, errors in form.errors.items())
        return HttpResponseBadRequest(problems, content_type="text/plain; charset=utf-8")
    given = form.cleaned_data
    try:
        services.record_feedback(user=cast(User, request.user), **given)
    except ListNotShown as error:
        return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
    is_dismissed = given["kind"] == Feedback.Kind.NOT_INTERESTED
    back = safe_next(request, "recommender:home")
    if request.htmx:  # type: ignore[attr-defined]
        name = "recommender/_dismissed_card.html" if is_dismissed else "recommender/_card.html"
        context = {"movie": given["movie"], "request_id": given["request_id"], "feedback_url": request.path}
        return render(request, name, context | {"next_url": back})
    if is_dismissed and back == reverse("recommender:home"):
        back += f"?{urlencode({'dismissed': given['movie'].pk})}"
    elif is_dismissed:
        messages.success(
            request, _("%(title)s will no longer be recommended to you.") % {"title": given["movie"].title}
        )
    return redirect(back)
