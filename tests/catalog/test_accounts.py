import pytest

from catalog.models import Movie, Rating, User
from catalog.services import record_rating
from catalog.throttling import AddressThrottle
from tests.factories import MovieFactory, UserFactory, key_of

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
FORM = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "password_again": PASSWORD}


@pytest.fixture
def two_a_minute(monkeypatch):
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", {"sign_up": "2/min", "token": "2/min", "mail": "9/min"})


def test_signing_up_makes_an_account_that_is_signed_in(client):
    response = client.post("/accounts/sign-up/", FORM)

    assert response["Location"] == "/welcome/"
    user = User.objects.get(username="ada")
    assert user.check_password(PASSWORD)
    assert client.session["_auth_user_id"] == str(user.pk)
    assert not user.is_staff


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"username": ""}, "This field is required."),
        ({"username": "a b"}, "Enter a valid username."),
        ({"username": "NORA"}, "This username is already taken."),
        ({"username": "movielens-1"}, "reserved for imported data sets"),
        ({"email": "nowhere"}, "Enter a valid email address."),
        ({"password": "12345", "password_again": "12345"}, "This password is too short."),
        ({"password_again": "something else"}, "The two passwords do not match."),
    ],
)
@pytest.mark.wording
def test_invalid_sign_up_explains_and_creates_nothing(client, nora, change, told):
    response = client.post("/accounts/sign-up/", FORM | change)

    assert response.status_code == 200
    assert told in response.content.decode()
    assert User.objects.count() == 1


@pytest.mark.wording
def test_sign_up_is_limited_by_address(client, two_a_minute):
    for number in range(2):
        client.post("/accounts/sign-up/", FORM | {"username": f"ada{number}"})
        client.logout()
    response = client.post("/accounts/sign-up/", FORM)

    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()
    assert not User.objects.filter(username="ada").exists()


def test_signing_in_leads_where_one_wanted_to_go(client, nora):
    response = client.post(
        "/accounts/sign-in/?next=/ratings/", {"username": "nora", "password": PASSWORD, "next": "/ratings/"}
    )

    assert response["Location"] == "/ratings/"


def test_signing_up_on_a_movie_returns_to_it(client, movie):
    page = client.get(movie.get_absolute_url()).content.decode()
    address = f"/accounts/sign-up/?next={movie.get_absolute_url()}"
    assert f'href="{address}"' in page
    assert client.post(address, FORM)["Location"] == movie.get_absolute_url()


def test_signing_up_never_leads_away_from_the_site(client):
    assert client.post("/accounts/sign-up/?next=https://example.org/", FORM)["Location"] == "/welcome/"


def test_signing_in_never_leads_away_from_the_site(client, nora):
    form = {"username": "nora", "password": PASSWORD, "next": "https://example.org/"}

    assert client.post("/accounts/sign-in/", form)["Location"] == "/"


@pytest.mark.wording
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(client, nora):
    UserFactory(username="gone", is_active=False)
    said = "Incorrect username or password."
    for username, password in (("nora", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD)):
        response = client.post("/accounts/sign-in/", {"username": username, "password": password})
        assert said in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.wording
def test_sign_in_is_limited_by_address_on_pages_and_api_together(client, nora, two_a_minute):
    client.post("/accounts/sign-in/", {"username": "nora", "password": "wrong"})
    client.post("/api/v1/token/", {"username": "nora", "password": "wrong"}, "application/json")
    response = client.post("/accounts/sign-in/", {"username": "nora", "password": PASSWORD})

    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()


def test_signing_out_takes_a_form(client, nora):
    client.force_login(nora)

    assert client.get("/accounts/sign-out/").status_code == 405
    assert client.post("/accounts/sign-out/")["Location"] == "/"
    assert "_auth_user_id" not in client.session


@pytest.mark.wording
def test_password_change_keeps_the_session_and_revokes_keys(client, nora):
    key_of(nora)
    client.force_login(nora)
    form = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}
    response = client.post("/accounts/password/", form, follow=True)

    assert "Your password has been changed and your API keys have been revoked." in response.content.decode()
    nora.refresh_from_db()
    assert nora.check_password("another long one")
    assert not nora.api_keys.exists()


def test_account_deletion_removes_data_and_updates_figures(client, nora, bob):
    movie, other = MovieFactory.create_batch(2)
    for user, rating in ((nora, 1.0), (bob, 4.0)):
        record_rating(user=user, movie=movie, rating=rating)
    record_rating(user=nora, movie=other, rating=5)
    client.force_login(nora)
    response = client.post("/accounts/delete/", {"password": PASSWORD}, follow=True)

    assert response.redirect_chain == [("/", 302)]
    assert not User.objects.filter(username="nora").exists()
    assert not Rating.objects.filter(movie=other).exists()
    figures = Movie.objects.in_bulk([movie.pk, other.pk])
    assert (figures[movie.pk].rating_count, figures[movie.pk].rating_sum) == (1, 4)
    assert (figures[other.pk].rating_count, figures[other.pk].rating_sum) == (0, 0)


@pytest.mark.wording
def test_an_account_is_not_deleted_without_the_password(client, nora):
    client.force_login(nora)
    response = client.post("/accounts/delete/", {"password": "wrong"})

    assert "Incorrect password." in response.content.decode()
    assert User.objects.filter(username="nora").exists()


@pytest.mark.parametrize("address", ["/accounts/", "/accounts/delete/", "/accounts/password/"])
def test_account_pages_need_somebody(client, address):
    assert client.get(address)["Location"] == f"/accounts/sign-in/?next={address}"


def test_whoever_is_signed_in_needs_no_sign_up(client, nora):
    client.force_login(nora)

    assert client.get("/accounts/sign-up/")["Location"] == "/"
    assert client.get("/accounts/sign-in/")["Location"] == "/"
