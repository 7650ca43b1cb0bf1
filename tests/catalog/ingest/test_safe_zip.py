"""A zip with a changed or missing byte is read or rejected with a message."""

import io
import struct
import zipfile

import pytest

from catalog.errors import ImportFailed, InvalidImport
from catalog.imports.files import files_of
from catalog.ingest.movielens.files import open_data_set


def zip_of(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, "movieId,title,genres\n1,Vertigo (1958),Drama\n" * 3)
    return content.getvalue()


WHOLE = zip_of("movies.csv", "ratings.csv")
DAMAGED = [
    damaged
    for place in range(4, len(WHOLE))
    for damaged in (
        WHOLE[:place] + WHOLE[place + 1 :],
        WHOLE[:place] + bytes([WHOLE[place] ^ 0xFF]) + WHOLE[place + 1 :],
    )
]


def test_a_damaged_upload_is_refused_in_words():
    refused = 0
    for damaged in [*DAMAGED, *(WHOLE[:length] for length in range(4, len(WHOLE)))]:
        try:
            files_of("mine.zip", damaged)
        except InvalidImport as error:
            refused += 1
            assert "mine.zip: " in str(error)
    assert refused > len(DAMAGED) / 2


def test_a_damaged_data_set_is_refused_in_words(tmp_path):
    refused, file = 0, tmp_path / "ml.zip"
    for damaged in DAMAGED:
        file.write_bytes(damaged)
        try:
            with open_data_set(file) as files:
                list(files.read("movies", bytes.strip, report=False))
        except ImportFailed as error:
            refused += 1
            assert str(error).startswith(str(file))
    assert refused > len(DAMAGED) / 2


def test_a_member_before_the_beginning_is_damage_on_a_disk_too(tmp_path):
    end = len(WHOLE) - 22 + 16  # where the last record says at which byte the directory begins
    [place] = struct.unpack("<L", WHOLE[end : end + 4])
    file = tmp_path / "ml.zip"
    file.write_bytes(WHOLE[:end] + struct.pack("<L", place + 500) + WHOLE[end + 4 :])

    with pytest.raises(ImportFailed, match="the zip is damaged"), open_data_set(file) as files:
        list(files.read("movies", bytes.strip, report=False))


@pytest.mark.parametrize("name", ["", ".", "/", "./"])
def test_a_member_without_a_name_is_left_out(name):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        member = zipfile.ZipInfo("x")
        member.filename = name
        file.writestr(member, "")
        file.writestr("ratings.csv", "a,b\n1,2\n")

    assert [file.name for file in files_of("mine.zip", content.getvalue())] == ["ratings.csv"]


def test_an_undecodable_name_is_refused_in_words():
    damaged = zip_of("ratingé.csv").replace("é".encode(), b"\xff\xff")

    with pytest.raises(InvalidImport, match="the zip is damaged"):
        files_of("mine.zip", damaged)
