"""The first run in a browser, from an empty site to the first list by its first model."""

import re
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from catalog import setup
from catalog.models import Rating, User
from mlops.models import ModelVersion
from tests.mail_stand_in import Mailbox, mail_server
from tests.processes import free_port, running, site
from tests.slow.pages import PASSWORD, fits
from tests.slow.test_make_run import write_sample
from tests.tmdb_stand_in import TOKEN, TMDBStandIn

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PHONE = {"width": 360, "height": 740}
WORKER = ("celery", "--app", "movierec", "worker", "--queues", "default,training", "--concurrency", "1")
TRAINED = 300_000  # milliseconds; only ends what hangs


@pytest.fixture
def address(quick, transactional_db, static_root, tmp_path) -> Iterator[str]:
    """An empty site: web processes and a worker, which get nothing of what the page asks for by their environment."""
    write_sample(tmp_path / "movielens")
    with TMDBStandIn() as tmdb:
        own = {"EMAIL_URL": "", "TMDB_API_URL": tmdb.url, "MOVIELENS_PATH": str(tmp_path / "movielens")}
        own["STATIC_ROOT"] = static_root
        with running(*WORKER, log=tmp_path / "worker.log", **own), site(log=tmp_path / "web.log", **own) as address:
            yield address


def fill(page: Page, **fields: str) -> None:
    for label, value in fields.items():
        page.get_by_label(label.replace("_", " "), exact=True).fill(value)


def test_from_an_empty_site_to_the_first_list(visit, address, capsys):
    call_command("setup_link", "--base", address)
    [link] = re.findall(r"http\S+", capsys.readouterr().out)
    page = visit(viewport=PHONE)
    page.goto(f"{address}/")
    page.get_by_role("link", name="Set up this site").click()
    expect(page.get_by_role("heading", name="Open the setup link from the log")).to_be_visible()
    page.goto(link)
    fill(page, Username="ada", Password=PASSWORD, Confirm_password="another")
    page.get_by_label("Email (optional)").fill("ada@example.org")
    fill(page, Site_name="Film club", TMDB_token="wrong", Mail_server="127.0.0.1", Port=str(free_port()))
    fill(page, Sender_address="films@example.org")
    page.get_by_label("Encryption").select_option("none")
    page.get_by_label("Language", exact=True).select_option("Tiếng Việt")
    page.get_by_label("Country", exact=True).select_option("Vietnam")
    page.get_by_role("button", name="Set up", exact=True).click()
    expect(page.locator(".errorlist")).to_have_count(3)
    assert fits(page)

    box = Mailbox()
    with mail_server(box) as (_host, port):
        fill(page, Password=PASSWORD, Confirm_password=PASSWORD, TMDB_token=TOKEN, Port=str(port))
        page.get_by_role("button", name="Set up", exact=True).click()
        expect(page.get_by_role("heading", name="Film club is set up")).to_be_visible()
    assert [mail["To"] for mail in box.mails] == ["ada@example.org"]
    assert fits(page)

    expect(page.get_by_text("The model is ready.")).to_be_visible(timeout=TRAINED)
    page.get_by_role("link", name="Show recommendations").click()
    expect(page.locator(".movie-card").first).to_be_visible()
    assert "Film club" in page.title()
    assert ModelVersion.champion() is not None
    assert Rating.objects.exists()
    assert page.request.get(link).status == 404
    elsewhere = page.request.get(address, headers={"Accept-Language": "fr"})  # another process than the one that saved
    assert '<html lang="vi">' in elsewhere.text()


def test_the_page_needs_no_script(visit, settings):
    page = visit(javascript=False, viewport=PHONE)
    page.goto(setup.link(setup.present_code(), base="/"))
    fill(page, Username="ada", Password=PASSWORD, Confirm_password=PASSWORD)
    page.get_by_label("None for now").check()
    page.get_by_role("button", name="Set up", exact=True).click()

    expect(page.get_by_role("heading", name="is set up")).to_be_visible()
    assert User.objects.get().is_superuser
