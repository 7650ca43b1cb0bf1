from unittest.mock import Mock

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client
from django.utils import timezone

from catalog.imports.lifecycle import read_import
from catalog.models import Rating, UserImport
from tests.catalog.imports.site_files import RATINGS, table
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

ROWS = [["2020-05-02", "Heat", 1995, "", 4], ["2020-05-02", "<b>Nothing</b>", 1995, "", 4]]


@pytest.fixture
def page(client, nora) -> Client:
    client.force_login(nora)
    return client


def upload(client: Client, content: bytes = table(RATINGS, *ROWS), format: str = "letterboxd", **more):
    file = SimpleUploadedFile("ratings.csv", content)
    return client.post("/import/", {"format": format, "file": file}, **more)


def text_of(response) -> str:
    return response.content.decode()


@pytest.mark.wording
def test_upload_look_take_over(page, nora):
    heat = MovieFactory(title="Heat", year=1995)
    assert upload(page).url == "/import/"
    UserImport.objects.update(enqueued_at=timezone.now())  # the test's transaction sends no message
    waiting = text_of(page.get("/import/"))
    assert "2 rows, waiting to be looked up in the catalogue" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in waiting

    user_import = UserImport.objects.get()
    read_import(import_id=user_import.pk)
    ready = text_of(page.get("/import/"))
    assert "every 1s" not in ready
    assert "1 of 2 rows found in the catalogue" in ready
    assert "&lt;b&gt;Nothing&lt;/b&gt;" in ready
    assert "ratings.csv, line 3" in ready
    assert heat.get_absolute_url() in text_of(page.get("/import/?show=matched"))
    assert not Rating.objects.exists()

    done = page.post(f"/import/{user_import.pk}/commit/", follow=True)
    assert "Import finished. Your recommendations now take it into account." in text_of(done)
    assert "Imported. Continue to" in text_of(done)
    assert Rating.objects.get(user=nora).movie == heat
    assert "Not found (1)" in text_of(done)


def test_htmx_is_answered_with_the_progress_alone(page):
    upload(page)
    fragment = page.get("/import/", headers={"HX-Request": "true"})

    assert "<html" not in text_of(fragment)
    assert 'id="import"' in text_of(fragment)
    assert "HX-Request" in fragment["Vary"]


def test_a_discarded_upload_is_gone(page):
    upload(page)
    answer = page.post(f"/import/{UserImport.objects.get().pk}/discard/", follow=True)

    assert "ratings.csv was discarded." in text_of(answer)
    assert not UserImport.objects.exists()


@pytest.mark.wording
def test_wrong_file_is_refused_on_the_page(page):
    answer = upload(page, format="trakt")

    assert answer.status_code == 422
    assert "expected a JSON file of Trakt" in text_of(answer)
    assert "looks like a file from Letterboxd, so choose that." in text_of(answer)
    empty = page.post("/import/", {})
    assert "Choose the site that exported the file." in text_of(empty)
    assert "Choose a file to upload." in text_of(empty)
    assert not UserImport.objects.exists()


@pytest.mark.wording
def test_oversized_upload_is_stopped_with_the_reason(nora, settings, tmp_path, change_policy):
    """The token of the form stands before the file and is read; of the file nothing is kept."""
    change_policy("imports", max_upload_mb=1)
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    client = Client(enforce_csrf_checks=True)
    client.force_login(nora)
    client.get("/import/")
    token = client.cookies["csrftoken"].value
    file = SimpleUploadedFile("ratings.csv", b"x" * (3 << 20))
    answer = client.post("/import/", {"csrfmiddlewaretoken": token, "format": "csv", "file": file})

    assert answer.status_code == 413
    assert "The upload has 3 MB; expected a file of at most 1 MB." in text_of(answer)
    assert list(tmp_path.iterdir()) == []


