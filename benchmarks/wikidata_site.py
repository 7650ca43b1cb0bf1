"""The site of benchmarks.wikidata, and its comparison with the synced items."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
from django.core.management import call_command

from benchmarks.data import MOVIELENS
from catalog.models import Credit, Movie, Person, Picture, Source
from catalog.models.wikidata import WikidataRecord

GENRES = {
    "action", "adventure", "animation", "comedy", "crime", "documentary", "drama", "fantasy", "horror", "mystery",
    "romance", "thriller", "war", "western",
}  # fmt: skip
SCI_FI = "science fiction"
LEADS = 5  # leading actors with a picture, in addition to directors
ITEMS = ("P136", "P921", "P495", "P364", "P57", "P161")


def create(data: Path, n_movies: int | None) -> dict[str, int | None]:
    """Creates MovieLens' best-known movies without genres. Returns IMDb ids by TMDB id."""
    call_command("migrate", verbosity=0)
    links = pd.read_csv(data / MOVIELENS / "links.csv", dtype={"imdbId": str}).set_index("movieId", drop=False)
    titles = pd.read_csv(data / MOVIELENS / "movies.csv").set_index("movieId")["title"]
    counts = pd.read_csv(data / MOVIELENS / "ratings.csv")["movieId"].value_counts()
    known = [movie for movie in counts.index if movie in links.index]
    links = links.loc[[*known, *links.index.difference(known)][:n_movies]]
    rows = [
        Movie(
            title=titles[row.movieId][:300],
            imdb_id=f"tt{row.imdbId}",
            movielens_id=row.movieId,
            popularity=float(counts.get(row.movieId, 0)),
            source=Source.MOVIELENS,
        )
        for row in links.itertuples()
    ]
    Movie.objects.bulk_create(rows, batch_size=500)
    return {f"tt{row.imdbId}": None if pd.isna(row.tmdbId) else int(row.tmdbId) for row in links.itertuples()}


def differences(films: dict[str, dict[str, Any]], names: dict[int, str], authors: dict[int, str]) -> dict[str, int]:
    """Counts differences by field. `authors` are those of pictures that may be shown, keyed by item."""
    movies = Movie.objects.prefetch_related("genres", "keywords", "credits__person")
    stored = {movie.imdb_id: movie for movie in movies.iterator(chunk_size=200)}
    read = set(WikidataRecord.objects.filter(state="read").values_list("movie__imdb_id", flat=True))
    fields: Counter[str] = Counter()
    matched = {_values(content, "P345")[0]: content for content in films.values() if _values(content, "P345")}
    for imdb_id, content in matched.items():
        if movie := stored.get(imdb_id):
            expected, found = _expected(content, names), _found(movie)
            fields.update(name for name in expected if expected[name] != found[name])
    if fields:
        print(f"Fields that differ: {dict(fields)}")
    people = Person.objects.values_list("wikidata_id", flat=True)
    shown, wanted = _shown_authors(), _wanted_authors([films[imdb_id] for imdb_id in matched.keys() & read], authors)
    return {
        "read": len(read),
        "lost": len(matched.keys() & stored.keys() - read),
        "doubled people": len(people) - len(set(people)),
        "credits": Credit.objects.count(),
        "wrong fields": sum(fields.values()),
        "pictures": len(shown),
        "wrong pictures": len(shown.items() ^ wanted.items()),
    }


def _shown_authors() -> dict[int, str]:
    pictures = Picture.objects.exclude(url="").select_related("movie__wikidata", "person")
    return {row.movie.wikidata.qid if row.movie else row.person.wikidata_id: row.author for row in pictures}


def _wanted_authors(films: list[dict[str, Any]], authors: dict[int, str]) -> dict[int, str]:
    items = {int(content["id"][1:]) for content in films}
    for content in films:
        cast = dict.fromkeys(value["numeric-id"] for value in _values(content, "P161"))
        items |= {value["numeric-id"] for value in _values(content, "P57")} | set(list(cast)[:LEADS])
    return {number: authors[number] for number in items & authors.keys()}


def _values(content: dict[str, Any], name: str) -> list[Any]:
    return [row["mainsnak"]["datavalue"]["value"] for row in content["claims"].get(name, ())]


def _expected(content: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    """Reads the item without the site's own code."""
    numbers = {name: [value["numeric-id"] for value in _values(content, name)] for name in ITEMS}
    listed = {name: [names[number] for number in found if number in names] for name, found in numbers.items()}
    kinds = [name.removesuffix(" film") for name in listed["P136"]]
    days = [date.fromisoformat(value["time"][1:11]) for value in _values(content, "P577")]
    runtimes = [int(value["amount"]) for value in _values(content, "P2047")]
    return {
        "release_date": days[0] if days else None,
        "year": days[0].year if days else None,
        "runtime": runtimes[0] if runtimes else None,
        "language": listed["P364"][0],
        "countries": ", ".join(listed["P495"])[:200],
        "genres": {kind.title() for kind in kinds if kind in GENRES} | ({"Sci-Fi"} if SCI_FI in kinds else set()),
        "keywords": {kind for kind in kinds if kind not in {*GENRES, SCI_FI}} | {n.casefold() for n in listed["P921"]},
        "directors": list(dict.fromkeys(numbers["P57"])),
        "cast": list(dict.fromkeys(numbers["P161"]))[:20],
    }


def _found(movie: Movie) -> dict[str, Any]:
    return {
        "release_date": movie.release_date,
        "year": movie.year,
        "runtime": movie.runtime_minutes,
        "language": movie.language,
        "countries": movie.countries,
        "genres": {genre.name for genre in movie.genres.all()},
        "keywords": {keyword.name for keyword in movie.keywords.all()},
        "directors": [credit.person.wikidata_id for credit in movie.directors],
        "cast": [credit.person.wikidata_id for credit in movie.cast],
    }
