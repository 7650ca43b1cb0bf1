from collections import defaultdict

import pytest

from catalog.models import Movie, Rating, Viewing
from catalog.services import record_rating, remove_rating
from recommender.errors import InvalidRequest
from recommender.models import Dismissal
from recommender.services import recommend
from recommender.serving import stored_order
from recommender.serving.model_server import server
from tests.factories import GenreFactory, MovieFactory, RatingFactory, UserFactory
from tests.recommender.conftest import count_ratings

pytestmark = pytest.mark.django_db


def shown(recommendations) -> list[int]:
    return [result.movie.pk for result in recommendations.results]


def test_a_user_unknown_to_the_model_gets_personal_movies(train, camps, fan):
    train(version=7)
    recommendations = recommend(user=fan, k=5, surface="test")
    assert {result.source for result in recommendations.results} == {"personal"}
    assert [result.rank for result in recommendations.results] == [1, 2, 3, 4, 5]
    assert set(shown(recommendations)) <= {movie.pk for movie in camps["Science Fiction"][3:]}
    assert (recommendations.model_version, recommendations.fallback) == (7, None)
    scores = [result.score for result in recommendations.results]
    assert scores == sorted(scores, reverse=True)


def test_every_change_of_a_rating_counts_in_the_next_list(train, camps, fan):
    train()
    romance = camps["Romance"][0]
    before = recommend(user=fan, k=21, surface="test")
    record_rating(user=fan, movie=romance, rating=5.0)
    rated = recommend(user=fan, k=21, surface="test")
    assert romance.pk in shown(before)
    assert romance.pk not in shown(rated)
    assert [result.score for result in before.results] != [result.score for result in rated.results]

    record_rating(user=fan, movie=romance, rating=0.5)
    disliked = recommend(user=fan, k=20, surface="test")
    assert romance.pk not in shown(disliked)
    assert [r.score for r in disliked.results] != [r.score for r in rated.results[:20]]

    remove_rating(user=fan, movie=romance)
    after = recommend(user=fan, k=21, surface="test")
    assert [(r.movie.pk, r.score) for r in after.results] == [(r.movie.pk, r.score) for r in before.results]


def test_a_user_without_ratings_gets_popular_movies(train, camps, nora):
    train()
    movie = camps["Romance"][4]
    Movie.objects.filter(pk=movie.pk).update(popularity=1000.0)
    recommendations = recommend(user=nora, k=3, surface="test")
    assert shown(recommendations)[0] == movie.pk
    assert [result.source for result in recommendations.results] == ["popular"] * 3
    assert (recommendations.model_version, recommendations.fallback) == (None, "popular")


def test_a_user_of_unknown_movies_gets_popular_ones(train, camps, nora):
    train()
    RatingFactory(user=nora, movie=MovieFactory())
    assert recommend(user=nora, k=3, surface="test").fallback == "popular"


def test_without_any_rating_the_newest_come(nora):
    MovieFactory(year=1999)
    newest = MovieFactory(year=2025)
    MovieFactory(year=None)
    recommendations = recommend(user=nora, k=2, surface="test")
    assert shown(recommendations)[0] == newest.pk
    assert [(result.source, result.score) for result in recommendations.results] == [
        ("newest", 2025.0),
        ("newest", 1999.0),
    ]
    assert recommendations.fallback == "newest"


def test_without_any_movie_the_list_is_empty(nora):
    recommendations = recommend(user=nora, surface="test")
    assert (recommendations.results, recommendations.model_version, recommendations.fallback) == ([], None, "newest")


def test_without_a_model_unrated_movies_fill_the_list(nora, bob):
    newest = MovieFactory(year=2030)
    count_ratings()
    recommendations = recommend(user=nora, k=5, surface="test")
    assert [result.source for result in recommendations.results] == ["popular", "popular", "newest"]
    assert shown(recommendations)[-1] == newest.pk


def test_genre_narrows_before_the_cut(train, camps, fan):
    train()
    everything = recommend(user=fan, k=9, surface="test")
    assert not {movie.pk for movie in camps["Romance"]} & set(shown(everything))
    for genre in ("Romance", "romance", "ROMANCE"):
        recommendations = recommend(user=fan, k=12, genre=genre, surface="test")
        assert set(shown(recommendations)) == {movie.pk for movie in camps["Romance"]}
    assert len(recommend(user=fan, k=5, genre="science-fiction", surface="test").results) == 5


