"""Importing a file in a browser, with and without JavaScript, and with a worker that reads the file."""

import pytest
from playwright.sync_api import expect

from catalog.models import Rating
from tests.catalog.imports.site_files import RATINGS, table, zipped
from tests.factories import MovieFactory, UserFactory
from tests.processes import running
from tests.slow.pages import sign_in

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORKER = ("celery", "--app", "movierec", "worker", "--queues", "default", "--concurrency", "1")
ROWS = [["2020-05-02", "Heat", 1995, "", 4], ["2020-05-02", "Nothing", 1995, "", 4]]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_file_is_uploaded_read_looked_at_and_imported(visit, tmp_path, javascript):
    heat = MovieFactory(title="Heat", year=1995)
    ada = UserFactory(username="ada")
    file = {
        "name": "letterboxd.zip",
        "mimeType": "application/zip",
        "buffer": zipped({"ratings.csv": table(RATINGS, *ROWS)}),
    }
    page = visit(javascript=javascript)
    sign_in(page, "ada", arrive="/import/")
    page.get_by_label("Letterboxd").check()
    page.get_by_label("File (").set_input_files(files=[file])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("2 rows, waiting to be looked up in the catalogue")).to_be_visible()

    with running(*WORKER, log=tmp_path / "worker.log"):
        expect(page.get_by_text("1 of 2 rows found in the catalogue")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Not in the catalogue.")).to_be_visible()
    assert not Rating.objects.exists()

    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_text("Import finished.")).to_be_visible()
    assert Rating.objects.get(user=ada).movie == heat
    page.goto("/accounts/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Trakt").click()
    assert download.value.suggested_filename == "movierec-trakt.json"
