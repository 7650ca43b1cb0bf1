"""Simkl's backup: dates without a status, and files of other sites."""

import pytest

from catalog.errors import InvalidImport
from catalog.imports.fields import Kind
from catalog.imports.formats import read_upload
from tests.catalog.imports.site_files import as_json, trakt_movie

ITEM = {"last_watched_at": "2024-01-07T19:00:00Z", "user_rating": None, "movie": trakt_movie("Heat", 1995)}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"status": "completed"}, Kind.WATCHED),
        ({"status": "dropped"}, Kind.NOTHING),
        ({"status": "hold"}, Kind.NOTHING),
        ({}, Kind.NOTHING),
    ],
)
def test_a_day_says_watched_only_with_the_status(status, kind):
    [row] = read_upload(format="simkl", name="SimklBackup.json", content=as_json([ITEM | status])).rows

    assert row.kind == kind


@pytest.mark.wording
def test_trakt_s_format_does_not_take_it():
    with pytest.raises(InvalidImport, match="looks like a file from Simkl, so choose that"):
        read_upload(format="trakt", name="SimklBackup.json", content=as_json({"movies": [ITEM | {"status": "hold"}]}))
