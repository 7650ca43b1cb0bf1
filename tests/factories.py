"""Rows for tests, with plausible defaults."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import factory
from django.db import connection
from django.utils import timezone
from factory.django import DjangoModelFactory
from rest_framework.test import APIClient

from catalog.models import APIKey, Genre, Movie, Offer, Picture, Rating, Scope, Source, User, WatchService
from catalog.models.api_key import hash_of, new_key

ROWS_AT_ONCE = 1000  # SQLite accepts 32,766 values per statement


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.django.Password("correct horse battery")


class GenreFactory(DjangoModelFactory):
    class Meta:
        model = Genre
        django_get_or_create = ("name",)

    name = "Drama"
    slug = factory.LazyAttribute(lambda genre: genre.name.lower())


class MovieFactory(DjangoModelFactory):
    class Meta:
        model = Movie

    title = factory.Sequence(lambda n: f"Movie {n}")
    year = factory.Sequence(lambda n: 1950 + n % 70)


class OfferFactory(DjangoModelFactory):
    """A movie's offer by Netflix in Viet Nam. `name` names another service."""

    class Meta:
        model = Offer
        exclude = ["name"]

    name = "Netflix"
    movie = factory.SubFactory(MovieFactory)
    service = factory.LazyAttribute(lambda offer: WatchService.objects.get_or_create(name=offer.name)[0])
    region = "VN"
    kind = Offer.Kind.STREAM


class PictureFactory(DjangoModelFactory):
    """A picture on Commons, as written by a sync. Pass a movie or a person."""

    class Meta:
        model = Picture

    state = Picture.State.READ
    file = "Portrait.jpg"
    url = "https://upload.wikimedia.org/wikipedia/commons/thumb/a/ab/Portrait.jpg/330px-Portrait.jpg"
    width, height = 330, 440
    page_url = "https://commons.wikimedia.org/wiki/File:Portrait.jpg"
    author = "Ada Photographer"
    licence, licence_url = "CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0"
    retrieved_at = factory.LazyFunction(timezone.now)


class RatingFactory(DjangoModelFactory):
    class Meta:
        model = Rating

    user = factory.SubFactory(UserFactory)
    movie = factory.SubFactory(MovieFactory)
    rating = 4.0
    rated_at = factory.Sequence(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n))


def insert_ratings(rows: Iterable[Iterable[object]]) -> None:
    """Inserts (user id, movie id, stars, time) rows, five times as fast as `bulk_create`."""
    adapted = connection.ops.adapt_datetimefield_value
    values = [(user, movie, stars, adapted(rated_at), Source.SITE.value) for user, movie, stars, rated_at in rows]
    with connection.cursor() as cursor:
        for begin in range(0, len(values), ROWS_AT_ONCE):
            part = values[begin : begin + ROWS_AT_ONCE]
            cursor.execute(
                f"INSERT INTO {Rating._meta.db_table} (user_id, movie_id, rating, rated_at, source) VALUES "
                + ", ".join(["(%s, %s, %s, %s, %s)"] * len(part)),
                [value for row in part for value in row],
            )


def key_of(user: User, *scopes: str, **values: object) -> str:
    """Returns a new API key, by default with all of the account's permissions."""
    key, listed = new_key(), " ".join(scopes or Scope.values)
    APIKey.objects.create(user=user, hash=hash_of(key), prefix=key[:10], scopes=listed, **values)
    return key


def api_client_of(user: User) -> APIClient:
    """Returns a client that sends a key of the user."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key_of(user)}")
    return client
