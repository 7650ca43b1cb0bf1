"""Resets forgotten passwords by mail or by a link from staff."""

import smtplib
from datetime import timedelta

import pytest
from allauth.account.forms import default_token_generator
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core import mail

from catalog.sign_in.settings import LINK_HOURS
from catalog.throttling import MailThrottle
from tests.catalog.account_mail import NEW, choose_password, content, link, only_our_templates
from tests.factories import UserFactory

__all__ = ["only_our_templates"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_our_templates")]

RESET = "/accounts/password/reset/"


def ask(client, email: str):
    return client.post(RESET, {"email": email}, follow=True)


def link_by_staff(client, staff, user):
    client.force_login(staff)
    form = {"action": "make_password_link", "_selected_action": user.pk}
    answer = client.post("/admin/catalog/user/", form)
    client.logout()
    return answer


@pytest.mark.wording
def test_a_mail_leads_to_a_new_password(client, nora):
    assert ask(client, "Nora@example.org").status_code == 200
    done = choose_password(client, link())

    assert "Your password has been changed" in done.content.decode()
    nora.refresh_from_db()
    assert nora.check_password(NEW)
    assert "_auth_user_id" not in client.session  # a second factor would be asked for at the sign-in


@pytest.mark.wording
def test_a_link_works_once_and_for_a_day(client, nora, monkeypatch):
    ask(client, nora.email)
    choose_password(client, link())
    said = "This link is no longer valid"
    assert said in client.get(link(), follow=True).content.decode()

    ask(client, nora.email)
    tomorrow = default_token_generator._now() + timedelta(hours=LINK_HOURS, seconds=1)
    monkeypatch.setattr(default_token_generator, "_now", lambda: tomorrow)
    assert said in client.get(link(), follow=True).content.decode()


def test_all_errors_of_a_new_password_are_shown(client, nora):
    ask(client, nora.email)
    page = client.get(link(), follow=True)
    told = client.post(page.request["PATH_INFO"], {"password1": "123", "password2": ""}).content.decode()

    assert told.count('class="errorlist"') == 2
    nora.refresh_from_db()
    assert not nora.check_password("123")


def test_who_has_an_account_is_not_told(client, nora):
    known, unknown = ask(client, nora.email), ask(client, "nobody@example.org")

    assert known.redirect_chain == unknown.redirect_chain
    assert content(known) == content(unknown)
    assert [sent.to for sent in mail.outbox] == [[nora.email], ["nobody@example.org"]]  # so that it takes as long
    assert "/accounts/sign-up/" in mail.outbox[1].body


def test_nobody_is_sent_more_mails_than_the_limit(client, nora, monkeypatch):
    monkeypatch.setattr(MailThrottle, "THROTTLE_RATES", {"mail": "2/hour"})
    answers = []
    for number in range(3):
        client.defaults["REMOTE_ADDR"] = f"203.0.113.{number}"
        answers.append(content(ask(client, nora.email)))
    assert (len(mail.outbox), len(set(answers))) == (2, 1)

    statuses = [ask(client, f"somebody-{number}@example.org").status_code for number in range(2)]
    assert statuses == [200, 429]


@pytest.mark.parametrize("email", ["nora@example.org", "nobody@example.org"])
@pytest.mark.wording
def test_a_dead_mail_server_is_said(client, nora, monkeypatch, email):
    def refuse(message: object) -> None:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", refuse)
    answer = ask(client, email)

    assert answer.status_code == 503
    assert "The email could not be sent." in answer.content.decode()


@pytest.mark.wording
def test_a_site_without_mail_names_its_staff(client, nora, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    assert "Ask the staff for a password reset link" in client.get(RESET).content.decode()
    assert ask(client, nora.email).status_code == 404


def test_a_link_of_staff_leads_to_a_new_password(client, nora, sam):
    shown = link_by_staff(client, sam, nora)
    address = shown.context["link"]

    assert address in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    [entry] = LogEntry.objects.all()
    assert entry.object_id == str(nora.pk) and address.rpartition("-")[2] not in entry.change_message
    choose_password(client, address.removeprefix("http://testserver"))
    nora.refresh_from_db()
    assert nora.check_password(NEW)


def test_links_are_for_one_person_who_signs_in(client, nora, sam):
    helper = UserFactory(username="helper", is_staff=True)
    helper.user_permissions.add(*Permission.objects.filter(codename__in=["view_user", "change_user"]))
    guest = UserFactory(username="movielens-1", source="movielens")

    assert link_by_staff(client, helper, nora).status_code == 200
    for staff, user in ((helper, sam), (sam, guest), (sam, UserFactory(is_active=False))):
        assert link_by_staff(client, staff, user).status_code == 302
    assert LogEntry.objects.count() == 1
