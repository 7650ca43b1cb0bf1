"""Removes a source's content: the sample, a provider's metadata, or content that TMDB's terms no longer allow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.aggregates import rebuild_aggregates
from catalog.ingest.fields import supplied_by, withdraw
from catalog.models import Credit, ImportRun, Movie, Person, Rating, Source, TMDBRecord, User
from catalog.popularity import refresh_popularity
from catalog.progress import chunks, chunks_with_progress
from catalog.references import LINKS, RECORDS, RUNS, delete_unreferenced, deleting_unused_metadata, unreferenced
from catalog.search.index_maintenance import forget_unused_terms
from catalog.signals import provider_purged

BATCH = 200
SAMPLE_SOURCES = (Source.MOVIELENS, Source.GENERATED)


@dataclass
class PurgeReport:
    removed: int = 0
    renamed: int = 0
    stripped: int = 0


def purge_provider(provider: Source, *, show_progress: bool = False) -> PurgeReport:
    """Removes all content of a metadata provider. Keeps all other content and user data.

    A movie described only by the provider is deleted, unless something on the site refers to it. In that case it is
    kept with a neutral title. An interrupted purge can be run again.
    """
    with transaction.atomic():  # first, so that an active sync finds no items and stops
        for model in RUNS[provider]:
            model._default_manager.all().delete()
    report = PurgeReport()
    movies, text = _described_by(provider), f"Purging {provider.label}"
    for keys in chunks_with_progress(movies, BATCH, description=text, unit=" movies", shown=show_progress):
        _strip(keys, provider, report)
    forget_unused_terms()
    with transaction.atomic():
        for model in RECORDS[provider]:
            model._default_manager.all().delete()
        _remove_people(provider)
        provider_purged.send(sender=None, source=provider.value)
    return report


def remove_old_content() -> int:
    """Removes content last read more than `tmdb.max_age_days` ago. Returns the number of movies."""
    limit = timezone.now() - timedelta(days=settings.POLICY.tmdb.max_age_days)
    old = TMDBRecord.objects.filter(fetched_at__lt=limit)
    movies = list(old.exclude(movie=None).values_list("movie", flat=True))
    for keys in chunks(movies, BATCH):
        _strip(keys, Source.TMDB, PurgeReport())
    old.filter(state=TMDBRecord.State.GONE).update(fetched_at=None, movie=None)  # these records contain no content
    old.exclude(state=TMDBRecord.State.GONE).delete()
    _remove_people(Source.TMDB)
    if movies:
        forget_unused_terms()
    return len(movies)


def _described_by(provider: Source) -> list[int]:
    found = set(Movie.objects.filter(Q(source=provider) | ~Q(field_sources={})).values_list("pk", flat=True))
    for model in LINKS:
        found |= set(model._default_manager.filter(source=provider).values_list("movie", flat=True))
    return sorted(found)


def _strip(keys: Sequence[int], provider: Source, report: PurgeReport) -> None:
    """Removes the provider's content from a batch of movies in one short transaction."""
    from_it = Q(movie__in=keys, source=provider)
    with transaction.atomic(), deleting_unused_metadata(from_it):
        stripped: set[int] = set()
        for model in LINKS:
            links = model._default_manager.filter(from_it)
            stripped |= set(links.values_list("movie", flat=True))
            links.delete()
        report.removed += delete_unreferenced(Movie.objects.filter(pk__in=keys, source=provider))
        for movie in Movie.objects.select_for_update().filter(pk__in=keys):
            report.renamed += movie.source == provider
            report.stripped += _strip_fields(movie, provider, movie.pk in stripped)


def _strip_fields(movie: Movie, provider: Source, had_links: bool) -> bool:
    """Clears the provider's fields. The required title is replaced by the movie's number on this site."""
    from_it = [name for name in supplied_by(provider) if movie.source_of(name) == provider]
    withdraw(movie, from_it)
    if "title" in from_it:
        movie.title = f"Movie {movie.pk}"
    if movie.source == provider:
        movie.source = Source.SITE
    if from_it or had_links:
        movie.save()
    return bool(from_it or had_links)


def _remove_people(provider: Source) -> None:
    """Deletes the provider's people. People credited by hand become people of the site."""
    Person.objects.filter(source=provider, credits=None).delete()
    credited: Iterable[int] = Credit.objects.exclude(source=provider).values_list("person", flat=True)
    known = Person.objects.filter(source=provider, pk__in=credited)
    known.update(source=Source.SITE, tmdb_id=None, wikidata_id=None)


@dataclass
class RemovalReport:
    users: int = 0
    ratings: int = 0
    movies: int = 0
    movies_kept: int = 0


def remove_sample(*, show_progress: bool = False) -> RemovalReport:
    """Deletes the sample's users with all their data, then its movies, genres, keywords and people.

    A sample movie is kept with its metadata if anything on the site refers to it or it was edited. Movies of the site
    lose the sample's additions. An interrupted removal can be run again.
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
        with transaction.atomic():  # checked again, because one may have been rated meanwhile
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
