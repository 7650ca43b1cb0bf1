import pytest
from django.test import Client

from catalog.models import Rating
from catalog.services import record_rating
from tests.factories import MovieFactory, RatingFactory

pytestmark = pytest.mark.django_db


def rating_of(user, movie) -> float | None:
    return Rating.objects.filter(user=user, movie=movie).values_list("rating", flat=True).first()


@pytest.mark.wording
def test_rating_by_form_records_it_and_returns_to_the_page(client, nora, movie):
    client.force_login(nora)
    response = client.post(f"/movies/{movie.pk}/rating/", {"rating": "4.5"}, follow=True)

    assert response.redirect_chain == [(movie.get_absolute_url(), 302)]
    assert rating_of(nora, movie) == 4.5
    assert "You rated Heat 4.5 out of 5 stars." in response.content.decode()


@pytest.mark.wording
def test_rating_by_htmx_answers_with_the_panel_and_new_figures(client, nora, bob, movie):
    record_rating(user=bob, movie=movie, rating=2)
    client.force_login(nora)
    headers = {"HX-Request": "true", "HX-Target": f"rating-{movie.pk}"}
    response = client.post(f"/movies/{movie.pk}/rating/", {"rating": "4"}, headers=headers)
    text = response.content.decode()

    assert response.status_code == 200
    assert "<html" not in text
    assert "3.0</strong>" in text
    assert "from 2 ratings" in text
    assert 'value="4.0"' in text
    assert 'aria-valuetext="4 / 5"' in text


@pytest.mark.wording
def test_a_card_is_answered_with_a_sentence(client, nora):
    movie = MovieFactory(title="<i>Heat</i>")
    client.force_login(nora)
    response = client.post(f"/movies/{movie.pk}/rating/", {"rating": "4"}, headers={"HX-Request": "true"})

    assert response.content.decode().strip() == "You rated &lt;i&gt;Heat&lt;/i&gt; 4 out of 5 stars."


def test_a_rating_is_changed_and_removed(client, nora, movie):
    client.force_login(nora)
    for rating in ("1", "3.5"):
        client.post(f"/movies/{movie.pk}/rating/", {"rating": rating})
    assert rating_of(nora, movie) == 3.5
    client.post(f"/movies/{movie.pk}/rating/", {"rating": "3.5", "remove": "1"})
    assert rating_of(nora, movie) is None
    movie.refresh_from_db()
    assert (movie.rating_count, movie.rating_sum) == (0, 0)


@pytest.mark.wording
@pytest.mark.parametrize("rating", ["7", "0", "3.3", "", "nan", "four"])
def test_what_is_no_rating_changes_nothing_and_is_told(client, nora, movie, rating):
    record_rating(user=nora, movie=movie, rating=2)
    client.force_login(nora)
    page = client.post(f"/movies/{movie.pk}/rating/", {"rating": rating}, follow=True)
    panel = client.post(f"/movies/{movie.pk}/rating/", {"rating": rating}, headers={"HX-Request": "true"})

    assert rating_of(nora, movie) == 2
    assert "Choose a rating between half a star and five stars." in page.content.decode()
    assert panel.status_code == 422
    assert "Choose a rating between half a star and five stars." in panel.content.decode()


@pytest.mark.parametrize("what", ["watchlist", "watched", "note", "lists"])
def test_what_needs_an_account_leads_visitors_to_sign_in(client, movie, what):
    address = f"/accounts/sign-in/?next=%2Fmovies%2F{movie.pk}-heat%2F"

    assert client.post(f"/movies/{movie.pk}/{what}/", {"wanted": "1"})["Location"] == address
    fragment = client.post(f"/movies/{movie.pk}/{what}/", {"wanted": "1"}, headers={"HX-Request": "true"})
    assert fragment["HX-Redirect"] == address


def test_a_fragment_leads_the_whole_page_to_sign_in(client, movie):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/for-you/?genre=crime"}
    answer = client.post("/feedback/", {"kind": "not_interested", "movie": movie.pk}, headers=headers)

    assert (answer.status_code, answer["HX-Redirect"]) == (200, "/accounts/sign-in/?next=%2Ffor-you%2F%3Fgenre%3Dcrime")


@pytest.mark.wording
def test_rating_needs_the_forms_token(nora, movie):
    client = Client(enforce_csrf_checks=True)
    client.force_login(nora)
    response = client.post(f"/movies/{movie.pk}/rating/", {"rating": "4"})

    assert response.status_code == 403
    assert "Please try again" in response.content.decode()


def test_the_way_back_never_leaves_the_site(client, nora, movie):
    client.force_login(nora)
    near = client.post(f"/movies/{movie.pk}/rating/", {"rating": "4", "next": "/ratings/?sort=title"})
    far = client.post(f"/movies/{movie.pk}/rating/", {"rating": "4", "next": "https://example.org/"})

    assert near["Location"] == "/ratings/?sort=title"
    assert far["Location"] == movie.get_absolute_url()


def test_rating_is_not_done_by_links_nor_for_unknown_movies(client, nora, movie):
    client.force_login(nora)

    assert client.get(f"/movies/{movie.pk}/rating/").status_code == 405
    assert client.post("/movies/987654/rating/", {"rating": "4"}).status_code == 404


@pytest.mark.parametrize(
    ("sort", "expected"),
    [("", "BCA"), ("recent", "BCA"), ("highest", "CAB"), ("lowest", "BAC"), ("title", "ABC"), ("chaos", "BCA")],
)
def test_my_ratings_are_sorted(client, nora, sort, expected):
    for title, rating in (("A", 3.0), ("C", 5.0), ("B", 1.0)):
        RatingFactory(user=nora, movie=MovieFactory(title=title), rating=rating)
    client.force_login(nora)
    page = client.get(f"/ratings/?sort={sort}").context["page"]

    assert "".join(row.movie.title for row in page.object_list) == expected


def test_my_ratings_are_mine_and_paged(client, nora, alice):
    RatingFactory.create_batch(30, user=nora)
    client.force_login(nora)
    first, second = (client.get(f"/ratings/?page={page}").context["page"] for page in (1, 2))

    assert len(first.object_list) == 24
    assert len(second.object_list) == 6
    assert {row.user_id for page in (first, second) for row in page} == {nora.pk}


@pytest.mark.wording
def test_without_ratings_the_page_says_what_to_do(client, nora):
    client.force_login(nora)

    assert "You have not rated any movies yet" in client.get("/ratings/").content.decode()


def test_my_ratings_need_somebody(client):
    assert client.get("/ratings/")["Location"] == "/accounts/sign-in/?next=/ratings/"