def test_genre_filters_every_source_of_the_chain(train, camps, nora):
    train()
    recommendations = recommend(user=nora, k=12, genre="romance", surface="test")
    assert set(shown(recommendations)) == {movie.pk for movie in camps["Romance"]}


@pytest.mark.wording
def test_an_unknown_genre_is_refused_and_an_empty_one_is_not(nora, camps):
    with pytest.raises(InvalidRequest, match="unknown genre 'Westren'"):
        recommend(user=nora, genre="Westren", surface="test")
    GenreFactory(name="Western", slug="western")
    assert recommend(user=nora, genre="western", surface="test").results == []


def test_excluded_movies_are_replaced_by_the_next_ones(train, camps, fan, settings):
    by_score = settings.POLICY.serving.model_copy(update={"diversity": 0.0})  # else by what is unlike the others too
    settings.POLICY = settings.POLICY.model_copy(update={"serving": by_score})
    train()
    first = recommend(user=fan, k=6, surface="test")
    recommendations = recommend(user=fan, k=3, exclude=[*shown(first)[:3], 10**9], surface="test")
    assert shown(recommendations) == shown(first)[3:]


def test_a_list_has_k_movies_whenever_there_are_k(train, camps, fan):
    train()
    MovieFactory.create_batch(2)
    for k in (1, 21, 23, 50):
        recommendations = recommend(user=fan, k=k, surface="test")
        assert len(recommendations.results) == len(set(shown(recommendations))) == min(k, Movie.objects.count() - 3)


def test_movies_deleted_since_the_model_was_loaded_are_replaced(train, camps, fan):
    train()
    first = recommend(user=fan, k=5, surface="test")
    Movie.objects.filter(pk__in=shown(first)[:2]).delete()
    recommendations = recommend(user=fan, k=5, surface="test")
    assert len(recommendations.results) == 5
    assert [result.rank for result in recommendations.results] == [1, 2, 3, 4, 5]
    assert not set(shown(first)[:2]) & set(shown(recommendations))


@pytest.mark.parametrize("algorithm", ["ease", "popularity"])
@pytest.mark.parametrize("broken", [0, 1, 2, 3])
@pytest.mark.parametrize("genre", [None, "science-fiction"])
def test_no_source_shows_seen_or_dismissed_movies(train, camps, fan, monkeypatch, algorithm, broken, genre):
    train(version=1, algorithm="popularity")
    train(version=2, algorithm=algorithm)
    dismissed = camps["Science Fiction"][5]
    Dismissal.objects.create(user=fan, movie=dismissed)
    RatingFactory(user=fan, movie=camps["Romance"][1], rating=0.5)
    break_sources(monkeypatch, broken)
    excluded = set(Rating.objects.filter(user=fan).values_list("movie_id", flat=True)) | {dismissed.pk}

    recommendations = recommend(user=fan, k=50, include_new=True, genre=genre, surface="test")
    assert recommendations.fallback == [None, "previous", "popular", "newest"][broken]
    assert not excluded & set(shown(recommendations))
    possible = Movie.objects.exclude(pk__in=excluded)
    if genre:
        possible = possible.filter(genres__slug=genre)
    assert set(shown(recommendations)) == set(possible.values_list("pk", flat=True))


def break_sources(monkeypatch, how_many: int) -> None:
    """As if the first sources of the fallback chain had a bug."""

    def fail(*args: object) -> None:
        raise RuntimeError("broken on purpose")

    for loaded in server.models()[:how_many]:
        monkeypatch.setattr(loaded.model, "_cut", fail)
    if how_many > 2:
        monkeypatch.setattr(stored_order, "_first", first_but_not_popular(stored_order._first))


def first_but_not_popular(first):
    def newest_only(movies, request, score):
        if score == "popularity":
            raise RuntimeError("broken on purpose")
        return first(movies, request, score)

    return newest_only


