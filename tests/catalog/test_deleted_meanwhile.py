"""Rows deleted after a request has read them: no page fails, and no row is restored."""

import pytest

from catalog.diary import change_viewing, record_viewing
from catalog.errors import ListNotFound, MovieNotFound, UserNotFound, ViewingNotFound
from catalog.lists import add_to_list, change_list, choose_lists, create_list, move_in_list, remove_from_list
from catalog.models import Movie, MovieList, User, Viewing

pytestmark = pytest.mark.django_db

DAY = {"watched_on": "2026-05-31"}


@pytest.fixture
def deleted_at_the_lock(movie, monkeypatch) -> None:
    """Another request deletes the movie just before this one locks it."""
    manager = type(Movie.objects)
    lock = manager.select_for_update

    def delete_and_lock(self, **options):
        Movie.objects.filter(pk=movie.pk).delete()
        return lock(self, **options)

    monkeypatch.setattr(manager, "select_for_update", delete_and_lock)


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("rating", {"rating": "4"}),
        ("watchlist", {"wanted": "1"}),
        ("watched", DAY),
        ("note", {"note": "Fine."}),
        ("lists", {"name": "Best"}),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_a_page_answers_404_for_a_deleted_movie(client, nora, movie, deleted_at_the_lock, page, form, headers):
    client.force_login(nora)
    assert client.post(f"/movies/{movie.pk}/{page}/", form, headers=headers).status_code == 404
    assert not (nora.ratings.exists() or nora.watchlist.exists() or nora.viewings.exists() or nora.lists.exists())


def test_a_deleted_list_is_not_made_again(nora, movie):
    made = create_list(user=nora, name="Best")
    add_to_list(made, movie)
    MovieList.objects.all().delete()

    with pytest.raises(ListNotFound):
        change_list(made, name="Better")
    for change in (add_to_list, remove_from_list, lambda *row: move_in_list(*row, 1)):
        with pytest.raises(ListNotFound):
            change(made, movie)
    assert not MovieList.objects.exists()


def test_lists_refuse_a_deleted_movie_and_owner(nora, movie):
    made = create_list(user=nora, name="Best")
    Movie.objects.filter(pk=movie.pk).delete()
    with pytest.raises(MovieNotFound):
        choose_lists(user=nora, movie=movie, keys=[made.key])
    User.objects.filter(pk=nora.pk).delete()
    with pytest.raises(UserNotFound):
        create_list(user=nora, name="Second")


def test_a_deleted_viewing_is_not_made_again(nora, movie):
    viewing, _ = record_viewing(user=nora, movie=movie, watched_on=None)
    Viewing.objects.all().delete()
    with pytest.raises(ViewingNotFound):
        change_viewing(viewing, watched_on=None, is_rewatch=False, note="")
    assert not Viewing.objects.exists()
