"""Tests the simulated first minute: the answers and the evaluation."""

import pandas as pd
import pytest

from benchmarks.welcome import (
    MIN_RATINGS,
    MOST_TITLES,
    N_ANSWERS,
    WALL,
    Person,
    answer_in_order,
    answer_wall,
    ndcg,
    people,
)
from recommender.estimators import Elicitation
from tests.recommender.estimators.fitted_models import MOVIES, fitted


@pytest.fixture(scope="module")
def elicitation() -> Elicitation:
    return Elicitation(fitted("ease"))


def test_on_a_wall_the_first_title_seen_is_rated(elicitation):
    first = elicitation.choose({}, [], WALL)
    wall = answer_wall(elicitation, {first[3]: 2.0, first[5]: 4.0})
    assert next(iter(wall.answers)) == first[3]
    assert wall.answers == {first[3]: 2.0, first[5]: 4.0}


def test_nobody_answers_more_than_was_asked_or_seen(elicitation):
    everything = dict.fromkeys(MOVIES, 4.0)
    assert len(answer_wall(elicitation, everything).answers) == N_ANSWERS
    nothing = answer_wall(elicitation, {})
    assert nothing.answers == {}
    assert nothing.n_titles == len(elicitation.titles)
    assert answer_in_order(MOVIES, everything) == (dict.fromkeys(MOVIES[:N_ANSWERS], 4.0), N_ANSWERS)
    assert answer_in_order(range(1000), {}).n_titles == MOST_TITLES


def test_halves_share_no_movie_and_judge_by_likes():
    rows = [(user, movie, 1 + movie % 5) for user in (1, 2) for movie in range(MIN_RATINGS + 10)]
    ratings = pd.DataFrame(rows, columns=["user_id", "movie_id", "rating"])
    known = set(range(MIN_RATINGS + 8))
    first, second = people(ratings, [1, 2], 0, known)
    for person in (first, second):
        assert len(person.seen) == (MIN_RATINGS + 8) // 2
        assert not set(person.seen) & set(person.liked)
        assert all(1 + movie % 5 >= 4 for movie in person.liked)
        assert known >= {*person.seen, *person.liked}
    assert first.seen != second.seen
    assert people(ratings, [1], 0, set(range(MIN_RATINGS - 1))) == []


def test_a_list_of_likes_alone_is_perfect():
    model = fitted("ease")
    listed = model.recommend_for_history([{}], k=10)["movie_id"].tolist()
    figures = ndcg(model, [Person(1, 0, {}, listed[:3]), Person(2, 0, {listed[0]: 5.0}, [listed[0]])], [{}, {}])
    assert figures.tolist() == pytest.approx([1.0, 0.0])
