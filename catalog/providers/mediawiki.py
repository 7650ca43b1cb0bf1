"""Pages of a wiki by their titles, by MediaWiki's API, which Wikipedia and Commons share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from catalog.errors import AnswerRejected

Get = Callable[[str, dict[str, Any]], Any]  # of a client, which keeps to Wikimedia's manners


def read_pages(
    get: Get, address: str, titles: Sequence[str], part: str, asked: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """By requested title: the page, with the part that was asked for if there is one; redirects are followed.

    An answer that would become too long has pages without the part: they are asked for again. Raises ProviderError.
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
    """The name that the answer calls the page by: written as the wiki does, then where a redirect leads."""
    for _step in range(3):
        title = str(moved.get(title, title))
    return title


def _rows(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = found.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
