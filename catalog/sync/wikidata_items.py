"""Labels of people, genres, subjects and countries, and codes of languages. Each item is fetched once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from catalog.models.wikidata import WikidataItem
from catalog.providers.wikidata import AT_ONCE, WikidataClient

REFRESH_DAYS = 180
NAME_LENGTH, CODE_LENGTH = 160, 8
IDS_PER_QUERY = 500  # below SQLite's parameter limit in every build
COLUMNS = ["main_qid", "name", "code", "fetched_at"]

Items = Mapping[int, WikidataItem]
Fetch = Callable[[WikidataClient, Sequence[int]], list[WikidataItem]]


def known_items(
    client: WikidataClient, numbers: Collection[int], fetch: Fetch, *, before_each: Callable[[], object]
) -> dict[int, WikidataItem]:
    """Returns the items by number. Fetches missing and outdated ones in batches and stores them.

    `before_each` is called before each request.
    """
    wanted = sorted(numbers)
    fresh = WikidataItem.objects.filter(fetched_at__gte=timezone.now() - timedelta(days=REFRESH_DAYS))
    known: dict[int, WikidataItem] = {}
    for start in range(0, len(wanted), IDS_PER_QUERY):
        known |= fresh.in_bulk(wanted[start : start + IDS_PER_QUERY])
    missing = [number for number in wanted if number not in known]
    for start in range(0, len(missing), AT_ONCE):
        before_each()
        rows = fetch(client, missing[start : start + AT_ONCE])
        WikidataItem.objects.bulk_create(rows, update_conflicts=True, unique_fields=["qid"], update_fields=COLUMNS)
        known |= {row.qid: row for row in rows}
    return known


def names(client: WikidataClient, numbers: Sequence[int]) -> list[WikidataItem]:
    """Fetches the items' labels in the first available language of the site, and merged items."""
    languages = settings.POLICY.wikidata.languages
    return [
        WikidataItem(
            qid=number,
            main_qid=entity.qid if entity else number,
            name=entity.label(languages)[:NAME_LENGTH] if entity else "",
        )
        for number, entity in client.labels(numbers, languages).items()
    ]


def language_codes(client: WikidataClient, numbers: Sequence[int]) -> list[WikidataItem]:
    codes = client.language_codes(numbers)
    return [WikidataItem(qid=number, main_qid=number, code=codes.get(number, "")[:CODE_LENGTH]) for number in numbers]
