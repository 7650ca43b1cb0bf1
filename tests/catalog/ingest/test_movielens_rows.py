import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadRow
from catalog.ingest.movielens.tables import parse_link, parse_movie, parse_tag, rating_parser

LATEST = 1_700_000_000
parse_rating = rating_parser(b",", movies={1, 2}, latest=LATEST)


def test_ratings_are_read_with_quotes_and_crlf():
    expected = (7, 2, 4.5, 964982703)
    assert parse_rating(b"7,2,4.5,964982703\n") == expected
    assert parse_rating(b'"7","2","4.5","964982703"\r\n') == expected
    assert rating_parser(b"::", movies={2}, latest=LATEST)(b"7::2::4.5::964982703\n") == expected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"7,2,7,964982703\n", "rating '7' is not one of 0.5"),
        (b"7,2,4.25,964982703\n", "rating '4.25'"),
        (b"7,2,nan,964982703\n", "rating 'nan'"),
        (b"7,2,,964982703\n", "rating ''"),
        (b"7,99,4.0,964982703\n", "movie 99 is not among the movies"),
        (b"seven,2,4.0,964982703\n", "user id 'seven'"),
        (b"-7,2,4.0,964982703\n", "user id '-7'"),
        (b"7,99999999999,4.0,964982703\n", "movie id '99999999999'"),
        (b"7,2,4.0,yesterday\n", "timestamp 'yesterday'"),
        (b"7,2,4.0,1700000001\n", "timestamp '1700000001'"),
        (b"7,2,4.0\n", "the row has 3 columns; expected 4"),
        (b"7,2,4.0,964982703,5\n", "the row has 5 columns; expected 4"),
        (b"7,2,4.0,96498", "ends within this row"),
        ("7,2,４.0,964982703\n".encode(), "rating"),  # noqa: RUF001
        (b"7,2,4.0,\xff\n", "timestamp"),
        (b'"7,2,4.0,964982703\n', "not valid csv"),
        (b"7,2,4.0,\0\n", "timestamp"),
    ],
)
def test_says_what_is_wrong_with_a_rating(row, reason):
    with pytest.raises(BadRow, match=reason):
        parse_rating(row)


@given(
    st.integers(1, 2**31 - 1),
    st.sampled_from([1, 2]),
    st.sampled_from(["0.5", "1", "1.0", "3.50", "5.0"]),
    st.integers(0, LATEST),
)
def test_reads_every_sound_rating(user, movie, rating, seconds):
    assert parse_rating(f"{user},{movie},{rating},{seconds}\n".encode()) == (user, movie, float(rating), seconds)


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b"1", b"2", b"4.0", b"", b'"', b"::", b"x"])).map(b",".join))
def test_any_bytes_give_a_sound_rating_or_a_bad_row(line):
    try:
        user, movie, rating, rated_at = parse_rating(line)
    except BadRow:
        return
    assert user > 0
    assert movie in (1, 2)
    assert 0.5 <= rating <= 5
    assert 0 <= rated_at <= LATEST


@given(st.binary(max_size=80), st.sampled_from([parse_movie, parse_link, parse_tag]), st.sampled_from([b",", b"::"]))
def test_any_bytes_give_a_row_or_a_bad_row(line, parse, separator):
    try:
        parse(line, separator)
    except BadRow as error:
        assert str(error)


def test_reads_a_movie():
    movie = parse_movie('2,"Léon, The (1994)",Crime|Crime|Drama\r\n'.encode(), b",")
    assert (movie.movielens_id, movie.title, movie.year, movie.genres) == (2, "The Léon", 1994, ("Crime", "Drama"))
    assert parse_movie(b"3,Cosmos,(no genres listed)\n", b",").genres == ()
    assert parse_movie(b"1::L\xe9on (1994)::Children's\n", b"::").title == "Léon"
    assert parse_movie(b"1::Babe (1995)::Children's|Comedy\n", b"::").genres == ("Children", "Comedy")


def test_reads_ids_of_other_catalogues_in_their_own_form():
    assert parse_link(b"1,0114709,862\n", b",") == (1, "tt0114709", 862)
    assert parse_link(b"1,12345678,\n", b",") == (1, "tt12345678", None)
    assert parse_link(b"1,,\n", b",") == (1, None, None)


def test_reads_a_tag_in_lower_case_with_single_blanks():
    assert parse_tag(b'2,60756,"  Highly   Quotable",1445714996\n', b",") == (60756, "highly quotable")
    with pytest.raises(BadRow, match="1 to 120 characters; this one has 121"):
        parse_tag(b"2,60756," + b"x" * 121 + b",1445714996\n", b",")
    with pytest.raises(BadRow, match="UTF-8"):
        parse_tag(b"2,60756,\xff,1445714996\n", b",")
