"""Imports data sets and records with unusual details. See tests/catalog/imports/cases/README.md."""

import json
import tomllib
from pathlib import Path

import pytest

from catalog.errors import AnswerRejected
from catalog.ingest.movielens import import_movielens
from catalog.models import Movie, Rating
from catalog.providers.tmdb_documents import MovieDocument, read

FOLDER = Path(__file__).parents[1] / "imports" / "cases" / "data_sets"


def expected(name: str) -> dict:
    return tomllib.loads((FOLDER / name / "expected.toml").read_text(encoding="utf-8"))


def cells(text: str) -> list[list[str]]:
    """The rows of a table below its header."""
    return [[cell.strip() for cell in line.split("|")] for line in text.strip("\n").splitlines()[1:]]


def to_do(case: dict) -> set[str]:
    return set(case.get("todo", {}))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ("movielens_floats", "movielens_links", "movielens_odd")
        if "movies" not in to_do(expected(name))
    ],
)
def test_a_movielens_data_set_gives_its_movies_and_ratings(name):
    import_movielens(path=FOLDER / name)
    movies = Movie.objects.order_by("movielens_id").values_list(
        "movielens_id", "title", "original_title", "year", "imdb_id", "tmdb_id"
    )
    ratings = Rating.objects.order_by("user__external_id", "movie__movielens_id").select_related("movie", "user")

    assert [[str(value or "") for value in movie] for movie in movies] == cells(expected(name)["movies"])
    assert [[r.user.external_id, str(r.movie.movielens_id), f"{r.rating:g}"] for r in ratings] == cells(
        expected(name)["ratings"]
    )


RECORDS = [json.loads(line) for line in (FOLDER / "tmdb_odd" / "movies.jsonl").read_text(encoding="utf-8").splitlines()]


def described(record: dict) -> list[str]:
    try:
        movie = read(MovieDocument, record)
    except AnswerRejected:
        return [str(record["id"] or ""), "refused", *[""] * 6]
    people = [", ".join(person.name for person in found) for found in (movie.credits.cast, movie.credits.crew)]
    others = ", ".join(other.title for other in movie.alternative_titles)
    released = str(movie.release_date or "")
    return [str(movie.id), "read", movie.imdb_id or "", movie.poster_path, released, *people, others]


@pytest.mark.parametrize(
    ("record", "row"),
    [
        pytest.param(record, row, id=row[0] or "none")
        for record, row in zip(RECORDS, cells(expected("tmdb_odd")["records"]), strict=True)
        if row[0] not in to_do(expected("tmdb_odd"))
    ],
)
def test_an_odd_detail_costs_a_tmdb_record_only_the_detail(record, row):
    assert described(record) == row
