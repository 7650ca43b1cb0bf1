"""The rows of the home page; each is a list of its own with a note on what made it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from catalog.models import Movie, User
from recommender import services
from recommender.serving.lists import RecommendationList
from recommender.serving.profile import UserProfile

ROW = 12  # movies
LIKED_TRIED = 3


@dataclass(frozen=True)
class Row:
    title: str
    recommendations: RecommendationList
    note: str
    id: str


def home_rows(user: User | None) -> list[Row]:
    """The rows that have movies; none on an empty site."""
    profile = UserProfile.of(user)
    rows = _rows_for_visitors() if user is None or profile.user_id is None else _personal_rows(user, profile)
    return [row for row in rows if row.recommendations.results]


def _rows_for_visitors() -> list[Row]:
    popular = services.popular(user=None, k=ROW, surface="home:popular")
    newest = services.newest(k=ROW, surface="home:newest")
    return [_row(_("Popular now"), popular, "popular"), _row(_("Newest"), newest, "newest")]


def _personal_rows(user: User, profile: UserProfile) -> list[Row]:
    for_you = services.recommend(user=user, k=ROW, surface="home:for-you", profile=profile)
    new = services.recommend_new(user=user, k=ROW, surface="home:new", profile=profile)
    rows = [_row(_("For you"), for_you, "for-you", profile), _row(_("New for you"), new, "new", profile)]
    rows += _because_you_liked(profile)
    if for_you.fallback not in ("popular", "newest"):
        popular = services.popular(user=user, k=ROW, surface="home:popular", profile=profile)
        rows.append(_row(_("Popular now"), popular, "popular", profile))
    return rows


def _because_you_liked(profile: UserProfile) -> list[Row]:
    """Movies similar to the latest one that the user rated highly and a model knows."""
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


def note(recommendations: RecommendationList, profile: UserProfile) -> str:
    """One line on what made the list."""
    source = recommendations.results[0].source if recommendations.results else ""
    if recommendations.model_version is not None:
        kinds = {"similar": _("similar movies"), "new": _("by your taste")}
        values = {"version": recommendations.model_version, "kind": kinds.get(source, _("personal"))}
        if recommendations.fallback:
            return _("Model %(version)s · %(kind)s, standing in for its successor") % values
        return _("Model %(version)s · %(kind)s") % values
    if recommendations.fallback is None:
        return ""
    shown = {"shown": _("Popular now") if source == "popular" else _("Latest releases")}
    if not profile.ratings:
        return _("%(shown)s; rate a few movies for personal picks") % shown
    return _("%(shown)s; no model can personalize this list at the moment") % shown
