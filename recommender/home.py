"""The rows of the home page, each a list of its own that says what made it."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.models import Movie, User
from recommender import services
from recommender.serving.fallback_chain import RecommendationList
from recommender.serving.profile import Viewer

ROW = 12  # movies
LIKED_TRIED = 3


@dataclass(frozen=True)
class Row:
    title: str
    made: RecommendationList
    note: str
    id: str


def home_rows(user: User | None) -> list[Row]:
    """The rows that have a movie to show; none on an empty site."""
    viewer = Viewer.of(user)
    rows = _rows_for_all() if user is None or viewer.user_id is None else _personal_rows(user, viewer)
    return [row for row in rows if row.made.results]


def _rows_for_all() -> list[Row]:
    return [
        _row("Popular now", services.popular(user=None, k=ROW, surface="home:popular"), "popular"),
        _row("Newest", services.newest(k=ROW, surface="home:newest"), "newest"),
    ]


def _personal_rows(user: User, viewer: Viewer) -> list[Row]:
    for_you = services.recommend(user=user, k=ROW, surface="home:for-you", viewer=viewer)
    new = services.recommend_new(user=user, k=ROW, surface="home:new", viewer=viewer)
    rows = [_row("For you", for_you, "for-you", viewer), _row("New for you", new, "new", viewer)]
    rows += _because_you_liked(viewer)
    if for_you.fallback not in ("popular", "newest"):
        popular = services.popular(user=user, k=ROW, surface="home:popular", viewer=viewer)
        rows.append(_row("Popular now", popular, "popular", viewer))
    return rows


def _because_you_liked(viewer: Viewer) -> list[Row]:
    """Like the latest movie that the viewer rated highly and that a model knows."""
    liked = viewer.liked()[:LIKED_TRIED]
    movies = Movie.objects.in_bulk(liked)
    for movie in (movies[movie_id] for movie_id in liked if movie_id in movies):
        made = services.similar(movie=movie, k=ROW, surface="home:because", viewer=viewer)
        if made.model_version is not None:
            return [_row(f"Because you liked {movie.title}", made, "because", viewer)]
    return []


def _row(title: str, made: RecommendationList, row_id: str, viewer: Viewer | None = None) -> Row:
    return Row(title, made, note(made, viewer or Viewer()), row_id)


def note(made: RecommendationList, viewer: Viewer) -> str:
    """What made the list, in a line."""
    source = made.results[0].source if made.results else ""
    if made.model_version is not None:
        kind = {"similar": "similar movies", "new": "by your taste"}.get(source, "personal")
        standing_in = ", standing in for its successor" if made.fallback else ""
        return f"Model {made.model_version} · {kind}{standing_in}"
    what = "Popular now" if source == "popular" else "Latest releases"
    if made.fallback is None:
        return ""
    if not viewer.ratings:
        return f"{what}, rate a few movies for personal picks"
    return f"{what}, as no model can judge these by your taste at the moment"
