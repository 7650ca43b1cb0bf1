"""The owner of a CSV file says what its columns mean, once for each header."""

import json
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from catalog.errors import InvalidImport
from catalog.imports.commit import commit_import
from catalog.imports.formats import read_upload
from catalog.imports.lifecycle import create_import, read_import
from catalog.imports.mapping import MAX_REMEMBERED
from catalog.models import ColumnMapping, Movie, UserImport
from tests.factories import MovieFactory, UserFactory

pytestmark = pytest.mark.django_db

FILMS = "Título;Año;Nota;Fecha;Color\nVértigo;1958;7;13/02/2024;azul\n".encode()
SAID = {"Título": "title", "Año": "year", "Nota": "rating10", "Fecha": "watched_on", "Color": "nothing"}


@pytest.fixture
def vertigo() -> Movie:
    return MovieFactory(title="Vértigo", year=1958)


def upload(user, content: bytes = FILMS, name: str = "films.csv", **answers) -> UserImport:
    made = create_import(user=user, format="csv", name=name, content=content, answers=answers)
    assert read_import(import_id=made.pk)
    return UserImport.objects.get(pk=made.pk)


def test_an_unknown_header_is_asked_about_with_guesses(nora):
    user_import = upload(nora)
    [table] = user_import.report["columns"]

    assert (user_import.n_rows, user_import.report["questions"]) == (0, [["columns", "films.csv"]])
    assert [(column["label"], column["samples"], column["meaning"]) for column in table["columns"]] == [
        ("Título", ["Vértigo"], "title"),
        ("Año", ["1958"], "year"),
        ("Nota", ["7"], "rating"),
        ("Fecha", ["13/02/2024"], "watched_on"),
        ("Color", ["azul"], "nothing"),
    ]
    assert commit_import(user_import).counts["ratings_new"] == 0


def test_the_page_asks_and_reads_the_file_as_answered(client, nora, vertigo):
    first = upload(nora)
    client.force_login(nora)
    page = client.get("/import/").content.decode()
    form = {f"column-0-{place}": meaning for place, meaning in enumerate(SAID.values())}
    assert all(f'name="{name}"' in page for name in form)

    client.post(f"/import/{first.pk}/answer/", form)
    again = nora.imports.get()
    if again.state != UserImport.State.READY:
        assert read_import(import_id=again.pk)
    commit_import(UserImport.objects.get(pk=again.pk))

    assert [rating.rating for rating in nora.ratings.all()] == [3.5]
    assert str(nora.viewings.get().watched_on) == "2024-02-13"


def test_a_wrong_answer_of_the_form_changes_nothing(client, nora):
    first = upload(nora)
    client.force_login(nora)
    page = client.post(f"/import/{first.pk}/answer/", {f"column-0-{n}": "title" for n in range(5)}, follow=True)

    assert page.status_code == 200
    assert nora.imports.get().pk == first.pk
    assert not ColumnMapping.objects.exists()


def test_others_cannot_answer(client, nora):
    first = upload(nora)
    client.force_login(UserFactory())

    assert client.post(f"/import/{first.pk}/answer/", {"column-0-0": "title"}).status_code == 404


def test_the_answer_is_used_for_later_files_with_the_header(client, nora, vertigo):
    upload(nora, columns=SAID)
    confirmed = nora.column_mappings.get().confirmed_at
    later = upload(nora, "color;fecha;NOTA;año;título\nrojo;14/02/2024;9;1958;Vértigo\n".encode(), "later.csv")
    client.force_login(nora)

    assert later.report["questions"] == []
    assert (later.rows.get().rating, later.rows.get().movie) == (4.5, vertigo)
    assert nora.column_mappings.get().confirmed_at == confirmed
    assert "column-0-0" in client.get("/import/").content.decode()
    assert upload(UserFactory()).report["questions"] == [["columns", "films.csv"]]


def test_a_changed_answer_replaces_the_earlier_one(nora, vertigo):
    upload(nora, columns=SAID)
    again = upload(nora, columns=SAID | {"Nota": "nothing"})

    assert again.rows.get().rating is None
    assert nora.column_mappings.get().columns["nota"] == "nothing"
    assert upload(nora).rows.get().rating is None


def test_what_the_names_say_can_be_corrected(nora, vertigo):
    content = "title,year,rating,mine\nVértigo,1958,2,8\n".encode()
    said = {"rating": "nothing", "mine": "rating10"}

    assert upload(nora, content, columns=said).rows.get().rating == 4


def test_only_the_newest_answers_are_remembered(nora):
    for number in range(MAX_REMEMBERED + 2):
        create_import(
            user=nora,
            format="csv",
            name="x.csv",
            content=f"Film,x{number}\nHeat,1\n".encode(),
            answers={"columns": {"Film": "title"}},
        )

    assert nora.column_mappings.count() == MAX_REMEMBERED


@pytest.mark.parametrize("columns", [{"Título": "colour"}, {"Título": "title", "Año": "title"}])
def test_a_meaning_must_be_known_and_used_once(nora, columns):
    with pytest.raises(InvalidImport):
        upload(nora, columns=columns)


@pytest.mark.wording
def test_a_file_of_a_known_site_is_not_asked_about():
    diary = b"Date,Name,Year,Letterboxd URI,Rating\n2024-01-01,Heat,1995,https://boxd.it/a,4\n"
    with pytest.raises(InvalidImport, match="Letterboxd"):
        read_upload(format="csv", name="x.csv", content=diary)


def test_first_values_are_deleted_with_the_commit(nora, vertigo):
    done = commit_import(upload(nora, columns=SAID))
    done.refresh_from_db()

    assert ("columns" in done.report, bytes(done.content)) == (False, b"")


def test_the_api_takes_the_meanings(api, nora, vertigo):
    api.force_authenticate(nora)
    body = {"format": "csv", "columns": json.dumps(SAID), "file": SimpleUploadedFile("films.csv", FILMS)}
    answer = api.post("/api/v1/import/", body, format="multipart")
    wrong = [
        api.post("/api/v1/import/", {"format": "csv", "columns": text, "file": SimpleUploadedFile("f.csv", FILMS)})
        for text in ("{", "[]", '{"Nota": "colour"}')
    ]

    assert (answer.status_code, answer.json()["questions"]) == (202, [])
    assert [(bad.status_code, list(bad.json()["error"]["fields"])) for bad in wrong] == [(400, ["columns"])] * 3


def test_the_command_takes_the_meanings(nora, vertigo, tmp_path):
    path = tmp_path / "films.csv"
    path.write_bytes(FILMS)
    pairs = [f"{name}={meaning}" for name, meaning in SAID.items()]
    call_command(
        "import_ratings",
        str(path),
        user=nora.username,
        format="csv",
        columns=pairs,
        stdout=StringIO(),
    )

    assert nora.ratings.get().rating == 3.5
