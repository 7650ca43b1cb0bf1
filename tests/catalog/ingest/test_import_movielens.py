import os
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from catalog.ingest import ratings as rating_writing
from catalog.ingest.movielens import import_movielens
from catalog.models import ImportRun, Movie, MovieGenre, MovieKeyword, Rating, Source, User
from catalog.services import record_rating
from tests.catalog.ingest.movielens import FILES, LATIN_1, changed, write_folder, write_zip
from tests.factories import MovieFactory, UserFactory

pytestmark = pytest.mark.django_db


def stored():
    return {
        (row.user.external_id, row.movie.movielens_id): (row.rating, int(row.rated_at.timestamp()))
        for row in Rating.objects.select_related("user", "movie")
    }


def run(path, **options):
    out, err = StringIO(), StringIO()
    call_command("import_movielens", path, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_brings_movies_users_and_ratings(tmp_path):
    out, err = run(write_folder(tmp_path / "ml"))
    assert "3 inserted" in out
    assert "ratings: 4 inserted, 0 updated, 0 unchanged" in out
    assert err == ""
    lost = Movie.objects.get(movielens_id=2)
    assert (lost.title, lost.original_title, lost.year) == (
        "The City of Lost Children",
        "La Cité des enfants perdus",
        1995,
    )
    assert (lost.imdb_id, lost.tmdb_id, lost.source) == ("tt0112682", 902, Source.MOVIELENS)
    assert lost.search_title == "the city of lost children la cite des enfants perdus"
    assert Movie.objects.get(movielens_id=3).tmdb_id is None
    assert stored() == {
        ("1", 1): (4.0, 964982703),
        ("1", 2): (3.5, 964981247),
        ("2", 1): (5.0, 1445714835),
        ("2", 3): (0.5, 1445714996),
    }
    assert set(Rating.objects.values_list("source", flat=True)) == {Source.MOVIELENS}
    run_row = ImportRun.objects.get()
    assert run_row.finished_at is not None
    assert run_row.counts["ratings_inserted"] == 4


def test_genres_and_repeated_tags_become_metadata_of_movielens(tmp_path):
    import_movielens(path=write_folder(tmp_path / "ml"))
    toys = Movie.objects.get(movielens_id=1)
    assert set(toys.genres.values_list("name", flat=True)) == {"Adventure", "Animation", "Children"}
    assert list(toys.keywords.values_list("name", flat=True)) == ["pixar"]  # "strange, dark" was given only once
    assert Movie.objects.get(movielens_id=3).genres.count() == 0
    for model in (MovieGenre, MovieKeyword):
        assert set(model.objects.values_list("source", flat=True)) == {Source.MOVIELENS}


def test_users_rate_but_cannot_sign_in(tmp_path):
    UserFactory(username="movielens-1", source=Source.SITE)  # a person of the site who has the name
    import_movielens(path=write_folder(tmp_path / "ml"))
    first, second = User.objects.filter(source=Source.MOVIELENS).order_by("external_id")
    assert second.username == "movielens-2"
    assert first.username.startswith("movielens-1-")
    assert not first.has_usable_password()
    assert first.is_active
    assert first.password != second.password


def test_aggregates_and_popularity_are_right_afterwards(tmp_path):
    import_movielens(path=write_folder(tmp_path / "ml"))
    toys = Movie.objects.get(movielens_id=1)
    assert (toys.rating_count, toys.rating_sum) == (2, 9.0)
    assert toys.popularity == pytest.approx(2)  # likes of all time: two people alone are not current


def test_a_second_import_changes_nothing(tmp_path):
    path = write_folder(tmp_path / "ml")
    run(path)
    before = [*Movie.objects.order_by("pk").values(), *Rating.objects.order_by("pk").values()]
    out, _ = run(path)
    assert out.count("0 inserted, 0 updated") == 2
    assert "nothing changed" in out
    assert [*Movie.objects.order_by("pk").values(), *Rating.objects.order_by("pk").values()] == before
    assert User.objects.count() == 2


def test_the_later_rating_wins(tmp_path):
    import_movielens(path=write_folder(tmp_path / "ml"))
    newer = changed("ratings.csv", "2,1,2.0,1445714836", "2,3,1.0,1000000000", "1,1,4.5,964982703", drop=2)
    report = import_movielens(path=write_folder(tmp_path / "ml", newer))
    assert (report.ratings.inserted, report.ratings.updated) == (0, 2)
    found = stored()
    assert found["2", 1] == (2.0, 1445714836)
    assert found["2", 3] == (0.5, 1445714996)  # the file's was older
    assert found["1", 1] == (4.5, 964982703)  # at the same moment the file's counts
    assert Movie.objects.get(movielens_id=1).rating_sum == 6.5


def test_a_pair_twice_in_the_file_keeps_the_latest(tmp_path):
    twice = changed("ratings.csv", "1,3,2.0,1000000009", "1,3,5.0,1000000001")
    report = import_movielens(path=write_folder(tmp_path / "ml", twice))
    assert report.ratings.repeated == 1
    assert stored()["1", 3] == (2.0, 1000000009)


def test_batches_leave_the_same_as_one_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(rating_writing, "BATCH", {"sqlite": 2, "postgresql": 2})
    twice = changed("ratings.csv", "1,1,2.0,964982704", "1,1,1.0,964982000")
    path = write_folder(tmp_path / "ml", twice)
    assert import_movielens(path=path).ratings.inserted == 4
    assert stored()["1", 1] == (2.0, 964982704)
    assert import_movielens(path=path).changed == 0


def test_zip_and_windows_line_ends_and_byte_order_mark(tmp_path):
    assert import_movielens(path=write_zip(tmp_path / "ml.zip")).ratings.inserted == 4
    folder = write_folder(tmp_path / "ml", end="\r\n")
    for file in folder.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    report = import_movielens(path=folder)
    assert (report.changed, report.ratings.unchanged, report.rejected) == (0, 4, 0)


def test_dat_files_of_ml_1m_in_latin_1(tmp_path):
    report = import_movielens(path=write_folder(tmp_path / "ml-1m", LATIN_1, encoding="latin-1"))
    assert (report.movies.inserted, report.users.inserted, report.ratings.inserted) == (2, 2, 3)
    assert Movie.objects.get(movielens_id=2).title == "Léon"
    assert list(Movie.objects.get(movielens_id=1).genres.values_list("name", flat=True)) == ["Animation", "Children"]


def test_links_to_a_movie_that_is_there_and_fills_only_its_gaps(tmp_path):
    mine = MovieFactory(title="Toy Story!", year=None, tmdb_id=862, source=Source.SITE)
    import_movielens(path=write_folder(tmp_path / "ml"))
    mine.refresh_from_db()
    assert (mine.title, mine.year, mine.movielens_id, mine.imdb_id) == ("Toy Story!", 1995, 1, "tt0114709")
    assert mine.source == Source.SITE
    assert mine.field_sources == {"movielens_id": "movielens", "imdb_id": "movielens", "year": "movielens"}
    assert Movie.objects.count() == 3
    assert stored()["1", 1] == (4.0, 964982703)


def test_two_movies_with_one_tmdb_id_stay_two(tmp_path):
    files = changed("links.csv", "3,0081846,862", drop=1)
    path = write_folder(tmp_path / "ml", files)
    import_movielens(path=path)
    assert dict(Movie.objects.values_list("movielens_id", "tmdb_id")) == {1: 862, 2: 902, 3: None}
    assert import_movielens(path=path).changed == 0


def test_a_hand_edited_movie_is_left_as_it_is(tmp_path):
    path = write_folder(tmp_path / "ml")
    import_movielens(path=path)
    Movie.objects.filter(movielens_id=1).update(title="Toys", year=1996)
    import_movielens(path=path)
    assert Movie.objects.filter(movielens_id=1, title="Toys", year=1996).exists()


def test_a_rating_of_the_site_is_never_touched(tmp_path, nora):
    path = write_folder(tmp_path / "ml")
    import_movielens(path=path)
    toys = Movie.objects.get(movielens_id=1)
    mine = record_rating(user=nora, movie=toys, rating=1, rated_at=datetime(1999, 1, 1, tzinfo=UTC))
    import_movielens(path=path)
    mine.refresh_from_db()
    assert (mine.rating, mine.source, mine.rated_at.year) == (1, Source.SITE, 1999)
    toys.refresh_from_db()
    assert (toys.rating_count, toys.rating_sum) == (3, 10.0)


def test_an_import_that_was_cut_off_is_finished_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(rating_writing, "BATCH", {"sqlite": 2, "postgresql": 2})
    path = write_folder(tmp_path / "ml", changed("ratings.csv", "2,2,1.0,1445714997"))
    flush = rating_writing.RatingWriter.flush

    def interrupted(self):
        if Rating.objects.count() == 2:
            raise KeyboardInterrupt
        flush(self)

    monkeypatch.setattr(rating_writing.RatingWriter, "flush", interrupted)
    with pytest.raises(SystemExit) as stopped:
        run(path)
    assert stopped.value.code == 130
    assert Movie.objects.get(movielens_id=1).rating_count == 1  # what stays is counted
    assert ImportRun.objects.get().finished_at is None
    monkeypatch.setattr(rating_writing.RatingWriter, "flush", flush)
    report = import_movielens(path=path)
    assert (report.ratings.inserted, report.ratings.unchanged) == (3, 2)
    assert ImportRun.objects.get().finished_at is not None


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "expected movies.csv and ratings.csv .* found no file"),
        ({"u.data": ["1\t2\t3\t4"]}, "found u.data"),
        ({"ratings.csv": FILES["ratings.csv"]}, "movies.csv is missing beside ratings.csv"),
        (
            FILES | {"ratings.csv": ["user,item,stars", "1,1,4"]},
            "begins with 'user,item,stars'; expected the columns userId",
        ),
        (FILES | {"ratings.csv": FILES["ratings.csv"][:1]}, "ratings.csv holds no row"),
    ],
)
def test_other_data_is_refused_with_what_was_expected(tmp_path, files, message):
    with pytest.raises(CommandError, match=message):
        run(write_folder(tmp_path / "ml", files))
    assert not Movie.objects.exists()


