"""Models trained in milliseconds on the test's database."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.db.models import F

from catalog.aggregates import rebuild_aggregates
from catalog.models import Movie, MovieGenre, User
from recommender.estimators import ESTIMATORS, Dataset
from recommender.export import movie_frame, rating_frame
from recommender.models import ServedModel
from recommender.services import activate
from recommender.serving.model_server import server
from recommender.serving.movies import listed_movies
from tests.factories import GenreFactory, RatingFactory, UserFactory, insert_ratings, key_of
from tests.tmdb_fixtures import tmdb, tmdb_policy

__all__ = ["tmdb", "tmdb_policy"]

Train = Callable[..., ServedModel]


@pytest.fixture
def camps(db) -> dict[str, list[Movie]]:
    """Twelve space operas and twelve romances; twenty people each rate most of one kind high, some of the other low."""
    movies: dict[str, list[Movie]] = {}
    for name in ("Science Fiction", "Romance"):
        genre = GenreFactory(name=name, slug=name.lower().replace(" ", "-"))
        made = Movie.objects.bulk_create(Movie(title=f"{name} {n}", year=1980 + n) for n in range(12))
        MovieGenre.objects.bulk_create(MovieGenre(movie=movie, genre=genre) for movie in made)
        movies[name] = made
    people = User.objects.bulk_create(User(username=f"person {number}") for number in range(40))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    rows = []
    for number, person in enumerate(people):
        own, other = list(movies.values())[:: 1 if number % 2 else -1]
        for place in range(12):
            if (place + number) % 5:
                rows.append((person.pk, own[place].pk, 4.5, moment))
            if (place + number) % 4 == 0:
                rows.append((person.pk, other[place].pk, 1.5, moment))
            moment += timedelta(minutes=7)
    insert_ratings(rows)
    count_ratings()
    return movies


def count_ratings() -> None:
    """The figures on each movie as the catalogue keeps them, with popularity in the order of all ratings.

    Lists follow what bulk statements change within seconds; here at once.
    """
    rebuild_aggregates()
    Movie.objects.update(popularity=F("rating_count"))
    listed_movies.refresh()


@pytest.fixture
def train(db, settings, tmp_path) -> Train:
    """Trains on the site as it is, saves, activates, and has this process serve it."""

    settings.MODEL_DIR = tmp_path / "models"

    def train_and_serve(version: int = 1, algorithm: str = "ease", **parameters: object) -> ServedModel:
        dataset = Dataset.from_frames(rating_frame(), movie_frame(), implicit_threshold=3.5)
        folder = Path(settings.MODEL_DIR) / f"{version}-{algorithm}"
        ESTIMATORS[algorithm](**parameters).fit(dataset).save(folder)
        row = activate(version=version, algorithm=algorithm, artifact=folder.name)
        server.refresh()
        return row

    return train_and_serve


@pytest.fixture
def fan(camps) -> User:
    """Joined after the training: liked three space operas and nothing else, so that no model knows them."""
    user = UserFactory(username="fan")
    for movie in camps["Science Fiction"][:3]:
        RatingFactory(user=user, movie=movie, rating=5.0)
    return user


@pytest.fixture
def service(api):
    """A client of another system, with a token that has the permission and nothing else."""
    user = UserFactory(username="shop")
    user.user_permissions.add(Permission.objects.get(codename="recommend_for_others"))
    api.credentials(HTTP_AUTHORIZATION=f"Token {key_of(user)}")
    return api
