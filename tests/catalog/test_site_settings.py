"""Site-wide settings: encrypted, overridden by the environment, and followed by all processes."""

import subprocess
import sys
import time

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.mail import send_mail
from django.db import Error, connection

from catalog import site_settings
from catalog.mail import sends_mail
from catalog.models import SiteSettings
from catalog.setup_forms import SiteSettingsForm
from catalog.site_settings import OWN_MAIL, PRODUCT, current, followed, site_name, tmdb_read_token
from movierec.redaction import redact
from tests.factories import UserFactory
from tests.mail_stand_in import Mailbox, mail_server
from tests.processes import ROOT, environment
from tests.tmdb_stand_in import TOKEN

pytestmark = pytest.mark.django_db

SECRET = "a-token-of-a-site-settings-test"
PAGE = "/admin/catalog/sitesettings/1/change/"


def store(**values: object) -> SiteSettings:
    row, _made = SiteSettings.objects.get_or_create(pk=1)
    for name, value in values.items():
        if name in site_settings.SECRETS:
            row.seal(name, value)
        else:
            setattr(row, name, value)
    row.save()
    return row


@pytest.fixture
def admin(client, sam):
    client.force_login(sam)
    return client


@pytest.fixture
def no_language(settings) -> None:
    """Of the environment."""
    settings.SITE_LANGUAGE = ""


def form(**changes: object) -> dict[str, object]:
    names = ("site_name", "mail_host", "mail_user", "mail_password", "mail_from", "tmdb_read_token")
    return dict.fromkeys(names, "") | {"mail_port": 587, "mail_security": "starttls"} | changes


def test_the_environment_wins(settings):
    store(site_name="Of the row", tmdb_read_token="of-the-row")
    assert (site_name(), tmdb_read_token()) == ("Of the row", "of-the-row")

    settings.SITE_NAME, settings.TMDB_READ_TOKEN = "Of the environment", "of-the-environment"
    assert (site_name(), tmdb_read_token()) == ("Of the environment", "of-the-environment")


def test_a_field_of_the_environment_cannot_be_changed(admin, settings):
    store(site_name="Before", tmdb_read_token="before-it")
    settings.SITE_NAME, settings.TMDB_READ_TOKEN = "Of the environment", "of-the-environment"

    shown = admin.get("/admin/catalog/sitesettings/", follow=True).content.decode()
    for variable in ("SITE_NAME", "TMDB_READ_TOKEN", "EMAIL_URL"):
        assert variable in shown
    assert admin.post(PAGE, form(site_name="After", tmdb_read_token=SECRET, mail_host="x.example")).status_code == 302

    settings.SITE_NAME, settings.TMDB_READ_TOKEN = "", ""
    assert (site_name(), tmdb_read_token(), current().mail_host) == ("Before", "before-it", "")


def test_language_and_country_are_kept(admin, no_language):
    store()
    admin.post(PAGE, form(language="vi", region="VN"))
    assert (site_settings.language(), site_settings.region()) == ("vi", "VN")

    refused = admin.post(PAGE, form(language="fr", region="XX"))
    assert set(refused.context["adminform"].form.errors) == {"language", "region"}
    admin.post(PAGE, form())
    assert (site_settings.language(), site_settings.region()) == ("en", "")


def test_language_and_country_of_the_environment_win(admin, settings):
    store(language="vi", region="VN")
    settings.SITE_LANGUAGE, settings.SITE_REGION = "en", "DE"

    assert (site_settings.language(), site_settings.region()) == ("en", "DE")
    admin.post(PAGE, form(language="en", region="FR"))
    assert SiteSettings.objects.values_list("language", "region").get() == ("vi", "VN")


@pytest.mark.wording
def test_the_page_suggests_the_readers_language(admin, no_language):
    shown = admin.get("/admin/catalog/sitesettings/", follow=True, headers={"Accept-Language": "vi"})

    assert shown.context["adminform"].form["language"].value() == "vi"
    assert "Việt Nam</option>" in shown.content.decode()


def test_secrets_are_encrypted_and_never_shown(admin, tmdb, settings):
    settings.TMDB_READ_TOKEN = ""
    admin.get("/admin/catalog/sitesettings/")
    assert admin.post(PAGE, form(tmdb_read_token=TOKEN)).status_code == 302
    assert tmdb_read_token() == TOKEN

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM catalog_sitesettings")
        assert TOKEN not in str(cursor.fetchall())
    assert TOKEN not in admin.get(PAGE).content.decode()
    assert redact(f"the token is {TOKEN}") == "the token is [hidden]"
    [entry] = LogEntry.objects.all()
    assert "TMDB token" in entry.get_change_message()
    assert TOKEN not in entry.change_message


def test_an_empty_field_keeps_a_secret_until_it_is_forgotten(admin):
    store(tmdb_read_token=SECRET)

    admin.post(PAGE, form(site_name="Film club"))
    assert tmdb_read_token() == SECRET
    admin.post(PAGE, form(forget_secrets=["tmdb_read_token"]))
    assert tmdb_read_token() == ""


