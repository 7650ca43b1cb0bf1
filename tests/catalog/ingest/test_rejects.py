"""Invalid rows are skipped, counted, reported and written to a file."""

import csv

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Movie, Rating, User
from tests.catalog.ingest.movielens import changed, write_folder
from tests.catalog.ingest.test_import_movielens import run, stored

pytestmark = pytest.mark.django_db
BROKEN = ["3,1,7,964982703", "3,99,4.0,964982703", "3,x,4.0,964982703", "3,1,4.0,soon", "3,1,4.0", "3,1,4.0,96498"]


def rejected(err):
    path = err.split("All of them are in ")[1].strip()
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
        return list(csv.DictReader(file))


def test_are_left_out_and_the_others_imported(tmp_path, settings):
    path = write_folder(tmp_path / "ml", changed("ratings.csv", *BROKEN))
    ratings = path / "ratings.csv"
    ratings.write_bytes(ratings.read_bytes().removesuffix(b"\n"))  # cut off within the last row
    out, err = run(path)
    assert len(stored()) == 4
    assert not User.objects.filter(external_id="3").exists()
    assert "6 broken rows were left out" in err
    assert "ratings.csv, line 6: rating '7' is not one of 0.5, 1, 1.5, ... 5" in err
    assert "ratings.csv, line 11: the file ends within this row" in err
    rows = rejected(err)
    assert [int(row["line"]) for row in rows] == [6, 7, 8, 9, 10, 11]
    assert [row["row"] for row in rows] == BROKEN
    assert {row["file"] for row in rows} == {"ratings.csv"}
    assert str(settings.VAR_DIR) in err
    assert "ratings: 4 inserted" in out


def test_only_the_first_ten_are_shown(tmp_path):
    path = write_folder(tmp_path / "ml", changed("ratings.csv", *["1,1,9,964982703"] * 15))
    _, err = run(path)
    assert err.count("ratings.csv, line") == 10
    assert len(rejected(err)) == 15


def test_of_other_files_are_reported_too(tmp_path):
    files = changed("movies.csv", "4", "1,Again (2000),Drama", '5,"Open,Drama', "6,   ,Drama")
    files |= {
        "tags.csv": changed("tags.csv", "2,1")["tags.csv"],
        "links.csv": changed("links.csv", "1,x,2")["links.csv"],
    }
    _, err = run(write_folder(tmp_path / "ml", files))
    reasons = {(row["file"], row["reason"]) for row in rejected(err)}
    assert ("movies.csv", "the row has 1 columns; expected 3") in reasons
    assert ("movies.csv", "movie 1 appears twice") in reasons
    assert ("movies.csv", "the title is empty") in reasons
    assert ("tags.csv", "the row has 2 columns; expected 4") in reasons
    assert any(file == "links.csv" and "IMDb id 'x'" in reason for file, reason in reasons)
    assert Movie.objects.count() == 3


def test_too_many_stop_the_import_before_anything_is_written(tmp_path):
    path = write_folder(tmp_path / "ml", changed("ratings.csv", *["1,1,9,964982703"] * 25))
    with pytest.raises(CommandError, match=r"25 of the 29 rows of ratings\.csv are broken") as error:
        run(path)
    assert "nothing was imported" in str(error.value)
    assert not Movie.objects.exists()
    assert not Rating.objects.exists()
    run(path, max_rejected_percent=90)
    assert len(stored()) == 4


def test_a_file_without_a_sound_row_stops_the_import(tmp_path):
    path = write_folder(tmp_path / "ml", changed("ratings.csv", "1,1,10,964982703", drop=4))
    with pytest.raises(CommandError, match="1 of the 1 rows"):
        run(path)
    assert not Movie.objects.exists()


def test_a_monstrous_line_is_one_broken_row(tmp_path):
    path = write_folder(tmp_path / "ml", changed("ratings.csv", "1" * 300_000, "2,2,4.0,1445714999"))
    _, err = run(path)
    assert [row["line"] for row in rejected(err)] == ["6"]
    assert stored()["2", 2] == (4.0, 1445714999)


@pytest.mark.parametrize("percent", ["-1", "101", "many"])
def test_refuses_a_share_that_is_none(tmp_path, percent):
    with pytest.raises(CommandError, match="expected a number from 0 to 100"):
        call_command("import_movielens", str(tmp_path), f"--max-rejected-percent={percent}")
