"""The files of an upload, held in memory: a single file, or the members of a zip. Nothing is unpacked to disk."""

import stat
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from django.conf import settings
from django.utils.translation import gettext

from catalog.errors import InvalidImport, UploadTooLarge
from catalog.ingest.safe_zip import DamagedZip, files_in, open_member, open_zip, problem_of
from catalog.policy import MB

SMALL = 64 << 10  # bytes; smaller members may have any compression ratio
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
_UTF16_STARTS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class File:
    """A file of an upload. `path` is relative to the zip. `content` is empty unless it is a table or document."""

    path: str
    content: bytes

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name

    def text(self) -> str:
        """Decodes the content as UTF-8, or as UTF-16 with a byte order mark, as spreadsheets write it.

        Raises InvalidImport if it is neither.
        """
        try:
            text = self.content.decode("utf-16" if self.content.startswith(_UTF16_STARTS) else "utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.content.count(b"\n", 0, error.start) + 1
            message = gettext(
                "{file}, line {line}: expected text in UTF-8, but this is another encoding. Save it as UTF-8."
            )
            raise InvalidImport(message.format(file=self.name, line=line)) from None
        if "\0" in text:
            raise InvalidImport(
                gettext("{file}: expected text, but this file contains NUL characters.").format(file=self.name)
            )
        return text


def files_of(name: str, content: bytes) -> list[File]:
    """Returns the files of an upload. Raises InvalidImport if it is too large, or is a damaged or malicious zip."""
    check_size(name, len(content))
    if not content:
        raise InvalidImport(gettext("{file}: the file is empty.").format(file=name))
    if content.startswith(_ZIP_STARTS):
        return _unpacked(name, content)
    if name.lower().endswith(".zip"):
        message = gettext("{file}: expected a zip, but this file is not one (was the download cut off?).")
        raise InvalidImport(message.format(file=name))
    return [File(PurePosixPath(name.replace("\\", "/")).name, content)]


def check_size(name: str, size: int) -> None:
    limit = settings.POLICY.imports.max_upload_mb
    if size > limit * MB:
        message = gettext("{file}: {size:,.0f} MB; expected a file of at most {limit} MB.")
        raise UploadTooLarge(message.format(file=name, size=size / MB, limit=limit))


def _unpacked(name: str, content: bytes) -> list[File]:
    try:
        with open_zip(BytesIO(content)) as file:
            members = files_in(file)
            _check(name, members)
            return [File(member.filename, _content(file, member) if _is_table(member) else b"") for member in members]
    except DamagedZip as error:
        raise InvalidImport(gettext("{file}: the zip is damaged: {error}.").format(file=name, error=error)) from None


def _content(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with open_member(file, member) as stream:
        return stream.read()


def _check(name: str, members: list[zipfile.ZipInfo]) -> None:
    policy = settings.POLICY.imports
    if len(members) > policy.max_files:
        message = gettext("{file}: the zip holds {n:,} files; expected at most {limit:,}.")
        raise InvalidImport(message.format(file=name, n=len(members), limit=policy.max_files))
    for member in members:
        _check_member(name, member)
    total = sum(member.file_size for member in members)
    if total > policy.max_unpacked_mb * MB:
        message = gettext("{file}: the zip would unpack to {size:,.0f} MB; expected at most {limit}.")
        raise InvalidImport(message.format(file=name, size=total / MB, limit=policy.max_unpacked_mb))


def _check_member(name: str, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    has_drive = ":" in path.as_posix().partition("/")[0]
    if path.is_absolute() or ".." in path.parts or has_drive or stat.S_ISLNK(member.external_attr >> 16):
        message = gettext("{file}: {member} leads out of the zip; expected only files inside it.")
        raise InvalidImport(message.format(file=name, member=member.filename))
    if problem := problem_of(member, harmless_bytes=SMALL):
        raise InvalidImport(f"{name}: {member.filename} {problem}.")


def _is_table(member: zipfile.ZipInfo) -> bool:
    """Returns whether a member is a table or document, and not a copy that macOS adds to zips for each file."""
    path = PurePosixPath(member.filename)
    is_copy = "__MACOSX" in path.parts or path.name.startswith("._")
    return path.suffix.lower() in (".csv", ".json", ".xml", ".nfo") and not is_copy
