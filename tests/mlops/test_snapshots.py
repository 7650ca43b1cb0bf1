import json
import shutil
from contextlib import suppress
from pathlib import Path
from random import Random

import pandas as pd
import pytest

from catalog.accounts import delete_account
from catalog.models import Movie, Rating, User
from mlops.data import snapshots
from mlops.data.snapshot_files import write_files
from mlops.data.snapshots import adopt_snapshot, export_snapshot, read_snapshot
from mlops.data.validation import validate_snapshot
from mlops.errors import SnapshotNotAvailable, StepFailed
from mlops.models import DatasetSnapshot, UserPseudonym
from recommender.export import movie_frame, movie_frames, rating_frame
from tests.artefact_files import flip_bit
from tests.factories import MovieFactory


def test_a_snapshot_holds_the_data_and_says_what_it_is(alice, bob, quick, settings):
    snapshot = export_snapshot()

    ratings, movies = read_snapshot(snapshot)
    numbers = dict(UserPseudonym.objects.values_list("user", "number"))
    rows = rating_frame().replace({"user_id": numbers}).sort_values(["user_id", "rated_at"], ignore_index=True)
    pd.testing.assert_frame_equal(ratings, rows)
    pd.testing.assert_frame_equal(movies, movie_frame(), check_dtype=False)
    assert (snapshot.n_ratings, snapshot.n_users, snapshot.n_movies) == (12, 2, 12)
    times = Rating.objects.order_by("rated_at").values_list("rated_at", flat=True)
    assert (snapshot.first_rated_at, snapshot.last_rated_at) == (times.first(), times.last())
    assert [folder.name for folder in settings.SNAPSHOT_DIR.iterdir()] == [snapshot.content_hash]


def test_the_same_data_is_the_same_row_whatever_the_chunks(alice, quick, monkeypatch):
    first = export_snapshot()
    before = read_snapshot(first)[0]
    monkeypatch.setattr(snapshots, "CHUNK_ROWS", 3)

    second = export_snapshot()

    assert second == first
    assert second.exported_at > first.exported_at
    assert read_snapshot(second)[0].equals(before)


@pytest.mark.parametrize("change", ["rating", "title"])
def test_changed_data_make_a_child_snapshot(alice, quick, change):
    first = export_snapshot()
    row = alice.ratings.first()
    if change == "rating":
        row.rating = 1.5
        row.save()
    else:
        row.movie.title = "Another title"
        row.movie.save()

    second = export_snapshot()

    assert second.content_hash != first.content_hash
    assert second.parent == first


def test_a_file_that_was_changed_is_refused(alice, quick, settings):
    snapshot = export_snapshot()
    ratings, _ = read_snapshot(snapshot)
    ratings["rating"] = 5.0
    ratings.to_parquet(settings.SNAPSHOT_DIR / snapshot.folder / "ratings.parquet", index=False)

    with pytest.raises(SnapshotNotAvailable):
        read_snapshot(snapshot)


def test_without_ratings_there_is_nothing_to_export(db, quick, settings):
    with pytest.raises(StepFailed):
        export_snapshot()

    assert not DatasetSnapshot.objects.exists()
    assert not list(settings.SNAPSHOT_DIR.iterdir())


@pytest.mark.ml_test("D5")
def test_a_snapshot_has_stable_pseudonyms_instead_of_names(alice, bob, quick):
    first = read_snapshot(export_snapshot())[0]
    bob.ratings.first().delete()
    second = read_snapshot(export_snapshot())[0]

    assert set(first["user_id"]) == set(second["user_id"])
    assert not set(first["user_id"]) & {alice.pk, bob.pk}


def delete(user: User) -> None:
    Movie.objects.update(rating_count=1, rating_sum=5)  # the factories do not count
    delete_account(user=user)


