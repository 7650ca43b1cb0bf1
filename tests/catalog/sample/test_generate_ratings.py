from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Credit, Movie, Person, Rating, Source, User

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("generate_ratings", *arguments, stdout=out)
    return out.getvalue()


SMALL = ("--users=8", "--movies=12", "--ratings=40")


def test_writes_movies_with_metadata_users_and_ratings():
    out = run(*SMALL)
    assert "ratings: 40 inserted" in out
    assert (Movie.objects.count(), User.objects.count(), Rating.objects.count()) == (12, 8, 40)
    for model in (Movie, User, Rating, Person):
        assert set(model.objects.values_list("source", flat=True)) == {Source.GENERATED}
    movie = Movie.objects.order_by("-rating_count").first()
    assert movie.genres.exists()
    assert movie.keywords.exists()
    assert movie.credits.filter(role=Credit.Role.DIRECTOR).count() == 1
    assert movie.year == movie.release_date.year
    assert movie.rating_count == movie.ratings.count() > 0


def test_same_numbers_again_change_nothing_and_another_seed_adds():
    run(*SMALL)
    assert "nothing changed" in run(*SMALL)
    run(*SMALL, "--seed=1")
    assert (User.objects.count(), Rating.objects.count()) == (16, 80)


def test_refuses_more_ratings_than_pairs():
    with pytest.raises(CommandError, match="100 ratings are too many: 2 users rate half of 4 movies, 4 in all"):
        run("--users=2", "--movies=4", "--ratings=100")
    assert not Movie.objects.exists()


@pytest.mark.parametrize("number", ["-1", "many", "1.5"])
def test_refuses_what_is_no_number(number):
    with pytest.raises(CommandError, match="expected a whole number"):
        run(f"--users={number}", "--movies=4", "--ratings=4")
