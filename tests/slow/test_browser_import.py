"""Importing a file in a browser, with and without JavaScript, and with a worker that reads the file."""

import pytest
from playwright.sync_api import expect

from catalog.imports.lifecycle import create_import, read_import
from catalog.models import MatchChoice, Rating
from tests.catalog.imports.site_files import RATINGS, table, zipped
from tests.factories import MovieFactory, UserFactory
from tests.processes import running
from tests.slow.pages import fits, sign_in

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


@pytest.mark.parametrize("javascript", [True, False])
def test_unmatched_rows_are_chosen_on_a_phone(visit, javascript):
    heat, alien = MovieFactory(title="Heat", year=1995), MovieFactory(title="Alien", year=1979)
    ada = UserFactory(username="ada")
    rows = [["2020-05-02", "Heat", 1990, "", 4], ["2020-05-02", "The one in space", 1979, "", 5]]
    preview = create_import(user=ada, format="letterboxd", name="ratings.csv", content=table(RATINGS, *rows))
    read_import(import_id=preview.pk)
    page = visit(javascript=javascript, viewport={"width": 360, "height": 740})
    sign_in(page, "ada", arrive="/import/")
    assert fits(page)

    page.get_by_role("button", name="Heat (1995)").click()
    expect(page.get_by_text("1 of 2 rows found in the catalogue")).to_be_visible()
    search = page.get_by_role("search", name="The one in space")
    search.get_by_role("searchbox").fill("alien")
    search.get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Alien (1979)").click()
    expect(page.get_by_text("2 of 2 rows found in the catalogue")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Found (2)").click()
    expect(page.get_by_text("You chose this movie.")).to_have_count(2)
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("1 of 2 rows found in the catalogue")).to_be_visible()

    page.get_by_role("button", name="Import it").click()
    expect(page.get_by_text("Import finished.")).to_be_visible()
    page.get_by_role("button", name="Heat (1995)").click()
    expect(page.get_by_text("2 of 2 rows found in the catalogue")).to_be_visible()
    assert set(Rating.objects.filter(user=ada).values_list("movie", flat=True)) == {heat.pk, alien.pk}
    page.goto("/import/choices/")
    page.get_by_role("button", name="Remove").first.click()
    expect(page.get_by_text("The choice is forgotten.")).to_be_visible()
    assert fits(page)
    assert MatchChoice.objects.count() == 1
