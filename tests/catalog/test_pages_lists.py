"""Lists of movies: their owners' pages, and public pages."""

import pytest

from catalog.lists import add_to_list, create_list
from catalog.models import MovieList, Profile
from catalog.models.personal import MAX_LISTS
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def movies():
    return [MovieFactory(title=title) for title in ("Alien", "Brazil", "Cube")]


@pytest.fixture
def list_of_nora(nora, movies):
    made = create_list(user=nora, name="Best")
    for movie in movies:
        add_to_list(made, movie)
    return made


def titles(movie_list) -> list[str]:
    return [item.movie.title for item in movie_list.items.select_related("movie")]


def test_a_list_is_made_renamed_published_and_deleted(client, nora):
    client.force_login(nora)
    answer = client.post("/lists/", {"name": "Best", "description": "Of all."})
    made = MovieList.objects.get(user=nora)
    assert answer["Location"] == f"/lists/{made.key}/edit/"
    assert (made.name, made.description, made.is_public) == ("Best", "Of all.", False)

    client.post(f"/lists/{made.key}/edit/", {"name": "Better", "is_public": "on"})
    assert "Better" in client.get("/lists/").content.decode()
    client.logout()
    assert "Better" in client.get(f"/lists/{made.key}/").content.decode()
    client.force_login(nora)
    client.post(f"/lists/{made.key}/edit/", {"delete": "1"})
    assert not MovieList.objects.exists()


def test_a_private_list_is_its_owners_alone(client, nora, bob, list_of_nora):
    address = f"/lists/{list_of_nora.key}/"
    client.force_login(nora)
    assert client.get(address).status_code == 200
    for other in (bob, None):
        client.logout()
        if other:
            client.force_login(other)
        assert client.get(address).status_code == 404


def test_a_public_list_is_changed_by_its_owner_alone(client, bob, movies, list_of_nora):
    MovieList.objects.update(is_public=True)
    client.force_login(bob)
    address = f"/lists/{list_of_nora.key}/"

    assert 'href="/lists/' + list_of_nora.key + '/edit/"' not in client.get(address).content.decode()
    assert client.get(f"{address}edit/").status_code == 404
    assert client.post(f"{address}edit/", {"delete": "1"}).status_code == 404
    assert client.post(f"{address}movies/{movies[0].pk}/", {"remove": "1"}).status_code == 404
    client.post(f"/movies/{movies[0].pk}/lists/", {"list": []})
    assert titles(list_of_nora) == ["Alien", "Brazil", "Cube"]


def test_a_public_list_names_its_owner_only_by_profile(client, nora, list_of_nora):
    MovieList.objects.update(is_public=True)
    assert "nora" not in client.get(f"/lists/{list_of_nora.key}/").content.decode()
    Profile.objects.create(user=nora, name="cinephile", is_public=True)
    page = client.get(f"/lists/{list_of_nora.key}/").content.decode()

    assert 'href="/people/cinephile/"' in page
    assert "nora" not in page


@pytest.mark.parametrize(
    ("title", "sent", "expected"),
    [
        ("Cube", {"position": "1"}, "Cube Alien Brazil"),
        ("Alien", {"position": "2"}, "Brazil Alien Cube"),
        ("Alien", {"position": "99"}, "Brazil Cube Alien"),
        ("Brazil", {"to": "1", "position": "2"}, "Brazil Alien Cube"),
        ("Brazil", {"to": "3", "position": "2"}, "Alien Cube Brazil"),
        ("Brazil", {"remove": "1", "position": "2"}, "Alien Cube"),
        ("Brazil", {"position": "-1"}, "Alien Brazil Cube"),
        ("Brazil", {"position": "first"}, "Alien Brazil Cube"),
        ("Brazil", {"position": "0"}, "Brazil Alien Cube"),
    ],
)
def test_movies_are_moved_and_removed(client, nora, movies, list_of_nora, title, sent, expected):
    client.force_login(nora)
    movie = next(movie for movie in movies if movie.title == title)
    client.post(f"/lists/{list_of_nora.key}/movies/{movie.pk}/", sent)

    assert titles(list_of_nora) == expected.split()


