"""Finds and deletes movies that nothing on the site refers to, and metadata that only they used.

References are ratings, watchlists, impressions and edits by hand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from django.db.models import Model, Q, QuerySet

from catalog.models import (
    AlternativeTitle,
    Credit,
    Genre,
    Keyword,
    Movie,
    MovieGenre,
    MovieKeyword,
    Offer,
    Picture,
    Source,
    SyncItem,
    SyncRun,
    TMDBRecord,
    WatchService,
    WikidataItem,
    WikidataRecord,
    WikidataRun,
    WikipediaArticle,
)

LINKS: tuple[type[Model], ...] = (MovieGenre, MovieKeyword, Credit, AlternativeTitle, Offer)
# Per provider: models of work in progress, and of records of where content came from.
RUNS: dict[Source, tuple[type[Model], ...]] = {Source.TMDB: (SyncItem, SyncRun), Source.WIKIDATA: (WikidataRun,)}
RECORDS: dict[Source, tuple[type[Model], ...]] = {
    Source.TMDB: (TMDBRecord, WatchService),
    Source.WIKIDATA: (WikidataRecord, WikidataItem, WikipediaArticle, Picture),
}


def unreferenced(movies: QuerySet[Movie]) -> list[int]:
    """Returns the ids of movies that only imported metadata refers to. Checks every model with a relation to Movie."""
    for relation in Movie._meta.related_objects:
        model = relation.related_model
        if not isinstance(model, type) or relation.many_to_many or model in chain(*RECORDS.values()):
            continue
        rows = model._default_manager.exclude(**{relation.field.name: None})
        if model in LINKS:
            rows = rows.filter(source=Source.SITE)
        movies = movies.exclude(pk__in=rows.values(relation.field.attname))
    return [pk for pk, sources in movies.values_list("pk", "field_sources") if Source.SITE not in sources.values()]


def delete_unreferenced(movies: QuerySet[Movie]) -> int:
    """Deletes those of these movies that nothing refers to. Returns their number.

    Call it in a transaction. It locks the movies, so that none can be rated while it is being deleted.
    """
    unused = unreferenced(movies.select_for_update())
    return Movie.objects.filter(pk__in=unused).delete()[1].get("catalog.Movie", 0)


@contextmanager
def deleting_unused_metadata(links: Q) -> Iterator[None]:
    """After the body, deletes the genres and keywords of these links if no movie uses them any more."""
    genres = set(MovieGenre.objects.filter(links).values_list("genre", flat=True))
    keywords = set(MovieKeyword.objects.filter(links).values_list("keyword", flat=True))
    yield
    Genre.objects.filter(pk__in=genres, moviegenre=None).delete()
    Keyword.objects.filter(pk__in=keywords, moviekeyword=None).delete()
