"""Tests that `ingest/fields` lists every field of a movie once, and that every source follows its policy."""

from dataclasses import fields as dataclass_fields

import pytest

from catalog.ingest.bulk.lines import MovieLine
from catalog.ingest.fields import EMPTY, FIELDS, POLICIES, assign, supplied_by
from catalog.ingest.movies import LISTS, MovieRecord
from catalog.models import Movie, Source
from catalog.providers.tmdb_documents import MovieDocument
from tests.factories import MovieFactory

# Columns that no source supplies: keys, figures, provenance and what search derives from titles.
OUR_OWN = {
    "id", "search_title", "search_terms", "source", "field_sources", "rating_count", "rating_sum", "popularity",
    "bayesian_mean", "created_at", "updated_at",
}  # fmt: skip
RECORD = {field.name for field in dataclass_fields(MovieRecord)} - set(LISTS)


def test_every_column_of_a_movie_is_listed_once():
    columns = {column.attname for column in Movie._meta.concrete_fields}

    assert sorted(field.name for field in FIELDS) == sorted(columns - OUR_OWN)


def test_empty_values_are_those_of_a_new_movie():
    assert {name: getattr(Movie(), name) for name in EMPTY} == EMPTY


def test_tmdb_documents_have_the_fields_that_tmdb_supplies():
    assert [
        name for name in supplied_by(Source.TMDB) if name not in {*MovieDocument.model_fields, *dir(MovieDocument)}
    ] == []


def test_bulk_lines_have_exactly_the_fields_that_bulk_supplies():
    assert set(MovieLine.model_fields) - set(LISTS) == set(supplied_by(Source.BULK))


def test_records_have_exactly_the_fields_of_data_sets():
    assert {*supplied_by(Source.MOVIELENS), *supplied_by(Source.GENERATED)} == RECORD


@pytest.mark.parametrize("source", POLICIES)
@pytest.mark.parametrize("name", [field.name for field in FIELDS if field.name != "external_id"])
def test_no_source_overwrites_what_was_edited_by_hand(source, name):
    movie = Movie(source=source, field_sources={name: Source.SITE.value}, **{name: "edited"})

    assert assign(movie, {name: "theirs"}, source) == {}
    assert getattr(movie, name) == "edited"


def test_gaps_are_filled_and_noted():
    movie = MovieFactory.build(source=Source.SITE, year=None, imdb_id=None)

    changed = assign(movie, {"title": "Other", "year": 1995, "imdb_id": "tt0113277"}, Source.MOVIELENS)

    assert changed == {
        "year": 1995,
        "imdb_id": "tt0113277",
        "field_sources": {"year": "movielens", "imdb_id": "movielens"},
    }


def test_tmdb_overwrites_its_own_and_empties_it_again():
    movie = MovieFactory.build(source=Source.MOVIELENS, overview="Theirs", field_sources={"overview": "tmdb"})

    assert assign(movie, {"overview": ""}, Source.TMDB) == {"overview": "", "field_sources": {}}


def test_bulk_overwrites_other_sources():
    movie = MovieFactory.build(source=Source.TMDB, overview="TMDB's")

    assert assign(movie, {"overview": "Ours"}, Source.BULK)["field_sources"] == {"overview": "bulk"}
