"""Tests the search columns: their values for existing movies, and the use of indexes."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import QuerySet

from catalog.aggregates import check_aggregates
from catalog.filters import in_order
from catalog.models import AlternativeTitle, Movie, Person, SearchTerm
from catalog.search.backends import TermQuery, matching
from catalog.search.index_maintenance import refresh_search
from catalog.search.query import SearchQuery, suggest
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

migration = import_module("catalog.migrations.0005_search")


@pytest.fixture
def from_before() -> list[Movie]:
    """Movies as they were before there was a search."""
    movies = [
        MovieFactory(title=title, original_title=other) for title, other in (("Spider-Man", "Người Nhện"), ("Up", ""))
    ]
    AlternativeTitle.objects.create(movie=movies[0], title="Homem-Aranha")
    Movie.objects.update(search_terms="", search_title="old")
    SearchTerm.objects.all().delete()
    return movies


def test_the_migration_makes_movies_from_before_findable(from_before, monkeypatch):
    monkeypatch.setattr(migration, "BATCH", 1)
    migration.fill_search(apps, SimpleNamespace(connection=connection))

    assert not check_aggregates()
    assert [list(suggest(text)) for text in ("nguoi nhen", "homem arnha", "up")] == [
        [from_before[0]],
        [from_before[0]],
        [from_before[1]],
    ]


def test_refresh_finds_and_counts_titles_written_without_save(from_before):
    assert refresh_search(Movie.objects.all()) == 2
    assert refresh_search(Movie.objects.all()) == 0
    assert not check_aggregates()


def test_the_migration_makes_people_from_before_findable(monkeypatch):
    people = [Person.objects.create(name=name) for name in ("Ngô Thanh Vân", "???", "Cher")]
    Person.objects.update(search_terms="")
    people_migration = import_module("catalog.migrations.0028_search_people")
    monkeypatch.setattr(people_migration, "BATCH", 2)
    people_migration.fill_search(apps, SimpleNamespace(connection=connection))

    assert not check_aggregates()
    assert [SearchQuery(text).people for text in ("ngo thanh van", "cher")] == [[people[0]], [people[2]]]


def plan_without(ways: list[str], rows: QuerySet[Any]) -> str:
    """A table of a few rows is read as a whole unless that is forbidden; benchmarks/search.py looks at a large one."""
    with connection.cursor() as cursor:
        for way in ways:
            cursor.execute(f"SET LOCAL enable_{way} = off")
    return rows.explain()


@pytest.mark.services
def test_postgres_can_find_words_and_names_by_their_index():
    found = Movie.objects.filter(matching(TermQuery((("toy",), ("st*", "stay")), ("=toyst*",)))).order_by()

    assert "catalog_movie_search" in plan_without(["seqscan", "indexscan"], found)


@pytest.mark.services
def test_postgres_can_find_people_by_their_index():
    found = Person.objects.filter(matching(TermQuery((("tom",), ("han*",)), ("=tomhan*",)))).order_by()

    assert "catalog_person_search" in plan_without(["seqscan", "indexscan"], found)


@pytest.mark.services
@pytest.mark.parametrize(
    ("ordering", "index"),
    [
        ("popular", "catalog_movie_popularity"),
        ("newest", "catalog_movie_newest_nulls_last"),
        ("most_rated", "catalog_movie_most_rated"),
        ("best_rated", "catalog_movie_best_rated"),
        ("title", "catalog_movie_title"),
    ],
)
def test_postgres_can_sort_by_an_index_from_either_end(ordering, index):
    movies = in_order(Movie.objects.all(), ordering).values_list("pk")

    assert index in plan_without(["seqscan", "sort"], movies[:36])
    assert index in plan_without([], movies.reverse()[:36])
