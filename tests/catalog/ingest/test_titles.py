import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.ingest.titles import parse_title


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Toy Story (1995)", ("Toy Story", "", 1995)),
        ("Matrix, The (1999)", ("The Matrix", "", 1999)),
        ("Bug's Life, A (1998)", ("A Bug's Life", "", 1998)),
        ("Avventura, L' (1960)", ("L'Avventura", "", 1960)),
        ("Seven (a.k.a. Se7en) (1995)", ("Seven", "Se7en", 1995)),
        ("Weekend (a.k.a. Le Week-end) (Week End) (1967)", ("Weekend", "Week End", 1967)),
        (
            "City of Lost Children, The (Cité des enfants perdus, La) (1995)",
            ("The City of Lost Children", "La Cité des enfants perdus", 1995),
        ),
        ("(500) Days of Summer (2009)", ("(500) Days of Summer", "", 2009)),
        (
            "Birdman: Or (The Unexpected Virtue of Ignorance) (2014)",
            ("Birdman: Or (The Unexpected Virtue of Ignorance)", "", 2014),
        ),
        ("1-900 (06) (1994)", ("1-900 (06)", "", 1994)),
        ("Justice League: Doom (2012) ", ("Justice League: Doom", "", 2012)),
        ("Fawlty Towers (1975-1979)", ("Fawlty Towers", "", 1975)),
        ("Death Note (2006\u20132007)", ("Death Note", "", 2006)),
        ("Play It Again, Sam (1972)", ("Play It Again, Sam", "", 1972)),
        ("Babylon 5", ("Babylon 5", "", None)),
        ("Space (9999)", ("Space (9999)", "", None)),
        ("(1995)", ("(1995)", "", None)),
    ],
)
def test_reads_title_other_title_and_year(text, expected):
    assert parse_title(text) == expected


@given(st.text(max_size=80))
def test_any_text_gives_a_title_or_nothing_but_never_fails(text):
    title = parse_title(text)
    assert bool(title.title) == bool(text.strip())
    assert title.year is None or 1870 <= title.year <= 2200
