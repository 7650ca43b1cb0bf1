"""Choosing the movie of a row that was not matched: the row, those alike, later files, and what ends a choice."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.errors import ImportNotReady, InvalidMatch, MovieNotFound, RowNotFound
from catalog.imports.choices import choose_movie, forget_choice, undo_choice
from catalog.imports.commit import commit_import
from catalog.imports.lifecycle import create_import, read_import
from catalog.models import ImportRow, MatchChoice, Movie, Note, Rating, User, UserImport, Viewing, WatchlistItem
from tests.catalog.imports.site_files import RATINGS, table, zipped
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db

CSV = b"title,year,imdb_id,rating,watched_on\n"
REVIEWS = ["Date", "Name", "Year", "Letterboxd URI", "Rating", "Rewatch", "Review", "Tags", "Watched Date"]


def preview_of(user: User, content: bytes, format: str = "csv") -> UserImport:
    name = "all.zip" if content.startswith(b"PK") else "ratings.csv"
    user_import = create_import(user=user, format=format, name=name, content=content)
    read_import(import_id=user_import.pk)
    return UserImport.objects.get(pk=user_import.pk)


def only_row(user_import: UserImport) -> ImportRow:
    return user_import.rows.get()


@pytest.fixture
def heat() -> Movie:
    return MovieFactory(title="Heat", year=1995)


@pytest.fixture
def preview(nora) -> UserImport:
    return preview_of(nora, CSV + b"Hit,1994,,4,\n")


def test_counts_and_effect_follow_a_choice_and_its_undoing(nora, heat, preview):
    row = only_row(preview)
    before = preview.counts
    chosen = choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk)
    preview.refresh_from_db()

    assert (chosen.n_rows, chosen.is_imported, only_row(preview).movie) == (1, False, heat)
    assert {name: n for name, n in preview.counts.items() if n != before[name]} == {
        "matched": 1,
        "unmatched": 0,
        "not_found": 0,
        "ratings_new": 1,
    }
    undo_choice(user=nora, row_id=row.pk)
    preview.refresh_from_db()
    assert preview.counts == before
    assert (only_row(preview).movie, only_row(preview).choice) == (None, "")
    assert only_row(preview).reasons == [["match.not_found", {}]]
    assert not MatchChoice.objects.exists()


def test_a_choice_is_imported_with_the_rest(nora, heat, preview):
    choose_movie(user=nora, row_id=only_row(preview).pk, movie_id=heat.pk)
    commit_import(preview)

    assert Rating.objects.get(user=nora).movie == heat
    assert not preview.rows.exists()


def test_the_next_file_and_other_ids_of_the_movie_follow(nora, heat):
    first = preview_of(nora, CSV + b"Hit,1994,tt0000009,4,\nAnother name,,tt0000009,,2020-05-01\n")
    chosen = choose_movie(user=nora, row_id=first.rows.first().pk, movie_id=heat.pk)

    assert chosen.n_rows == 2
    assert set(first.rows.values_list("movie", "choice")) == {(heat.pk, "movie")}
    again = preview_of(nora, CSV + b"Hit,1994,tt0000009,3,\nHit,1994,tt0000008,3,\n")
    assert list(again.rows.values_list("movie", flat=True)) == [heat.pk, None]
    assert again.counts["matched"] == 1


def test_a_title_counts_for_the_site_and_year_it_comes_from(nora, heat, preview):
    choose_movie(user=nora, row_id=only_row(preview).pk, movie_id=heat.pk)
    row = ["2020-05-02", "Hit", 1994, "", 4]

    assert only_row(preview_of(nora, CSV + b" HIT ,1994,,2,\n")).movie == heat
    assert only_row(preview_of(nora, CSV + b"Hit,1993,,2,\n")).movie is None
    assert only_row(preview_of(nora, table(RATINGS, row), "letterboxd")).movie is None


def test_the_diary_of_letterboxd_follows_its_ratings(nora, heat):
    diary = ["Date", "Name", "Year", "Letterboxd URI", "Rating", "Rewatch", "Tags", "Watched Date"]
    files = {
        "ratings.csv": table(RATINGS, ["2020-05-02", "Hit", 1994, "https://boxd.it/1", 4]),
        "diary.csv": table(diary, ["2020-05-02", "Hit", 1994, "https://boxd.it/entry", 4, "", "", "2020-05-01"]),
    }
    preview = preview_of(nora, zipped(files), "letterboxd")
    chosen = choose_movie(user=nora, row_id=preview.rows.get(file="ratings.csv").pk, movie_id=heat.pk)

    assert chosen.n_rows == 2
    other_film = table(RATINGS, ["2020-05-02", "Hit", 1994, "https://boxd.it/2", 4])
    assert only_row(preview_of(nora, other_film, "letterboxd")).movie is None


def test_two_films_with_a_name_and_year_are_chosen_apart(nora, heat):
    rows = [["2020-05-02", "Hit", 1994, f"https://boxd.it/{n}", n] for n in (1, 2)]
    preview = preview_of(nora, table(RATINGS, *rows), "letterboxd")
    choose_movie(user=nora, row_id=preview.rows.first().pk, movie_id=heat.pk)

    assert list(preview.rows.values_list("movie", flat=True)) == [heat.pk, None]


def test_a_choice_wins_over_the_title_until_it_is_forgotten(nora, heat, preview):
    choose_movie(user=nora, row_id=only_row(preview).pk, movie_id=heat.pk)
    namesake = MovieFactory(title="Hit", year=1994)
    again = preview_of(nora, CSV + b"Hit,1994,,4,\n")
    assert only_row(again).movie == heat

    assert forget_choice(user=nora, choice_id=MatchChoice.objects.get().pk)
    assert only_row(again).movie == namesake
    assert UserImport.objects.get(pk=again.pk).counts["matched"] == 1
    assert not forget_choice(user=nora, choice_id=0)


def test_none_of_them_is_remembered_until_the_movie_is_there(nora, heat, preview):
    choose_movie(user=nora, row_id=only_row(preview).pk, movie_id=None)
    assert only_row(preview).choice == "none"
    assert only_row(preview_of(nora, CSV + b"Hit,1994,,4,\n")).choice == "none"

    movie = MovieFactory(title="Hit", year=1994)
    assert only_row(preview_of(nora, CSV + b"Hit,1994,,4,\n")).movie == movie


def test_choices_of_two_users_never_mix(nora, bob, heat, preview):
    row = only_row(preview)
    with pytest.raises(RowNotFound):
        choose_movie(user=bob, row_id=row.pk, movie_id=heat.pk)
    choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk)

    assert only_row(preview_of(bob, CSV + b"Hit,1994,,4,\n")).movie is None
    with pytest.raises(RowNotFound):
        undo_choice(user=bob, row_id=row.pk)
    assert not forget_choice(user=bob, choice_id=MatchChoice.objects.get().pk)


def test_a_choice_goes_with_its_movie(nora, heat, preview):
    choose_movie(user=nora, row_id=only_row(preview).pk, movie_id=heat.pk)
    heat.delete()

    assert not MatchChoice.objects.exists()
    assert only_row(preview).movie is None
    other = MovieFactory()
    assert choose_movie(user=nora, row_id=only_row(preview).pk, movie_id=other.pk).row.movie == other


def test_after_the_commit_a_choice_is_imported_at_once(nora, heat):
    review = ["2020-05-02", "Hit", 1994, "", 4, "", "Loud.", "", "2020-05-01"]
    preview = preview_of(nora, table(REVIEWS, review), "letterboxd")
    commit_import(preview)
    row = only_row(preview)
    chosen = choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk)
    preview.refresh_from_db()

    assert chosen.is_imported
    assert Rating.objects.get(user=nora).movie == heat
    assert (Viewing.objects.get(user=nora).note, Note.objects.count()) == ("Loud.", 0)
    assert (preview.counts["matched"], preview.counts["unmatched"], preview.counts["ratings_new"]) == (1, 0, 1)
    with pytest.raises(RowNotFound):
        choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk)


def test_wanted_movies_come_on_the_watchlist(nora, heat):
    preview = preview_of(nora, b"title,year,watchlist\nHit,1994,1\n")
    choose_movie(user=nora, row_id=only_row(preview).pk, movie_id=heat.pk)
    commit_import(preview)

    assert WatchlistItem.objects.get(user=nora).movie == heat


def test_what_is_no_movie_or_matched_offers_nothing_to_choose(nora, heat):
    preview = preview_of(nora, b"title,year,type,rating\nHit,1994,tvSeries,4\nHeat,1995,movie,4\nHit,x,movie,900\n")
    for row in preview.rows.all():
        with pytest.raises(InvalidMatch):
            choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk)
    assert preview.rows.filter(choice="").count() == 3
    with pytest.raises(InvalidMatch):
        undo_choice(user=nora, row_id=preview.rows.first().pk)


def test_what_is_gone_meanwhile_gets_one_answer_each(nora, heat, preview):
    row = only_row(preview)
    with pytest.raises(MovieNotFound):
        choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk + 1)
    UserImport.objects.update(status="running")
    with pytest.raises(ImportNotReady):
        choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk)
    preview.delete()
    with pytest.raises(RowNotFound):
        choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk)
    assert not MatchChoice.objects.exists()


def test_no_more_are_remembered_than_the_policy_allows(nora, heat, change_policy):
    change_policy("imports", max_choices=1)
    first, second = preview_of(nora, CSV + b"Hit,1994,,4,\nHot,1993,,4,\n").rows.all()
    choose_movie(user=nora, row_id=first.pk, movie_id=heat.pk)
    with pytest.raises(InvalidMatch):
        choose_movie(user=nora, row_id=second.pk, movie_id=heat.pk)

    assert choose_movie(user=nora, row_id=first.pk, movie_id=None).row.choice == "none"
    assert MatchChoice.objects.count() == 1


def test_rows_of_an_earlier_release_are_chosen_one_by_one(nora, heat, preview):
    ImportRow.objects.update(identity={})
    chosen = choose_movie(user=nora, row_id=only_row(preview).pk, movie_id=heat.pk)

    assert (chosen.n_rows, MatchChoice.objects.count()) == (1, 0)
    assert undo_choice(user=nora, row_id=chosen.row.pk).row.movie is None


def test_a_choice_in_a_long_file_takes_few_queries(nora, heat):
    rows = b"".join(b"Hit number %d,1994,,4,\n" % number for number in range(300))
    row = preview_of(nora, CSV + rows).rows.first()
    with CaptureQueriesContext(connection) as queries:
        choose_movie(user=nora, row_id=row.pk, movie_id=heat.pk)

    assert len(queries) <= 25
