"""Parses Wikidata's documents: ranks, precision, missing labels, merged items, several values, damage."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import AnswerRejected
from catalog.providers.wikidata_documents import Entity, When, read_bindings, read_entities
from catalog.providers.wikidata_films import Film, read_film
from tests.wikidata_documents import (
    DAY,
    DECADE,
    HOUR,
    JULIAN,
    MONTH,
    SECOND,
    YEAR,
    amount,
    document,
    film,
    item,
    statement,
    text,
    time,
    titled,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
PROPERTIES = ("P345", "P4947", "P57", "P161", "P136", "P921", "P495", "P364", "P577", "P2047", "P1476", "P18")


def entity_of(content: dict[str, Any]) -> Entity:
    [entity] = read_entities({"entities": {content["id"]: content}}).values()
    assert entity is not None
    return entity


def film_of(*statements: dict[str, Any]) -> Film:
    return read_film(entity_of(film(1, "A film", *statements)))


def released(*times: tuple[str, int], rank: str = "normal") -> list[dict[str, Any]]:
    return [statement("P577", time(moment, precision), rank) for moment, precision in times]


def test_a_movie_is_read_with_every_field():
    found = read_film(
        entity_of(
            document(
                83495,
                {"en": "The Matrix", "vi": "Ma trận", "mul": "Matrix"},
                statement("P345", text("tt0133093")),
                statement("P4947", text("603")),
                statement("P577", time("1999-06-17")),
                statement("P577", time("1999-03-31")),
                statement("P2047", amount("+136")),
                statement("P364", item(1860)),
                statement("P495", item(30)),
                statement("P495", item(408)),
                statement("P136", item(471839)),
                statement("P921", item(11660)),
                statement("P57", item(9544977)),
                statement("P57", item(9545711)),
                statement("P161", item(43416), P4633=text("Neo")),
                statement("P161", item(193048)),
                statement("P1476", titled("The Matrix", "en")),
                statement("P18", text("Matrix.jpg")),
                enwiki="The Matrix",
                viwiki="Ma trận (phim)",
            )
        )
    )

    assert found == Film(
        qid=83495,
        titles={"en": "The Matrix", "vi": "Ma trận", "mul": "Matrix"},
        original_title="The Matrix",
        imdb_id="tt0133093",
        tmdb_id=603,
        year=1999,
        release_date=date(1999, 3, 31),
        runtime_minutes=136,
        directors=[9544977, 9545711],
        cast={43416: "Neo", 193048: ""},
        genres=[471839],
        subjects=[11660],
        countries=[30, 408],
        languages=[1860],
        picture="Matrix.jpg",
        articles={"enwiki": "The Matrix", "viwiki": "Ma trận (phim)"},
    )
    assert found.items == {9544977, 9545711, 43416, 193048, 471839, 11660, 30, 408}


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        (["normal", "normal"], [1, 2]),
        (["normal", "preferred"], [2]),
        (["deprecated", "normal"], [2]),
        (["preferred", "preferred"], [1, 2]),
        (["deprecated", "deprecated"], []),
    ],
)
def test_ranks_decide_which_statements_count(ranks, expected):
    statements = [statement("P57", item(number), rank) for number, rank in enumerate(ranks, start=1)]

    assert film_of(*statements).directors == expected


def test_an_unknown_preferred_value_outranks_known_ones():
    """As for the query service: the best statement says that nobody knows."""
    assert film_of(statement("P57", item(1)), statement("P57", "somevalue", "preferred")).directors == []
    assert film_of(statement("P57", "novalue"), statement("P57", item(2))).directors == [2]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([("1999-03-31", DAY)], (1999, date(1999, 3, 31))),
        ([("1999-03-00", MONTH)], (1999, None)),
        ([("1999-00-00", YEAR)], (1999, None)),
        ([("1990-00-00", DECADE)], (None, None)),
        ([("1999-00-00", YEAR), ("1999-03-31", DAY)], (1999, date(1999, 3, 31))),
        ([("1999-00-00", YEAR), ("2003-01-05", DAY)], (1999, None)),  # the day of another release
        ([("1999-02-30", DAY)], (1999, None)),
        ([("1999-00-00", DAY)], (1999, None)),
        ([("0079-10-24", DAY)], (None, None)),
        ([], (None, None)),
    ],
)
def test_dates_are_as_precise_as_they_are_known(times, expected):
    found = film_of(*released(*times))

    assert (found.year, found.release_date) == expected


def test_a_day_of_the_julian_calendar_is_only_a_year():
    assert entity_of(document(1, {}, statement("P577", time("1913-02-20", DAY, JULIAN)))).times("P577") == [When(1913)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (amount("+136"), 136),
        (amount("+8160", SECOND), 136),
        (amount("+2.5", HOUR), 150),
        (amount("+136", 11573), None),  # metres
        (amount("-5"), None),
        (amount("+99999"), None),
        (amount("a lot"), None),
    ],
)
def test_runtimes_are_in_minutes(value, expected):
    assert film_of(statement("P2047", value)).runtime_minutes == expected


def test_two_ids_identify_nothing():
    ids = [statement("P345", text("tt0000001")), statement("P345", text("tt0000002")), statement("P4947", text("x"))]

    assert (film_of(*ids).imdb_id, film_of(*ids).tmdb_id) == (None, None)


def test_a_person_with_two_roles_has_both_characters():
    cast = [statement("P161", item(5), P4633=text("Tweedledum")), statement("P161", item(5), P4633=text("Tweedledee"))]

    assert film_of(*cast).cast == {5: "Tweedledum / Tweedledee"}


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"en": "Ada", "mul": "A.", "vi": "Á"}, "Ada"),
        ({"mul": "A.", "vi": "Á"}, "A."),
        ({"vi": "Á", "th": "อ"}, "Á"),
        ({"th": "อ"}, ""),
        ({"en": "\u200b "}, ""),
        ({}, ""),
    ],
)
def test_a_label_in_the_first_language_that_has_one(labels, expected):
    assert entity_of(document(1, labels)).label(["en", "vi"]) == expected


def test_merged_and_missing_items_are_told_apart():
    answer = {
        "entities": {
            "Q53265341": document(11036, {"en": "Kept"}) | {"redirects": {"from": "Q53265341", "to": "Q11036"}},
            "Q999999999": {"id": "Q999999999", "missing": ""},
            "Q3": {"type": "item", "id": "Q3", "labels": [], "claims": []},  # as PHP writes empty maps
        }
    }

    merged, missing, empty = read_entities(answer).values()

    assert merged is not None and (merged.qid, merged.labels) == (11036, {"en": "Kept"})
    assert missing is None
    assert empty is not None and (empty.labels, read_film(empty).year) == ({}, None)


@pytest.mark.parametrize("answer", [None, [], "text", {}, {"entities": []}, {"success": 1}])
def test_an_answer_of_another_shape_is_rejected(answer):
    with pytest.raises(AnswerRejected, match="entities"):
        read_entities(answer)
    with pytest.raises(AnswerRejected, match="bindings"):
        read_bindings(answer)


def test_rows_of_a_query_are_read():
    cell = {"type": "uri", "value": "http://www.wikidata.org/entity/Q83495"}
    answer = {"head": {"vars": ["item", "tmdb"]}, "results": {"bindings": [{"item": cell}]}}

    assert read_bindings(answer) == [{"item": "http://www.wikidata.org/entity/Q83495"}]


@given(st.dictionaries(st.sampled_from(PROPERTIES), JSON), JSON)
def test_damaged_claims_cost_only_themselves(claims, labels):
    content = {"id": "Q1", "labels": labels, "claims": {"P57": [statement("P57", item(7))]} | claims}

    found = read_film(entity_of(content))

    assert found.qid == 1
    assert "P57" in claims or found.directors == [7]


@given(st.sampled_from(PROPERTIES), JSON, st.sampled_from(["string", "time", "quantity", "wikibase-entityid"]))
def test_a_damaged_value_costs_only_itself(name, value, kind):
    damaged = statement(name, {"value": value, "type": kind})
    kept = statement("P1476", titled("Kept", "en"))

    assert film_of(damaged, kept).original_title == "Kept"


@given(st.dates(date(1900, 1, 1), date(2100, 12, 31)), st.integers(0, 14))
def test_no_precision_makes_up_a_day(day, precision):
    found = film_of(statement("P577", time(day.isoformat(), precision)))

    assert found.release_date == (day if precision >= DAY else None)
    assert found.year == (day.year if precision >= YEAR else None)


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["preferred", "normal", "deprecated"])), max_size=8))
def test_lists_hold_the_best_ranked_once_and_in_order(rows):
    best = "preferred" if any(rank == "preferred" for _, rank in rows) else "normal"
    expected = list(dict.fromkeys(number for number, rank in rows if rank == best))

    assert film_of(*(statement("P136", item(number), rank) for number, rank in rows)).genres == expected
