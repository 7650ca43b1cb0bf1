"""Reviews from other sites become private notes. Existing notes are kept."""

from datetime import date

import pytest

from catalog.imports.commit import commit_import
from catalog.imports.lifecycle import create_import, read_import
from catalog.models import Note, UserImport, Viewing
from catalog.models.rating import NOTE_LENGTH
from tests.catalog.imports.site_files import REVIEWS, table
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def heat():
    return MovieFactory(title="Heat", year=1995)


def imported(user, *reviews: tuple[str, str]) -> UserImport:
    rows = [["2020-05-02", "Heat", 1995, "", "", "", text, "", day] for text, day in reviews]
    user_import = create_import(user=user, format="letterboxd", name="reviews.csv", content=table(REVIEWS, *rows))
    read_import(import_id=user_import.pk)
    user_import.refresh_from_db()
    return commit_import(user_import)


def noted(user) -> tuple[list[str], list[str]]:
    viewings = Viewing.objects.filter(user=user).exclude(note="").values_list("note", flat=True)
    return list(viewings), list(Note.objects.filter(user=user).values_list("text", flat=True))


def test_a_viewing_that_is_there_gets_the_review_of_its_day(nora, heat):
    Viewing.objects.create(user=nora, movie=heat, watched_on=date(2020, 5, 1))

    assert imported(nora, ("Loud", "2020-05-01")).counts["notes_new"] == 1
    assert noted(nora) == (["Loud"], [])


def test_a_review_without_a_day_is_about_the_movie(nora, heat):
    assert imported(nora, ("Loud", ""), ("Louder", "")).counts["notes_new"] == 1
    assert noted(nora) == ([], ["Loud"])


def test_what_is_noted_already_stays(nora, heat):
    Viewing.objects.create(user=nora, movie=heat, watched_on=date(2020, 5, 1), note="My own")
    Note.objects.create(user=nora, movie=heat, text="About it")

    assert imported(nora, ("Loud", "2020-05-01"), ("Long", "")).counts["notes_new"] == 0
    assert noted(nora) == (["My own"], ["About it"])


def test_importing_it_again_changes_nothing(nora, heat):
    imported(nora, ("Loud", "2020-05-01"), ("Long", ""))
    before = noted(nora)

    assert imported(nora, ("Loud", "2020-05-01"), ("Long", "")).counts["notes_new"] == 0
    assert noted(nora) == before == (["Loud"], ["Long"])


def test_a_review_of_an_unknown_movie_waits_for_a_choice(nora):
    assert imported(nora, ("Loud", "2020-05-01")).rows.get().review == "Loud"
    assert noted(nora) == ([], [])


def test_of_a_long_review_a_note_keeps_what_it_holds(nora, heat):
    imported(nora, ("x" * (NOTE_LENGTH + 1), "2020-05-01"))

    [[note], []] = noted(nora)
    assert note == "x" * (NOTE_LENGTH - 1) + "…"
