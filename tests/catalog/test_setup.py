"""The setup page: access, validation and result."""

import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.test import Client

from catalog import setup
from catalog.errors import SetupClosed
from catalog.models import SampleLoad, SiteSettings, User
from catalog.site_settings import region
from tests.catalog.first_run import ACCOUNT, FORM, PASSWORD, fields_with_errors, page
from tests.factories import MovieFactory, UserFactory

__all__ = ["page"]

pytestmark = pytest.mark.django_db


def test_the_link_makes_the_first_superuser(client, page):
    answer = client.post(page, FORM)

    ada = User.objects.get()
    assert (ada.username, ada.is_staff, ada.is_superuser, ada.check_password(PASSWORD)) == ("ada", True, True, True)
    assert answer["Location"] == "/mlops/start/"
    assert client.get(answer["Location"]).status_code == 200  # signed in
    assert client.get("/accounts/").status_code == 200
    home = client.get("/").content.decode()
    assert "Film club" in home
    assert '<html lang="vi">' in home
    assert region() == "VN"


@pytest.mark.parametrize("query", ["", "?code=", "?code=guessed", "?code=%00"])
def test_without_the_code_nothing_is_shown_or_made(client, page, query):
    answers = [client.get(f"/setup/{query}"), client.post(f"/setup/{query}", FORM)]

    for answer in answers:
        assert "<form class" not in answer.content.decode().partition("<main")[2].partition("</main>")[0]
        assert "setup_link" in answer.content.decode()
    assert not User.objects.exists()


def test_mail_of_the_environment_is_not_asked_for(client, page):
    shown = client.get(page).content.decode()

    assert "EMAIL_URL" in shown
    assert 'name="mail_host"' not in shown


def test_the_home_page_of_a_new_site_leads_here(client):
    assert "/setup/" in client.get("/").content.decode()

    UserFactory(is_superuser=True)
    assert "/setup/" not in client.get("/").content.decode()


def test_the_code_works_once_and_then_the_page_is_gone(client, page):
    client.post(page, FORM)

    other = Client()
    assert other.get(page).status_code == 404
    assert other.post(page, FORM | {"username": "bob"}).status_code == 404
    assert other.get("/setup/").status_code == 404
    assert User.objects.count() == 1


def test_an_account_that_is_signed_in_becomes_staff(client, page, nora):
    client.force_login(nora)

    assert "password_again" not in client.get(page).content.decode()
    assert client.post(page, {"site_name": "Film club", "start_with": "none"}).status_code == 302
    nora.refresh_from_db()
    assert (nora.is_superuser, User.objects.count()) == (True, 1)
    assert client.get("/mlops/start/").status_code == 200


def test_without_passwords_people_sign_in_first(client, page, settings):
    settings.PASSWORD_SIGN_IN = False

    for answer in (client.get(page), client.post(page, FORM)):
        assert urlsplit(answer["Location"]).path == "/accounts/sign-in/"
        assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [page]
    assert not User.objects.exists()


@pytest.mark.parametrize("how", ["createsuperuser", "the shell"])
def test_a_superuser_made_elsewhere_closes_the_page(client, page, monkeypatch, how):
    if how == "createsuperuser":
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
        call_command("createsuperuser", interactive=False, username="ops", email="ops@example.org", verbosity=0)
    else:
        UserFactory(is_superuser=True)

    assert client.get(page).status_code == 404
    assert client.post(page, FORM).status_code == 404


def test_staff_without_all_rights_does_not_close_it(client, page):
    UserFactory(is_staff=True)

    assert client.get(page).status_code == 200


def test_a_new_link_replaces_the_earlier_one(client, page, capsys):
    call_command("setup_link", "--if-open")
    assert urlsplit(page).query in capsys.readouterr().out

    call_command("setup_link", "--base", "https://films.example.org")
    [new] = re.findall(r"https://films\.example\.org(/setup/\?code=\S+)", capsys.readouterr().out)
    assert client.get(page).status_code == 403
    assert client.get(new).status_code == 200


def test_a_set_up_site_has_no_link(page, capsys):
    UserFactory(is_superuser=True)

    call_command("setup_link", "--if-open")
    assert capsys.readouterr().out == ""
    with pytest.raises(CommandError, match="superuser"):
        call_command("setup_link")


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"CSRF_TRUSTED_ORIGINS": ["https://films.example.org"]}, "https://films.example.org/setup/?code="),
        ({"ALLOWED_HOSTS": ["*", "films.example.org"], "HTTPS": True}, "https://films.example.org/setup/?code="),
        ({"ALLOWED_HOSTS": ["127.0.0.1"], "PORT": 8123}, "http://127.0.0.1:8123/setup/?code="),
    ],
)
def test_the_link_is_at_the_sites_address(settings, changes, begins):
    for name, value in changes.items():
        setattr(settings, name, value)

    assert setup.link("x").startswith(begins)


def test_the_code_is_stored_nowhere(page):
    [code] = parse_qs(urlsplit(page).query)["code"]

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM catalog_sitesettings")
        assert code not in str(cursor.fetchall())


def test_tries_are_limited(client, page):
    statuses = [client.get("/setup/?code=guessed").status_code for _ in range(30)]

    assert statuses[0] == 403
    assert statuses[-1] == 429
    assert Client(REMOTE_ADDR="10.1.1.1").get(page).status_code == 200


def test_a_name_that_users_cannot_have_is_refused(client, page):
    UserFactory(username="ada")

    assert fields_with_errors(client.post(page, FORM)) == {"username"}


def test_a_site_with_movies_is_not_asked_for_some(client, page):
    MovieFactory()

    assert "start_with" not in client.get(page).content.decode()
    assert client.post(page, {**ACCOUNT}).status_code == 302


def test_own_data_leads_to_the_import(client, page):
    assert client.post(page, FORM | {"start_with": "own"})["Location"] == "/import/"
    assert not SampleLoad.objects.exists()


def test_what_happens_next_is_for_staff_alone(client, nora):
    client.force_login(nora)

    assert client.get("/mlops/start/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_at_one_moment_one_wins():
    code = setup.present_code()
    together, made, refused = threading.Barrier(2), [], []

    def claim(name: str) -> None:
        together.wait()
        try:
            made.append(
                setup.create_first_account(
                    code=code, username=name, email="", password=PASSWORD, change=lambda row: None
                )
            )
        except SetupClosed:
            refused.append(name)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim, args=(name,)) for name in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(made), len(refused), User.objects.filter(is_superuser=True).count()) == (1, 1, 1)
    assert SiteSettings.objects.get().setup_nonce == ""