@pytest.mark.parametrize("k", [0, -1, 101, 100_000])
@pytest.mark.wording
def test_a_k_out_of_bounds_is_refused(nora, k):
    with pytest.raises(InvalidRequest, match=r"k: expected a number from 1 to 100, got"):
        recommend(user=nora, k=k, surface="test")


def test_a_list_takes_few_queries_whatever_its_length(train, camps, fan, django_assert_max_num_queries):
    train()
    for k in (2, 20):
        with django_assert_max_num_queries(3):  # ratings, dismissals, movies
            recommend(user=fan, k=k, surface="test")
        with django_assert_max_num_queries(5):
            recommend(user=fan, k=min(k, 9), genre="romance", surface="test")
    other = UserFactory()
    with django_assert_max_num_queries(5):
        recommend(user=other, k=20, surface="test")


def test_reasons_come_when_asked_for_and_name_what_was_liked(train, camps, fan):
    train()
    assert all(not result.reasons for result in recommend(user=fan, k=3, surface="test").results)
    titles = {movie.title for movie in camps["Science Fiction"][:3]}
    for result in recommend(user=fan, k=3, explain=True, surface="test").results:
        assert 1 <= len(result.reasons) <= 3
        assert {reason.name for reason in result.reasons} <= titles
        assert all(reason.contribution > 0 for reason in result.reasons)


def test_each_movie_names_a_liked_movie_without_being_asked(train, camps, fan):
    train(algorithm="hybrid", regularization=2.0, popularity_weight=0.1, cold_user_weight=0.0, reranker=False)
    low = RatingFactory(user=fan, movie=camps["Science Fiction"][3], rating=2.0).movie
    seen = Viewing.objects.create(user=fan, movie=camps["Romance"][0], watched_on=None).movie
    results = recommend(user=fan, k=15, surface="test").results
    named: dict[str, set[int | None]] = defaultdict(set)
    for result in results:
        named[result.reason.code].add(result.reason.movie_id)
    liked = {movie.pk for movie in camps["Science Fiction"][:3]}
    assert named["liked"] <= liked
    assert named["watched"] == {seen.pk}
    assert all(low.pk not in movies for movies in named.values())
    for result in results:
        assert (result.reason.contribution or 0) > 0 or result.reason.code == "ratings"
        assert result.reason.name in result.reason.sentence


def test_a_list_without_taste_says_what_it_is(train, camps, fan, nora):
    train(algorithm="popularity")
    assert {result.reason.code for result in recommend(user=fan, k=3, surface="test").results} == {"popular"}
    assert {result.reason for result in recommend(user=nora, k=3, surface="test").results} == {None}


def test_a_list_outlives_a_failure_to_give_reasons(train, fan, monkeypatch):
    train()
    monkeypatch.setattr("recommender.serving.candidates.main_reasons", lambda *args: 1 / 0)
    assert [result.reason for result in recommend(user=fan, k=3, surface="test").results] == [None] * 3


def test_reasons_are_given_until_the_time_is_over(train, camps, fan, monkeypatch):
    train()
    monkeypatch.setattr("recommender.explanations.EXPLAIN_SECONDS", -1.0)
    recommendations = recommend(user=fan, k=3, explain=True, surface="test")
    assert [bool(result.reasons) for result in recommendations.results] == [True, False, False]


def test_the_policy_decides_how_diverse_a_list_is(train, camps, fan, settings):
    train(algorithm="hybrid")
    model = server.models()[0].model
    likeness = {}
    for strength in (0.0, 1.0):
        serving = settings.POLICY.serving.model_copy(update={"diversity": strength})
        settings.POLICY = settings.POLICY.model_copy(update={"serving": serving})
        lists = [recommend(user=fan, k=k, surface="test") for k in (2, 3, 4)]
        for k, recommendations in zip((2, 3, 4), lists, strict=True):
            assert [result.rank for result in recommendations.results] == list(range(1, k + 1))
            scores = [result.score for result in recommendations.results]
            assert scores == sorted(scores, reverse=True)
        likeness[strength] = sum(model.likeness(shown(recommendations)).mean() for recommendations in lists)
    assert likeness[1.0] < likeness[0.0]