def test_refuses_a_path_that_is_neither_folder_nor_zip(tmp_path):
    with pytest.raises(CommandError, match="no such file or folder"):
        run(tmp_path / "nowhere")
    plain = tmp_path / "ratings.csv"
    plain.write_text("userId,movieId\n")
    with pytest.raises(CommandError, match="expected a folder or a zip"):
        run(plain)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(write_zip(tmp_path / "whole.zip").read_bytes()[:300])
    with pytest.raises(CommandError, match="expected a folder or a zip"):
        run(cut)


def test_damaged_zip_member_is_refused_before_writing(tmp_path):
    path = write_zip(tmp_path / "ml.zip")
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"ml-latest-small/ratings.csv") + 40] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(CommandError, match="damaged"):
        run(path)
    assert not Movie.objects.exists()


def test_refuses_a_zip_that_unpacks_to_absurd_sizes(tmp_path):
    bomb = FILES | {"ratings.csv": [*FILES["ratings.csv"], "0" * 5_000_000]}
    with pytest.raises(CommandError, match="would unpack"):
        run(write_zip(tmp_path / "bomb.zip", bomb))


def test_reads_nothing_outside_the_zip(tmp_path):
    path = write_zip(tmp_path / "ml.zip", inside="../../")
    assert import_movielens(path=path).ratings.inserted == 4
    assert os.listdir(tmp_path) == ["ml.zip"]  # noqa: PTH208


def test_a_database_that_fails_is_told_in_a_sentence(tmp_path, monkeypatch):
    def fail(self):
        raise OperationalError("database is locked")

    monkeypatch.setattr(rating_writing.RatingWriter, "flush", fail)
    with pytest.raises(CommandError, match=r"Database error: database is locked\. Completed work was saved"):
        run(write_folder(tmp_path / "ml"))
