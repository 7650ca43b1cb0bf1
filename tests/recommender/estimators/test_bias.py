import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recommender.estimators import Dataset
from recommender.estimators.bias import MOVIE_SHRINKAGE, USER_SHRINKAGE, RatingScale, fit_biases, residuals, user_biases
from recommender.estimators.popularity import PopularityRecommender
from tests.recommender.estimators.data import ratings_frame


@pytest.mark.parametrize(
    ("ratings", "stars"),
    [
        ([0.5, 3.0, 5.0], [0.5, 3.0, 5.0]),
        ([1.0, 10.0, 0.0], [0.5, 5.0, 0.5]),  # of ten: two are a star
        ([100.0, 60.0], [5.0, 3.0]),
        ([-1.0, 1.0, 0.0], [0.5, 5.0, 2.75]),  # any other range is stretched
        ([3000.0, 1000.0], [5.0, 0.5]),
    ],
)
def test_ratings_of_any_scale_become_stars(ratings: list[float], stars: list[float]) -> None:
    given = np.array(ratings)
    np.testing.assert_allclose(RatingScale.of(given).stars(given), stars)


def test_stars_are_finite_on_constant_and_extreme_scales() -> None:
    for ratings in ([7.0], [-3.0, -3.0], [1e308, -1e308], [0.0], [1e300]):
        given = np.array(ratings)
        stars = RatingScale.of(given).clip(RatingScale.of(given).stars(given))
        assert np.isfinite(stars).all()
        assert ((stars >= 0.5) & (stars <= 5)).all()


def test_biases_solve_the_ridge_equations() -> None:
    """By hand: two users, two movies, all rated; the alternating passes end where both equations hold."""
    ratings = csr_matrix(np.array([[5.0, 3.0], [4.0, 2.0]]))
    scale = RatingScale.of(ratings.data)
    mean, of_movies = fit_biases(ratings, scale)
    of_users = user_biases(ratings, scale, mean, of_movies)
    assert mean == 3.5
    for movie in (0, 1):
        rest = ratings.toarray()[:, movie] - mean - of_users
        assert of_movies[movie] == pytest.approx(rest.sum() / (2 + MOVIE_SHRINKAGE), abs=1e-3)
    for user in (0, 1):
        rest = ratings.toarray()[user] - mean - of_movies
        assert of_users[user] == pytest.approx(rest.sum() / (2 + USER_SHRINKAGE), abs=1e-9)


def test_residuals_are_what_the_biases_leave() -> None:
    ratings = csr_matrix(np.array([[5.0, 3.0, 0.0], [4.0, 0.0, 1.0]]))
    scale = RatingScale.of(ratings.data)
    mean, of_movies = fit_biases(ratings, scale)
    of_users = user_biases(ratings, scale, mean, of_movies)
    expected = np.where(ratings.toarray() > 0, ratings.toarray() - mean - of_users[:, None] - of_movies, 0)
    np.testing.assert_allclose(residuals(ratings, scale, mean, of_movies).toarray(), expected, atol=1e-6)


def test_predictions_know_a_generous_user_and_a_good_movie() -> None:
    rows = [(user, movie, 3.0 + (movie == 1) + 0.5 * (user == 0)) for user in range(20) for movie in (1, 2, 3)]
    model = PopularityRecommender().fit(Dataset.from_frames(ratings_frame(rows)))
    stars = model.predict_ratings([0, 1, 999], [1, 2])
    assert stars[0, 0] > stars[1, 0] > stars[1, 1]
    assert stars[1, 0] - stars[1, 1] == pytest.approx(1.0, abs=0.2)
    assert stars[2, 1] == pytest.approx(3.0, abs=0.2)
