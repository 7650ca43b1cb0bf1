"""Candidates in an order stored in the database (popular now, latest releases). Needs no model."""

from catalog.models import Movie
from catalog.models.querysets import MovieQuerySet
from recommender.serving.candidates import Candidate
from recommender.serving.request import ListRequest
from recommender.serving.trace import Outcome, Step


def popular(request: ListRequest) -> list[Candidate]:
    """Return the movies that are popular now, by their stored popularity."""
    return [Candidate(*row, "popular") for row in _first(_by_popularity(), request, "popularity")]


def popular_movies() -> list[int]:
    """Return the ids of all rated movies, most popular first."""
    return list(_by_popularity().values_list("pk", flat=True))


def _by_popularity() -> MovieQuerySet:
    return Movie.objects.filter(rating_count__gt=0).order_by("-popularity", "id")


def newest(request: ListRequest) -> list[Candidate]:
    """Return the latest releases. The score is the release year."""
    years = _first(Movie.objects.newest(), request, "year")
    return [Candidate(movie, float(year or 0), "newest") for movie, year in years]


def _first(movies: MovieQuerySet, request: ListRequest, score: str) -> list[tuple[int, float]]:
    if request.trace.is_detailed:
        _count_query(movies, request, Step.WITH_RATINGS if score == "popularity" else Step.CATALOG)
    movies = request.filters.narrow(movies)
    rows = list(movies.values_list("pk", score)[: request.k + len(request.excluded)])
    if not rows:
        return request.trace.nothing(Outcome.NO_MOVIES if request.allowed is None else Outcome.NO_MATCH)
    kept = [row for row in rows if row[0] not in request.excluded][: request.k]
    return kept or request.trace.nothing(Outcome.ALL_EXCLUDED)


def _count_query(movies: MovieQuerySet, request: ListRequest, pool: Step) -> None:
    request.trace.count(pool, movies.count())
    if request.filters:
        movies = request.filters.narrow(movies)
        request.trace.count(Step.MATCHING, movies.count())
    request.count_excluded(movies.values_list("pk", flat=True))
