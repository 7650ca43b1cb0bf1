"""Current popularity depends on recent likes of many people. One account or one wrong clock cannot change it."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import Movie, Rating, User
from catalog.popularity import CLOCK_LEAD, popularity_now, refresh_popularity
from catalog.tasks import refresh_popularity as refresh_popularity_task
from tests.factories import MovieFactory, RatingFactory, UserFactory, insert_ratings

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOW = datetime(2020, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def old_site() -> list[Movie]:
    """Thirty people in a spring long ago; each movie has a like less than the one before it."""
    movies = MovieFactory.create_batch(20)
    people = UserFactory.create_batch(30)
    rate((person, movie, 4.5, n) for n, movie in enumerate(movies) for person in people[n:])
    return movies


def rate(ratings) -> None:
    """User, movie, stars and days before NOW."""
    insert_ratings((user.pk, movie.pk, stars, NOW - days * DAY) for user, movie, stars, days in ratings)


def popular() -> list[int]:
    """All liked movies after a refresh."""
    refresh_popularity()
    return list(Movie.objects.filter(popularity__gt=0).order_by("-popularity", "id").values_list("pk", flat=True))


def test_a_like_halves_with_each_half_life_on_a_prior_of_likes(settings, bob):
    days = settings.POLICY.popularity.half_life_days
    current, older, ancient, unrated = MovieFactory.create_batch(4, popularity=7)
    rate((person, current, 4, 0) for person in UserFactory.create_batch(3))
    rate([(bob, current, 4, days), (bob, older, 4, 2 * days)])
    chance = 2
    RatingFactory(movie=ancient, rated_at=datetime(1800, 1, 1, tzinfo=UTC))

    refresh_popularity()

    found = {movie.pk: movie.popularity for movie in (current, older, ancient, unrated) if not movie.refresh_from_db()}
    assert found == pytest.approx({current.pk: 3.5 - chance + 4, older.pk: 1, ancient.pk: 1, unrated.pk: 0})


def test_likes_of_active_people_count_and_mere_ratings_do_not(nora):
    liked, disliked, of_banned = MovieFactory.create_batch(3)
    rate([(nora, liked, 3.5, 0), (nora, disliked, 3.0, 0), (UserFactory(is_active=False), of_banned, 5, 0)])

    assert popular() == [liked.pk]


def test_every_rating_is_a_like_where_policy_says_so(settings, nora):
    section = settings.POLICY.popularity.model_copy(update={"liked_from": None})
    settings.POLICY = settings.POLICY.model_copy(update={"popularity": section})
    disliked = MovieFactory()
    rate([(nora, disliked, 0.5, 0)])

    assert popular() == [disliked.pk]


def test_a_refresh_run_twice_changes_nothing_more(bob):
    assert refresh_popularity_task.apply().get() == {"changed": 2}
    assert refresh_popularity_task.apply().get() == {"changed": 0}


def test_without_ratings_popularity_is_zero():
    movie = MovieFactory(popularity=3)

    assert (popular(), refresh_popularity(), popularity_now()) == ([], 0, None)
    movie.refresh_from_db()
    assert movie.popularity == 0


def test_one_rating_of_the_future_changes_nothing(old_site):
    before, ages_from = popular(), popularity_now()
    RatingFactory(movie=old_site[-1], rating=5, rated_at=datetime(2099, 1, 1, tzinfo=UTC))

    assert refresh_popularity() == 0
    assert (popular(), popularity_now()) == (before, ages_from)


def test_one_wrong_clock_makes_no_like_current(old_site):
    popular()
    others = dict(Movie.objects.exclude(pk=old_site[-1].pk).values_list("pk", "popularity"))
    RatingFactory(movie=old_site[-1], rating=5, rated_at=NOW + 900 * DAY)
    refresh_popularity()

    assert popularity_now() == NOW
    assert Movie.objects.in_bulk(others.keys())[old_site[0].pk].popularity == others[old_site[0].pk]
    assert Movie.objects.get(pk=old_site[-1].pk).popularity < others[old_site[-3].pk]


def test_a_clock_is_right_once_three_people_agree(old_site):
    for _ in range(3):
        assert popularity_now() == NOW
        RatingFactory(movie=old_site[-1], rated_at=NOW + 900 * DAY)

    assert popularity_now() == NOW + 900 * DAY


def test_now_is_the_latest_rating_of_ordinary_data(old_site, nora):
    rate([(nora, old_site[0], 4, -CLOCK_LEAD.days)])

    assert popularity_now() == NOW + CLOCK_LEAD


def test_the_future_is_never_now(nora, bob):
    """However many people claim it."""
    for user in (nora, bob, UserFactory()):
        RatingFactory(user=user, rated_at=datetime(2099, 1, 1, tzinfo=UTC))
    assert popularity_now() == Rating.objects.filter(rated_at__year__lt=2099).latest("rated_at").rated_at


def test_two_new_ratings_do_not_lead_an_old_site(old_site):
    """Years later, three people rate a few dozen movies, two of them the same one."""
    new = MovieFactory.create_batch(36)
    people = UserFactory.create_batch(3)
    before = popular()[:10]
    rate((people[n % 3], movie, 5, -1000 - n) for n, movie in enumerate(new))
    rate([(people[1], new[0], 5, -1036)])

    assert popular()[:10] == before


def test_what_many_people_like_now_leads_an_old_site(old_site):
    new = MovieFactory()
    rate((person, new, 5, -1000) for person in UserFactory.create_batch(31))

    assert popular()[0] == new.pk


@pytest.mark.parametrize("days", [0, 1, 30, 1000])
def test_one_account_moves_nothing_however_much_it_rates(old_site, nora, days):
    before = popular()
    others = MovieFactory.create_batch(2000)
    rate((nora, movie, 5, -days) for movie in [*others, *reversed(old_site[10:])])

    assert popular()[: len(before)] == before


def test_a_person_of_few_ratings_counts_fully(old_site, nora):
    before = Movie.objects.get(pk=old_site[5].pk)
    refresh_popularity()
    before.refresh_from_db()
    rate([(nora, old_site[5], 5, 0)])
    refresh_popularity()
    after = Movie.objects.get(pk=old_site[5].pk)

    assert after.popularity - before.popularity == pytest.approx(1 + 200 / 410, abs=0.05)  # now, and of all 410 likes


def test_ratings_of_deleted_people_are_gone(old_site, nora):
    before = popular()
    liked = MovieFactory()
    rate([(nora, liked, 5, 0)])
    assert liked.pk in popular()

    User.objects.filter(pk=nora.pk).delete()
    assert popular() == before
