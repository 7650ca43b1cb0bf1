from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from catalog.models import Credit, Keyword, Movie, MovieGenre, MovieKeyword, Person, Source
from recommender.estimators import Dataset
from recommender.export import movie_frame, rating_frame, rating_frames
from tests.factories import GenreFactory, MovieFactory, RatingFactory, UserFactory

pytestmark = pytest.mark.django_db


def describe(movie, source: str) -> None:
    """One genre, keyword, actor and director, each named after its source."""
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name=f"genre {source}", slug=source), source=source)
    keyword, _ = Keyword.objects.get_or_create(name=f"keyword {source}")
    MovieKeyword.objects.create(movie=movie, keyword=keyword, source=source)
    for role in Credit.Role.values:
        person = Person.objects.create(name=f"{role} {source}")
        Credit.objects.create(movie=movie, person=person, role=role, source=source)


def test_ratings_are_in_order_with_times_in_utc():
    first, second = RatingFactory(rating=3.5), RatingFactory(rating=0.5)
    frame = rating_frame()
    assert frame["user_id"].tolist() == [first.user_id, second.user_id]
    assert frame["movie_id"].tolist() == [first.movie_id, second.movie_id]
    assert frame["rating"].tolist() == [3.5, 0.5]
    assert frame["rated_at"].tolist() == [pd.Timestamp(first.rated_at), pd.Timestamp(second.rated_at)]
    assert str(frame["rated_at"].dtype) == "datetime64[us, UTC]"


def test_chunks_join_to_the_whole():
    RatingFactory.create_batch(5)
    chunks = list(rating_frames(chunk_size=2))
    assert [len(chunk) for chunk in chunks] == [2, 2, 1]
    pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), rating_frame())


def test_ratings_of_deactivated_users_do_not_train():
    RatingFactory(user=UserFactory(is_active=False))
    kept = RatingFactory()
    assert rating_frame()["user_id"].tolist() == [kept.user_id]


def test_an_empty_site_exports_empty_frames_of_the_same_columns():
    assert rating_frame().dtypes.astype(str).tolist() == ["int64", "int64", "float64", "datetime64[us, UTC]"]
    assert list(rating_frames()) == []
    assert movie_frame().columns.tolist()[:3] == ["movie_id", "title", "release_date"]
    assert movie_frame(movie_ids=[]).empty


def test_a_movie_comes_with_all_its_metadata():
    movie = MovieFactory(title="Heat", release_date=date(1995, 12, 15), overview="A group of robbers.", language="en")
    Movie.objects.update(countries="US,GB")
    for name in ("Thriller", "Crime"):
        MovieGenre.objects.create(movie=movie, genre=GenreFactory(name=name, slug=name.lower()))
    MovieKeyword.objects.create(movie=movie, keyword=Keyword.objects.create(name="heist"))
    for position, name in enumerate(["Al Pacino", "Robert De Niro"]):
        person = Person.objects.create(name=name)
        Credit.objects.create(movie=movie, person=person, role="cast", position=position)
    Credit.objects.create(movie=movie, person=Person.objects.create(name="Michael Mann"), role="director")

    [row] = movie_frame().to_dict("records")
    assert row == {
        "movie_id": movie.pk,
        "title": "Heat",
        "release_date": pd.Timestamp("1995-12-15"),
        "genres": ["Crime", "Thriller"],
        "keywords": ["heist"],
        "cast": ["Al Pacino", "Robert De Niro"],
        "directors": ["Michael Mann"],
        "countries": ["US", "GB"],
        "overview": "A group of robbers.",
        "language": "en",
    }


def test_a_movie_with_only_a_year_is_dated_to_its_first_day():
    MovieFactory(year=1950)
    MovieFactory(year=None)
    dates = movie_frame()["release_date"]
    assert dates[0] == pd.Timestamp("1950-01-01")
    assert pd.isna(dates[1])


def test_only_the_asked_movies_come_even_when_they_are_many():
    movies = MovieFactory.create_batch(3)
    wanted = [movies[2].pk, movies[0].pk, *range(10**6, 10**6 + 2000)]
    assert movie_frame(movie_ids=wanted)["movie_id"].tolist() == [movies[0].pk, movies[2].pk]


@pytest.mark.parametrize("allowed", [False, True])
@pytest.mark.ml_test("D4")
def test_tmdb_metadata_trains_only_with_its_agreement(settings, allowed):
    settings.TMDB_METADATA_IN_TRAINING = allowed
    movie = MovieFactory(
        title="From TMDB",
        overview="TMDB's words",
        language="vi",
        countries="VN",
        release_date=date(2020, 2, 2),
        source=Source.TMDB,
    )
    describe(movie, Source.TMDB)
    [row] = movie_frame().to_dict("records")
    if allowed:
        assert (row["title"], row["overview"], row["language"]) == ("From TMDB", "TMDB's words", "vi")
        assert row["genres"] == ["genre tmdb"]
        assert row["directors"] == ["director tmdb"]
        assert row["countries"] == ["VN"]
    else:
        assert (row["title"], row["overview"], row["language"]) == ("", "", "")
        assert pd.isna(row["release_date"])
        assert row["genres"] == row["keywords"] == row["cast"] == row["directors"] == row["countries"] == []


@pytest.mark.ml_test("D4")
def test_a_field_of_another_source_follows_that_source(settings):
    settings.TMDB_METADATA_IN_TRAINING = False
    movie = MovieFactory(
        title="Kept", overview="TMDB's words", source=Source.MOVIELENS, field_sources={"overview": Source.TMDB}
    )
    MovieFactory(title="TMDB's", overview="Ours", source=Source.TMDB, field_sources={"overview": Source.SITE})
    for source in (Source.MOVIELENS, Source.TMDB):
        describe(movie, source)
    frame = movie_frame()
    assert frame["title"].tolist() == ["Kept", ""]
    assert frame["overview"].tolist() == ["", "Ours"]
    assert frame["cast"].tolist() == [["cast movielens"], []]


def test_the_number_of_queries_does_not_grow_with_the_movies(django_assert_num_queries):
    movies = MovieFactory.create_batch(3)
    for movie in movies:
        describe(movie, Source.SITE)
    with django_assert_num_queries(5):
        movie_frame(movie_ids=[movie.pk for movie in movies])
    with django_assert_num_queries(1):
        rating_frame()


def test_the_frames_make_a_dataset():
    rating = RatingFactory(rated_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
    describe(rating.movie, Source.SITE)
    dataset = Dataset.from_frames(rating_frame(), movie_frame())
    assert dataset.movie_ids.tolist() == [rating.movie_id]
    assert dataset.movies["genres"].tolist() == [["genre site"]]
    assert dataset.now == np.datetime64("2026-03-01T12:00:00", "ns").astype(np.int64)
