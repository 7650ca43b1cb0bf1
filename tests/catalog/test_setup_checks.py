"""Checks of the setup page before it saves, and the loaded sample."""

import pytest

from catalog.models import SampleLoad, User
from catalog.sample.job import run_load
from catalog.site_settings import current
from mlops.models import PipelineRun
from tests.catalog.first_run import FORM, fields_with_errors, own_mail, page
from tests.catalog.ingest.movielens import write_folder
from tests.mail_stand_in import Mailbox, mail_server
from tests.processes import free_port
from tests.tmdb_stand_in import TOKEN

__all__ = ["own_mail", "page"]

pytestmark = pytest.mark.django_db


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
