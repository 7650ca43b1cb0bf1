import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.sample.generated import generate


@pytest.fixture(scope="module")
def sample():
    return generate(users=300, movies=600, ratings=20_000, seed=1)


def test_gives_exactly_what_was_asked_for(sample):
    ratings, movies = sample
    assert list(ratings.columns) == ["user_id", "movie_id", "rating", "rated_at"]
    assert len(ratings) == 20_000
    assert not ratings.duplicated(["user_id", "movie_id"]).any()
    assert ratings["user_id"].nunique() == 300
    assert set(ratings["rating"]) <= {step / 2 for step in range(1, 11)}
    assert ratings["rated_at"].is_monotonic_increasing
    assert str(ratings["rated_at"].dt.tz) == "UTC"
    assert list(movies["movie_id"]) == list(range(1, 601))


def test_movies_are_described_and_have_titles_of_their_own(sample):
    movies = sample[1]
    assert movies["title"].is_unique
    for column in ("genres", "keywords", "cast", "directors"):
        assert movies[column].map(lambda names: len(names) > 0 and len(set(names)) == len(names)).all()
    for column in ("overview", "language"):
        assert (movies[column].str.len() > 0).all()
    assert movies["release_date"].dt.tz is None


def test_same_seed_gives_the_same_and_another_seed_another(sample):
    ratings, movies = generate(users=300, movies=600, ratings=20_000, seed=1)
    pd.testing.assert_frame_equal(ratings, sample[0])
    pd.testing.assert_frame_equal(movies, sample[1])
    assert not generate(users=300, movies=600, ratings=20_000, seed=2)[0].equals(ratings)


def test_nobody_rates_before_the_release(sample):
    ratings, movies = sample
    released = movies.set_index("movie_id")["release_date"].dt.tz_localize("UTC")
    assert (ratings["rated_at"] >= ratings["movie_id"].map(released)).all()


def test_movies_and_users_are_long_tailed(sample):
    ratings = sample[0]
    by_movie = ratings["movie_id"].value_counts()
    by_user = ratings["user_id"].value_counts()
    assert by_movie.head(60).sum() > 0.3 * len(ratings)  # a tenth of the movies
    assert by_user.max() > 4 * by_user.median()


def test_early_ratings_predict_later_ones_better_than_popularity():
    """An item-item model without any care beats the most popular movies on the last 30 %, by far more than chance."""
    ratings, movies = generate(users=400, movies=500, ratings=24_000, seed=3)
    cut = int(0.7 * len(ratings))
    seen = np.zeros((401, len(movies) + 1), dtype=np.float32)
    later = np.zeros_like(seen)
    seen[ratings["user_id"][:cut], ratings["movie_id"][:cut]] = 1
    liked = ratings[cut:][ratings["rating"][cut:] >= 3.5]
    later[liked["user_id"], liked["movie_id"]] = 1
    users = (seen.sum(axis=1) >= 5) & (later.sum(axis=1) > 0)
    gram = seen.T @ seen
    similarity = gram / np.sqrt(np.outer(gram.diagonal() + 1, gram.diagonal() + 1))
    np.fill_diagonal(similarity, 0)

    def hits(scores):
        top = np.argsort(-np.where(seen[users] > 0, -np.inf, scores), axis=1)[:, :10]
        return np.take_along_axis(later[users], top, axis=1).mean(axis=1)

    gain = hits((seen @ similarity)[users]) - hits(np.tile(seen.sum(axis=0), (users.sum(), 1)))
    assert users.sum() >= 150
    assert gain.mean() > 4 * gain.std() / np.sqrt(len(gain))


def test_metadata_tells_who_likes_a_movie():
    """The genres a user rated before are more common among what they rate later than among what all rate later."""
    ratings, movies = generate(users=300, movies=600, ratings=15_000, seed=4)
    names = sorted({name for row in movies["genres"] for name in row})
    has = np.array([[name in row for name in names] for row in movies["genres"]], dtype=float)
    shares = []
    for part in (ratings[: len(ratings) // 2], ratings[len(ratings) // 2 :]):
        counts = np.zeros((301, len(names)))
        np.add.at(counts, part["user_id"], has[part["movie_id"] - 1])
        shares.append(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))
    active = (shares[0].sum(axis=1) > 0) & (shares[1].sum(axis=1) > 0)
    before, after = (share[active] - share[active].mean(axis=0) for share in shares)
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.3


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_any_numbers_that_go_together_give_a_sample(users, movies, data):
    n = data.draw(st.integers(0, users * max(movies // 2, 1)))
    ratings, catalogue = generate(users=users, movies=movies, ratings=n, seed=0)
    assert len(ratings) == n
    assert len(catalogue) == movies
    assert not ratings.duplicated(["user_id", "movie_id"]).any()


@pytest.mark.parametrize(
    ("users", "movies", "ratings", "message"),
    [
        (10, 10, 51, "51 ratings are too many"),
        (0, 10, 1, "at least 1 user"),
        (1, 0, 0, "1 movie"),
        (1, 1, -1, "0 ratings"),
    ],
)
def test_refuses_numbers_that_do_not_go_together(users, movies, ratings, message):
    with pytest.raises(ValueError, match=message):
        generate(users=users, movies=movies, ratings=ratings)