@pytest.mark.ml_test("D5")
def test_a_deleted_account_is_in_no_later_snapshot(alice, bob, quick):
    before = export_snapshot()
    number = bob.pseudonym.number
    delete(bob)

    after = export_snapshot()

    assert number in set(read_snapshot(before)[0]["user_id"])
    assert number not in set(read_snapshot(after)[0]["user_id"])
    assert (after.n_users, after.n_ratings) == (1, 10)
    assert not UserPseudonym.objects.filter(number=number).exists()


@pytest.mark.ml_test("D5")
def test_an_account_deleted_during_an_export_is_not_in_it(alice, bob, quick):
    def while_it_is_written(rows: int) -> None:
        if bob.pk:
            delete(bob)

    snapshot = export_snapshot(on_rows=while_it_is_written)

    assert (snapshot.n_users, snapshot.n_ratings) == (1, 10)


def test_movies_come_in_chunks_and_are_the_same(alice, quick):
    frames = list(movie_frames(chunk_size=4))

    assert [len(frame) for frame in frames] == [4, 4, 2]
    pd.testing.assert_frame_equal(pd.concat(frames, ignore_index=True), movie_frame())


def test_a_snapshot_knows_where_its_data_came_from(alice, quick, settings):
    MovieFactory(source="tmdb")
    assert export_snapshot().sources == ["site"]

    settings.TMDB_METADATA_IN_TRAINING = True

    assert export_snapshot().sources == ["site", "tmdb"]


def test_a_complete_folder_from_elsewhere_becomes_a_snapshot(alice, quick, settings, tmp_path):
    elsewhere = tmp_path / "pulled"
    snapshot = export_snapshot(out=elsewhere)
    snapshot.delete()
    (settings.SNAPSHOT_DIR / snapshot.folder).rename(tmp_path / "gone")

    adopted = adopt_snapshot(elsewhere)

    assert (adopted.content_hash, adopted.n_ratings) == (snapshot.content_hash, 10)
    assert len(read_snapshot(adopted)[0]) == 10
    assert adopt_snapshot(elsewhere) == adopted
    adopted.delete()
    (elsewhere / "movies.parquet").write_bytes(b"PAR1")
    with pytest.raises(SnapshotNotAvailable):
        adopt_snapshot(elsewhere)


FILES = ("ratings.parquet", "movies.parquet", "snapshot.json")


def flip(path: Path, random: Random) -> bytes:
    """Changes one bit; returns the whole content."""
    return flip_bit(path, random.randrange(path.stat().st_size), random.randrange(8))


def test_a_flipped_bit_is_refused_by_each_reader(alice, quick, settings, tmp_path):
    """200 of them, in every file: in a copy, and in the snapshot's own place."""
    copy, random = tmp_path / "copy", Random(0)
    snapshot = export_snapshot(out=copy)
    place = settings.SNAPSHOT_DIR / snapshot.folder
    for number in range(200):
        name = FILES[number % 3]
        whole = flip(copy / name, random)
        with pytest.raises(SnapshotNotAvailable, match="copy"):
            validate_snapshot(snapshot=str(copy))
        shutil.copy(copy / name, place / name)
        for named in (str(place), snapshot.content_hash):
            with pytest.raises(SnapshotNotAvailable):
                validate_snapshot(snapshot=named)
        with pytest.raises(SnapshotNotAvailable):
            read_snapshot(snapshot)  # as a training does
        for folder in (copy, place):
            (folder / name).write_bytes(whole)
    assert validate_snapshot(snapshot=str(copy))[0] == snapshot


def write_fixed(folder: Path) -> None:
    """The same bytes in every run: without pseudonyms, ids of the database or times of now."""
    numbers = range(1, 11)
    times = pd.date_range("2024-01-01", periods=10, tz="UTC")
    ratings = pd.DataFrame({"user_id": 1, "movie_id": numbers, "rating": 3.5, "rated_at": times})
    movies = pd.DataFrame({"movie_id": numbers, "title": [f"Movie {number}" for number in numbers]})
    movies = movies.assign(release_date=pd.Timestamp("1995-12-15"), overview="", language="en")
    for name in ("genres", "keywords", "cast", "directors", "countries"):
        movies[name] = [["Drama"]] * 10
    write_files(folder, [ratings], [movies], [])


