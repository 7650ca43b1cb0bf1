"""Reads files on Wikimedia Commons: the URL of a thumbnail, and the author and licence to credit.

Ignores files that lack any of these, because their licences require it.
"""

from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings

from catalog.providers.mediawiki import Get, read_pages
from catalog.text import visible

AT_ONCE = 50  # files per request
LONGEST_REQUEST = 5000  # maximum length of titles in a URL; servers reject URLs beyond 8 KB
WIDTH = 330  # one of the widths that Wikimedia caches
PICTURES, PAGES = "https://upload.wikimedia.org", "https://commons.wikimedia.org"
SHOWN_BY_BROWSERS = ("image/jpeg", "image/png", "image/gif", "image/webp")
LONGEST_ADDRESS, LONGEST_AUTHOR, LONGEST_LICENCE = 2000, 300, 100
LONGEST_NAME, NOT_IN_NAMES = 255, set("|#<>[]{}\n\x00")
MOST_HTML = 20_000
WITHOUT_END = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
DETAILS = ("Artist", "Attribution", "AttributionRequired", "LicenseShortName", "LicenseUrl", "NonFree")


class CommonsFile(NamedTuple):
    url: str  # url, width and height are those of the thumbnail
    width: int | None
    height: int | None
    page_url: str
    author: str
    licence: str
    licence_url: str


def read_files(get: Get, names: Sequence[str]) -> dict[str, CommonsFile]:
    """Returns the files that may be shown, keyed by requested name. Raises ProviderError."""
    asked = {
        "prop": "imageinfo",
        "iiprop": "url|size|mime|extmetadata",
        "iiurlwidth": WIDTH,
        "iiextmetadatafilter": "|".join(DETAILS),
        "iiextmetadatalanguage": "en",
    }
    found: dict[str, CommonsFile] = {}
    for titles in _requests([f"File:{name}" for name in names if is_name(name)]):
        for title, page in read_pages(get, settings.COMMONS_API_URL, titles, "imageinfo", asked).items():
            if file := read_file(page):
                found[title.removeprefix("File:")] = file
    return found


def is_name(name: str) -> bool:
    """Returns whether it is a valid file name. The API would read other text as several titles, or none."""
    return 0 < len(name) <= LONGEST_NAME and not NOT_IN_NAMES & set(name)


def file_of(address: str) -> str:
    """Returns the file name in a Commons URL from the query service, or "" if there is none."""
    name = unquote(address.partition("/Special:FilePath/")[2])
    return name if is_name(name) else ""


def read_file(page: Mapping[str, Any]) -> CommonsFile | None:
    """Returns the file described by a page, or None if its picture must not or cannot be shown."""
    infos = page.get("imageinfo")
    info = infos[0] if isinstance(infos, list) and infos and isinstance(infos[0], dict) else {}
    thumbnail, credit = _thumbnail(info), _credit(_details(info.get("extmetadata")))
    return CommonsFile(*thumbnail, *credit) if thumbnail and credit else None


def _thumbnail(info: Mapping[str, Any]) -> tuple[str, int, int, str] | None:
    """Returns the thumbnail's URL, width and height, and the URL of the file's page."""
    url, page_url = info.get("thumburl", ""), info.get("descriptionurl", "")
    width, height = info.get("thumbwidth", 0), info.get("thumbheight", 0)
    is_shown = info.get("mime") in SHOWN_BY_BROWSERS and _is_address(url, PICTURES) and _is_address(page_url, PAGES)
    have_sizes = all(type(side) is int and 0 < side < 1 << 15 for side in (width, height))
    return (url, width, height, page_url) if is_shown and have_sizes else None


def _credit(details: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Returns author, licence and licence URL. The author may be empty only if no attribution is required."""
    author = text_of(details.get("Artist", "")) or text_of(details.get("Attribution", ""))
    licence, address = text_of(details.get("LicenseShortName", "")), details.get("LicenseUrl", "")
    is_free = details.get("NonFree", "").lower() in ("", "0", "false")
    has_licence = is_free and 0 < len(licence) <= LONGEST_LICENCE and _is_address(address)
    is_credited = author or details.get("AttributionRequired", "").lower() == "false"
    return (author, licence, address) if has_licence and is_credited else None


def text_of(html: str) -> str:
    """Returns the text of an HTML fragment on one line, without hidden elements."""
    parser = _Text()
    try:
        parser.feed(html[:MOST_HTML])
        parser.close()
    except AssertionError:  # raised by html.parser for a malformed declaration
        return ""
    text = visible(" ".join("".join(parser.parts).replace("\x00", "").split()))
    return text if len(text) <= LONGEST_AUTHOR else f"{text[: LONGEST_AUTHOR - 1]}…"


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._hidden = ""  # name of the hidden element, and how many elements of that name are open
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = (dict(attrs).get("style") or "").replace(" ", "").lower()
        if tag == self._hidden:
            self._depth += 1
        elif self._hidden or tag in WITHOUT_END:
            self.parts.append(" ")
        elif tag in ("script", "style") or "display:none" in style:
            self._hidden, self._depth = tag, 1
        elif tag in ("p", "div", "li", "td", "tr"):
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._depth -= 1
            self._hidden = self._hidden if self._depth else ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _requests(titles: Sequence[str]) -> Iterator[list[str]]:
    """Yields batches of titles that fit into one request and its URL."""
    batch: list[str] = []
    length = 0
    for title in dict.fromkeys(titles):
        more = len(quote(f"{title}|"))
        if batch and (len(batch) == AT_ONCE or length + more > LONGEST_REQUEST):
            yield batch
            batch, length = [], 0
        batch.append(title)
        length += more
    if batch:
        yield batch


def _details(found: Any) -> dict[str, str]:
    """Returns the values by name. Converts numbers and booleans to strings."""
    parts = found.items() if isinstance(found, dict) else ()
    values = {name: part.get("value") for name, part in parts if isinstance(part, dict)}
    return {name: str(value) for name, value in values.items() if isinstance(value, str | int)}


def _is_address(value: Any, origin: str = "") -> bool:
    """Returns whether it is an HTTP URL, with the given origin if there is one."""
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS or not value.isprintable() or " " in value:
        return False
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https") and bool(parts.hostname) and value.startswith(f"{origin}/" if origin else "")
    )
