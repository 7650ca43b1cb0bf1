"""A movie's page shows other users' public lists, and no other lists or people."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.lists import add_to_list, create_list
from catalog.models import Movie, MovieList, Profile, User
from catalog.profiles import hide_profile
from catalog.views.movies import LISTS_SHOWN
from tests.factories import MovieFactory, UserFactory

pytestmark = pytest.mark.django_db


def publish(user: User, movie: Movie, name: str = "Heists") -> MovieList:
    made = create_list(user=user, name=name, is_public=True)
    add_to_list(made, movie)
    return made


@pytest.fixture
def ada(db) -> User:
    user = UserFactory(username="ada-lovelace")
    Profile.objects.create(user=user, name="cinephile", is_public=True)
    return user


@pytest.fixture
def heists(ada, movie) -> MovieList:
    return publish(ada, movie)


def pages(client, movie: Movie) -> str:
    """The movie's page and that of all lists with it."""
    addresses = (movie.get_absolute_url(), f"/movies/{movie.pk}/in-lists/")
    return "".join(client.get(address).content.decode() for address in addresses)


def test_public_lists_are_named_with_their_owners_profile(client, movie, heists):
    for address in (movie.get_absolute_url(), f"/movies/{movie.pk}/in-lists/"):
        page = client.get(address).content.decode()
        assert f'href="/lists/{heists.key}/"' in page
        assert 'href="/people/cinephile/"' in page
        assert "ada-lovelace" not in page


def test_other_movies_and_the_owners_own_page_do_not_name_them(client, ada, movie, heists):
    assert heists.key not in pages(client, MovieFactory())
    client.force_login(ada)
    others = client.get(movie.get_absolute_url()).context["lists_of_others"]
    assert list(others) == []


@pytest.mark.parametrize(
    "withdraw",
    [
        lambda user: MovieList.objects.update(is_public=False),
        lambda user: Profile.objects.update(is_public=False),
        lambda user: Profile.objects.update(is_public=True, hidden_at=timezone.now()),
        lambda user: hide_profile(user=user),
        lambda user: Profile.objects.all().delete(),
        lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
        lambda user: MovieList.objects.get().items.all().delete(),
    ],
    ids=["list", "profile", "hidden", "hidden by staff", "no profile", "deactivated", "movie taken off"],
)
def test_what_is_not_published_appears_nowhere(client, ada, bob, movie, heists, withdraw):
    assert heists.key in pages(client, movie)
    withdraw(ada)

    for reader in (None, bob):
        if reader:
            client.force_login(reader)
        page = pages(client, movie)
        for hidden in (heists.key, "Heists", "cinephile", "ada-lovelace"):
            assert hidden not in page


def test_a_few_are_shown_by_one_query_with_a_link_to_all(client, ada, movie):
    made = [publish(ada, movie, name=f"List {n}") for n in range(LISTS_SHOWN + 3)]
    for other in MovieFactory.create_batch(3):
        add_to_list(made[-1], other)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(movie.get_absolute_url())

    asked = [query["sql"] for query in queries if "catalog_movielist" in query["sql"]]
    assert len(asked) == 1
    shown = list(response.context["lists_of_others"])[:LISTS_SHOWN]
    assert [row.name for row in shown] == ["List 6", "List 5", "List 4", "List 3"]
    assert [row.n_movies for row in shown] == [4, 1, 1, 1]
    assert made[0].key not in response.content.decode()
    assert f"/movies/{movie.pk}/in-lists/" in response.content.decode()
    all_of_them = client.get(f"/movies/{movie.pk}/in-lists/").context["page"]
    assert len(all_of_them) == LISTS_SHOWN + 3


def test_without_more_there_is_no_link_to_more(client, movie, heists):
    assert f"/movies/{movie.pk}/in-lists/" not in client.get(movie.get_absolute_url()).content.decode()
