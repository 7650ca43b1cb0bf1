"""The site of benchmarks.sync, and its comparison with the synced documents."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from django.core.management import call_command

from catalog.models import Movie, Source, SyncRun

FIRST_YEAR = 1890


def has_succeeded() -> bool:
    return SyncRun.objects.filter(status=SyncRun.Status.SUCCEEDED, scope=SyncRun.Scope.NEW_RELEASES).exists()


def create() -> None:
    """Creates one old movie, because the first sync of new releases starts at its year."""
    call_command("migrate", verbosity=0)
    Movie.objects.create(title="From before the cinema", year=FIRST_YEAR)


def differences(documents: list[dict[str, Any]]) -> dict[str, int]:
    movies = Movie.objects.filter(source=Source.TMDB).prefetch_related("genres", "keywords", "credits__person")
    stored: dict[int, list[Any]] = {}
    for movie in movies.iterator(chunk_size=200):
        stored.setdefault(movie.tmdb_id, []).append(movie)
    fields: Counter[str] = Counter()
    for document in documents:
        for movie in stored.get(document["id"], []):
            expected, found = _expected(document), _found(movie)
            fields.update(name for name in expected if expected[name] != found[name])
    if fields:
        print(f"Fields that differ: {dict(fields)}")
    n_rows = sum(len(rows) for rows in stored.values())
    return {
        "lost": sum(document["id"] not in stored for document in documents),
        "duplicates": n_rows - len(stored),
        "unexpected": len(stored.keys() - {document["id"] for document in documents}),
        "wrong fields": sum(fields.values()),
    }


def _expected(document: dict[str, Any]) -> dict[str, Any]:
    """Reads the document without the site's own code."""
    day = document.get("release_date")
    cast = sorted(document["credits"]["cast"], key=lambda member: member["order"])
    return {
        "title": document["title"],
        "original_title": document.get("original_title") or "",
        "release_date": date.fromisoformat(day) if day else None,
        "year": int(day[:4]) if day else None,
        "overview": (document.get("overview") or "").strip(),
        "language": document["original_language"],
        "runtime": document.get("runtime") or None,
        "poster": document.get("poster_path") or "",
        "imdb_id": document.get("imdb_id") or None,
        "genres": {genre["name"].replace("Science Fiction", "Sci-Fi") for genre in document.get("genres", [])},
        "keywords": {keyword["name"].strip() for keyword in document["keywords"]["keywords"]} - {""},
        "cast": [(member["id"], member["name"]) for member in cast],
        "directors": [(m["id"], m["name"]) for m in document["credits"]["crew"] if m["job"] == "Director"],
    }


def _found(movie: Any) -> dict[str, Any]:
    credits = {
        role: [(c.person.tmdb_id, c.person.name) for c in movie.credits.all() if c.role == role]
        for role in ("cast", "director")
    }
    return {
        "title": movie.title,
        "original_title": movie.original_title,
        "release_date": movie.release_date,
        "year": movie.year,
        "overview": movie.overview,
        "language": movie.language,
        "runtime": movie.runtime_minutes,
        "poster": movie.poster_path,
        "imdb_id": movie.imdb_id,
        "genres": {genre.name for genre in movie.genres.all()},
        "keywords": {keyword.name for keyword in movie.keywords.all()},
        "cast": credits["cast"],
        "directors": credits["director"],
    }
