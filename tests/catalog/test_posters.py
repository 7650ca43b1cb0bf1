import xml.etree.ElementTree as ET

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import MovieGenre
from catalog.posters import draw_poster
from catalog.posters.lettering import Place, Style, fit
from catalog.posters.looks import ART, GENRES, look_of, style_of
from catalog.templatetags.movies import poster_url
from tests.catalog.well_known import WELL_KNOWN
from tests.factories import GenreFactory, MovieFactory


def words(svg: str) -> str:
    return " ".join(node.text or "" for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"))


@given(st.text(max_size=300), st.integers(1870, 2200) | st.none(), st.lists(st.text(max_size=60), max_size=3))
def test_every_title_gives_a_well_formed_drawing(title, year, genres):
    ET.fromstring(draw_poster(title=title, year=year, genres=genres))


@pytest.mark.parametrize("genre", [*GENRES, "Science Fiction", "(unknown)"])
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
    assert "<script>alert(1)</script>&“soon”" in words(drawing).replace(" ", "").casefold()


PLACE = Place(24, 400, 252, 128)
PLAIN = Style(font="sans-serif", weight=700)


def test_titles_are_as_large_as_fits():
    assert fit("Alien", PLAIN, PLACE) == (52, ["Alien"])
    assert fit("Eternal Sunshine of the Spotless Mind", PLAIN, PLACE)[1] == [
        "Eternal",
        "Sunshine of the",
        "Spotless Mind",
    ]


@given(st.text(min_size=1, max_size=300), st.sampled_from([1920, 1935, 1945, 1955, 1965, 1975, 1985, 1995, 2005, 2015]))
def test_a_title_never_leaves_its_place(title, year):
    style = style_of(year)
    size, lines = fit(style.cased(title), style, PLACE)

    assert len(lines) * size <= PLACE.height
    assert all(style.width(line, size) <= PLACE.width for line in lines)


def test_a_word_too_long_for_a_line_is_broken_and_cut():
    lines = fit("W" * 200, PLAIN, PLACE)[1]

    assert len(lines) > 1 and lines[-1].endswith("…")


@given(st.text(max_size=40), st.integers(1890, 2030), st.sampled_from([*GENRES, ""]), st.sampled_from(["", "en", "ja"]))
def test_every_poster_is_small_and_draws_what_it_says(title, year, genre, language):
    movie = {"title": title, "year": year, "genres": [genre], "language": language}
    drawing = draw_poster(**movie)

    assert len(drawing) < 8000
    assert look_of(**movie).picture


def test_words_of_a_title_call_for_an_emblem():
    pictures = {look_of(title="Rocket", year=year, genres=["Drama"]).picture for year in range(1950, 2000)}

    assert "rocket" in pictures
    assert look_of(title="Rocketeers", year=1999).picture != "rocket"


def test_all_art_is_well_formed_and_fits_into_any_palette():
    colours = dict.fromkeys("abdgms", "#fff")
    for kind in ("scenes", "grounds"):
        for art in ART[kind].values():
            ET.fromstring(f"<g>{art.format_map(colours)}</g>")
    for emblem in ART["emblems"].values():
        ET.fromstring(f"<g>{emblem['svg'].format_map(colours)}</g>")


def test_well_known_movies_all_look_different():
    """Layout, picture, ground and palette of 50 posters; tests/slow looks at them as pictures."""
    looks = {look_of(title=title, year=year, genres=genres) for title, year, genres in WELL_KNOWN}

    assert len(looks) == len(WELL_KNOWN) == 50
    assert len({look.picture for look in looks}) >= 25
    assert len({look.layout for look in looks}) == 9


def test_the_page_of_a_poster_is_an_image_that_caches_may_keep(client, db):
    movie = MovieFactory(title="Solaris", year=1972)
    MovieGenre.objects.create(movie=movie, genre=GenreFactory(name="Sci-Fi"))
    first = client.get(reverse("catalog:poster", args=[movie.pk]))

    assert first["Content-Type"] == "image/svg+xml"
    assert words(first.content.decode()) == "Solaris Sci-Fi · 1972"
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
