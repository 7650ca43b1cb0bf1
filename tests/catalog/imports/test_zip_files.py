import stat
import struct
import zipfile
from io import BytesIO

import pytest

from catalog.errors import InvalidImport, UploadTooLarge
from catalog.imports.formats import read_upload
from tests.catalog.imports.site_files import RATINGS, table, zipped

SOUND = {"ratings.csv": table(RATINGS, ["2020-05-02", "Heat", "1995", "", "4"])}


def refusal(content: bytes, name: str = "letterboxd.zip") -> str:
    with pytest.raises(InvalidImport) as refused:
        read_upload(format="letterboxd", name=name, content=content)
    return str(refused.value)


@pytest.mark.wording
def test_other_files_named_zip_are_refused():
    assert "letterboxd.zip: expected a zip, but this file is not one" in refusal(b"<html>Sign in</html>")
    assert "the file is empty" in refusal(b"")


@pytest.mark.wording
def test_a_zip_that_is_cut_off_or_damaged_is_refused():
    content = zipped(SOUND)
    damaged = bytearray(content)
    damaged[60:64] = b"\0\0\0\0"

    assert "the zip is damaged" in refusal(content[:-30])
    assert "the zip is damaged" in refusal(bytes(damaged))


@pytest.mark.wording
def test_a_zip_bomb_is_refused_by_what_it_would_unpack_to(change_policy):
    bomb = zipped({"ratings.csv": b"\0" * (20 << 20)})
    assert len(bomb) < 30_000
    assert "would unpack" in refusal(bomb)
    change_policy("imports", max_unpacked_mb=1)
    many = {f"{number}.csv": bytes(range(256)) * 100 for number in range(50)}
    assert "expected at most 1" in refusal(zipped(many))


@pytest.mark.wording
def test_a_zip_that_lies_about_sizes_gives_no_more_than_it_says(change_policy):
    """The central directory claims ten bytes of a member that holds twenty megabytes."""
    bomb = bytearray(zipped({"ratings.csv": b"\0" * (20 << 20)}))
    row = bomb.rindex(b"PK\x01\x02")
    bomb[row + 24 : row + 28] = struct.pack("<I", 10)

    assert "the zip is damaged" in refusal(bytes(bomb))


@pytest.mark.wording
def test_a_zip_of_too_many_files_is_refused(change_policy):
    change_policy("imports", max_files=3)

    assert "holds 4 files; expected at most 3" in refusal(zipped({f"{number}.csv": b"" for number in range(4)}))


@pytest.mark.wording
@pytest.mark.parametrize(
    "path", ["../ratings.csv", "/etc/ratings.csv", "a/../../ratings.csv", "C:\\ratings.csv", "..\\x.csv"]
)
def test_a_path_that_leads_out_of_the_zip_is_refused(path):
    assert "leads out of the zip" in refusal(zipped({**SOUND, path: b"x"}))


@pytest.mark.wording
def test_a_link_in_the_zip_is_refused():
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        link = zipfile.ZipInfo("ratings.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")

    assert "leads out of the zip" in refusal(packed.getvalue())


def test_an_encrypted_zip_is_refused():
    content = bytearray(zipped(SOUND))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1

    assert "is encrypted; expected a zip without a password" in refusal(bytes(content))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_compressed_in_an_unusual_way_is_refused(method):
    """Their own errors for damaged bytes are those of any file, too."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", method) as file:
        file.writestr("ratings.csv", SOUND["ratings.csv"])

    assert "ratings.csv is compressed in an unusual way; expected a plain zip (deflate)" in refusal(packed.getvalue())


@pytest.mark.wording
def test_a_file_beyond_the_limit_is_refused(change_policy):
    change_policy("imports", max_upload_mb=1)
    with pytest.raises(UploadTooLarge, match=r"ratings.csv: 2 MB; expected a file of at most 1 MB"):
        read_upload(format="letterboxd", name="ratings.csv", content=b"x" * (2 << 20))


def test_more_rows_than_allowed_are_refused(change_policy):
    change_policy("imports", max_entries=1)
    rows = [["2020-05-02", "Heat", "1995", "", "4"]] * 2

    assert "ratings.csv: " in refusal(table(RATINGS, *rows), "ratings.csv")


@pytest.mark.wording
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"photo.jpg": b"x"}, "it contains no table (.csv), no list (.json) and no library (.xml)"),
        ({"a.json": b'[{"movie": {"ids": {}}}]'}, "looks like a file from Trakt, so choose that"),
        ({"x.csv": b"a,b\n1,2\n"}, "neither its columns nor those of another known site"),
    ],
)
def test_a_zip_of_something_else_is_refused_with_what_it_is(files, message):
    assert message in refusal(zipped(files))