def test_a_wrong_token_is_refused_here_too(admin, tmdb, settings):
    settings.TMDB_READ_TOKEN = ""
    store(site_name="Before")

    assert admin.post(PAGE, form(site_name="After", tmdb_read_token="wrong")).status_code == 200
    assert (site_name(), tmdb_read_token()) == ("Before", "")


def test_a_stored_password_goes_to_no_other_server(admin, settings):
    settings.EMAIL_BACKEND = OWN_MAIL
    store(mail_host="mail.example", mail_from="films@example.org", mail_user="films", mail_password=SECRET)
    box = Mailbox()
    with mail_server(box) as (host, port):
        values = form(mail_host=host, mail_port=port, mail_security="none", mail_from="films@example.org")
        answer = admin.post(PAGE, values | {"mail_user": "films"})

    assert set(answer.context["adminform"].form.errors) == {"mail_password"}
    assert current().mail_host == "mail.example"


@pytest.mark.parametrize("who", [{}, {"is_staff": True}])
def test_only_superusers_see_them(client, who):
    store(site_name="Film club")
    client.force_login(UserFactory(**who))

    assert client.get(PAGE).status_code in (302, 403)
    assert client.post(PAGE, form(site_name="Theirs")).status_code in (302, 403)
    assert site_name() == "Film club"


def test_after_a_change_of_the_key_a_secret_counts_as_unset(settings, caplog):
    row = store(tmdb_read_token=SECRET, site_name="Film club")
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key"
    followed.forget()
    site_settings._reported.clear()

    assert (tmdb_read_token(), site_name()) == ("", "Film club")
    followed.forget()
    assert tmdb_read_token() == ""
    assert [record.levelname for record in caplog.records if "SECRET_KEY" in record.getMessage()] == ["ERROR"]
    unreadable = SiteSettingsForm(instance=row).fields["tmdb_read_token"].help_text

    settings.SECRET_KEY_FALLBACKS = [former]
    followed.forget()
    assert tmdb_read_token() == SECRET
    assert SiteSettingsForm(instance=row).fields["tmdb_read_token"].help_text != unreadable  # which says so


def test_the_name_is_that_of_the_site(client, settings, nora):
    store(site_name="Film <club>")

    page = client.get("/movies/").content.decode()
    assert "Film &lt;club&gt;" in page
    assert PRODUCT not in page
    assert client.get("/manifest.webmanifest").json()["name"] == "Film <club>"
    assert client.get("/api/schema/", {"format": "json"}).json()["info"]["title"] == "Movierec API"
    client.post("/accounts/password/reset/", {"email": nora.email})
    [reset] = mail.outbox
    assert "Film <club>" in reset.subject
    assert PRODUCT not in reset.subject + reset.body


def test_browsers_may_load_tmdbs_pictures_while_it_is_on(client, settings):
    settings.TMDB_LOGO_URL = "https://logos.example/t.svg"
    assert "img-src 'self' data:;" in client.get("/movies/")["Content-Security-Policy"] + ";"

    store(tmdb_read_token=SECRET)
    policy = client.get("/movies/")["Content-Security-Policy"]
    assert "img-src 'self' data: https://image.tmdb.org https://logos.example/t.svg" in policy


def test_mails_go_through_the_server_of_the_row(settings, capsys):
    settings.EMAIL_BACKEND = OWN_MAIL
    assert not sends_mail()
    box = Mailbox()
    with mail_server(box) as (host, port):
        store(mail_host=host, mail_port=port, mail_security="none", mail_from="films@example.org")
        assert sends_mail()
        send_mail("Hello", "Text", None, ["ada@example.org"])
        send_mail("Hello", "Text", "other@example.org", ["ada@example.org"])

    assert [mail["From"] for mail in box.mails] == ["films@example.org", "other@example.org"]
    assert "ada@example.org" not in capsys.readouterr().out


def test_a_database_that_is_away_leaves_the_last_values(monkeypatch):
    store(site_name="Film club")
    assert site_name() == "Film club"
    followed._read_again_at = 0

    def fail(*args: object, **kwargs: object) -> None:
        raise Error("away")

    monkeypatch.setattr(SiteSettings.objects, "filter", fail)
    assert site_name() == "Film club"


def test_requests_ask_nothing_while_the_values_are_young(client, django_assert_num_queries):
    store(site_name="Film club")
    assert site_name() == "Film club"

    with django_assert_num_queries(0):
        assert [site_name() for _ in range(100)] == ["Film club"] * 100


@pytest.mark.django_db(transaction=True)
def test_another_process_follows_within_seconds():
    store(site_name="Before")
    program = (
        "import sys, django; django.setup()\n"
        "from catalog.site_settings import site_name\n"
        "for line in sys.stdin: print(site_name(), flush=True)\n"
    )
    own = environment(DJANGO_SETTINGS_MODULE="movierec.settings")
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def ask() -> str:
        process.stdin.write("\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    try:
        assert ask() == "Before"
        store(site_name="After")
        deadline = time.monotonic() + 2 * site_settings.SECONDS + 5
        while (seen := ask()) != "After" and time.monotonic() < deadline:
            time.sleep(0.2)
        assert seen == "After"
    finally:
        process.stdin.close()
        process.wait(30)
