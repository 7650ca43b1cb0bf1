"""An address of a file in any import format: an export of IMDb, a list of MDBList, or any other table."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from cryptography.fernet import InvalidToken
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.errors import InvalidImport
from catalog.following.public_network import FetchFailed, is_public
from catalog.following.source import CIPHER, Contents, Source, Target, conditional_get, invalid, keyed
from catalog.imports.files import File, files_of
from catalog.imports.formats import FORMATS, read_upload
from catalog.imports.reading import QUESTIONS, Reading
from catalog.imports.tables import Table, tables_of
from catalog.models import FollowedSource
from catalog.models.followed import NAME_LENGTH, SyncOutcome

MAX_LENGTH = 2000
CSV, JSON = "file.csv", "file.json"
PLAIN = "csv"  # code of the format for any table


class Address(Source):
    code = "address"
    label = _("Address of a file")
    position = 3
    what = _("Address (https)")
    help = _("A CSV or JSON file that can be imported, such as a list at MDBList or an export of IMDb.")

    def target(self, entered: str, options: Mapping[str, str]) -> Target:
        address = entered.strip().partition("#")[0]
        if len(address) > MAX_LENGTH:
            raise invalid(gettext("Expected an address of at most {n:,} characters.").format(n=MAX_LENGTH))
        parts = _checked(address)
        shown = f"{parts.hostname}{parts.path.rstrip('/')}"[: NAME_LENGTH - 2] + ("?\u2026" if parts.query else "")
        return Target(shown, address, _options(options))

    def read(self, source: FollowedSource, *, whole: bool) -> Contents | None:
        try:
            address = CIPHER.decrypt(source.encrypted)
        except InvalidToken:
            raise FetchFailed(SyncOutcome.KEY_LOST) from None
        reply = conditional_get(source, address, whole=whole)
        if reply.status == 304:
            return None
        return Contents.of(reply, keyed(_read(reply.body, source.options).rows))


def _checked(address: str) -> SplitResult:
    """Returns the parts of an address. Raises InvalidSource."""
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise invalid(gettext("Expected an address like https://example.org/list.csv.")) from None
    if parts.scheme != "https" or not host or any(char.isspace() or not char.isprintable() for char in address):
        raise invalid(gettext("Expected an address like https://example.org/list.csv."))
    if "@" in parts.netloc:
        raise invalid(gettext("Expected an address without a user name and password."))
    if _is_private(host):
        raise invalid(gettext("Expected the address of a public host."))
    return parts


def _is_private(host: str) -> bool:
    """Returns whether a host is written as an IP address that is not public. Names are resolved at each sync."""
    try:
        return not is_public(str(ip_address(host)))
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))


def _options(options: Mapping[str, str]) -> dict[str, str]:
    format = options.get("format", "")
    if format and format not in FORMATS:
        raise invalid(gettext("There is no format {format}.").format(format=format))
    answers = {name: options[name] for name, (_, known) in QUESTIONS.items() if options.get(name) in known}
    return ({"format": format} if format else {}) | answers


def _file_name(content: bytes) -> str:
    """Returns a file name with a suffix that matches the content, because addresses often lack one."""
    start = content[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"<":
        raise FetchFailed(SyncOutcome.UNKNOWN_FORMAT)  # usually a page for people
    return JSON if start[:1] in (b"[", b"{") else CSV


def _read(content: bytes, options: Mapping[str, str]) -> Reading:
    """Parses a file in its owner's format, or in the first one that it has. Raises FetchFailed, InvalidImport."""
    name, answers = _file_name(content), {key: answer for key, answer in options.items() if key in QUESTIONS}
    tables, problems = _tables(name, content)
    format = options.get("format") or next((code for code in FORMATS if _fits(code, tables)), "")
    if name == JSON and format in ("", PLAIN):  # a list of a site without a format of its own, such as MDBList
        lists = [Table(File(CSV, b""), CSV, table.records, {}) for table in tables]
        if _fits(PLAIN, lists):
            return FORMATS[PLAIN].read(lists, answers)
    if not format:
        raise problems[0] if problems else FetchFailed(SyncOutcome.UNKNOWN_FORMAT)
    return read_upload(format=format, name=name, content=content, answers=answers)


def _fits(format: str, tables: Sequence[Table]) -> bool:
    return any(map(FORMATS[format].matches, tables))


def _tables(name: str, content: bytes) -> tuple[list[Table], list[InvalidImport]]:
    tables: list[Table] = []
    problems = []
    for file in files_of(name, content):
        try:
            tables += tables_of(file) if file.content else []
        except InvalidImport as error:
            problems.append(error)
    return tables, problems


SOURCE = Address()
