import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from catalog.aggregates import rebuild_aggregates
from catalog.models import AlternativeTitle, Movie, Person, Rating, SearchTerm, User
from catalog.popularity import refresh_popularity
from catalog.search.query import suggest
from catalog.services import record_rating
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue(alice, bob) -> Movie:
    """Ten movies that alice rated, two that bob did, and one that nobody has; all figures right."""
    MovieFactory(title="Nobody Rated This")
    rebuild_aggregates()
    refresh_popularity()
    return Movie.objects.get(pk=alice.ratings.earliest("rated_at").movie_id)


def check(*arguments: str) -> tuple[int, str]:
    """Exit code and what was said."""
    out = io.StringIO()
    try:
        call_command("check_aggregates", *arguments, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def break_count(movie: Movie) -> None:
    Movie.objects.filter(pk=movie.pk).update(rating_count=7)


def break_sum(movie: Movie) -> None:
    Movie.objects.filter(pk=movie.pk).update(rating_sum=7.5)


def break_popularity(movie: Movie) -> None:
    Movie.objects.filter(pk=movie.pk).update(popularity=1.7)


def break_search_terms(movie: Movie) -> None:
    Movie.objects.filter(pk=movie.pk).update(search_terms=" lost ")
    SearchTerm.objects.learn(["lost"])


def break_search_title(movie: Movie) -> None:
    Movie.objects.filter(pk=movie.pk).update(title="Another")


def add_title_in_bulk(movie: Movie) -> None:
    AlternativeTitle.objects.bulk_create([AlternativeTitle(movie=movie, title="Elsewhere")])


def rename_a_person_in_bulk(movie: Movie) -> None:
    person = Person.objects.create(name="Tom Hanks")
    Person.objects.filter(pk=person.pk).update(name="Tom Cruise")


def forget_a_term(movie: Movie) -> None:
    SearchTerm.objects.filter(term=movie.search_terms.split()[0]).delete()


def delete_ratings_in_bulk(movie: Movie) -> None:
    Rating.objects.filter(movie=movie).delete()


def delete_a_user_in_bulk(movie: Movie) -> None:
    User.objects.filter(username="bob").delete()


def test_a_sound_catalogue_is_found_so(catalogue):
    code, said = check()

    assert code == 0
    assert "wrong" not in said


@pytest.mark.parametrize(
    ("break_it", "named"),
    [
        (break_count, "count or sum of ratings: 1 wrong"),
        (break_sum, "count or sum of ratings: 1 wrong"),
        (delete_ratings_in_bulk, "count or sum of ratings: 1 wrong"),
        (delete_a_user_in_bulk, "count or sum of ratings: 2 wrong"),
        (break_popularity, "popularity: 1 wrong"),
        (break_search_terms, "title go by: 1 wrong"),
        (break_search_title, "title go by: 1 wrong"),
        (add_title_in_bulk, "title go by: 1 wrong"),
        (rename_a_person_in_bulk, "finds people by: 1 wrong"),
        (forget_a_term, "compared with: 1 wrong"),
    ],
)
def test_what_is_broken_is_found_named_and_mended(catalogue, break_it, named):
    break_it(catalogue)

    code, said = check()
    assert (code, named in said) == (1, True), said
    assert check() == (code, said)  # looking changes nothing

    code, said = check("--repair")
    assert (code, "Repaired." in said) == (0, True), said
    assert check()[0] == 0


def test_ratings_since_the_last_refresh_are_not_reported(catalogue, nora, bob):
    an_hour_ago = timezone.now() - timedelta(hours=1)
    record_rating(user=nora, movie=catalogue, rating=4, rated_at=an_hour_ago)
    refresh_popularity()
    record_rating(user=bob, movie=catalogue, rating=4)

    assert check()[0] == 0


def test_the_bayesian_mean_follows_by_itself(catalogue, nora):
    record_rating(user=nora, movie=catalogue, rating=5)
    Movie.objects.filter(pk=catalogue.pk).update(rating_count=20, rating_sum=100)

    catalogue.refresh_from_db()
    assert catalogue.bayesian_mean == pytest.approx((100 + 20 * 3.3) / 40)


def test_repair_takes_terms_out_of_use_away(catalogue):
    SearchTerm.objects.learn(["=gone gone"])
    MovieFactory(title="Stays")
    break_count(catalogue)

    assert check("--repair")[0] == 0
    assert not SearchTerm.objects.filter(term__in=["gone", "=gone"]).exists()
    assert [movie.title for movie in suggest("stayz")] == ["Stays"]
