"""Input that the JSON parser accepts or rejects."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.safe_json import MAX_DEPTH, InvalidJSON, parse_json

SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False)


def nested(depth: int) -> str:
    return '{"a": [' * (depth // 2) + "]}" * (depth // 2)


@given(st.recursive(SCALARS | st.text(st.characters(exclude_categories=["Cs", "Cc"])), st.lists, max_leaves=20))
def test_what_json_writes_is_read_the_same(value):
    for ascii_only in (True, False):
        assert parse_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@given(st.text(alphabet='[]{}",:\\u0dD8cCe1+-. ', max_size=60) | st.binary(max_size=40))
def test_anything_else_is_refused_in_words(content):
    for lenient in (True, False):
        try:
            parse_json(content, lenient=lenient)
        except InvalidJSON as error:
            assert str(error)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 2, 1000, 100_000])
def test_a_document_nested_too_deeply_is_refused(depth):
    assert parse_json(nested(MAX_DEPTH)) is not None
    with pytest.raises(InvalidJSON, match="64 levels"):
        parse_json(nested(depth))


@pytest.mark.parametrize(
    ("text", "strict", "lenient"),
    [
        ("1e400", "1e400", "1e400"),
        ("9" * 5000, "9" * 5000, "9" * 5000),
        (str(2**59), 2**59, 2**59),
        (str(1 - 10**18), 1 - 10**18, 1 - 10**18),
        ("NaN", None, "NaN"),
        ("-Infinity", None, "-Infinity"),
        (r'"\ud83d\ude00"', "😀", "😀"),
        (r'"a\ud83d"', None, "a\ufffd"),
        (r'"\ude00\\ud83d"', None, "\ufffd\\ud83d"),
        (r'"\\ud83d"', r"\ud83d", r"\ud83d"),
        (r'"\u0000"', "\0", "\ufffd"),
        ("\ufeff1".encode(), 1, 1),
    ],
)
def test_values_that_break_others_are_text_or_refused(text, strict, lenient):
    assert parse_json(text, lenient=True) == lenient
    if strict is None:
        with pytest.raises(InvalidJSON):
            parse_json(text)
    else:
        assert parse_json(text) == strict
