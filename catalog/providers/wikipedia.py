"""Fetches the opening paragraphs of Wikipedia articles from the API of each language's Wikipedia."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from catalog.providers.mediawiki import Get, read_pages
from catalog.text import visible

AT_ONCE = 20  # articles per request: the API's limit for extracts
LONGEST = 1000  # characters of whole paragraphs; the first paragraph may be longer, up to MOST
MOST = 4000


def wiki_of(language: str) -> str:
    """Returns Wikidata's name for the Wikipedia in a language, such as `enwiki`."""
    return f"{language.replace('-', '_')}wiki"


def leads(get: Get, language: str, titles: Sequence[str]) -> dict[str, str]:
    """Returns the opening paragraphs of articles, keyed by requested title.

    Skips missing and empty articles. Accepts at most AT_ONCE titles. Raises ProviderError.
    """
    asked = {"prop": "extracts", "exintro": 1, "explaintext": 1, "exlimit": AT_ONCE}
    address = settings.WIKIPEDIA_API_URL.replace("LANGUAGE", language)
    pages = read_pages(get, address, titles, "extract", asked)
    return {title: text for title, page in pages.items() if (text := lead_of(page.get("extract")))}


def lead_of(extract: Any) -> str:
    """Returns as many whole paragraphs as fit into LONGEST characters, but at least the first."""
    paragraphs = [text for line in extract.split("\n") if (text := visible(line))] if isinstance(extract, str) else []
    lead = ""
    for paragraph in paragraphs:
        longer = f"{lead}\n\n{paragraph}" if lead else paragraph
        if lead and len(longer) > LONGEST:
            break
        lead = longer
    return lead[:MOST]
