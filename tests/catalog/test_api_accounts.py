import pytest

from catalog.models import User
from catalog.models.api_key import hash_of
from catalog.throttling import AddressThrottle
from tests.factories import UserFactory, key_of

pytestmark = pytest.mark.django_db

ACCOUNT = {"username": "ada", "email": "ada@example.org", "password": "correct horse battery"}


def test_sign_up_then_token_then_in(api):
    made = api.post("/api/v1/accounts/", ACCOUNT, format="json")
    token = api.post("/api/v1/token/", {key: ACCOUNT[key] for key in ("username", "password")}, format="json")

    assert made.status_code == 201
    assert made.json() == {"id": User.objects.get().pk, "username": "ada", "email": "ada@example.org"}
    assert list(token.json()) == ["token"]
    api.credentials(HTTP_AUTHORIZATION=f"Token {token.json()['token']}")
    assert api.get("/api/v1/ratings/").status_code == 200


def sign_in(api, **more):
    return api.post("/api/v1/token/", {"username": "nora", "password": "correct horse battery"} | more, format="json")


def test_each_sign_in_gives_a_key_and_ends_none(api, nora):
    first, second = (sign_in(api).json()["token"] for _ in range(2))

    assert first != second
    for key in (first, second):
        assert api.get("/api/v1/ratings/", headers={"Authorization": f"Token {key}"}).status_code == 200
    assert {row.scopes for row in nora.api_keys.all()} == {"read rate"}


def test_of_sign_ins_the_ten_used_last_are_kept(api, nora):
    mine = key_of(nora)
    used = sign_in(api).json()["token"]
    nora.api_keys.filter(hash=hash_of(used)).update(last_used_at="2126-01-01T00:00:00Z")
    made = [sign_in(api).json()["token"] for _ in range(12)]

    kept = {row.hash for row in nora.api_keys.all()}
    assert kept == {hash_of(key) for key in (mine, used, *made[-9:])}


def test_a_sign_in_may_ask_for_other_scopes(api, nora, sam):
    staff = api.post(
        "/api/v1/token/",
        {"username": "sam", "password": "correct horse battery", "scopes": ["models", "read"]},
        format="json",
    )
    refused = [sign_in(api, scopes=scopes) for scopes in (["bulk"], [], ["everything"], "read")]

    assert staff.status_code == 200
    assert sam.api_keys.get().scopes == "read models"
    assert [(answer.status_code, list(answer.json()["error"]["fields"])) for answer in refused] == [
        (409, ["scopes"]),
        (400, ["scopes"]),
        (400, ["scopes.0"]),
        (400, ["scopes"]),
    ]
    assert not nora.api_keys.exists()


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
