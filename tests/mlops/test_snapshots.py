import pandas as pd
import pytest

from catalog.models import Movie, Rating, User
from catalog.services import delete_account
from mlops.data import snapshots
from mlops.data.snapshots import adopt_snapshot, export_snapshot, read_snapshot
from mlops.errors import SnapshotNotAvailable, StepFailed
from mlops.models import DatasetSnapshot, UserPseudonym
from recommender.export import movie_frame, movie_frames, rating_frame
from tests.factories import MovieFactory


def test_a_snapshot_holds_the_data_and_says_what_it_is(alice, bob, quick, settings):
    snapshot = export_snapshot()

    ratings, movies = read_snapshot(snapshot)
    numbers = dict(UserPseudonym.objects.values_list("user", "number"))
    pd.testing.assert_frame_equal(ratings, rating_frame().replace({"user_id": numbers}))
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


def test_a_damaged_copy_of_a_known_snapshot_is_refused(alice, quick, tmp_path):
    """Each byte of the smaller file in turn: whatever the libraries raise, it is said in words."""
    copy = tmp_path / "copy"
    snapshot = export_snapshot(out=copy)
    assert adopt_snapshot(copy) == snapshot
    for name in ("ratings.parquet", "movies.parquet", "snapshot.json"):
        whole = (copy / name).read_bytes()
        for place in range(0, len(whole), 7):
            (copy / name).write_bytes(whole[:place] + bytes([whole[place] ^ 64]) + whole[place + 1 :])
            try:
                assert adopt_snapshot(copy) == snapshot  # a byte that holds no data, such as padding or a count
            except SnapshotNotAvailable as error:
                assert str(copy) in str(error)
        (copy / name).write_bytes(whole)
    for content in ("[1]", "5", '{"content_hash": 5}', "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")):
        (copy / "snapshot.json").write_text(content, encoding="latin-1")
        with pytest.raises(SnapshotNotAvailable, match="copy"):
            adopt_snapshot(copy)
