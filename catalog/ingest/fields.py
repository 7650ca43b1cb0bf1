"""Defines every field of a movie: its empty value, and when each source may write it.

A new field needs one line here, a column on the model and a migration. Fields edited by hand are never overwritten.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple

from catalog.models import Movie, Source


class Write(Enum):
    """When a source may write a field of an existing movie. A new movie takes all fields from its source."""

    ABSENT = "the source does not have the field"
    NEW = "never: only on new movies"
    GAPS = "where the field is empty"
    OWN = "where the field is empty, or the same source wrote it"
    OVER_TMDB = "where the field is empty, or the same source or TMDB wrote it; nothing where it has no value itself"
    ALL = "unless a person edited it by hand"


ABSENT, NEW, GAPS, OWN, OVER_TMDB, ALL = Write


class MovieField(NamedTuple):
    name: str
    empty: Any
    movielens: Write
    generated: Write
    tmdb: Write
    wikidata: Write
    bulk: Write


FIELDS = (
    #           name               empty  MovieLens generated TMDB   Wikidata   bulk
    MovieField("title",            "",    NEW,      NEW,      OWN,    ABSENT,    ALL),
    MovieField("original_title",   "",    NEW,      ABSENT,   OWN,    OVER_TMDB, ALL),
    MovieField("year",             None,  GAPS,     GAPS,     OWN,    OVER_TMDB, ALL),
    MovieField("release_date",     None,  ABSENT,   NEW,      OWN,    OVER_TMDB, ALL),
    MovieField("overview",         "",    ABSENT,   NEW,      OWN,    ABSENT,    ALL),
    MovieField("language",         "",    ABSENT,   NEW,      OWN,    OVER_TMDB, ALL),
    MovieField("runtime_minutes",  None,  ABSENT,   ABSENT,   OWN,    OVER_TMDB, ALL),
    MovieField("countries",        "",    ABSENT,   ABSENT,   ABSENT, OWN,       ABSENT),
    MovieField("is_adult",         False, ABSENT,   ABSENT,   OWN,    ABSENT,    ALL),
    MovieField("poster_path",      "",    ABSENT,   ABSENT,   OWN,    ABSENT,    ABSENT),
    MovieField("movielens_id",     None,  GAPS,     ABSENT,   ABSENT, ABSENT,    ALL),
    MovieField("tmdb_id",          None,  GAPS,     ABSENT,   OWN,    GAPS,      ALL),
    MovieField("imdb_id",          None,  GAPS,     ABSENT,   OWN,    GAPS,      ALL),
    MovieField("external_id",      None,  ABSENT,   ABSENT,   ABSENT, ABSENT,    GAPS),
)  # fmt: skip
EMPTY = {field.name: field.empty for field in FIELDS}
POLICIES: dict[str, dict[str, Write]] = {
    source: {field.name: getattr(field, source) for field in FIELDS}
    for source in (Source.MOVIELENS, Source.GENERATED, Source.TMDB, Source.WIKIDATA, Source.BULK)
}


def supplied_by(source: Source) -> list[str]:
    """Returns the names of the fields that the source supplies."""
    return [name for name, write in POLICIES[source].items() if write is not ABSENT]


def values_from(record: object, source: Source, *, given: Iterable[str] | None = None) -> dict[str, Any]:
    """Returns the source's fields, read from attributes of the record. `given` limits them."""
    names = supplied_by(source)
    return {name: getattr(record, name) for name in names if given is None or name in given}


# With these policies, a source updates its values, and clears them when it no longer has any.
KEPT = (OWN, OVER_TMDB)


def may_write(movie: Movie, name: str, source: Source) -> bool:
    """Returns whether the source's policy allows it to write this field of an existing movie."""
    value, write = getattr(movie, name), POLICIES[source][name]
    if write is ALL:
        return not (movie.source_of(name) == Source.SITE and value not in (None, ""))
    if write is OVER_TMDB and movie.source_of(name) == Source.TMDB:
        return True
    if write in KEPT and (owner := movie.field_sources.get(name)):
        return bool(owner == source)
    if write in KEPT and movie.source == source:
        return True
    return write in (*KEPT, GAPS) and bool(value == EMPTY[name])


def assign(movie: Movie, values: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """Sets the values that the source may write. Returns the changed columns. The caller saves the movie."""
    changed = {name: value for name, value in values.items() if _changes(movie, name, value, source)}
    sources = dict(movie.field_sources)
    for name, value in changed.items():
        setattr(movie, name, value)
        if movie.source == source or name == "external_id":  # the operator's id carries no information about the movie
            continue
        sources[name] = source.value
        if POLICIES[source][name] in KEPT and value == EMPTY[name]:
            del sources[name]
    if sources != movie.field_sources:
        movie.field_sources = changed["field_sources"] = sources
    return changed


def _changes(movie: Movie, name: str, value: Any, source: Source) -> bool:
    """Returns whether to write the value. A missing value never replaces one from another source."""
    takes_over = value == EMPTY[name] and movie.source_of(name) != source
    if POLICIES[source][name] is OVER_TMDB and takes_over:
        return False
    return bool(getattr(movie, name) != value) and may_write(movie, name, source)


def withdraw(movie: Movie, names: Iterable[str]) -> None:
    """Clears the fields of a source that is being removed."""
    for name in names:
        setattr(movie, name, EMPTY[name])
        movie.field_sources.pop(name, None)
