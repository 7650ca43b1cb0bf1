"""The page of the first run: who gets in, what it checks, and what is there afterwards."""

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
from catalog.sample.job import run_load
from catalog.site_settings import OWN_MAIL, current
from mlops.models import PipelineRun
from tests.catalog.ingest.movielens import write_folder
from tests.factories import MovieFactory, UserFactory
from tests.mail_stand_in import Mailbox, mail_server
from tests.processes import free_port
from tests.tmdb_stand_in import TOKEN

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
ACCOUNT = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "password_again": PASSWORD}
FORM = ACCOUNT | {"site_name": "Film club", "start_with": "none"}


@pytest.fixture
def own_mail(settings) -> None:
    """As on a site without EMAIL_URL."""
    settings.EMAIL_BACKEND = OWN_MAIL


@pytest.fixture
def page() -> str:
    return setup.link(setup.present_code(), base="/")


def fields_with_errors(answer) -> set[str]:
    return {name for form in ("account", "form") for name in answer.context[form].errors}


def test_the_link_makes_the_first_superuser(client, page):
    answer = client.post(page, FORM)

    ada = User.objects.get()
    assert (ada.username, ada.is_staff, ada.is_superuser, ada.check_password(PASSWORD)) == ("ada", True, True, True)
    assert answer["Location"] == "/mlops/start/"
    assert client.get(answer["Location"]).status_code == 200  # signed in
    assert client.get("/accounts/").status_code == 200
    assert "Film club" in client.get("/").content.decode()


@pytest.mark.parametrize("query", ["", "?code=", "?code=guessed", "?code=%00"])
def test_without_the_code_nothing_is_shown_or_made(client, page, query):
    answers = [client.get(f"/setup/{query}"), client.post(f"/setup/{query}", FORM)]

    for answer in answers:
        assert "<form class" not in answer.content.decode().partition("<main")[2].partition("</main>")[0]
        assert "setup_link" in answer.content.decode()
    assert not User.objects.exists()


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


def test_all_errors_are_shown_at_once(client, page, own_mail, tmdb, settings):
    settings.TMDB_READ_TOKEN = ""
    wrong = {"username": "", "email": "no address", "password": "short", "password_again": "shorter"}
    wrong |= {"mail_host": f"127.0.0.1:{free_port()}", "mail_port": "0", "mail_from": "nobody"}
    wrong |= {"site_name": "x" * 41, "tmdb_read_token": "not-the-token", "start_with": "everything"}

    answer = client.post(page, wrong)

    assert fields_with_errors(answer) >= set(wrong) - {"mail_host"}
    assert not User.objects.exists()
    assert not current().tmdb_read_token
    assert b"not-the-token" not in answer.content


def test_a_name_that_users_cannot_have_is_refused(client, page):
    UserFactory(username="ada")

    assert fields_with_errors(client.post(page, FORM)) == {"username"}


def test_a_mail_server_that_works_gets_a_message(client, page, own_mail):
    box = Mailbox()
    with mail_server(box) as (host, port):
        mail = {"mail_host": host, "mail_port": port, "mail_security": "none", "mail_from": "films@example.org"}
        answer = client.post(page, FORM | mail | {"password_again": "another"})
        assert (fields_with_errors(answer), box.mails) == ({"password_again"}, [])

        assert client.post(page, FORM | mail).status_code == 302

    [mail] = box.mails
    assert (mail["To"], mail["From"], "Film club" in mail["Subject"]) == ("ada@example.org", "films@example.org", True)


@pytest.mark.parametrize("case", ["nobody listens", "no such host", "wrong encryption", "no sender"])
def test_a_mail_server_that_fails_is_an_error(client, page, own_mail, case):
    with mail_server(Mailbox()) as (host, port):
        mail = {"mail_host": host, "mail_port": port, "mail_security": "none", "mail_from": "films@example.org"}
        mail |= {
            "nobody listens": {"mail_port": free_port()},
            "no such host": {"mail_host": "mail.invalid"},
            "wrong encryption": {"mail_security": "starttls"},
            "no sender": {"mail_from": ""},
        }[case]
        answer = client.post(page, FORM | mail)

    assert fields_with_errors(answer) == {"mail_from" if case == "no sender" else "mail_host"}
    assert not User.objects.exists()
    assert case == "no sender" or f"{mail['mail_host']}:{mail['mail_port']}" in answer.content.decode()


def test_a_token_is_tried_at_tmdb(client, page, tmdb, settings):
    settings.TMDB_READ_TOKEN = ""

    assert fields_with_errors(client.post(page, FORM | {"tmdb_read_token": "wrong"})) == {"tmdb_read_token"}
    assert client.post(page, FORM | {"tmdb_read_token": TOKEN}).status_code == 302
    assert current().tmdb_read_token == TOKEN


def test_a_tmdb_that_does_not_answer_is_an_error(client, page, settings):
    settings.TMDB_API_URL = f"http://127.0.0.1:{free_port()}/3"

    assert fields_with_errors(client.post(page, FORM | {"tmdb_read_token": TOKEN})) == {"tmdb_read_token"}


def test_a_site_with_movies_is_not_asked_for_some(client, page):
    MovieFactory()

    assert "start_with" not in client.get(page).content.decode()
    assert client.post(page, {**ACCOUNT}).status_code == 302


def test_own_data_leads_to_the_import(client, page):
    assert client.post(page, FORM | {"start_with": "own"})["Location"] == "/import/"
    assert not SampleLoad.objects.exists()


def test_the_sample_is_loaded_and_trained_on(client, page, settings, tmp_path, django_capture_on_commit_callbacks):
    settings.MOVIELENS_PATH = str(write_folder(tmp_path / "movielens"))
    with django_capture_on_commit_callbacks(execute=True):
        client.post(page, FORM | {"start_with": "sample"})
    job = SampleLoad.objects.get()
    assert (job.status, job.requested_by.username) == ("queued", "ada")
    assert job.enqueued_at

    assert run_load(load_id=job.pk)

    job.refresh_from_db()
    assert job.status == "succeeded"
    run = PipelineRun.objects.get()
    assert (run.trigger, run.status, run.requested_by.username) == ("page", "queued", "ada")
    assert not run_load(load_id=job.pk)


def test_a_sample_that_cannot_be_loaded_says_why(client, page, settings, tmp_path):
    settings.MOVIELENS_PATH = str(tmp_path / "nowhere")
    client.post(page, FORM | {"start_with": "sample"})
    job = SampleLoad.objects.get()

    assert not run_load(load_id=job.pk)

    job.refresh_from_db()
    assert (job.status, job.outcome) == ("failed", "sample_refused")
    assert "nowhere" in client.get("/mlops/start/").content.decode()
    assert not PipelineRun.objects.exists()


def test_a_host_that_trains_elsewhere_trains_nothing(client, page, settings, tmp_path):
    off = settings.POLICY.schedules.model_copy(update={"train_model": "off"})
    settings.POLICY = settings.POLICY.model_copy(update={"schedules": off})
    settings.MOVIELENS_PATH = str(write_folder(tmp_path / "movielens"))
    client.post(page, FORM | {"start_with": "sample"})

    assert run_load(load_id=SampleLoad.objects.get().pk)
    assert not PipelineRun.objects.exists()


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
