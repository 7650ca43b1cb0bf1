from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from catalog.imports.lifecycle import read_import
from catalog.models import MatchChoice, Rating, UserImport
from tests.catalog.imports.site_files import RATINGS, table
from tests.factories import MovieFactory, api_client_of, key_of

pytestmark = pytest.mark.django_db

ADDRESS = "/api/v1/import/"
ROWS = [["2020-05-02", "Heat", 1995, "", 4], ["2020-05-02", "Nothing", 1995, "", 4]]


def upload(client: APIClient, content: bytes = table(RATINGS, *ROWS), format: str = "letterboxd"):
    file = SimpleUploadedFile("ratings.csv", content)
    return client.post(ADDRESS, {"format": format, "file": file}, format="multipart")


@pytest.mark.wording
def test_upload_look_commit(nora):
    heat = MovieFactory(title="Heat", year=1995)
    mine = api_client_of(nora)
    made = upload(mine)

    assert made.status_code == 202
    address = f"{ADDRESS}{made.json()['id']}/"
    assert (made.json()["status"], made.json()["n_entries"], made.json()["counts"]) == ("waiting", 2, {})
    assert mine.post(f"{address}commit/").json()["error"]["code"] == "not_ready"
    assert mine.post(f"{address}commit/").status_code == 409

    read_import(import_id=made.json()["id"])
    assert mine.get(address).json()["status"] == "ready"
    assert mine.get(address).json()["counts"]["ratings_new"] == 1
    [found] = mine.get(f"{address}entries/?matched=true").json()["results"]
    [missed] = mine.get(f"{address}entries/?matched=false").json()["results"]
    assert (found["movie"], found["movie_title"], found["rating"]) == (heat.pk, "Heat", 4.0)
    assert (missed["title"], missed["line"], missed["movie"], missed["reason"]) == (
        "Nothing",
        3,
        None,
        "Not in the catalogue.",
    )
    assert (found["reasons"], missed["reasons"], found["ignored"]) == ([], ["match.not_found"], [])
    assert not Rating.objects.exists()

    done = mine.post(f"{address}commit/")
    assert (done.status_code, done.json()["status"]) == (200, "done")
    assert Rating.objects.get().movie == heat


def test_an_upload_is_discarded_and_the_list_holds_ones_own(nora, bob):
    mine, others = api_client_of(nora), api_client_of(bob)
    address = f"{ADDRESS}{upload(mine).json()['id']}/"

    assert mine.get(ADDRESS).json()["count"] == 1
    assert others.get(ADDRESS).json()["count"] == 0
    answers = (
        others.get(address),
        others.post(f"{address}commit/"),
        others.get(f"{address}entries/"),
        others.delete(address),
    )
    assert [answer.status_code for answer in answers] == [404] * 4
    assert mine.delete(address).status_code == 204
    assert not UserImport.objects.exists()


@pytest.mark.wording
@pytest.mark.parametrize(
    ("content", "format", "message"),
    [
        (b"", "letterboxd", "ratings.csv: the file is empty."),
        (b"PK\x03\x04 no", "letterboxd", "the zip is damaged"),
        (table(RATINGS, *ROWS), "imdb", "looks like a file from Letterboxd, so choose that"),
        ("Amélie".encode("utf-16-le"), "csv", "expected text in UTF-8, but this is another encoding"),
    ],
)
def test_files_of_another_format_are_refused(nora, content, format, message):
    answer = upload(api_client_of(nora), content, format)

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "invalid_history"
    assert message in answer.json()["error"]["message"]
    assert answer.json()["error"]["fields"]["file"]
    assert not UserImport.objects.exists()


def test_a_form_that_lacks_something_names_it(nora):
    answer = api_client_of(nora).post(ADDRESS, {"format": "myspace"}, format="multipart")

    assert answer.status_code == 400
    assert set(answer.json()["error"]["fields"]) == {"format", "file"}
    assert api_client_of(nora).post(ADDRESS, {"format": "csv"}, format="json").status_code == 415


class Unread(BytesIO):
    def read(self, *args):
        raise AssertionError("nothing of it is to be read")


@pytest.mark.wording
def test_two_gigabytes_are_refused_before_they_are_read(nora):
    token = key_of(nora)
    answer = APIClient().generic(
        "POST",
        ADDRESS,
        b"",
        content_type="multipart/form-data; boundary=x",
        HTTP_AUTHORIZATION=f"Token {token}",
        CONTENT_LENGTH=str(2 << 30),
        **{"wsgi.input": Unread()},
    )

    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "The upload has 2,048 MB; expected a file of at most 32 MB."


def test_nobody_uploads_without_a_name_or_all_the_time(api, nora, settings):
    assert upload(api).status_code == 401
    mine = api_client_of(nora)
    allowed = int(settings.POLICY.limits.imports.split("/")[0])
    codes = [upload(mine, b"").status_code for _ in range(allowed + 1)]

    assert codes == [409] * allowed + [429]


