"""Calls of the API's operations on followed sources and unmatched rows, for `test_api_client`.

A function of the answers so far takes from them. Without an answer, as for strangers, an id is 1.
"""

from typing import Any

Calls = list[tuple[str, Any]]


def of_following() -> Calls:
    def the_source(answers: dict[str, Any]) -> dict[str, Any]:
        return {"id": getattr(answers["following_create"], "id", 1)}

    return [
        ("following_create", {"body": {"kind": "letterboxd", "address": "ada"}}),
        ("following_list", {}),
        ("following_retrieve", the_source),
        ("following_sync_create", the_source),
        ("following_partial_update", lambda answers: the_source(answers) | {"body": {"is_paused": True}}),
        ("following_unmatched_list", the_source),
        ("following_destroy", the_source),
    ]


def of_matching(movie: int) -> Calls:
    """Comes after `import_entries_list` with unmatched rows."""

    def first(answers: dict[str, Any], operation: str) -> int:
        found = getattr(answers[operation], "results", None)
        return found[0].id if found else 1

    def the_row(answers: dict[str, Any]) -> dict[str, Any]:
        entry = first(answers, "import_entries_list")
        return {"id": getattr(answers["import_create"], "id", 1), "entry_id": entry}

    choose = ("import_entries_match_update", lambda answers: the_row(answers) | {"body": {"movie": movie}})
    return [
        choose,
        ("match_choices_list", {}),
        ("match_choices_destroy", lambda answers: {"id": first(answers, "match_choices_list")}),
        choose,
        ("import_entries_match_destroy", the_row),
    ]
