"""The same ratings give the same data on every site, whatever the users' numbers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from django.utils import timezone

from mlops.data.histories import in_canonical_order
from mlops.data.snapshot_files import read_files, write_files
from mlops.data.snapshots import adopt_snapshot, export_snapshot, read_snapshot
from mlops.data.validation import checked_frames, frames_as_of
from mlops.models import UserPseudonym

TIMES = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-02-01", "2024-01-01", "2024-02-01"], utc=True)
# Users 1 and 3 have equal histories, two ratings of user 1 were given at one time.
RATINGS = pd.DataFrame(
    {
        "user_id": [1, 1, 2, 3, 3],
        "movie_id": [12, 11, 11, 11, 12],
        "rating": [4.0, 3.5, 0.5, 3.5, 4.0],
        "rated_at": TIMES.as_unit("us")[[0, 1, 2, 1, 0]],
    }
)
MOVIES = pd.DataFrame(
    {"movie_id": [11, 12], "title": ["A", "B"], "release_date": pd.NaT, "overview": "", "language": ""}
    | {name: [[], []] for name in ("genres", "keywords", "cast", "directors", "countries")}
)


def on_another_site(ratings: pd.DataFrame, numbers: dict[int, int]) -> pd.DataFrame:
    """Other pseudonyms, and the rows as another database returns them."""
    return ratings.assign(user_id=ratings["user_id"].map(numbers))[::-1].reset_index(drop=True)


def content_hash(folder: Path, ratings: pd.DataFrame, chunk_rows: int = 10) -> str:
    rows = ratings.sort_values(["user_id", "rated_at", "movie_id"])
    chunks = [rows[start : start + chunk_rows] for start in range(0, len(rows), chunk_rows)]
    written = write_files(folder, chunks, [MOVIES], []).hash()
    assert read_files(folder)[2].hash() == written
    return written


@pytest.mark.parametrize("numbers", [{1: 7, 2: 8, 3: 9}, {1: 9, 2: 1, 3: 4}])
def test_other_pseudonyms_are_the_same_data(tmp_path, numbers):
    there = on_another_site(RATINGS, numbers)

    assert content_hash(tmp_path / "here", RATINGS) == content_hash(tmp_path / "there", there)
    pd.testing.assert_frame_equal(in_canonical_order(RATINGS), in_canonical_order(there))


@pytest.mark.parametrize("chunk_rows", [1, 2, 3])
def test_a_history_in_several_chunks_is_the_same_data(tmp_path, chunk_rows):
    assert content_hash(tmp_path / "whole", RATINGS) == content_hash(tmp_path / "cut", RATINGS, chunk_rows)


CHANGES = {
    "rating": lambda rows: rows.assign(rating=[4.0, 3.5, 1.0, 3.5, 4.0]),
    "time": lambda rows: rows.assign(rated_at=rows["rated_at"] + pd.Timedelta(1, "us")),
    "an equal history less": lambda rows: rows[rows["user_id"] != 3],
    "ratings of another user": lambda rows: rows.assign(user_id=[1, 2, 2, 3, 3]),
    "two users as one": lambda rows: rows.assign(user_id=[1, 1, 1, 3, 3]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_other_ratings_are_other_data(tmp_path, change):
    assert content_hash(tmp_path / "before", RATINGS) != content_hash(tmp_path / "after", change(RATINGS))


def test_the_canonical_order_keeps_every_history():
    found = in_canonical_order(RATINGS)

    def histories(rows: pd.DataFrame) -> list[list[tuple]]:
        rows = rows.sort_values(["user_id", "rated_at", "movie_id"])
        parts = rows.drop(columns="user_id").groupby(rows["user_id"])
        return sorted(list(part.itertuples(index=False, name=None)) for _, part in parts)

    assert histories(found) == histories(RATINGS)
    assert found["user_id"].is_monotonic_increasing
    assert np.array_equal(found["user_id"].unique(), [0, 1, 2])
    assert in_canonical_order(RATINGS[:0]).empty


def test_two_sites_train_on_the_same_frames(alice, bob, quick):
    first = export_snapshot()
    frames = checked_frames(first)
    for number, row in enumerate(UserPseudonym.objects.order_by("-number")):
        UserPseudonym.objects.filter(pk=row.pk).update(number=number)

    second = export_snapshot()

    assert second == first
    for before, after in zip(frames[:2], checked_frames(second)[:2], strict=True):
        pd.testing.assert_frame_equal(before, after)


def as_an_earlier_version(folder: Path, content_hash: str) -> None:
    """Its hash covered the columns of ratings as they stood in the file, and its movies had no countries."""
    path = folder / "snapshot.json"
    without_countries(folder)
    manifest = json.loads(path.read_text())
    kept = {key: value for key, value in manifest.items() if key not in {"files", "checksum", "hash_scheme"}}
    path.write_text(json.dumps(kept | {"content_hash": content_hash}))


def without_countries(folder: Path) -> None:
    movies = pq.read_table(folder / "movies.parquet")
    pq.write_table(movies.drop_columns("countries"), folder / "movies.parquet")


# Written by revision e3a8726 for the rows of RATINGS and MOVIES.
HASH_OF_E3A8726 = "443de6de01dee76a77707d43bf0e22762492ea8d9c45559e5431e49143ab8e35"


def test_an_earlier_snapshot_is_read_as_before(quick, db, tmp_path):
    write_files(tmp_path / "old", [RATINGS], [MOVIES], [])
    as_an_earlier_version(tmp_path / "old", HASH_OF_E3A8726)

    snapshot = adopt_snapshot(tmp_path / "old")

    assert snapshot.content_hash == HASH_OF_E3A8726
    assert read_snapshot(snapshot)[0].equals(RATINGS)
    assert frames_as_of(snapshot, timezone.now())[0].equals(RATINGS)


# Written by revision 84d3d11 for the rows of RATINGS and MOVIES.
HASH_OF_84D3D11 = "ddea7ff2ff28ba0c0f23158defb354c7cb3df60f80874f95108832729d3ead91"


def test_a_snapshot_without_countries_is_read_as_before(quick, db, tmp_path):
    write_files(tmp_path / "old", [RATINGS.sort_values(["user_id", "rated_at", "movie_id"])], [MOVIES], [])
    without_countries(tmp_path / "old")
    path = tmp_path / "old" / "snapshot.json"
    manifest = {key: value for key, value in json.loads(path.read_text()).items() if key not in {"files", "checksum"}}
    path.write_text(json.dumps(manifest | {"hash_scheme": 2, "content_hash": HASH_OF_84D3D11}))

    snapshot = adopt_snapshot(tmp_path / "old")

    assert snapshot.content_hash == HASH_OF_84D3D11
    assert "countries" not in read_snapshot(snapshot)[1]
    assert len(frames_as_of(snapshot, timezone.now())[0]) == len(RATINGS)