@pytest.mark.wording
def test_a_preview_names_columns_and_questions_and_takes_answers(nora):
    mine = api_client_of(nora)
    content = b"title,year,watched_on,mood\nHeat,1995,05/06/2023,good\n"
    made = upload(mine, content, "csv").json()

    columns = {"title": "title", "year": "year", "watched_on": "watched on", "mood": "not used"}
    assert made["files"] == [
        {"file": "ratings.csv", "taken_for": "a table", "rows": 1, "left_out": 0, "columns": columns}
    ]
    [asked] = made["questions"]
    assert (asked["option"], asked["about"]) == ("dates", "ratings.csv: watched_on")

    file = SimpleUploadedFile("ratings.csv", content)
    answer = {"format": "csv", "file": file, "dates": "day-first"}
    assert mine.post(ADDRESS, answer, format="multipart").json()["questions"] == []
    assert mine.post(ADDRESS, answer | {"dates": "first"}, format="multipart").status_code == 400


def previewed(user, rows=ROWS) -> tuple[APIClient, str, list[dict]]:
    mine = api_client_of(user)
    made = upload(mine, table(RATINGS, *rows)).json()["id"]
    read_import(import_id=made)
    address = f"{ADDRESS}{made}/"
    return mine, address, mine.get(f"{address}entries/?matched=false").json()["results"]


def match_of(address: str, row: dict) -> str:
    return f"{address}entries/{row['id']}/match/"


def test_a_candidate_is_chosen_and_undone(nora):
    heat = MovieFactory(title="Heat", year=1995)
    mine, address, [row] = previewed(nora, [["2020-05-02", "Heat", 1990, "", 4]])
    assert (row["choice"], row["candidates"]) == ("", [{"movie": heat.pk, "title": "Heat", "year": 1995}])
    chosen = mine.put(match_of(address, row), {"movie": heat.pk}, format="json")

    assert (chosen.status_code, chosen.json()["movie"], chosen.json()["choice"]) == (200, heat.pk, "movie")
    assert mine.get(address).json()["counts"]["ratings_new"] == 1
    [remembered] = mine.get("/api/v1/match-choices/").json()["results"]
    assert (remembered["title"], remembered["movie"], remembered["movie_title"]) == ("Heat", heat.pk, "Heat")
    assert mine.delete(match_of(address, row)).status_code == 204
    assert mine.get(address).json()["counts"]["ratings_new"] == 0
    assert mine.get("/api/v1/match-choices/").json()["count"] == 0

    refused = mine.put(match_of(address, row), {"movie": None}, format="json").json()
    assert (refused["choice"], refused["candidates"]) == ("none", [])


def test_a_remembered_choice_is_forgotten(nora):
    heat = MovieFactory(title="Heat", year=1995)
    mine, address, [row] = previewed(nora, ROWS[1:])
    mine.put(match_of(address, row), {"movie": heat.pk}, format="json")
    choice = f"/api/v1/match-choices/{MatchChoice.objects.get().pk}/"

    assert mine.delete(choice).status_code == 204
    assert mine.delete(choice).status_code == 404
    assert mine.get(address).json()["counts"]["matched"] == 0


def test_after_the_commit_a_chosen_row_is_imported(nora):
    heat = MovieFactory(title="Heat", year=1995)
    mine, address, [row] = previewed(nora, ROWS[1:])
    mine.post(f"{address}commit/")
    mine.put(match_of(address, row), {"movie": heat.pk}, format="json")

    assert Rating.objects.get(user=nora).movie == heat
    again = mine.put(match_of(address, row), {"movie": heat.pk}, format="json")
    assert (again.status_code, again.json()["error"]["code"]) == (404, "row_not_found")


def test_choices_of_others_and_for_nothing_are_refused(nora, bob):
    heat = MovieFactory(title="Heat", year=1995)
    mine, address, [row] = previewed(nora)
    [found] = mine.get(f"{address}entries/?matched=true").json()["results"]
    others, other_address, _ = previewed(bob)

    def refused(client, place, body) -> tuple[int, str]:
        answer = client.put(place, body, format="json")
        return answer.status_code, answer.json()["error"]["code"]

    assert refused(others, match_of(address, row), {"movie": heat.pk}) == (404, "not_found")
    assert refused(others, match_of(other_address, row), {"movie": heat.pk}) == (404, "row_not_found")
    assert refused(mine, match_of(address, row), {"movie": heat.pk + 1}) == (404, "movie_not_found")
    assert refused(mine, match_of(address, found), {"movie": heat.pk}) == (409, "invalid_match")
    assert refused(mine, match_of(address, row), {}) == (400, "invalid")
    assert refused(mine, match_of(address, row), {"movie": "1"}) == (400, "invalid")
    assert mine.delete(match_of(address, row)).json()["error"]["code"] == "invalid_match"
    mine.put(match_of(address, row), {"movie": heat.pk}, format="json")
    assert others.delete(f"/api/v1/match-choices/{MatchChoice.objects.get().pk}/").status_code == 404
    assert others.get("/api/v1/match-choices/").json()["count"] == 0
