"""A Letterboxd profile's RSS feed: its latest diary entries and reviews. Items about lists are left out."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from html import unescape
from xml.etree.ElementTree import Element, ParseError, fromstring

from django.utils.html import strip_tags
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from catalog.errors import InvalidImport
from catalog.following.source import Contents, Source, SourceRow, Target, conditional_get, keyed, user_name
from catalog.imports.files import File
from catalog.imports.formats import FORMATS
from catalog.imports.tables import Record, Table
from catalog.models import FollowedSource

_NAME = re.compile(r"(?:https?://(?:www\.)?letterboxd\.com/|@)?(?P<name>[A-Za-z0-9_]{2,40})(?:/(?:rss/?)?)?")
_ENTRY = re.compile(r"letterboxd-(?P<kind>watch|review)-(?P<id>\d{1,20})")
_NAMESPACES = {"letterboxd": "https://letterboxd.com", "tmdb": "https://themoviedb.org"}
_DECLARES = re.compile(r"<!(DOCTYPE|ENTITY)", re.I)
_POSTER = re.compile(r"<p>\s*<img[^>]*>\s*</p>")
_COLUMNS = {
    "name": "letterboxd:filmTitle",
    "year": "letterboxd:filmYear",
    "tmdbid": "tmdb:movieId",
    "rating": "letterboxd:memberRating",
    "rewatch": "letterboxd:rewatch",
    "watched date": "letterboxd:watchedDate",
    "letterboxd uri": "link",
}


class Letterboxd(Source):
    code = "letterboxd"
    label = "Letterboxd"
    position = 1
    what = _("Your user name there")
    help = _("The latest entries of your public diary, with ratings and reviews. An import brings the older ones.")

    def target(self, entered: str, options: Mapping[str, str]) -> Target:
        return Target(user_name(entered, _NAME))

    def read(self, source: FollowedSource, *, whole: bool) -> Contents | None:
        reply = conditional_get(source, f"https://letterboxd.com/{source.name}/rss/", whole=whole)
        return None if reply.status == 304 else Contents.of(reply, _rows(File("rss.xml", reply.body).text()))


def _rows(text: str) -> list[SourceRow]:
    """Returns the feed's entries, oldest first, as rows of a diary that Letterboxd exports."""
    items = [(found, item) for item in _items(text) if (found := _ENTRY.fullmatch(_text(item, "guid")))]
    records, ids = [], {}
    for line, (entry, item) in enumerate(reversed(items), 1):
        values = {name: _text(item, tag) for name, tag in _COLUMNS.items()}
        values["date"] = _moment(_text(item, "pubDate"))
        values["review"] = _review(item) if entry["kind"] == "review" else ""
        records.append(Record(line, tuple(values), values))
        ids[line] = entry["id"]
    table = Table(File("diary.csv", b""), "diary.csv", records, {})
    return keyed(FORMATS["letterboxd"].read([table], {}).rows, ids)


def _items(text: str) -> list[Element]:
    if _DECLARES.search(text):  # entities could expand a small file into a huge one
        raise InvalidImport(gettext("{file}: expected XML without a document type.").format(file="rss"))
    try:
        return list(fromstring(text).iter("item"))
    except ParseError:
        raise InvalidImport(gettext("Expected a feed as Letterboxd publishes it.")) from None


def _text(item: Element, tag: str) -> str:
    return (item.findtext(tag, "", _NAMESPACES) or "").strip()


def _moment(text: str) -> str:
    """Returns an RSS date as an ISO date and time in UTC; empty if it is missing or invalid."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC).isoformat()
    except (ValueError, TypeError, OverflowError):
        return ""


def _review(item: Element) -> str:
    """Returns the review in an item's description, which begins with a poster, as plain text."""
    html = _POSTER.sub("", _text(item, "description"))
    paragraphs = re.sub(r"</p>\s*<p>|<br\s*/?>", "\n", html)
    return unescape(strip_tags(paragraphs)).strip()


SOURCE = Letterboxd()
