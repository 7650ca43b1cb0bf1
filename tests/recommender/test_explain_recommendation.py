import re

import pytest
from django.core.management import CommandError, call_command

from recommender.models import Dismissal
from recommender.services import recommend
from recommender.serving.model_server import server
from tests.factories import MovieFactory

pytestmark = [pytest.mark.django_db, pytest.mark.ml_test("I5")]


def explained(capsys, user, movie) -> str:
    call_command("explain_recommendation", user=str(user), movie=str(movie))
    return capsys.readouterr().out


def test_the_contributions_sum_to_the_score_of_the_list(train, camps, fan, capsys):
    train(version=6)
    [result] = recommend(user=fan, k=1, surface="test").results
    said = explained(capsys, "fan", result.movie.pk)
    assert said.startswith(f"{result.movie} for fan")
    assert "source  personal, by model 6" in said
    assert f"score   {result.score:.6f}" in said
    parts = [float(number) for number in re.findall(r"^([+-]\d+\.\d+)  ", said, re.MULTILINE)]
    assert sum(parts[:-1]) == pytest.approx(parts[-1], abs=1e-5)
    assert parts[-1] == pytest.approx(result.score, abs=1e-6)
    for movie in camps["Science Fiction"][:3]:
        assert f"movie: {movie.title}\n" in said
    assert "note" not in said


def test_users_are_found_by_name_or_id(train, camps, fan, capsys):
    train()
    movie = camps["Romance"][0]
    assert explained(capsys, "fan", movie.pk) == explained(capsys, fan.pk, movie.pk)


def test_seen_and_dismissed_movies_are_noted(train, camps, fan, capsys):
    train()
    assert "the user has seen it" in explained(capsys, "fan", camps["Science Fiction"][0].pk)
    Dismissal.objects.create(user=fan, movie=camps["Romance"][0])
    assert "the user has dismissed it" in explained(capsys, "fan", camps["Romance"][0].pk)


@pytest.mark.wording
def test_an_unexplainable_score_is_an_error(camps, fan, nora, train):
    movie = camps["Romance"][0]
    for user, number, said in [
        ("nobody", movie.pk, "User 'nobody' does not exist"),
        ("fan", 10**9, "Movie 1000000000 does not exist"),
        ("fan", movie.pk, "No model is served"),
    ]:
        with pytest.raises(CommandError, match=said):
            call_command("explain_recommendation", user=user, movie=str(number))
    train()
    with pytest.raises(CommandError, match="does not know any of the user's movies"):
        call_command("explain_recommendation", user="nora", movie=str(movie.pk))
    fresh = MovieFactory()
    server.refresh()
    with pytest.raises(CommandError, match="does not score"):
        call_command("explain_recommendation", user="fan", movie=str(fresh.pk))
