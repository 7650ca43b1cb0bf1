"""Sentences stored by earlier versions are converted to codes, which are shown in today's words."""

from importlib import import_module

import pytest

from catalog.models.reasons import Code, Reason, describe

migration = import_module("catalog.migrations.0016_reason_codes")

PARAMS = {
    "longest": 300, "text": "'a; b is not a c'", "what": "TMDB id", "out_of": 5, "n": 2, "expected": 3,
    "movies": "Heat (1995), Ran (1985) and 2 more", "movie": "Heat (1995)", "title": "Heat; or, Fire", "year": 1995,
    "type": "TV Series", "day": "2030-01-01", "tmdb_id": 7, "details": "a: b; c: d", "error": "ValueError",
}  # fmt: skip


@pytest.mark.wording
@pytest.mark.parametrize("code", [code for code in Code if code.value in migration.SENTENCES])
def test_each_sentence_of_earlier_versions_becomes_its_code(code):
    [found] = migration.coded(f"{migration.SENTENCES[code].format(**PARAMS)}.")

    assert found[0] == code
    assert str(Reason(*found)) == str(code(**PARAMS))
    assert {name: PARAMS[name] for name in found[1]} == found[1]


def test_every_code_but_those_of_other_texts_has_a_sentence():
    assert set(migration.SENTENCES) == set(Code.values) - {"tmdb.provider", "legacy"}


def test_joined_sentences_become_several_codes():
    joined = "'95' is not the year of a movie; 'nm12' is not a TMDB id"

    assert migration.coded(joined) == [
        ["year.invalid", {"text": "'95'"}],
        ["id.invalid", {"text": "'nm12'", "what": "TMDB id"}],
    ]
    assert migration.coded("") == []


@pytest.mark.parametrize("text", ["Nobody knows {this}.", "cut in the mid; 'x' is n"])
def test_other_sentences_are_shown_as_they_are(text):
    assert describe(migration.coded(text)) == text
    assert migration.coded(text, unknown=("tmdb.provider", "error")) == [["tmdb.provider", {"error": text}]]


def test_what_a_file_was_taken_for_becomes_labels():
    files = [{"file": "a", "taken_for": "not used: owned"}, {"file": "b", "taken_for": "ratings"}]

    assert migration.with_parts({"files": files}) == {
        "files": [{"file": "a", "parts": [["owned", False]]}, {"file": "b", "parts": [["ratings", True]]}]
    }
    assert migration.with_parts({}) == {}


def test_a_list_is_cut_and_counted():
    names = [f"Heat ({year})" for year in range(1995, 2000)]

    assert "Heat (1997)" in str(Code.SEVERAL(movies=names))
    assert "Heat (1998)" not in str(Code.SEVERAL(movies=names))


def test_a_code_of_a_later_version_is_shown_as_it_is():
    assert describe([["match.of_tomorrow", {"movie": "x"}]]) == "match.of_tomorrow"
