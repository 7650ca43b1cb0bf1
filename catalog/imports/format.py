"""What an import format provides, and what it needs to export in the same format."""

import csv
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any

from django.http import HttpResponse
from django.utils.functional import Promise

from catalog.imports.files import File
from catalog.imports.parsing import ParsedRow
from catalog.models import Rating, User, Viewing, WatchlistItem


@dataclass(frozen=True)
class Collection:
    """All data of one user, oldest first."""

    ratings: Sequence[Rating]
    viewings: Sequence[Viewing]
    watchlist: Sequence[WatchlistItem]

    @classmethod
    def of(cls, user: User) -> "Collection":
        return cls(
            list(Rating.objects.filter(user=user).select_related("movie").order_by("rated_at", "pk")),
            list(Viewing.objects.filter(user=user).select_related("movie").order_by("watched_on", "pk")),
            list(WatchlistItem.objects.filter(user=user).select_related("movie").order_by("added_at", "pk")),
        )


@dataclass(frozen=True)
class Export:
    """A file to download."""

    name: str
    content_type: str
    content: bytes

    def as_download(self) -> HttpResponse:
        headers = {"Content-Disposition": f'attachment; filename="{self.name}"', "Cache-Control": "no-store"}
        return HttpResponse(self.content, content_type=self.content_type, headers=headers)


@dataclass(frozen=True)
class Format:
    """A format is one module of `imports/formats` with a constant FORMAT; no other file mentions it.

    `position` orders the formats on pages. `help` tells people where the other site offers the file, `expected`
    completes "expected ..." when a file has another format. `matches` looks at one file of an upload, `read` gets
    all that match and returns every row, those with a problem included. `write` leaves out what it cannot hold.
    """

    code: str
    label: str
    position: int
    help: str | Promise
    expected: str
    matches: Callable[[File], bool]
    read: Callable[[list[File]], list[ParsedRow]]
    write: Callable[[Collection], Export]


def day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()


def csv_of(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def zip_of(format: str, files: dict[str, bytes]) -> Export:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return Export(f"movierec-{format}.zip", "application/zip", packed.getvalue())
