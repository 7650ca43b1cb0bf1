import pytest
from rest_framework.authtoken.models import Token

from catalog.models import User
from catalog.throttling import AddressThrottle
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

ACCOUNT = {"username": "ada", "email": "ada@example.org", "password": "correct horse battery"}


def test_sign_up_then_token_then_in(api):
    made = api.post("/api/v1/accounts/", ACCOUNT, format="json")
    token = api.post("/api/v1/token/", {key: ACCOUNT[key] for key in ("username", "password")}, format="json")

    assert made.status_code == 201
    assert made.json() == {"id": User.objects.get().pk, "username": "ada", "email": "ada@example.org"}
    assert token.json() == {"token": Token.objects.get(user__username="ada").key}
    api.credentials(HTTP_AUTHORIZATION=f"Token {token.json()['token']}")
    assert api.get("/api/v1/ratings/").status_code == 200


def test_the_same_token_is_given_again(api, nora):
    credentials = {"username": "nora", "password": "correct horse battery"}
    answers = [api.post("/api/v1/token/", credentials, format="json").json() for _ in range(2)]

    assert answers[0] == answers[1]


def test_email_may_be_left_out(api):
    answer = api.post("/api/v1/accounts/", {key: ACCOUNT[key] for key in ("username", "password")}, format="json")

    assert answer.json()["email"] == ""


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": None}, "username"),
        ({"username": "a b"}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"password": "12345"}, "password"),
        ({"password": "a\x00b" * 9}, "password"),
    ],
)
def test_a_bad_sign_up_names_the_field_and_makes_nothing(api, nora, change, field):
    answer = api.post("/api/v1/accounts/", ACCOUNT | change, format="json")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
    assert list(answer.json()["error"]["fields"]) == [field]
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"), [({"username": "Nora"}, "username"), ({"password": "adalovelace"}, "password")]
)
def test_a_name_that_is_taken_or_an_easy_password_is_a_conflict(api, nora, change, field):
    answer = api.post("/api/v1/accounts/", ACCOUNT | {"username": "ada.lovelace"} | change, format="json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "sign_up_refused")
    assert list(answer.json()["error"]["fields"]) == [field]
    assert User.objects.count() == 1


def test_nobody_can_make_themselves_staff(api):
    api.post("/api/v1/accounts/", ACCOUNT | {"is_staff": True, "is_superuser": True, "id": 1}, format="json")
    user = User.objects.get(username="ada")

    assert (user.is_staff, user.is_superuser) == (False, False)


def test_wrong_credentials_get_one_answer(api, nora):
    UserFactory(username="gone", is_active=False)
    answers = [
        api.post("/api/v1/token/", {"username": username, "password": password}, format="json")
        for username, password in (("nora", "wrong"), ("nobody", "wrong"), ("gone", "correct horse battery"))
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["error"]["code"] == "invalid_credentials"


def test_an_old_token_keeps_nobody_out(api, nora):
    api.credentials(HTTP_AUTHORIZATION="Token revoked")
    credentials = {"username": "nora", "password": "correct horse battery"}

    assert api.post("/api/v1/token/", credentials, format="json").status_code == 200


@pytest.mark.parametrize("endpoint", ["accounts", "token"])
def test_attempts_are_limited_by_address(api, monkeypatch, endpoint):
    monkeypatch.setattr(AddressThrottle, "THROTTLE_RATES", {"sign_up": "2/min", "token": "2/min"})
    answers = [api.post(f"/api/v1/{endpoint}/", {}, format="json") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[2].json()["error"]["code"] == "throttled"
    assert int(answers[2]["Retry-After"]) > 0
