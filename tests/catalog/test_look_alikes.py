"""Usernames have one normalised form everywhere. Names that look like another's are rejected."""

from io import StringIO

import pytest
from django.core.management import call_command

from catalog.models import User
from catalog.sign_ups import sign_up
from catalog.text import skeleton
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
COMPOSED, DECOMPOSED = "ren\u00e9", "rene\u0301"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("nora", "n\u043er\u0430", True),  # Cyrillic
        ("nora", "NORA", True),
        ("nora", "\uff4e\uff4f\uff52\uff41", True),  # of full width
        ("nora", "\u0578ora", True),  # Armenian
        ("rn", "m", True),
        ("user1", "userl", True),
        (COMPOSED, DECOMPOSED, True),
        ("rene", COMPOSED, False),
        ("nora", "nara", False),
        ("nora1", "nora2", False),
        ("\u0438\u0432\u0430\u043d", "ivan", False),
    ],
)
def test_which_names_look_alike(one, other, alike):
    assert (skeleton(one) == skeleton(other)) is alike


@pytest.mark.wording
@pytest.mark.parametrize("name", ["n\u043er\u0430", "\uff4eora", "n\u03bfra", "m\u043evielens-1"])
def test_a_name_that_looks_like_another_is_refused(client, api, nora, name):
    form = {"username": name, "email": "", "password": PASSWORD, "password_again": PASSWORD}
    page = client.post("/accounts/sign-up/", form)
    answer = api.post("/api/v1/accounts/", {"username": name, "password": PASSWORD}, format="json")

    assert page.context["form"].errors.keys() == {"username"}
    assert answer.status_code == 409
    assert list(answer.json()["error"]["fields"]) == ["username"]
    assert User.objects.count() == 1


def test_a_name_of_one_script_is_anyones(client):
    for name in ("\u0438\u0432\u0430\u043d", "ivan", "ivan2"):
        sign_up(username=name, email="", password=PASSWORD)

    assert User.objects.count() == 3


def test_a_renamed_account_keeps_its_new_name(client, nora, sam):
    client.force_login(sam)
    page = client.get(f"/admin/catalog/user/{nora.pk}/change/")
    form = {name: value or "" for name, value in page.context["adminform"].form.initial.items() if name != "groups"}
    form |= {"username": "eva", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    del form["user_permissions"]
    client.post(f"/admin/catalog/user/{nora.pk}/change/", form)

    nora.refresh_from_db()
    assert (nora.username, nora.skeleton) == ("eva", skeleton("eva"))


@pytest.mark.parametrize("given", [COMPOSED, DECOMPOSED])
def test_every_door_knows_both_forms_of_a_name(client, api, given):
    made = api.post("/api/v1/accounts/", {"username": given, "password": PASSWORD}, format="json")
    assert (made.status_code, made.json()["username"]) == (201, COMPOSED)
    assert api.post("/api/v1/token/", {"username": given, "password": PASSWORD}, format="json").status_code == 200
    assert client.post("/accounts/sign-in/", {"username": given, "password": PASSWORD}).status_code == 302
    told = StringIO()
    call_command("explain_list", user=given, stdout=told)
    assert "Profile" in told.getvalue()


def test_names_that_the_operator_sends_count_too(api, sam):
    api.force_authenticate(sam)
    line = '{"external_id": "u1", "username": "ren' + "e\u0301" + '"}'
    answer = api.post("/api/v1/bulk/users/", line.encode(), content_type="application/x-ndjson")

    assert answer.status_code == 200, answer.content
    user = User.objects.get(external_id="u1")
    assert (user.username, user.skeleton) == (COMPOSED, skeleton(COMPOSED))


def test_users_of_data_sets_need_none():
    movielens = UserFactory.build(username="movielens-7", source="movielens")
    User.objects.bulk_create([movielens])

    assert User.objects.get().skeleton == ""
