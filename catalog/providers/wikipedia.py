"""The beginnings of articles of Wikipedia, by the API of each language's own site."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings

from catalog.errors import AnswerRejected
from catalog.text import visible

AT_ONCE = 20  # articles in a request, as many as the API sends the beginning of
LONGEST = 1000  # characters of a beginning: whole paragraphs, the first whatever its length, up to MOST
MOST = 4000


def wiki_of(language: str) -> str:
    """What Wikidata calls the Wikipedia in a language: `enwiki`."""
    return f"{language.replace('-', '_')}wiki"


def leads(get: Callable[[str, dict[str, Any]], Any], language: str, titles: Sequence[str]) -> dict[str, str]:
    """By requested title: the first paragraphs of the article. Missing are articles that do not exist or are empty.

    `get` is that of a client, which keeps to Wikimedia's manners. At most AT_ONCE titles. Raises ProviderError.
    """
    asked = {
        "action": "query",
        "prop": "extracts",
        "exintro": 1,
        "explaintext": 1,
        "exlimit": AT_ONCE,
        "redirects": 1,
        "formatversion": 2,
        "titles": "|".join(titles),
    }
    answer = get(settings.WIKIPEDIA_API_URL.replace("LANGUAGE", language), asked)
    found = answer.get("query") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise AnswerRejected("expected an object with `query`")
    pages = {str(page.get("title")): page for page in _rows(found, "pages")}
    moved = {row.get("from"): row.get("to") for name in ("normalized", "redirects") for row in _rows(found, name)}
    page_of = {title: pages.get(_followed(title, moved), {}) for title in titles}
    texts = {title: text for title, page in page_of.items() if (text := lead_of(page.get("extract")))}
    # An answer that would become too long has pages without their text.
    later = [title for title, page in page_of.items() if page and not page.keys() & {"extract", "missing"}]
    return texts | leads(get, language, later) if 0 < len(later) < len(titles) else texts


def lead_of(extract: Any) -> str:
    """As many whole paragraphs as LONGEST characters hold, and always the first."""
    paragraphs = [text for line in extract.split("\n") if (text := visible(line))] if isinstance(extract, str) else []
    lead = ""
    for paragraph in paragraphs:
        longer = f"{lead}\n\n{paragraph}" if lead else paragraph
        if lead and len(longer) > LONGEST:
            break
        lead = longer
    return lead[:MOST]


def _followed(title: str, moved: Mapping[Any, Any]) -> str:
    """The name that the answer calls the article by: written as Wikipedia does, then where a redirect leads."""
    for _step in range(3):
        title = str(moved.get(title, title))
    return title


def _rows(found: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = found.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
