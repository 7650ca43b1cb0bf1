"""Parses payloads of each media server. Their formats are documented in docs/media-servers.md."""

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import InvalidEvent
from catalog.hooks.event import Event
from catalog.hooks.formats import SERVERS

CASES = {
    f"{file.stem}: {name}": (file.stem, case)
    for file in sorted((Path(__file__).parent / "cases").glob("*.json"))
    for name, case in json.loads(file.read_text(encoding="utf-8")).items()
}
FIELDS = {"multipart": "payload", "form": "data"}
COMPARED = ("title", "year", "imdb_id", "tmdb_id", "rating", "watched_on")


def body_of(case: dict[str, Any]) -> Any:
    field = FIELDS.get(case["sent_as"])
    return {field: json.dumps(case["payload"])} if field else case["payload"]


def described(event: Event) -> dict[str, Any]:
    row = {name: getattr(event.row, name) for name in COMPARED}
    row["watched_on"] = row["watched_on"] and row["watched_on"].isoformat()
    return {"kind": event.kind.value, "account": event.account, **row}


@pytest.mark.parametrize("name", CASES)
def test_a_payload_means_what_its_server_says(name):
    service, case = CASES[name]
    event = SERVERS[service].read(body_of(case))
    expected = case["expected"] and {"rating": None, "watched_on": None, **case["expected"]}

    assert (event and described(event)) == expected


def test_every_server_has_cases_of_each_kind():
    assert {service for service, _ in CASES.values()} == set(SERVERS)
    for service in SERVERS:
        kinds = {(case["expected"] or {}).get("kind") for of, case in CASES.values() if of == service}
        assert kinds >= {"watched", None}


@pytest.mark.parametrize("service", SERVERS)
@pytest.mark.parametrize("body", [[], "text", 7, None, {"payload": "{"}, {"data": "[1]"}, {"payload": "[]"}])
def test_what_is_no_event_is_refused_or_passed_over(service, body):
    try:
        assert SERVERS[service].read(body) is None
    except InvalidEvent as error:
        assert "xpected" in str(error) or "JSON" in str(error)


@pytest.mark.parametrize("name", [name for name, (_, case) in CASES.items() if case["expected"]])
def test_details_of_a_wrong_type_break_nothing(name):
    service, case = CASES[name]
    for wrong in (None, True, [], {}, "x" * 400, -1, 1e300, "\u0000"):
        for damaged in _with_each_replaced(case["payload"], wrong):
            try:
                SERVERS[service].read(body_of({**case, "payload": damaged}))
            except InvalidEvent as error:
                assert "xpected" in str(error)


def _with_each_replaced(payload: dict[str, Any], wrong: Any) -> list[dict[str, Any]]:
    """The payload, each time with another of its values replaced, at two depths."""
    found = [{**payload, name: wrong} for name in payload]
    inner = [(name, value) for name, value in payload.items() if isinstance(value, dict)]
    return found + [{**payload, name: {**value, key: wrong}} for name, value in inner for key in value]
