"""Loads the sample into a new site, and removes it again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from catalog.aggregates import rebuild_aggregates, refresh_popularity
from catalog.ingest.fields import withdraw
from catalog.ingest.movielens import import_movielens
from catalog.ingest.report import ImportReport
from catalog.models import ImportRun, Movie, Person, Rating, Source, User
from catalog.progress import chunks_with_progress
from catalog.references import LINKS, delete_unreferenced, deleting_unused_metadata, unreferenced
from catalog.sample.download import DownloadFailed, download
from catalog.sample.generated import generate_ratings
from catalog.search.index_maintenance import forget_unused_terms

SAMPLE_SOURCES = (Source.MOVIELENS, Source.GENERATED)
GENERATED_USERS, GENERATED_MOVIES, GENERATED_RATINGS = 700, 3000, 90_000


def load_sample(*, say: Callable[[str], object], show_progress: bool = False) -> ImportReport | None:
    """Loads MovieLens from MOVIELENS_PATH or GroupLens, or without network a generated catalogue; `say` reports which.

    Returns None if there is a sample already. Completes an interrupted load.
    """
    runs = ImportRun.objects.filter(source__in=SAMPLE_SOURCES)
    if done := runs.filter(finished_at__isnull=False).first():
        say(f"A sample is there already ({done.origin}); nothing changed.")
        return None
    if runs.filter(source=Source.GENERATED).exists():
        say("Going on with the generated catalogue that was cut off.")
        return _generate(show_progress)
    if settings.MOVIELENS_PATH:
        say(f"Sample: MovieLens data from MOVIELENS_PATH, {settings.MOVIELENS_PATH}")
        return import_movielens(path=Path(settings.MOVIELENS_PATH), show_progress=show_progress)
    if not settings.MOVIELENS_URL:
        say("Sample: a generated catalogue (made-up movies and people); MOVIELENS_URL is empty, nothing is downloaded.")
        return _generate(show_progress)
    try:
        path = download(url=settings.MOVIELENS_URL, folder=settings.VAR_DIR / "downloads", show_progress=show_progress)
    except DownloadFailed as error:
        say(f"MovieLens could not be downloaded: {error}")
        say("Sample: a generated catalogue (made-up movies and people).")
        return _generate(show_progress)
    say(f"Sample: MovieLens ml-latest-small, downloaded from GroupLens ({settings.MOVIELENS_URL})")
    return import_movielens(path=path, show_progress=show_progress)


def _generate(show_progress: bool) -> ImportReport:
    return generate_ratings(
        users=GENERATED_USERS, movies=GENERATED_MOVIES, ratings=GENERATED_RATINGS, show_progress=show_progress
    )


BATCH = 200


@dataclass
class RemovalReport:
    users: int = 0
    ratings: int = 0
    movies: int = 0
    movies_kept: int = 0


def remove_sample(*, show_progress: bool = False) -> RemovalReport:
    """Deletes the sample's users with all their data, then its movies, genres, keywords and people.

    A movie of the sample stays, with its metadata, if anything on the site refers to it or an editor changed it. A
    movie of the site loses what the sample added to it. If interrupted, it can be run again.
    """
    runs = ImportRun.objects.filter(source__in=SAMPLE_SOURCES)
    runs.update(finished_at=None)  # if interrupted, the sample counts as incomplete
    report = RemovalReport()
    _remove_users(report, show_progress)
    with deleting_unused_metadata(Q(source__in=SAMPLE_SOURCES)):
        _remove_movies(report, show_progress)
        _unlink_site_movies()
    Person.objects.filter(source__in=SAMPLE_SOURCES, credits=None).delete()
    forget_unused_terms()
    rebuild_aggregates()
    refresh_popularity()
    runs.delete()
    return report


def _remove_users(report: RemovalReport, shown: bool) -> None:
    users = list(User.objects.filter(source__in=SAMPLE_SOURCES).values_list("pk", flat=True))
    for batch in chunks_with_progress(users, BATCH, description="Removing users", unit=" users", shown=shown):
        with transaction.atomic():
            report.ratings += Rating.objects.filter(user__in=batch).delete()[0]
            report.users += User.objects.filter(pk__in=batch).delete()[1].get("catalog.User", 0)


def _remove_movies(report: RemovalReport, shown: bool) -> None:
    movies = unreferenced(Movie.objects.filter(source__in=SAMPLE_SOURCES))
    for batch in chunks_with_progress(movies, BATCH, description="Removing movies", unit=" movies", shown=shown):
        with transaction.atomic():  # checked again: one may have been rated in the meantime
            report.movies += delete_unreferenced(Movie.objects.filter(pk__in=batch))
    report.movies_kept = Movie.objects.filter(source__in=SAMPLE_SOURCES).count()


def _unlink_site_movies() -> None:
    with transaction.atomic():
        for model in LINKS:
            links = model._default_manager.filter(source__in=SAMPLE_SOURCES)
            links.exclude(movie__source__in=SAMPLE_SOURCES).delete()
        for movie in Movie.objects.exclude(source__in=SAMPLE_SOURCES).exclude(field_sources={}):
            given = [name for name, source in movie.field_sources.items() if source in SAMPLE_SOURCES]
            withdraw(movie, given)
            if given:
                movie.save()
