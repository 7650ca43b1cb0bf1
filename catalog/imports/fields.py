"""A row of an uploaded file, and the fields that its columns may hold: how text becomes a value, and text again.

Parsers get text without spaces around it, never an empty one. They raise BadRow for a wrong value; it costs that value
alone, and its owner sees what was ignored.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, NamedTuple

from django.utils.translation import gettext_noop as _

from catalog.bounds import FIRST_YEAR, LARGEST_ID, LAST_YEAR
from catalog.errors import BadRow
from catalog.imports.dates import day_of, parse_day, parse_moment, shown
from catalog.ingest.titles import Reading
from catalog.models import ImportRow
from catalog.models.reasons import Code, Reason
from catalog.text import fold

Kind = ImportRow.Kind

TITLE_LENGTH = 300
MOVIE = "movie"
YES, NO = ("1", "yes", "true"), ("0", "no", "false")
EMPTY = {"", "-", "\u2013", "null", "nan", "none", "n/a", "undefined", "\\n"}  # no value, except in a title
STATUSES = dict.fromkeys(("completed", "complete", "watched", "seen", "finished"), Kind.WATCHED) | dict.fromkeys(
    ("plantowatch", "plan to watch", "planning", "planned", "watchlist", "want to watch"), Kind.WANTED
)
# Stems of what sites call everything but movies, in the languages of IMDb's and others' exports.
_NOT_MOVIES = re.compile(
    r"seri|episod|epizod|folge|season|staffel|temporada|game|spiel|juego|gioco|jogo|jeu|podcast|book|manga|comic|musi"
    r"|^(tv|show|person|list)$|сериал|시리즈|シリーズ|सीरी|एपिसोड"
)
_MOVIES = re.compile(r"movie|film|short|corto|curta|court|video|special|document|pelicula|फ़िल्म")
_YEAR = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-])?(\d{4})(?:\.0|\d{4}|\D.*)?")
_IMDB_ID = re.compile(
    r"(?:https?://)?(?:(?:\w+\.)?imdb\.com/(?:[\w-]+/)?title/)?(?:tt)?0*([1-9]\d{0,8})(?:\.0|[/?#].*)?", re.I
)
_ID = re.compile(r"(?:https?://\S+/movies?/)?(\d{1,10})(?:\.0|[-/?#].*)?", re.ASCII)
_STARS = re.compile("([★⭐]*)(½?)☆*")
_RATIO = re.compile(r"(\d{1,3}(?:[.,]\d{1,20})?)(?:\s*/\s*(\d{1,3})|\s*(%))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """`recorded_at`: when it was rated or listed. `site_id` tells movies with one name and year apart on their site.
    `readings`: how else the title may be meant. `medium`: what the title is if not a movie. `problem`: why the row
    imports nothing. `ignored`: which details were not used.
    """

    file: str
    line: int
    kind: str
    title: str = ""
    original_title: str = ""
    year: int | None = None
    readings: tuple[Reading, ...] = ()
    imdb_id: str = ""
    tmdb_id: int | None = None
    movielens_id: int | None = None
    site_id: str = ""
    medium: str = ""
    rating: float | None = None
    recorded_at: datetime | None = None
    watched_on: date | None = None
    is_rewatch: bool = False
    problem: tuple[Reason, ...] = ()
    ignored: tuple[Reason, ...] = ()


class Field(NamedTuple):
    """A field of ParsedRow, or what decides its kind. `label` is what the preview calls it.

    Only values other than None, False and an empty text are written. The order of day and month in dates, and the scale
    of a rating that `may_be_of_ten`, are decided for a whole file.
    """

    name: str
    label: str
    parse: Callable[..., Any]
    write: Callable[[Any], str] = str
    is_date: bool = False
    may_be_of_ten: bool = False


def parse_title(text: str) -> str:
    title = " ".join(text.split())
    if len(title) > TITLE_LENGTH:
        raise BadRow(Code.LONG_TITLE(longest=TITLE_LENGTH))
    return title


def parse_year(text: str) -> int | None:
    """Also of a whole date, or the first of a range."""
    if _is_zero(text):
        return None
    found = _YEAR.fullmatch(text)
    if not found or not found[1].isascii() or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise BadRow(Code.NOT_A_YEAR(text=shown(text)))
    return int(found[1])


def parse_imdb_id(text: str) -> str:
    """Also of an address, or of the number alone."""
    if _is_zero(text):
        return ""
    found = _IMDB_ID.fullmatch(text)
    if not found or not found[1].isascii():
        raise BadRow(Code.NOT_AN_IMDB_ID(text=shown(text)))
    return f"tt{found[1]:0>7}"


def parse_id(text: str, what: str) -> int | None:
    if _is_zero(text):
        return None
    found = _ID.fullmatch(text)
    if not found or not 0 < int(found[1]) <= LARGEST_ID:
        raise BadRow(Code.NOT_AN_ID(text=shown(text), what=what))
    return int(found[1])


def parse_stars(text: str, *, out_of: int) -> float | None:
    """Rounds to half stars, at least half a star; 0 is no rating. `4/5`, `80%` and stars say their own scale."""
    if stars := _STARS.fullmatch(text):
        value, scale = len(stars[1]) + bool(stars[2]) / 2, 5
    elif ratio := _RATIO.fullmatch(text):
        value, scale = float(ratio[1].replace(",", ".")), 100 if ratio[3] else int(ratio[2] or out_of)
    if not (stars or ratio) or not 0 <= value <= scale or not scale:
        raise BadRow(Code.NOT_A_RATING(text=shown(text), out_of=out_of))
    return max(round(value / scale * 10), 1) / 2 if value else None


def is_of_ten(text: str) -> bool:
    """Whether it is a rating that cannot be out of five."""
    ratio = _RATIO.fullmatch(text.strip())
    return bool(ratio and not ratio[2] and not ratio[3] and 5 < float(ratio[1].replace(",", ".")) <= 10)


def parse_flag(text: str) -> bool:
    if text.casefold() not in YES + NO:
        raise BadRow(Code.NOT_A_FLAG(text=shown(text)))
    return text.casefold() in YES


def parse_kind(text: str, kind: Kind) -> Kind | str:
    return kind if parse_flag(text) else ""


def parse_status(text: str) -> Kind:
    """A status that is not known says nothing."""
    return STATUSES.get(text.casefold(), Kind.NOTHING)


def parse_plays(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}(\.0)?", text, re.ASCII):
        raise BadRow(Code.NOT_PLAYS(text=shown(text)))
    return int(float(text))


def parse_medium(text: str) -> str:
    """MOVIE, the type if it is something else, or an empty text if the type is not known."""
    spellings = (text.casefold(), fold(text))
    if any(map(_NOT_MOVIES.search, spellings)):
        return text
    return MOVIE if any(map(_MOVIES.search, spellings)) else ""


def parse_episode(text: str) -> str:
    """Of the number of a season or an episode: only series have them."""
    return "" if _is_zero(text) else "episode"


def parse_source(text: str) -> str:
    """The site that numbers the titles, or an empty text if it numbers movies."""
    return "" if text.casefold() in ("tmdb", "imdb", "manual") else text


def _is_zero(text: str) -> bool:
    return text in ("0", "0.0")


TITLE = Field("title", _("title"), parse_title)
ORIGINAL_TITLE = Field("original_title", _("original title"), parse_title)
YEAR = Field("year", _("year"), parse_year)
IMDB_ID = Field("imdb_id", _("imdb id"), parse_imdb_id)
TMDB_ID = Field("tmdb_id", _("tmdb id"), partial(parse_id, what="TMDB id"))
MOVIELENS_ID = Field("movielens_id", _("movielens id"), partial(parse_id, what="MovieLens id"))
SITE_ID = Field("site_id", _("address"), str)
MEDIUM = Field("medium", _("type"), parse_medium)
SOURCE = Field("medium", _("type"), parse_source)
EPISODE = Field("medium", _("type"), parse_episode)
OUT_OF_5 = Field("rating", _("rating out of 5"), partial(parse_stars, out_of=5), "{:g}".format)
OUT_OF_10 = Field("rating", _("rating out of 10"), partial(parse_stars, out_of=10), lambda stars: f"{stars * 2:g}")
RATING = OUT_OF_5._replace(may_be_of_ten=True)
RECORDED_ON = Field("recorded_at", _("recorded on"), parse_moment, day_of, is_date=True)
RECORDED_AT = RECORDED_ON._replace(write=datetime.isoformat)
WATCHED_ON = Field("watched_on", _("watched on"), parse_day, is_date=True)
IS_REWATCH = Field("is_rewatch", _("rewatch"), parse_flag, lambda is_rewatch: "Yes")
IS_WATCHED = Field("status", _("watched"), partial(parse_kind, kind=Kind.WATCHED))
IS_WANTED = Field("status", _("wanted"), partial(parse_kind, kind=Kind.WANTED))
STATUS = Field("status", _("status"), parse_status)
PLAYS = Field("plays", _("plays"), parse_plays)
UNUSED = Field("", _("not used"), str)
