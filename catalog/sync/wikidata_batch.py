"""Writes Wikidata's facts about a batch of movies. `items` has the labels of people, genres and other items."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from django.conf import settings

from catalog.ingest.fields import supplied_by
from catalog.ingest.identity import PUBLIC_IDS, having_any_id, ids_of
from catalog.ingest.links import Wanted, genre_ids, keyword_ids
from catalog.ingest.movies import MovieBatch
from catalog.models import Movie, Person, Source
from catalog.models.wikidata import WikidataRecord, WikipediaArticle
from catalog.providers.wikidata import Match
from catalog.providers.wikidata_films import Film
from catalog.providers.wikipedia import wiki_of
from catalog.search.index_maintenance import refresh_search
from catalog.sync.wikidata_items import Items
from catalog.sync.wikidata_pictures import expect_pictures

MAX_TITLES = 100
KEYWORD_LENGTH = 120
COUNTRIES_LENGTH = 200
# Maps labels of Wikidata's genres to genres of this site. All other genres become keywords.
GENRES: dict[str, tuple[str, ...]] = {
    "action": ("Action",), "adventure": ("Adventure",), "animated": ("Animation",), "animation": ("Animation",),
    "children's": ("Children",), "comedy": ("Comedy",), "comedy drama": ("Comedy", "Drama"), "crime": ("Crime",),
    "documentary": ("Documentary",), "drama": ("Drama",), "fantasy": ("Fantasy",), "film noir": ("Film-Noir",),
    "horror": ("Horror",), "musical": ("Musical",), "mystery": ("Mystery",), "romance": ("Romance",),
    "romantic": ("Romance",), "romantic comedy": ("Romance", "Comedy"), "science fiction": ("Sci-Fi",),
    "thriller": ("Thriller",), "war": ("War",), "western": ("Western",),
}  # fmt: skip


def write_films(films: Sequence[tuple[WikidataRecord, Film]], items: Items) -> dict[str, int]:
    """Writes the movies of these records. Returns how many changed. Call it in a transaction.

    An empty film removes all facts from Wikidata about a movie.
    """
    movie_ids = [record.movie_id for record, _ in films]
    ids = ids_of([film for _, film in films], ("imdb_id", "tmdb_id"))
    batch = MovieBatch(Source.WIKIDATA, having_any_id(ids | {"pk": movie_ids}), ids=PUBLIC_IDS)
    movies = {movie.pk: movie for movie in batch.found}
    links = _links_of([film for _, film in films], items)
    pairs, pictures = [], {}
    for (record, film), of_movie in zip(films, links, strict=True):
        if movie := movies.get(record.movie_id):
            pictures[movie.pk] = film.picture
            values = _values_of(film, items)
            taken = batch.by_id.taken(values, movie)
            batch.put(movie, {name: value for name, value in values.items() if name not in taken})
            of_movie["alternative_titles"].pop(movie.title, None)
            pairs.append((movie, of_movie))
    updated = batch.save(pairs, replace=True) & set(movie_ids)
    refresh_search(Movie.objects.filter(pk__in=updated))
    expect_pictures(pictures)
    return {"updated": len(updated), "unchanged": len(pairs) - len(updated)}


def write_articles(pairs: Sequence[tuple[WikidataRecord, Film]], leads: Mapping[str, Mapping[str, str]]) -> None:
    """Saves articles by language and title. Keeps those in languages missing from `leads`."""
    found: dict[int, dict[str, tuple[str, str]]] = {record.movie_id: {} for record, _ in pairs}
    for record, film in pairs:
        for language, texts in leads.items():
            if text := texts.get(title := film.articles.get(wiki_of(language), "")):
                found[record.movie_id][language] = (title, text)
    WikipediaArticle.objects.replace(found, leads)


def _values_of(film: Film, items: Items) -> dict[str, Any]:
    codes = (items[number].code for number in film.languages if number in items)
    found = {
        "language": next((code for code in codes if code), ""),
        "countries": _joined(_names(film.countries, items), COUNTRIES_LENGTH),
    }
    return {name: found[name] if name in found else getattr(film, name) for name in supplied_by(Source.WIKIDATA)}


def _joined(names: Iterable[str], longest: int) -> str:
    """Joins as many names as fit, without truncating any."""
    text = ""
    for name in names:
        longer = f"{text}, {name}" if text else name
        if len(longer) > longest:
            break
        text = longer
    return text


def _links_of(films: Sequence[Film], items: Items) -> list[dict[str, Wanted]]:
    kinds = [_kinds_of(film, items) for film in films]
    genres = genre_ids({name for names, _ in kinds for name in names})
    keywords = keyword_ids({name for _, names in kinds for name in names})
    people = _people(films, items)
    return [
        {
            "genres": {genres[name]: () for name in genre_names},
            "keywords": {keywords[name]: () for name in keyword_names},
            "cast": _credits(film.cast, people, settings.POLICY.wikidata.max_cast),
            "directors": _credits(dict.fromkeys(film.directors, ""), people, len(film.directors)),
            "alternative_titles": _titles(film),
        }
        for film, (genre_names, keyword_names) in zip(films, kinds, strict=True)
    ]


def _kinds_of(film: Film, items: Items) -> tuple[set[str], set[str]]:
    """Returns genres and keywords. Keywords are the subjects, and all genres that this site does not have."""
    kinds = [kind_of(name) for name in _names(film.genres, items)]
    genres = {genre for kind in kinds for genre in GENRES.get(kind, ())}
    others = [kind for kind in kinds if kind not in GENRES]
    subjects = [name.casefold() for name in _names(film.subjects, items)]
    return genres, {name for name in (*others, *subjects) if 0 < len(name) <= KEYWORD_LENGTH}


def kind_of(name: str) -> str:
    """Normalises the label of a genre: `Science fiction film` and `science fiction` are the same."""
    return re.sub(r" (film|movie)$", "", name.casefold())


def _names(numbers: Iterable[int], items: Items) -> list[str]:
    found = (items[number].name for number in numbers if number in items)
    return list(dict.fromkeys(name for name in found if name))


def _people(films: Sequence[Film], items: Items) -> dict[int, int]:
    """Returns primary keys by item. Creates missing people, updates names, and follows merged items."""
    numbers = {number for film in films for number in (*film.directors, *film.cast)}
    wanted = {number: items[number] for number in numbers if number in items and items[number].name}
    names = {item.main_qid: item.name for item in wanted.values()}
    known = {person.wikidata_id: person for person in Person.objects.filter(wikidata_id__in=names)}
    new = [Person(wikidata_id=q, name=names[q], source=Source.WIKIDATA) for q in sorted(names.keys() - known)]
    for person in Person.objects.bulk_create(new):
        known[person.wikidata_id] = person
    for number, person in known.items():
        if person.source == Source.WIKIDATA and number is not None and person.name != names[number]:
            Person.objects.filter(pk=person.pk).rename(names[number])
    return {number: known[item.main_qid].pk for number, item in wanted.items()}


def _credits(members: Mapping[int, str], people: Mapping[int, int], most: int) -> Wanted:
    """Returns credits in the order of the statements, which is not a billing order. Skips unnamed people."""
    found: dict[int, str] = {}
    for number, character in members.items():
        if number in people:
            found.setdefault(people[number], character)
    return {key: (position, character) for position, (key, character) in enumerate(islice(found.items(), most))}


def _titles(film: Film) -> Wanted:
    titles = dict.fromkeys(title for title in film.titles.values() if title != film.original_title)
    return dict.fromkeys(islice(titles, MAX_TITLES), ())


def best_items(matches: Iterable[Match]) -> dict[str | int | None, int]:
    """Returns the best item for each id: the one that matches most of the ids, then the oldest."""
    found = list(matches)
    named = Counter(match.qid for match in found)
    best: dict[str | int | None, int] = {}
    for match in sorted(found, key=lambda match: (named[match.qid], -match.qid)):
        best |= {key: match.qid for key in (match.imdb_id, match.tmdb_id) if key}
    return best


def save_records(records: Sequence[WikidataRecord]) -> None:
    columns = ["qid", "state", "reason", "read_at", "checked_at"]
    WikidataRecord.objects.bulk_create(records, update_conflicts=True, unique_fields=["movie"], update_fields=columns)
