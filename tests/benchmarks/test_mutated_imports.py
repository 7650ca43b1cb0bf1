"""Runs the benchmark of damaged uploads on a few of them."""

from dataclasses import replace
from random import Random

import pytest

from benchmarks.import_reader import check, damaged, parse
from benchmarks.mutated_imports import main
from benchmarks.mutations import MUTATIONS, Damaged, Upload, damage
from benchmarks.sound_uploads import sound_uploads
from catalog.imports.fields import ParsedRow

TABLE = b"title,year,watched_on\nVertigo,1958,2024-01-05\nChinatown,1974,2024-01-06\n"
DOCUMENT = b'[{"watched_at": "2024-01-05T20:00:00.000Z", "movie": {"title": "Vertigo", "year": 1958, "ids": {}}}]'


@pytest.mark.parametrize("kind", MUTATIONS)
@pytest.mark.parametrize(
    "upload",
    [
        Upload("x.csv", {"x.csv": TABLE}),
        Upload("x.json", {"x.json": DOCUMENT}),
        Upload("x.zip", {"a/x.csv": TABLE, "b/x.json": DOCUMENT}),
    ],
    ids=lambda upload: upload.name,
)
def test_each_kind_of_damage_changes_each_kind_of_upload(kind, upload):
    made = {damage(kind, upload, Random(number))[:2] for number in range(30)}

    assert len(made - {(upload.name, upload.content)}) > 1


def test_the_same_seed_and_number_give_the_same_upload():
    assert damaged(1, 7)[2] == damaged(1, 7)[2]
    assert {damaged(seed, 7)[2] for seed in range(5)} != {damaged(1, 7)[2]}


def test_a_row_is_known_by_where_it_comes_from():
    sound = next(sound for sound in sound_uploads() if sound.case.name == "status_english")
    [wanted] = [ParsedRow("list.csv", 2, "watched", "Chinatown", year=1974)]

    def damaged_to(content: bytes, *origins: tuple[int, int]) -> Damaged:
        return Damaged("list.csv", b"title,year,status\n" + content, "list.csv" if origins else "", origins)

    moved, unsaid = damaged_to(b"None,0,Completed\n", (1, 1), (2, 2)), damaged_to(b"None,0,Completed\n", (1, 1), (2, 3))
    assert sound.wrong([replace(wanted, title="None", year=None)], "values", moved) == []
    assert len(sound.wrong([replace(wanted, title="None", year=None)], "values", unsaid)) == 1
    assert sound.wrong([wanted], "bytes", damaged_to(b"ertigo,1958,Completed\n")) == []
    assert len(sound.wrong([wanted], "bytes", damaged_to(b"hinatown,1974,Plan to Watch\n"))) == 1


def counted(read) -> dict[str, int]:
    found = check(0, range(60), read)
    return {name: sum(outcome.counts[name] for outcome in found.values()) for name in ("raised", "wrongly watched")}


def test_a_reader_that_raises_or_guesses_is_counted():
    def fail(format: str, name: str, content: bytes) -> list[ParsedRow]:
        raise KeyError("title")

    def guess(format: str, name: str, content: bytes) -> list[ParsedRow]:
        return [ParsedRow("nowhere.csv", 1, "watched", "A movie in no case")]

    def decline(format: str, name: str, content: bytes) -> list[ParsedRow]:
        return [ParsedRow("nowhere.csv", 1, "watched", "A movie in no case", problem="not understood")]

    def take_wanted_for_watched(format: str, name: str, content: bytes) -> list[ParsedRow]:
        rows = parse(format, name, content)
        return [replace(row, kind="watched") if row.kind == "wanted" else row for row in rows]

    assert counted(fail) == {"raised": 60, "wrongly watched": 0}
    assert counted(guess) == {"raised": 0, "wrongly watched": 60}
    assert counted(take_wanted_for_watched)["wrongly watched"] > 0
    assert counted(decline) == {"raised": 0, "wrongly watched": 0}


def test_the_table_counts_every_upload(capsys):
    main(["--n", "40", "--processes", "1"])

    printed = capsys.readouterr().out
    [total] = [line for line in printed.splitlines() if line.startswith("| all")]
    assert total.split("|")[2].strip() == "40"
    assert "rows and" in printed
