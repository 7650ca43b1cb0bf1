import pytest
from django.core.management import CommandError, call_command

from catalog.models import Movie, Viewing
from recommender.models import Dismissal, Feedback, Impression, ServingStatsMinute
from recommender.services import recommend, recommend_new
from recommender.serving.lists import impressions
from recommender.serving.model_server import server
from recommender.serving.stats import serving_stats
from tests.factories import MovieFactory, RatingFactory
from tests.recommender.conftest import count_ratings

pytestmark = pytest.mark.django_db


def explained(capsys, user="fan", **options) -> str:
    call_command("explain_list", user=str(user), **options)
    return capsys.readouterr().out


def counts(text: str) -> list[tuple[int, str]]:
    """The counted steps, in order."""
    lines = text.split("\nList of ")[0].splitlines()
    rows = (line.split(maxsplit=1) for line in lines if line.startswith("   "))
    return [(int(number), what) for number, what in rows if number.lstrip("-").isdigit()]


@pytest.mark.wording
def test_each_filter_is_counted_up_to_the_final_list(train, camps, fan, capsys):
    train(version=7)
    dismissed, excluded = camps["Science Fiction"][3], camps["Science Fiction"][4]
    Dismissal.objects.create(user=fan, movie=dismissed)
    Viewing.objects.create(user=fan, movie=camps["Romance"][0])
    MovieFactory.create_batch(2)
    server.refresh()

    text = explained(capsys, k=5, exclude=[excluded.pk, fan.ratings.first().movie_id])

    assert "champion (model 7), asked for 5 movies: movies were returned" in text
    assert counts(text) == [
        (3, "ratings, 3 of them high"),
        (1, "movies watched without a rating"),
        (1, "movies dismissed"),
        (26, "movies in the catalogue"),
        (-2, "without a rating in the model's data (new movies)"),
        (-4, "seen: rated or watched by the user"),
        (-1, "dismissed by the user"),
        (-1, "excluded by the request or already in the list"),
        (18, "remaining candidates"),
        (6, "best candidates by score"),
        (5, "kept after re-ranking for diversity, up to the requested length"),
        (5, "in the list"),
    ]
    served = recommend(user=fan, k=5, exclude=[excluded.pk], surface="test").results
    listed = [line for line in text.splitlines() if "  personal" in line]
    for line, result in zip(listed, served, strict=True):
        assert f"{result.rank}  {result.movie}  {result.score:.4f}  personal  because of movie: " in line


@pytest.mark.wording
def test_the_genre_and_the_sources_that_fill_up_are_shown(train, camps, fan, capsys):
    train()
    count_ratings()
    text = explained(capsys, k=20, genre="romance")
    assert (-12, "do not match the filters") in counts(text)
    assert "popular, asked for 8 movies: all movies are excluded" in text
    assert "newest, asked for 8 movies: all movies are excluded" in text
    assert "List of 12 movies by model 1, fallback: none" in text


@pytest.mark.wording
def test_a_source_that_failed_is_named(train, camps, fan, capsys, monkeypatch):
    train(version=1)
    train(version=2, algorithm="popularity")
    monkeypatch.setattr(server.champion().model, "_cut", None)
    text = explained(capsys, k=3)
    assert "champion (model 2), asked for 3 movies: an exception occurred; see the log" in text
    assert "previous (model 1), asked for 3 movies: movies were returned" in text
    assert "by model 1, fallback: previous" in text


@pytest.mark.wording
def test_new_movies_have_an_explanation_of_their_own(train, camps, fan, capsys):
    train()
    text = explained(capsys, new=True)
    assert "champion (model 1), asked for 10 movies: the model does not score new movies" in text
    assert "The list is empty (no_new_movies): every movie in the catalogue has a rating" in text

    new = MovieFactory(year=2031)
    server.refresh()
    assert str(new) in explained(capsys, new=True)
    assert [result.movie for result in recommend_new(user=fan, surface="test").results] == [new]


@pytest.mark.wording
def test_blended_new_movies_are_counted(train, camps, fan, capsys):
    train(algorithm="hybrid")
    MovieFactory.create_batch(3, year=2030)
    server.refresh()
    text = explained(capsys, k=10, include_new=True)
    assert (2, "new movies blended in") in counts(text)
    assert (-24, "with a rating in the model's data (not new)") in counts(text)


@pytest.mark.wording
def test_a_user_without_ratings_is_explained_the_popular_list(train, camps, nora, capsys):
    train()
    count_ratings()
    text = explained(capsys, nora.pk, k=2)
    assert "the model does not know any movie that the user rated or watched" in text
    assert (24, "movies with ratings") in counts(text)
    assert "List of 2 movies by no model, fallback: popular" in text


def test_an_empty_list_says_why(nora, capsys):
    assert "The list is empty (no_movies)" in explained(capsys, "nora")
    movie = RatingFactory(user=nora).movie
    count_ratings()
    assert "The list is empty (all_excluded)" in explained(capsys, "nora")
    Movie.objects.filter(pk=movie.pk).delete()
    assert "The list is empty (no_movies)" in explained(capsys, "nora")


def test_nothing_is_recorded_as_shown(train, camps, fan, capsys):
    train()
    explained(capsys)
    for flush in (impressions.flush, serving_stats.flush):
        flush()
    assert [model.objects.count() for model in (Impression, ServingStatsMinute, Feedback)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "expected a number from 1 to 100, got 0"),
        ({"genre": "Westren"}, "unknown genre 'Westren'"),
        ({"new": True, "genre": "Drama"}, "--new cannot be combined"),
        ({"user": "nobody"}, "User 'nobody' does not exist"),
    ],
)
@pytest.mark.wording
def test_an_invalid_option_is_an_error(fan, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("explain_list", **{"user": "fan"} | options)
