"""Takes the sample out again and leaves what is the site's own."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from catalog.ingest.fields import EMPTY
from catalog.models import (
    Genre,
    ImportRun,
    Keyword,
    Movie,
    MovieGenre,
    MovieKeyword,
    Person,
    Rating,
    User,
)
from catalog.progress import progress_bar
from catalog.references import LINKS, unreferenced
from catalog.sample.load import SAMPLE_SOURCES
from catalog.search.upkeep import forget_unused_terms
from catalog.services import rebuild_aggregates, refresh_popularity

BATCH = 200


@dataclass
class RemovalReport:
    users: int = 0
    ratings: int = 0
    movies: int = 0
    movies_kept: int = 0


def remove_sample(*, show_progress: bool = False) -> RemovalReport:
    """Users of the sample go with all that is theirs, then its movies, genres, keywords and people.

    A movie of the sample stays, with its metadata, when somebody of the site has rated it, put it on a watchlist or
    otherwise left a trace at it, or when an editor changed it. A movie of the site that the sample was linked to
    stays and loses what the sample gave it. Cut off, it can be run again.
    """
    runs = ImportRun.objects.filter(source__in=SAMPLE_SOURCES)
    runs.update(finished_at=None)  # if this is cut off, the sample counts as incomplete
    report = RemovalReport()
    _remove_users(report, show_progress)
    genres = set(MovieGenre.objects.filter(source__in=SAMPLE_SOURCES).values_list("genre", flat=True))
    keywords = set(MovieKeyword.objects.filter(source__in=SAMPLE_SOURCES).values_list("keyword", flat=True))
    _remove_movies(report, show_progress)
    _unlink_site_movies()
    with transaction.atomic():
        Genre.objects.filter(pk__in=genres, moviegenre=None).delete()
        Keyword.objects.filter(pk__in=keywords, moviekeyword=None).delete()
        Person.objects.filter(source__in=SAMPLE_SOURCES, credits=None).delete()
    forget_unused_terms()
    rebuild_aggregates()
    refresh_popularity()
    runs.delete()
    return report


def _remove_users(report: RemovalReport, shown: bool) -> None:
    users = list(User.objects.filter(source__in=SAMPLE_SOURCES).values_list("pk", flat=True))
    with progress_bar(total=len(users), description="Removing users", unit=" users", shown=shown) as bar:
        for batch in _batches(users):
            with transaction.atomic():
                report.ratings += Rating.objects.filter(user__in=batch).delete()[0]
                report.users += User.objects.filter(pk__in=batch).delete()[1].get("catalog.User", 0)
            bar.update(len(batch))


def _remove_movies(report: RemovalReport, shown: bool) -> None:
    movies = unreferenced(Movie.objects.filter(source__in=SAMPLE_SOURCES))
    with progress_bar(total=len(movies), description="Removing movies", unit=" movies", shown=shown) as bar:
        for batch in _batches(movies):
            with transaction.atomic():  # asked again: somebody may have rated one meanwhile
                unused = unreferenced(Movie.objects.select_for_update().filter(pk__in=batch))
                report.movies += Movie.objects.filter(pk__in=unused).delete()[1].get("catalog.Movie", 0)
            bar.update(len(batch))
    report.movies_kept = Movie.objects.filter(source__in=SAMPLE_SOURCES).count()


def _unlink_site_movies() -> None:
    with transaction.atomic():
        for model in LINKS:
            links = model._default_manager.filter(source__in=SAMPLE_SOURCES)
            links.exclude(movie__source__in=SAMPLE_SOURCES).delete()
        for movie in Movie.objects.exclude(source__in=SAMPLE_SOURCES).exclude(field_sources={}):
            given = [name for name, source in movie.field_sources.items() if source in SAMPLE_SOURCES]
            for name in given:
                setattr(movie, name, EMPTY[name])
                del movie.field_sources[name]
            if given:
                movie.save()


def _batches(keys: list[int]) -> Iterable[list[int]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