class Endless:
    """The body of a request: a form that begins, and then a file without a line end. Keeps how much was asked for."""

    def __init__(self, start: bytes) -> None:
        self.start = start
        self.largest = 0

    def read(self, size: int = -1) -> bytes:
        self.largest = max(self.largest, size if size >= 0 else 1 << 60)
        start, self.start = self.start, b""
        return start or b"x" * size

    readline = read


START = (
    b'--x\r\nContent-Disposition: form-data; name="format"\r\n\r\ncsv\r\n'
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
)


def test_stopped_upload_is_drained_without_using_memory(rf):
    body = Endless(START)
    says = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(200 << 20), "wsgi.input": body}
    request = WSGIRequest(rf.post("/import/").environ | says)

    assert request.POST.dict() == {"format": "csv"}
    assert not request.FILES
    assert body.largest <= 1 << 20
    assert request.read(1) == b""


def test_a_form_is_read_though_its_file_was_cut(rf):
    def rest() -> bytes:
        raise RequestDataTooBig

    pieces = iter([START, b"x" * 99_999])
    body = Mock(read=lambda size: next(pieces, None) or rest())
    says = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(200 << 20), "wsgi.input": body}
    request = WSGIRequest(rf.post("/import/").environ | says)

    assert request.POST.dict() == {"format": "csv"}
    assert not request.FILES


@pytest.mark.wording
def test_an_early_commit_is_told_and_changes_nothing(page):
    upload(page)
    answer = page.post(f"/import/{UserImport.objects.get().pk}/commit/", follow=True)

    assert "ratings.csv is waiting to be read" in text_of(answer)


def test_it_is_ones_own(page, client, bob):
    assert Client().get("/import/").status_code == 302
    upload(page)
    pk = UserImport.objects.get().pk
    other = Client()
    other.force_login(bob)

    assert f"/import/{pk}/" in text_of(page.get("/import/"))
    assert f"/import/{pk}/" not in text_of(other.get("/import/"))
    assert other.post(f"/import/{pk}/commit/").status_code == 404
    assert other.post(f"/import/{pk}/discard/").status_code == 404


@pytest.mark.wording
def test_too_many_uploads_are_refused(page, settings):
    for _ in range(int(settings.POLICY.limits.imports.split("/")[0])):
        upload(page, b"")
    answer = upload(page)

    assert answer.status_code == 429
    assert "Too many attempts." in text_of(answer)


def test_an_ambiguous_date_is_asked_and_the_answer_read(page, nora):
    MovieFactory(title="Heat", year=1995)
    upload(page, b"title,year,watched_on\nHeat,1995,05/06/2023\n", "csv")
    read_import(import_id=UserImport.objects.get().pk)
    asked = text_of(page.get("/import/"))
    assert "<strong>ratings.csv: watched_on</strong>" in asked
    assert 'name="dates"' in asked

    page.post(f"/import/{UserImport.objects.get().pk}/answer/", {"dates": "month-first"})
    again = UserImport.objects.get()
    read_import(import_id=again.pk)
    again.refresh_from_db()
    assert str(again.rows.get().watched_on) == "2023-05-06"
    assert again.report["questions"] == []
    assert 'name="dates"' not in text_of(page.get("/import/"))


@pytest.mark.wording
def test_an_error_of_a_new_upload_replaces_the_preview(page):
    upload(page)
    read_import(import_id=UserImport.objects.get().pk)
    answer = text_of(upload(page, format="trakt"))

    assert answer.index('role="alert"') < answer.index("Upload</button>")
    assert "rows found in the catalogue" not in answer
    assert "Back to ratings.csv" in answer
    assert "1 of 2 rows" not in answer


@pytest.mark.wording
def test_a_plain_checklist_imports_nothing_and_says_so(page):
    MovieFactory(title="Heat", year=1995)
    upload(page, b"title,year,notes\nHeat,1995,seen!\n", "csv")
    read_import(import_id=UserImport.objects.get().pk)
    preview = text_of(page.get("/import/"))

    assert "The file does not say what was watched, rated or wanted" in preview
    assert "Nothing to import (1)" in preview
    assert "notes: not used" in preview
    assert "watched or wanted?" in preview
