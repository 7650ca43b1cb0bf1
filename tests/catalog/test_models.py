import pytest
from django.db import IntegrityError, transaction

from catalog.text import fold
from tests.factories import MovieFactory, RatingFactory


def test_fold_ignores_case_accents_and_punctuation():
    assert fold("Người Nhện: Xa Nhà!") == "nguoi nhen xa nha"
    assert fold("Đảo") == "dao"
    assert fold("...") == ""


@pytest.mark.parametrize("rating", [0, 0.4, 5.5, 7, 3.3])
def test_database_refuses_ratings_that_are_no_half_stars(db, rating):
    with pytest.raises(IntegrityError), transaction.atomic():
        RatingFactory(rating=rating)


def test_database_refuses_a_second_rating_of_the_same_movie(alice):
    movie = alice.ratings.first().movie
    with pytest.raises(IntegrityError), transaction.atomic():
        RatingFactory(user=alice, movie=movie)


def test_movie_keeps_year_and_folded_title_in_step(db):
    movie = MovieFactory(title="Amélie", original_title="Le Fabuleux Destin", year=None)
    assert movie.search_title == "amelie le fabuleux destin"
