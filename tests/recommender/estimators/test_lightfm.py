import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from recommender.estimators import Dataset
from recommender.estimators.lightfm import LightFMRecommender, fit_vocabulary, tag_matrix, tags_of
from tests.recommender.estimators.data import checkerboard, tastes


def movie_frame(**columns: list[object]) -> pd.DataFrame:
    ids = range(len(next(iter(columns.values()))))
    ratings = pd.DataFrame({"user_id": [1], "movie_id": [0], "rating": [1.0]})
    return Dataset.from_frames(ratings, pd.DataFrame({"movie_id": ids, **columns})).movies


def test_tags_name_their_column() -> None:
    movies = movie_frame(
        genres=[["War", "War"], []],
        directors=[["Ang Lee"], None],
        language=["en", ""],
        release_date=["1999-05-01", None],
    )
    assert tags_of(movies) == [["genres:War", "directors:Ang Lee", "language:en", "decade:1990"], []]


def test_only_shared_tags_are_kept_and_their_weights_sum_to_one() -> None:
    movies = movie_frame(genres=[["War", "Drama"], ["War", "Drama"], ["War", "Drama", "Noir"], ["Noir"], []])
    vocabulary = fit_vocabulary(movies)
    assert vocabulary == ["genres:Drama", "genres:War"]
    weights = tag_matrix(movies, vocabulary).toarray()
    assert weights.tolist() == [[0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0, 0], [0, 0]]


def test_a_user_is_the_mapped_average_of_what_they_liked() -> None:
    model = LightFMRecommender(n_components=4, epochs=3).fit(Dataset.from_frames(*tastes()))
    vectors, biases = model.item_rows_[:, :-1], model.item_rows_[:, -1]
    liked = np.searchsorted(model.movie_ids_, [0, 14])
    user = vectors[liked].sum(axis=0) / np.sqrt(2) @ model.fold_in_
    popular = 1e-6 * model.popularity_ / model.popularity_.max()
    scores = model.recommend_for_history([{0: 5.0, 14: 3.0}], k=99, exclude_seen=False).set_index("movie_id")["score"]
    expected = pd.Series(vectors @ user + biases + popular, index=model.movie_ids_)
    np.testing.assert_allclose(scores, expected[scores.index], rtol=1e-4, atol=1e-5)


def test_ranks_new_movies_by_their_tags() -> None:
    model = LightFMRecommender(n_components=8).fit(checkerboard())
    new = pd.DataFrame({"movie_id": [100, 101], "genres": [["Western"], ["Romance"]]})
    lists = model.with_movies(new).recommend([0, 1], k=1, candidates=[100, 101])
    assert lists["movie_id"].tolist() == [100, 101]


def test_a_new_movie_without_known_tags_is_the_average_one() -> None:
    model = LightFMRecommender(n_components=4).fit(checkerboard())
    grown = model.with_movies(pd.DataFrame({"movie_id": [100], "genres": [["Opera"]]}))
    np.testing.assert_array_equal(grown.item_rows_[-1], model.average_row_)
    assert len(model.item_rows_) == 24


def test_later_metadata_changes_only_unrated_movies() -> None:
    ratings, movies = tastes()
    model = LightFMRecommender(n_components=4).fit(Dataset.from_frames(ratings, movies))
    changed = model.with_movies(pd.DataFrame({"movie_id": [0, 210], "genres": [["Comedy"], ["Comedy"]]}))
    same = (changed.item_rows_ == model.item_rows_).all(axis=1)
    assert model.movie_ids_[~same].tolist() == [210]


def test_learns_without_any_metadata() -> None:
    model = LightFMRecommender(n_components=4).fit(Dataset.from_frames(tastes()[0]))
    assert model.tags_ == []
    assert model.tag_rows_.shape == (0, 5)
    assert isinstance(tag_matrix(movie_frame(genres=[["War"]]), []), csr_matrix)


@pytest.mark.parametrize(
    ("name", "bad"), [("n_components", 0), ("epochs", 0), ("learning_rate", 0), ("regularization", -1)]
)
def test_refuses_parameters_out_of_range(name: str, bad: object) -> None:
    with pytest.raises(ValueError, match=name):
        LightFMRecommender(**{name: bad})
