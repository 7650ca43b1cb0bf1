"""The beginnings of articles of Wikipedia, by the API of each language's own site."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from catalog.providers.mediawiki import Get, read_pages
from catalog.text import visible

AT_ONCE = 20  # articles in a request, as many as the API sends the beginning of
LONGEST = 1000  # characters of a beginning: whole paragraphs, the first whatever its length, up to MOST
MOST = 4000


def wiki_of(language: str) -> str:
    """What Wikidata calls the Wikipedia in a language: `enwiki`."""
    return f"{language.replace('-', '_')}wiki"


def leads(get: Get, language: str, titles: Sequence[str]) -> dict[str, str]:
    """By requested title: the first paragraphs of the article. Missing are articles that do not exist or are empty.

    At most AT_ONCE titles. Raises ProviderError.
    """
    asked = {"prop": "extracts", "exintro": 1, "explaintext": 1, "exlimit": AT_ONCE}
    address = settings.WIKIPEDIA_API_URL.replace("LANGUAGE", language)
    pages = read_pages(get, address, titles, "extract", asked)
    return {title: text for title, page in pages.items() if (text := lead_of(page.get("extract")))}


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
