"""The benchmark that gives damaged uploads to the reader of imports, on a few of them."""

from random import Random

import pytest

from benchmarks.import_reader import check, damaged
from benchmarks.mutated_imports import main
from benchmarks.mutations import MUTATIONS, Upload, damage
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
    made = {damage(kind, upload, Random(number)) for number in range(30)}

    assert len(made - {(upload.name, upload.content)}) > 1


def test_the_same_seed_and_number_give_the_same_upload():
    assert damaged(1, 7)[2:] == damaged(1, 7)[2:]
    assert {damaged(seed, 7)[2:] for seed in range(5)} != {damaged(1, 7)[2:]}


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

    assert counted(fail) == {"raised": 60, "wrongly watched": 0}
    assert counted(guess) == {"raised": 0, "wrongly watched": 60}
    assert counted(decline) == {"raised": 0, "wrongly watched": 0}


def test_the_table_counts_every_upload(capsys):
    main(["--n", "40", "--processes", "1"])

    printed = capsys.readouterr().out
    [total] = [line for line in printed.splitlines() if line.startswith("| all")]
    assert total.split("|")[2].strip() == "40"
    assert "rows and" in printed
