import xml.etree.ElementTree as ET

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import MovieGenre
from catalog.posters import MARGIN, MAX_LINES, THEMES, draw_poster, fit
from catalog.posters.motifs import WIDTH
from catalog.templatetags.movies import poster_url
from tests.factories import GenreFactory, MovieFactory


def words(svg: str) -> str:
    return " ".join(node.text or "" for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))


@given(st.text(max_size=300), st.integers(1870, 2200) | st.none(), st.lists(st.text(max_size=60), max_size=3))
def test_every_title_gives_a_well_formed_drawing(title, year, genres):
    ET.fromstring(draw_poster(title=title, year=year, genres=genres))


@pytest.mark.parametrize("genre", [*THEMES, "Science Fiction", "(unknown)"])
def test_every_genre_draws_the_same_poster_each_time(genre):
    first = draw_poster(title="Night Train", year=1959, genres=[genre])

    assert first == draw_poster(title="Night Train", year=1959, genres=[genre])
    assert words(first).casefold() == f"night train {genre} · 1959".casefold()
    assert first != draw_poster(title="Day Train", year=1959, genres=[genre])


def test_the_genre_that_says_most_decides():
    assert "Horror · 1979" in words(draw_poster(title="Alien", year=1979, genres=["Drama", "Sci-Fi", "Horror"]))


def test_markup_in_a_title_is_text():
    drawing = draw_poster(title="<script>alert(1)</script> & “so on”", year=None)

    assert "<script" not in drawing
    assert "script>alert(1)</script> & “so on”" in words(drawing).replace(" ", "").replace("&“soon”", " & “so on”")


def test_titles_are_as_large_as_fits():
    assert fit("Alien") == (44, ["Alien"])
    assert fit("Eternal Sunshine of the Spotless Mind")[1] == ["Eternal", "Sunshine of", "the Spotless", "Mind"]


@given(st.text(min_size=1, max_size=300))
def test_a_title_never_takes_more_than_its_lines(title):
    _, lines = fit(title)

    assert len(lines) <= MAX_LINES


def test_a_word_too_long_for_a_line_is_broken_and_cut():
    size, lines = fit("W" * 200)

    assert len(lines) == MAX_LINES
    assert lines[-1].endswith("…")
    assert all(len(line) * size * 0.92 <= WIDTH - 2 * MARGIN + size for line in lines)


def test_the_page_of_a_poster_is_an_image_that_caches_may_keep(client, db):
    movie = MovieFactory(title="Solaris", year=1972)
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name="Sci-Fi"))
    first = client.get(reverse("catalog:poster", args=[movie.pk]))

    assert first["Content-Type"] == "image/svg+xml"
    assert words(first.content.decode()) == "SOLARIS Sci-Fi · 1972"
    assert "max-age=86400" in first["Cache-Control"]
    again = client.get(reverse("catalog:poster", args=[movie.pk]), headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    movie.title = "Stalker"
    movie.save()
    changed = client.get(reverse("catalog:poster", args=[movie.pk]), headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200


def test_an_unknown_movie_has_no_poster(client, db):
    assert client.get("/posters/404.svg").status_code == 404


def test_tmdb_posters_are_shown_only_where_tmdb_is_on(db, settings):
    movie = MovieFactory(poster_path="/abc.jpg")

    assert poster_url(movie) == f"/posters/{movie.pk}.svg"
    settings.TMDB_READ_TOKEN = "a token"
    assert poster_url(movie) == "https://image.tmdb.org/t/p/w342/abc.jpg"
    assert poster_url(MovieFactory()).endswith(".svg")