def test_a_snapshot_without_checksums_is_refused_in_words(db, quick, tmp_path):
    """As earlier versions wrote them: what the libraries raise on damaged bytes is said, and no value is believed.

    Native code reads the damaged bytes: they are the same in every run.
    """
    copy, random = tmp_path / "copy", Random(0)
    write_fixed(copy)
    snapshot = adopt_snapshot(copy)
    manifest = json.loads((copy / "snapshot.json").read_text())
    kept = {key: value for key, value in manifest.items() if key not in {"files", "checksum"}}
    (copy / "snapshot.json").write_text(json.dumps(kept))
    for number in range(60):
        whole = flip(copy / FILES[number % 2], random)
        with suppress(SnapshotNotAvailable):
            assert adopt_snapshot(copy) == snapshot  # a bit that holds no data
        (copy / FILES[number % 2]).write_bytes(whole)
    assert adopt_snapshot(copy) == snapshot


@pytest.mark.parametrize("content", [b"[1]", b"5", b'{"content_hash": 5}', b"\xff", b"[" * 100_000, b""])
def test_a_manifest_of_something_else_is_refused(alice, quick, tmp_path, content):
    export_snapshot(out=tmp_path / "copy")
    (tmp_path / "copy" / "snapshot.json").write_bytes(content)
    with pytest.raises(SnapshotNotAvailable, match="copy"):
        adopt_snapshot(tmp_path / "copy")


@pytest.mark.parametrize("name", FILES)
def test_a_cut_or_missing_file_is_refused(alice, quick, tmp_path, name):
    export_snapshot(out=tmp_path / "copy")
    file = tmp_path / "copy" / name
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(SnapshotNotAvailable):
        adopt_snapshot(file.parent)
    file.unlink()
    with pytest.raises(SnapshotNotAvailable):
        adopt_snapshot(file.parent)


def test_other_data_in_the_place_of_a_snapshot_is_refused(alice, bob, quick, settings):
    """A whole snapshot, but not the one that the folder is named after."""
    first = export_snapshot()
    bob.ratings.first().delete()
    second = export_snapshot()
    place = settings.SNAPSHOT_DIR / first.folder
    shutil.copytree(settings.SNAPSHOT_DIR / second.folder, place, dirs_exist_ok=True)
    for read in (lambda: adopt_snapshot(place), lambda: read_snapshot(first)):
        with pytest.raises(SnapshotNotAvailable):
            read()


@pytest.mark.parametrize("by", ["export", "copy"])
def test_a_damaged_snapshot_is_replaced_by_a_whole_one(alice, quick, settings, tmp_path, by):
    snapshot = export_snapshot(out=tmp_path / "copy")
    flip(settings.SNAPSHOT_DIR / snapshot.folder / "ratings.parquet", Random(0))
    again = export_snapshot() if by == "export" else adopt_snapshot(tmp_path / "copy")
    assert again == snapshot
    assert len(read_snapshot(snapshot)[0]) == 10


def test_a_copy_that_fails_leaves_what_was_there(alice, quick, tmp_path, monkeypatch):
    out, rename = tmp_path / "copy", Path.rename
    export_snapshot(out=out)
    before, beside = {path: path.read_bytes() for path in out.iterdir()}, set(tmp_path.iterdir())

    def fails(path: Path, target: Path) -> Path:
        if target == out and path.suffix != ".old":
            raise OSError("the disk fails")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="the disk fails"):
        export_snapshot(out=out)

    assert {path: path.read_bytes() for path in out.iterdir()} == before
    assert set(tmp_path.iterdir()) == beside
