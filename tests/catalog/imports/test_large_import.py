"""Imports twenty thousand realistic rows, as of a user with twenty years of history."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.aggregates import rebuild_aggregates
from catalog.imports.commit import commit_import
from catalog.imports.lifecycle import create_import, read_import
from catalog.models import Movie, Rating, UserImport, Viewing
from tests.catalog.imports.site_files import DIARY, RATINGS, WATCHED, WATCHLIST, table, zipped

pytestmark = pytest.mark.django_db

MOVIES = 4000
WORDS = ["Été", "Night", "L'Amour", "Señor", "Über", "Straße", "Light & Shadow", "The Road", "Żółty", "Black"]


def title(number: int) -> str:
    return f"{WORDS[number % 10]} {WORDS[number // 10 % 10]}, No. {number}"


def letterboxd_zip() -> bytes:
    """Some years are missing, some titles have lost their accents, lines end in both ways."""
    years = [1950 + number % 70 for number in range(MOVIES)]
    uris = [f"https://boxd.it/{number:x}" for number in range(MOVIES)]
    of = [[title(number), "" if number % 50 == 0 else years[number], uris[number]] for number in range(MOVIES)]
    plain = [[name.replace("É", "E").replace("ñ", "n"), year, uri] for name, year, uri in of]
    diary = [
        [
            "2020-01-02",
            *of[row % MOVIES],
            (row % 10 + 1) / 2,
            "Yes" if row >= MOVIES else "",
            "a, b",
            f"20{10 + row // MOVIES}-01-01",
        ]
        for row in range(2 * MOVIES)
    ]
    return zipped(
        {
            "ratings.csv": table(
                RATINGS, *(["2021-01-02", *row, (n % 10 + 1) / 2] for n, row in enumerate(plain)), end="\r\n", mark=True
            ),
            "diary.csv": table(DIARY, *diary),
            "watched.csv": table(WATCHED, *(["2019-01-02", *row] for row in of)),
            "watchlist.csv": table(WATCHLIST, *(["2018-01-02", *row] for row in of)),
        }
    )


def test_twenty_thousand_rows_import_in_few_queries(nora):
    Movie.objects.bulk_create(Movie(title=title(number), year=1950 + number % 70) for number in range(MOVIES))
    content = letterboxd_zip()
    started = time.process_time()
    with CaptureQueriesContext(connection) as queries:
        user_import = create_import(user=nora, format="letterboxd", name="letterboxd.zip", content=content)
        read_import(import_id=user_import.pk)
        commit_import(UserImport.objects.get())
    seconds = time.process_time() - started

    counts = UserImport.objects.get().counts
    assert counts["matched"] + counts["unmatched"] == 20_000
    assert counts["matched"] >= 0.95 * 20_000
    assert Rating.objects.filter(user=nora).count() == MOVIES
    assert Viewing.objects.filter(user=nora).count() == 2 * MOVIES
    assert rebuild_aggregates() == 0
    assert len(queries) < 120
    assert seconds < 30  # of this process's CPU: about five
