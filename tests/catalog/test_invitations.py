"""Sites where sign-up requires an invitation or is closed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.invitations import invite
from catalog.models import Invitation, User
from catalog.models.invitation import DAYS
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
FORM = {"username": "ada", "email": "", "password": PASSWORD, "password_again": PASSWORD}
PAGE, API = "/accounts/sign-up/", "/api/v1/accounts/"


@pytest.fixture
def sign_up_is(settings):
    def change(value: str) -> None:
        accounts = settings.POLICY.accounts.model_copy(update={"sign_up": value})
        settings.POLICY = settings.POLICY.model_copy(update={"accounts": accounts})

    return change


@pytest.fixture
def code(sign_up_is) -> str:
    sign_up_is("invitation")
    return invite(by=UserFactory(is_staff=True), note="Ada")[1]


def test_an_invitation_makes_one_account(client, code):
    address = f"{PAGE}?invitation={code}"
    assert client.get(address).status_code == 200
    assert client.post(address, FORM)["Location"] == "/welcome/"

    used = Invitation.objects.get()
    assert (used.used_by.username, used.note) == ("ada", "")
    client.logout()
    assert client.get(address).status_code == 403
    assert client.post(address, FORM | {"username": "bob"}).status_code == 403
    assert not User.objects.filter(username="bob").exists()


def test_a_refused_form_does_not_use_the_invitation(client, code):
    client.post(f"{PAGE}?invitation={code}", FORM | {"password_again": "something else"})

    assert Invitation.objects.usable(code).exists()


@pytest.mark.parametrize("change", ["expired", "deleted", "another"])
def test_other_codes_make_no_account(client, api, code, change):
    if change == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif change == "deleted":
        Invitation.objects.all().delete()
    else:
        code = code[:-1] + ("A" if code[-1] != "A" else "B")

    assert client.post(f"{PAGE}?invitation={code}", FORM).status_code == 403
    body = {"username": "ada", "password": PASSWORD, "invitation": code}
    answer = api.post(API, body, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "invitation_needed")
    assert not User.objects.filter(username="ada").exists()


def test_the_api_takes_an_invitation(api, code):
    answer = api.post(API, {"username": "ada", "password": PASSWORD, "invitation": code}, format="json")

    assert answer.status_code == 201
    assert "invitation" not in answer.json()
    assert Invitation.objects.get().used_by.username == "ada"


def test_without_an_invitation_names_cannot_be_tried(api, code):
    UserFactory(username="nora")
    answers = [api.post(API, {"username": name, "password": PASSWORD}, format="json") for name in ("nora", "nobody")]

    assert answers[0].json() == answers[1].json()


def test_a_closed_site_offers_no_account(client, api, sign_up_is):
    assert b"/accounts/sign-up/" in client.get("/accounts/sign-in/").content
    sign_up_is("closed")

    assert client.post(PAGE, FORM).status_code == 403
    answer = api.post(API, {"username": "ada", "password": PASSWORD}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "sign_up_closed")
    for page in ("/", "/accounts/sign-in/", "/welcome/", "/sitemap-pages.xml"):
        assert b"/accounts/sign-up/" not in client.get(page).content


def test_staff_see_the_link_once(admin_client, client, sign_up_is):
    sign_up_is("invitation")
    answer = admin_client.post("/admin/catalog/invitation/add/", {"note": "Ada"})
    link = answer.context["link"]

    invitation = Invitation.objects.get()
    assert (invitation.note, invitation.created_by.username) == ("Ada", "admin")
    assert timezone.now() + timedelta(days=DAYS - 1) < invitation.expires_at
    assert client.post(link, FORM)["Location"] == "/welcome/"
    code = link.partition("invitation=")[2]
    for page in ("", f"{invitation.pk}/change/", f"{invitation.pk}/history/"):
        assert code not in admin_client.get(f"/admin/catalog/invitation/{page}", follow=True).content.decode()
