"""Compares the previews of uploads from other trackers with the expected ones. See cases/README.md."""

import csv
import re
from codecs import BOM_UTF16_LE
from collections import Counter

import pytest

from catalog.errors import InvalidImport
from catalog.imports.commit import commit_import
from catalog.imports.lifecycle import create_import, read_import
from catalog.imports.reading import QUESTIONS
from catalog.imports.report import files_of
from catalog.models import UserImport
from tests.catalog.imports.case_files import (
    OUTCOMES,
    Case,
    cases,
    create_catalogue,
    data_of,
    differences,
    previewed,
)

CASES = [case for case in cases() if "refused" not in case.expected]
REFUSED = [pytest.param(case, id=case.name) for case in cases() if "refused" in case.expected]


def those_with(part: str) -> list:
    """Cases with this part of the expectation."""
    return [pytest.param(case, id=case.name) for case in CASES if part in case.expected]


def ready(case: Case, user) -> UserImport:
    create_catalogue()
    user_import = create_import(user=user, format=case.format, name=case.upload, content=case.content)
    assert read_import(import_id=user_import.pk)
    user_import.refresh_from_db()
    return user_import


@pytest.mark.django_db
@pytest.mark.parametrize("case", those_with("rows"))
def test_the_preview_shows_each_row_as_what_the_file_says(nora, case):
    assert differences(case, previewed(ready(case, nora))) == []


@pytest.mark.django_db
@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_says_nothing_is_refused(nora, case):
    assert case.expected["why"].strip()
    with pytest.raises(InvalidImport):
        ready(case, nora)


@pytest.mark.django_db
@pytest.mark.parametrize("case", those_with("after"))
def test_the_commit_writes_what_the_file_says_and_no_more(nora, case):
    commit_import(ready(case, nora))

    expected = {"lists": [], "notes": []} | case.expected["after"]
    assert data_of(nora) == {name: sorted(lines) for name, lines in expected.items()}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_the_expected_counts_fit_the_expected_rows(case):
    outcomes = Counter(row["outcome"] for row in case.rows)
    imported = {name: sum(bool(row[column]) for row in case.rows) for name, column in KINDS.items()}

    assert set(outcomes) <= OUTCOMES
    assert {"listed": 0} | case.expected["counts"] == imported | {
        "found": outcomes["found"],
        "not_found": outcomes["not found"] + outcomes["not a movie"],
        "not_readable": outcomes["not readable"],
    }


@pytest.mark.wording
@pytest.mark.django_db
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_the_preview_names_files_columns_questions_and_numbers(nora, case):
    user_import = ready(case, nora)
    files = {file["file"]: file for file in files_of(user_import)}
    asked = [f"{about}: {QUESTIONS[key][0]}" for key, about in user_import.report["questions"]]

    counts = user_import.counts | {"found": user_import.counts["matched"]}
    assert {name: counts[name] for name in case.expected["counts"]} == case.expected["counts"]
    assert {name: files[name]["taken_for"] for name in case.expected.get("files", {})} == case.expected.get("files", {})
    assert {name: files[name]["columns"] for name in case.expected.get("columns", {})} == case.expected.get(
        "columns", {}
    )
    assert asked == case.expected.get("asked", asked)


KINDS = {"rated": "rating", "watched": "watched", "wanted": "wanted", "listed": "list"}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_every_column_and_file_of_a_case_has_a_meaning(case):
    files = case.files
    named = {re.sub(r"\.json/.*", ".json", name) for name in case.expected.get("files", {})} or {case.upload}
    columns = case.expected.get("columns", {})

    assert case.expected["why"].strip()
    assert named == set(files)
    assert "columns" in case.expected or "files" in case.expected
    for name, meanings in columns.items():
        assert list(meanings) == header_of(files[name])


def header_of(content: bytes) -> list[str]:
    lines = content.decode("utf-16" if content.startswith(BOM_UTF16_LE) else "utf-8-sig").splitlines()
    header = next(line for line in lines if line and not line.startswith("sep="))
    delimiter = next(character for character in "\t;," if character in header)
    return next(csv.reader([header], delimiter=delimiter))
