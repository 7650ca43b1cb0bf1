"""Reads wiki pages by title with the MediaWiki API, which Wikipedia and Commons share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.errors import AnswerRejected

Get = Callable[[str, dict[str, Any]], Any]  # a client's method that follows Wikimedia's etiquette


def read_pages(
    get: Get, address: str, titles: Sequence[str], part: str, asked: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Returns the pages keyed by requested title, each with the requested part if it has one. Follows redirects.

    The API limits the size of a response by omitting the part of some pages. These are requested again. Raises
    ProviderError.
    """
    common = {"action": "query", "redirects": 1, "formatversion": 2, "titles": "|".join(titles)}
    answer = get(address, common | dict(asked))
    found = answer.get("query") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise AnswerRejected("expected an object with `query`")
    pages = {str(page.get("title")): page for page in _rows(found, "pages")}
    moved = {row.get("from"): row.get("to") for name in ("normalized", "redirects") for row in _rows(found, name)}
    page_of = {title: pages.get(_followed(title, moved), {}) for title in titles}
    later = [title for title, page in page_of.items() if page and not page.keys() & {part, "missing", "invalid"}]
    return page_of | read_pages(get, address, later, part, asked) if 0 < len(later) < len(titles) else page_of


def _followed(title: str, moved: Mapping[Any, Any]) -> str:
    """Returns the title under which the response lists a page, after normalisation and redirects."""
    for _step in range(3):
        title = str(moved.get(title, title))
    return title


def _rows(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = found.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
