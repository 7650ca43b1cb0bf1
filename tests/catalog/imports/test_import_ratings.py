from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Rating, UserImport
from tests.catalog.imports.site_files import IMDB, RATINGS, imdb_row, table
from tests.factories import MovieFactory

pytestmark = pytest.mark.django_db


def import_ratings(path, **options) -> tuple[str, str]:
    out, errors = StringIO(), StringIO()
    call_command(
        "import_ratings", str(path), **{"user": "nora", "format": "letterboxd", **options}, stdout=out, stderr=errors
    )
    return out.getvalue(), errors.getvalue()


@pytest.fixture
def path(tmp_path):
    rows = ["2020-05-02", "Heat", 1995, "", 4], ["2020-05-02", "Nothing", "", "", 4], ["2020-05-02", "Ran", 1985, "", 9]
    (tmp_path / "ratings.csv").write_bytes(table(RATINGS, *rows))
    return tmp_path / "ratings.csv"


@pytest.mark.wording
def test_it_imports_and_says_what_was_not_matched_and_why(nora, path):
    heat = MovieFactory(title="Heat", year=1995)
    out, errors = import_ratings(path)

    assert Rating.objects.get().movie == heat
    assert "1 of 3 rows found in the catalogue, 1 not found, 0 not readable." in out
    assert "ratings.csv: ratings, 3 rows; Date: recorded on; Name: title;" in out
    assert "ratings.csv: imported for nora." in out
    assert errors.splitlines() == [
        "ratings.csv, line 3: Nothing: Not in the catalogue.",
        "ratings.csv, line 4: Ran (1985): '9' is not a rating above 0 and up to 5.",
    ]


@pytest.mark.wording
def test_a_dry_run_writes_nothing(nora, path):
    MovieFactory(title="Heat", year=1995)
    out, _ = import_ratings(path, dry_run=True)

    assert "1 new rating" in out
    assert out.endswith("Nothing was written.\n")
    assert not Rating.objects.exists()
    assert not UserImport.objects.exists()


@pytest.mark.wording
def test_mistakes_are_reported_and_change_nothing(nora, path, tmp_path):
    with pytest.raises(CommandError, match="User 'nobody' does not exist"):
        import_ratings(path, user="nobody")
    with pytest.raises(CommandError, match="cannot be read: No such file or directory"):
        import_ratings(tmp_path / "none.csv")
    with pytest.raises(CommandError, match="looks like a file from Letterboxd, so choose that"):
        import_ratings(path, format="imdb")

    assert not UserImport.objects.exists()


def test_many_unmatched_rows_are_cut_short(nora, tmp_path):
    MovieFactory(title="Heat", year=1995)
    rows = [imdb_row(f"tt{number:07}", 8, f"Nothing {number}", 1990) for number in range(1, 26)]
    (tmp_path / "ratings.csv").write_bytes(table(IMDB, *rows, imdb_row("tt9999999", 8, "Heat", 1995)))
    _, errors = import_ratings(tmp_path / "ratings.csv", format="imdb")

    assert len(errors.splitlines()) == 21
    assert errors.endswith("... and 5 more\n")
