"""Writes genres, keywords, credits, alternative titles and offers of any source."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from django.utils.text import slugify

from catalog.ingest.rows import insert_rows
from catalog.models import (
    AlternativeTitle,
    Credit,
    Genre,
    Keyword,
    Movie,
    MovieGenre,
    MovieKeyword,
    Offer,
    Person,
    Source,
)

# Maps the key of each link to its details. Kinds of links that are not in Links are left unchanged.
Wanted = dict[Any, tuple[Any, ...]]
Links = Mapping[str, Wanted]


class LinkTable(NamedTuple):
    """A table of links. `key` is the column that identifies a link of a movie."""

    model: Any  # has EDITED_AS
    key: str
    fixed: dict[str, str] = {}
    details: tuple[str, ...] = ()
    is_of_one_source: bool = False  # see docs/adr/0013-two-providers.md


_CREDIT = ("position", "character")
TABLES = {
    "genres": LinkTable(MovieGenre, "genre_id"),
    "keywords": LinkTable(MovieKeyword, "keyword_id"),
    "cast": LinkTable(Credit, "person_id", {"role": Credit.Role.CAST.value}, _CREDIT, True),
    "directors": LinkTable(Credit, "person_id", {"role": Credit.Role.DIRECTOR.value}, _CREDIT, True),
    "alternative_titles": LinkTable(AlternativeTitle, "title"),
    **{kind.value: LinkTable(Offer, "service_id", {"kind": kind.value}, ("region",)) for kind in Offer.Kind},
}


def write_links(
    source: Source, pairs: Iterable[tuple[Movie, Links]], *, fresh: set[int], replace: bool = False
) -> set[int]:
    """Adds missing links. With `replace`, also updates the source's own links and removes those missing from the
    record.

    Returns the movies whose links changed, except those in `fresh`, which had none. Keeps links of other sources, and
    kinds of links that were edited by hand.
    """
    changed: set[int] = set()
    known = list(pairs)
    for name, table in TABLES.items():
        wanted: dict[int, Wanted] = {}
        for movie, links in known:
            if name in links and movie.field_sources.get(table.model.EDITED_AS) != Source.SITE:
                wanted[movie.pk] = links[name] | wanted.get(movie.pk, {})
        if table.is_of_one_source:
            changed |= _give_way(source, table, wanted)
        if wanted:
            changed |= _write(source, table, wanted, old=wanted.keys() - fresh, replace=replace)
    return changed - fresh


def _give_way(source: Source, table: LinkTable, wanted: dict[int, Wanted]) -> set[int]:
    """Ensures that a movie's people come from one source. Any other source replaces Wikidata's unordered list.

    Two sources would list each person twice, because their ids differ. Returns the movies that lost Wikidata's list.
    """
    links = table.model._default_manager.filter(**table.fixed)
    if source == Source.WIKIDATA:
        for movie_id in set(
            links.filter(movie_id__in=wanted).exclude(source=source).values_list("movie_id", flat=True)
        ):
            wanted[movie_id] = {}
        return set()
    listed = [movie_id for movie_id, of_movie in wanted.items() if of_movie]
    former = links.filter(movie_id__in=listed, source=Source.WIKIDATA)
    movies = set(former.values_list("movie_id", flat=True))
    former.delete()
    return movies


def _write(source: Source, table: LinkTable, wanted: dict[int, Wanted], *, old: set[int], replace: bool) -> set[int]:
    links = table.model._default_manager
    missing = {movie_id: dict(of_movie) for movie_id, of_movie in wanted.items()}
    outdated: list[int] = []
    changed: set[int] = set()
    columns = ("pk", "movie_id", "source", table.key, *table.details)
    for pk, movie_id, owner, key, *details in links.filter(movie_id__in=old, **table.fixed).values_list(*columns):
        expected = missing[movie_id].pop(key, None)
        if not replace or owner != source or (expected is not None and expected == tuple(details)):
            continue
        changed.add(movie_id)
        if expected is None:
            outdated.append(pk)
        else:
            links.filter(pk=pk).update(**dict(zip(table.details, expected, strict=True)))
    if outdated:
        links.filter(pk__in=outdated).delete()
    rows = (
        (movie_id, key, *details, *table.fixed.values(), source.value)
        for movie_id, of_movie in missing.items()
        for key, details in of_movie.items()
    )
    insert_rows(table.model, ("movie_id", table.key, *table.details, *table.fixed, "source"), rows)
    return changed | {movie_id for movie_id, of_movie in missing.items() if of_movie}


def links_by_name(source: Source, records: Sequence[Mapping[str, Sequence[str]]]) -> list[Links]:
    """Returns links for records that list genres, keywords, cast and directors by name. Creates missing rows."""

    def named(*kinds: str) -> set[str]:
        return {name for record in records for kind in kinds for name in record.get(kind, ())}

    people = _person_ids(source, named("cast", "directors"))
    keys = {"genres": genre_ids(named("genres")), "keywords": keyword_ids(named("keywords"))}
    keys |= {"cast": people, "directors": people}
    return [
        {
            kind: {
                keys[kind][name]: (position, "") if TABLES[kind].details else ()
                for position, name in enumerate(dict.fromkeys(names))
            }
            for kind, names in record.items()
        }
        for record in records
    ]


def genre_ids(names: set[str]) -> dict[str, int]:
    """Returns primary keys by name. Creates missing genres. Names with the same slug share a genre."""
    known = dict(Genre.objects.filter(name__in=names).values_list("name", "pk"))
    for name in sorted(names - known.keys()):
        slug = slugify(name) or f"genre-{crc32(name.encode()):x}"
        known[name] = Genre.objects.get_or_create(slug=slug[:60], defaults={"name": name})[0].pk
    return known


def keyword_ids(names: set[str]) -> dict[str, int]:
    """Returns primary keys by name. Creates missing keywords."""
    known = dict(Keyword.objects.filter(name__in=names).values_list("name", "pk"))
    if missing := sorted(names - known.keys()):
        Keyword.objects.bulk_create([Keyword(name=name) for name in missing], ignore_conflicts=True)
        known |= dict(Keyword.objects.filter(name__in=missing).values_list("name", "pk"))
    return known


def _person_ids(source: Source, names: set[str]) -> dict[str, int]:
    """Returns primary keys by name. Creates missing people.

    Only uses people of this source, because a name does not identify people of another one.
    """
    known = dict(Person.objects.filter(source=source, name__in=names).order_by("-pk").values_list("name", "pk"))
    new = Person.objects.bulk_create([Person(name=name, source=source) for name in sorted(names - known.keys())])
    return known | {person.name: person.pk for person in new}
