"""Queries are compiled once, and planned once per Postgres connection."""

import pytest
from django.db import connection, transaction
from django.db.models import FloatField, Value
from django.test.utils import CaptureQueriesContext

from catalog.models import Rating
from catalog.prepared import PreparedQuery
from tests.factories import RatingFactory

EXAMPLE = -9


def of_user(user_id):
    """With a constant, and with signs that a driver takes for places of parameters."""
    ratings = Rating.objects.filter(user_id=user_id).exclude(movie__title__contains="%s $1").order_by("pk")
    return ratings.values_list("movie_id", "rating", Value(-1.5, FloatField()))


@pytest.fixture
def query() -> PreparedQuery:
    return PreparedQuery(of_user, example=EXAMPLE)


def check(query: PreparedQuery, *ratings: Rating) -> None:
    for rating in ratings:
        assert query.rows(rating.user_id) == list(of_user(rating.user_id))


@pytest.mark.django_db(transaction=True)
def test_it_gives_the_rows_of_each_value(query):
    check(query, *RatingFactory.create_batch(3))
    assert query.rows(EXAMPLE) == []


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_postgres_plans_it_once_for_a_connection(query):
    ratings = RatingFactory.create_batch(3)
    for _connection in range(2):
        with CaptureQueriesContext(connection) as queries:
            for rating in ratings:
                query.rows(rating.user_id)
        assert [row["sql"].split()[0] for row in queries] == ["PREPARE", *["EXECUTE"] * 3]
        connection.close()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["DEALLOCATE ALL", "ALTER TABLE catalog_rating ALTER rating TYPE numeric"])
def test_it_answers_where_the_plan_is_gone_or_stale(query, change):
    """As through a pooler, which gives each transaction another connection of the server."""
    rating = RatingFactory()
    check(query, rating)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)
    try:
        assert [row[0] for row in query.rows(rating.user_id)] == [rating.movie_id]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE catalog_rating ALTER rating TYPE double precision")


@pytest.mark.django_db
def test_a_transaction_that_it_is_part_of_stays_whole(query):
    check(query, RatingFactory())
    with CaptureQueriesContext(connection) as queries:
        query.rows(1)
    assert queries[0]["sql"].lstrip("(").startswith("SELECT")
