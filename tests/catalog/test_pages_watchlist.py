import pytest

from catalog.services import add_to_watchlist
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


def test_the_button_puts_a_movie_on_the_list_and_takes_it_off(client, nora, movie):
    client.force_login(nora)
    for _ in range(2):  # asking twice is the same as once
        response = client.post(f"/movies/{movie.pk}/watchlist/", {"wanted": "1"}, follow=True)
        assert "Heat is on your watchlist now." in response.content.decode()
        assert [item.movie for item in nora.watchlist.all()] == [movie]
    for _ in range(2):
        client.post(f"/movies/{movie.pk}/watchlist/", {"wanted": "0"})
        assert not nora.watchlist.exists()


def test_htmx_gets_the_opposite_button(client, nora, movie):
    client.force_login(nora)
    added = client.post(f"/movies/{movie.pk}/watchlist/", {"wanted": "1"}, headers={"HX-Request": "true"})
    removed = client.post(f"/movies/{movie.pk}/watchlist/", {"wanted": "0"}, headers={"HX-Request": "true"})

    assert 'name="wanted" value="0"' in added.content.decode()
    assert 'name="wanted" value="1"' in removed.content.decode()
    assert "<html" not in added.content.decode()


def test_the_page_shows_ones_own_list_the_latest_first(client, nora, bob):
    movies = MovieFactory.create_batch(3)
    for movie in movies:
        add_to_watchlist(user=nora, movie=movie)
    add_to_watchlist(user=bob, movie=MovieFactory())
    client.force_login(nora)
    page = client.get("/watchlist/").context["page"]

    assert [item.movie for item in page.object_list] == movies[::-1]


@pytest.mark.wording
def test_an_empty_list_says_what_to_do(client, nora):
    client.force_login(nora)

    assert "Your watchlist is empty" in client.get("/watchlist/").content.decode()


def test_the_list_needs_somebody(client, movie):
    assert client.get("/watchlist/")["Location"] == "/accounts/sign-in/?next=/watchlist/"
    assert "/accounts/sign-in/" in client.post(f"/movies/{movie.pk}/watchlist/", {"wanted": "1"})["Location"]


def test_a_rated_movie_leaves_the_list_and_can_return(client, nora, bob, movie):
    for user in (nora, bob):
        add_to_watchlist(user=user, movie=movie)
    client.force_login(nora)
    here = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{movie.get_absolute_url()}?from=home"}
    panel = client.post(f"/movies/{movie.pk}/rating/", {"rating": "4"}, headers=here)
    assert not nora.watchlist.exists()
    assert bob.watchlist.count() == 1
    assert 'hx-swap-oob="outerHTML:' in panel.content.decode()
    again = client.post(f"/movies/{movie.pk}/rating/", {"rating": "5"}, headers=here)
    assert "hx-swap-oob" not in again.content.decode()

    client.post(f"/movies/{movie.pk}/watchlist/", {"wanted": "1"})
    assert nora.watchlist.count() == 1
    panel_alone = {"HX-Request": "true", "HX-Target": f"rating-{movie.pk}"}
    elsewhere = client.post(f"/movies/{movie.pk}/rating/", {"rating": "4"}, headers=panel_alone)
    assert "hx-swap-oob" not in elsewhere.content.decode()  # that page has no such button
    assert not nora.watchlist.exists()
