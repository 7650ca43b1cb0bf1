"""Items with labels and statements in Wikidata's format, for the stand-in and for parsers."""

from typing import Any

GREGORIAN = "http://www.wikidata.org/entity/Q1985727"
JULIAN = "http://www.wikidata.org/entity/Q1985786"
MINUTE, SECOND, HOUR = 7727, 11574, 25235
DAY, MONTH, YEAR, DECADE = 11, 10, 9, 8
FILM = 11424
TYPES = {"string": "external-id", "wikibase-entityid": "wikibase-item"}


def item(number: int) -> dict[str, Any]:
    value = {"entity-type": "item", "numeric-id": number, "id": f"Q{number}"}
    return {"value": value, "type": "wikibase-entityid"}


def text(value: str) -> dict[str, Any]:
    return {"value": value, "type": "string"}


def titled(value: str, language: str) -> dict[str, Any]:
    return {"value": {"text": value, "language": language}, "type": "monolingualtext"}


def time(moment: str, precision: int = DAY, calendar: str = GREGORIAN) -> dict[str, Any]:
    """Returns a time. `moment` is a date such as 1999-03-31, with 00 for unknown parts."""
    value = {"time": f"+{moment}T00:00:00Z", "timezone": 0, "before": 0, "after": 0, "precision": precision}
    return {"value": value | {"calendarmodel": calendar}, "type": "time"}


def amount(number: str, unit: int = MINUTE) -> dict[str, Any]:
    value = {"amount": number, "unit": f"http://www.wikidata.org/entity/Q{unit}"}
    return {"value": value, "type": "quantity"}


def snak(name: str, value: dict[str, Any] | str) -> dict[str, Any]:
    """Returns a snak. `value` may also be somevalue (unknown) or novalue (does not exist)."""
    if isinstance(value, str):
        return {"snaktype": value, "property": name, "hash": "0" * 40}
    datatype = TYPES.get(value["type"], value["type"])
    return {"snaktype": "value", "property": name, "hash": "0" * 40, "datavalue": value, "datatype": datatype}


def statement(
    name: str, value: dict[str, Any] | str, rank: str = "normal", **qualifiers: dict[str, Any]
) -> dict[str, Any]:
    found = {"mainsnak": snak(name, value), "type": "statement", "id": f"Q1${name}", "rank": rank, "references": []}
    if qualifiers:
        found["qualifiers"] = {key: [snak(key, content)] for key, content in qualifiers.items()}
        found["qualifiers-order"] = list(qualifiers)
    return found


def document(
    number: int, labels: dict[str, str] | None = None, *statements: dict[str, Any], **articles: str
) -> dict[str, Any]:
    """Returns an item. `articles` are titles keyed by wiki, such as `enwiki`."""
    claims: dict[str, list[dict[str, Any]]] = {}
    for row in statements:
        claims.setdefault(row["mainsnak"]["property"], []).append(row)
    return {
        "pageid": number + 1000,
        "ns": 0,
        "title": f"Q{number}",
        "lastrevid": 10 * number,
        "modified": "2026-01-31T12:00:00Z",
        "type": "item",
        "id": f"Q{number}",
        "labels": {code: {"language": code, "value": value} for code, value in (labels or {}).items()},
        "claims": claims,
        "sitelinks": {wiki: {"site": wiki, "title": title, "badges": []} for wiki, title in articles.items()},
    }


def film(
    number: int, title: str, *more: dict[str, Any], imdb_id: str = "", tmdb_id: int = 0, **articles: str
) -> dict[str, Any]:
    rows = [statement("P31", item(FILM))]
    if imdb_id:
        rows.append(statement("P345", text(imdb_id)))
    if tmdb_id:
        rows.append(statement("P4947", text(str(tmdb_id))))
    return document(number, {"en": title}, *rows, *more, **articles)
