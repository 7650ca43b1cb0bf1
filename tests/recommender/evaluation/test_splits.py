import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.evaluation.splits import temporal_cuts

from .frames import START, generated_log, ratings_frame

rows = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(1, 10).map(lambda n: n / 2), st.integers(0, 70)),
    min_size=1,
    max_size=80,
)


@settings(max_examples=50)
@given(rows)
def test_a_cut_divides_training_data_from_test_data(rows):
    ratings = ratings_frame(rows)
    moments = np.sort(ratings["rated_at"].unique())
    if len(moments) < 2:
        with pytest.raises(ValueError, match="both sides"):
            temporal_cuts(ratings, [0.5])
        return
    (split,) = temporal_cuts(ratings, [pd.Timestamp(moments[1])])
    assert (split.train["rated_at"] < split.cut).all()
    assert (split.test["rated_at"] >= split.cut).all()
    assert len(split.train) + len(split.test) == len(ratings)


def test_a_share_is_one_of_ratings_not_of_time():
    ratings = ratings_frame([(1, movie, 4.0, day) for movie, day in enumerate([0, 1, 2, 3, 4, 5, 6, 7, 100, 1000])])
    assert [len(split.train) for split in temporal_cuts(ratings, [0.7, 0.8, 0.9])] == [7, 8, 9]


@pytest.mark.parametrize("cut", [0, 1, 1.5, -0.1])
def test_refuses_a_cut_that_is_no_share(cut):
    with pytest.raises(ValueError, match="cut"):
        temporal_cuts(generated_log(), [cut])


def test_refuses_a_cut_with_nothing_before_it():
    with pytest.raises(ValueError, match="both sides"):
        temporal_cuts(generated_log(), [START - pd.Timedelta(days=1)])
