import pandas as pd
import pytest

from catalog.models import Rating
from mlops import snapshots
from mlops.errors import SnapshotNotAvailable, StepFailed
from mlops.models import DatasetSnapshot
from mlops.snapshots import export_snapshot, read_snapshot
from recommender.export import movie_frame, rating_frame


def test_a_snapshot_holds_the_data_and_says_what_it_is(alice, bob, quick, settings):
    snapshot = export_snapshot()

    ratings, movies = read_snapshot(snapshot)
    pd.testing.assert_frame_equal(ratings, rating_frame())
    pd.testing.assert_frame_equal(movies, movie_frame(), check_dtype=False)
    assert (snapshot.n_ratings, snapshot.n_users, snapshot.n_movies) == (12, 2, 12)
    times = Rating.objects.order_by("rated_at").values_list("rated_at", flat=True)
    assert (snapshot.first_rated_at, snapshot.last_rated_at) == (times.first(), times.last())
    assert [folder.name for folder in settings.SNAPSHOT_DIR.iterdir()] == [snapshot.content_hash]


def test_the_same_data_is_the_same_row_whatever_the_chunks(alice, quick, monkeypatch):
    first = export_snapshot()
    monkeypatch.setattr(snapshots, "CHUNK_ROWS", 3)

    second = export_snapshot()

    assert second == first
    assert second.exported_at > first.exported_at
    assert read_snapshot(second)[0].equals(rating_frame())


@pytest.mark.parametrize("change", ["rating", "title"])
def test_changed_data_is_another_snapshot_whose_parent_is_the_one_before(alice, quick, change):
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

    with pytest.raises(SnapshotNotAvailable, match="the hash differs"):
        read_snapshot(snapshot)


def test_without_ratings_there_is_nothing_to_export(db, quick, settings):
    with pytest.raises(StepFailed, match="no ratings"):
        export_snapshot()

    assert not DatasetSnapshot.objects.exists()
    assert not list(settings.SNAPSHOT_DIR.iterdir())