def test_the_order_survives_a_deleted_movie(client, nora, movies, list_of_nora):
    movies[0].delete()
    client.force_login(nora)
    client.post(f"/lists/{list_of_nora.key}/movies/{movies[2].pk}/", {"position": "1"})

    assert titles(list_of_nora) == ["Cube", "Brazil"]
    assert [item.position for item in list_of_nora.items.all()] == [1, 2]


def test_a_movie_is_found_by_title_and_added(client, nora, movie, list_of_nora):
    client.force_login(nora)
    page = client.get(f"/lists/{list_of_nora.key}/edit/?q=heat").content.decode()
    assert f'action="/lists/{list_of_nora.key}/movies/{movie.pk}/"' in page
    for _ in range(2):
        client.post(f"/lists/{list_of_nora.key}/movies/{movie.pk}/")

    assert titles(list_of_nora) == ["Alien", "Brazil", "Cube", "Heat"]
    absent = MovieFactory()
    assert client.post(f"/lists/{list_of_nora.key}/movies/{absent.pk}/", {"position": "1"}).status_code == 404


def test_the_movie_page_ticks_lists_and_makes_a_new_one(client, nora, movie, list_of_nora):
    client.force_login(nora)
    client.post(f"/movies/{movie.pk}/lists/", {"list": [list_of_nora.key], "name": "Heists"})
    page = client.get(movie.get_absolute_url())
    assert [row.name for row in page.context["in_lists"]] == ["Best", "Heists"]

    client.post(f"/movies/{movie.pk}/lists/", {"list": []})
    assert not client.get(movie.get_absolute_url()).context["in_lists"]
    assert titles(list_of_nora) == ["Alien", "Brazil", "Cube"]


def test_a_name_is_taken_once_and_not_lost(client, nora, movie, list_of_nora):
    client.force_login(nora)
    page = client.post("/lists/", {"name": "Best", "description": "Long text."})
    assert page.status_code == 422
    assert "Long text." in page.content.decode()
    for headers in ({}, {"HX-Request": "true"}):
        sent = {"name": "Best", "list": [list_of_nora.key]}
        answer = client.post(f"/movies/{movie.pk}/lists/", sent, headers=headers)
        assert answer.status_code == 422
        assert 'value="Best"' in answer.content.decode()
    assert MovieList.objects.count() == 1


def test_lists_are_bounded(client, nora, movies, list_of_nora, monkeypatch):
    monkeypatch.setattr("catalog.lists.MAX_LIST_LENGTH", 3)
    client.force_login(nora)
    client.post(f"/lists/{list_of_nora.key}/movies/{MovieFactory().pk}/")
    assert len(titles(list_of_nora)) == 3

    MovieList.objects.bulk_create(MovieList(user=nora, name=str(n)) for n in range(MAX_LISTS - 1))
    assert client.post("/lists/", {"name": "One more"}).status_code == 422
    assert nora.lists.count() == MAX_LISTS


def test_staff_hide_public_lists_of_a_user(client, nora, list_of_nora):
    MovieList.objects.update(is_public=True)
    Profile.objects.create(user=nora, hidden_at="2026-01-01T00:00:00Z")

    assert client.get(f"/lists/{list_of_nora.key}/").status_code == 404
    client.force_login(nora)
    assert client.get(f"/lists/{list_of_nora.key}/").status_code == 200


def test_lists_need_somebody(client, movie):
    assert client.get("/lists/")["Location"] == "/accounts/sign-in/?next=/lists/"
    assert "/accounts/sign-in/" in client.post(f"/movies/{movie.pk}/lists/", {"name": "x"})["Location"]


def test_without_lists_the_page_says_what_to_do(client, nora):
    client.force_login(nora)

    assert 'name="name"' in client.get("/lists/").content.decode()
