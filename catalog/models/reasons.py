"""Reasons why a row of an upload or a TMDB record is not fully used: stable codes, with sentences for display.

Rows store pairs of a code and its params. Text from other programs or sites goes into the params.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

NAMED = 3  # items of a list that a sentence names


class Code(TextChoices):
    """A reason's code. Call it to get the reason, as in `Code.NOT_A_YEAR(text="'95'")`.

    Sentences have no full stop, because several may be joined.
    """

    # values of an uploaded row
    LONG_TITLE = "title.too_long", _("the title is longer than {longest} characters")
    NOT_A_YEAR = "year.invalid", _("{text} is not the year of a movie")
    NOT_AN_IMDB_ID = "imdb_id.invalid", _("{text} is not an IMDb id; expected something like tt0133093")
    NOT_AN_ID = "id.invalid", _("{text} is not a {what}")
    NOT_A_RATING = "rating.invalid", _("{text} is not a rating above 0 and up to {out_of}")
    NOT_A_FLAG = "flag.invalid", _("{text} is not a yes or no value")
    NOT_PLAYS = "plays.invalid", _("{text} is not a number of plays")
    NOT_A_DATE = "date.invalid", _("{text} is not a date such as 2024-01-31")
    NOT_PAST = "date.in_future", _("{text} is in the future")
    NOT_A_VALUE = "value.invalid", _("{text} is not text or a number")
    # uploaded rows
    COLUMNS = "row.columns", _("the row has {n} columns; expected {expected}")
    NO_IDENTITY = "row.no_identity", _("the title and id are missing")
    UNKNOWN_TYPE = "row.unknown_type", _("the type and year are missing")
    NO_RATING = "row.no_rating", _("the rating is missing")
    OTHER_STATUS = "row.other_status", _('the status is not "watched" or "wanted"')
    SILENT = "row.silent", _("not marked as watched, rated or wanted")
    # matching of uploaded rows with the catalogue
    NOT_FOUND = "match.not_found", _("Not in the catalogue")
    ONLY_OTHERS = "match.only_others", _("Not in the catalogue. Similar titles: {movies}")
    ANOTHER_YEAR = "match.another_year", _("Not in the catalogue. The catalogue has {title} from {year}")
    NO_YEAR = "match.no_year", _("The year is missing. The catalogue has {movies}")
    SEVERAL = "match.several", _("Several movies match: {movies}")
    SAME_NAME = "match.same_name", _("The file contains two movies with this title and year")
    IDS_DIFFER = "match.ids_differ", _("The ids belong to different movies: {movies}")
    ID_CONTRADICTED = "match.id_contradicted", _("The id belongs to {movie}, but the title or year does not match")
    NOT_A_MOVIE = "match.not_a_movie", _("Not a movie: {type}")
    # TMDB records
    ADULT = "tmdb.adult", _("adult (tmdb.adult is false)")
    UNRELEASED = "tmdb.unreleased", _("not released before {day} (tmdb.unreleased is false)")
    NO_RELEASE = "tmdb.no_release", _("not released before a known date (tmdb.unreleased is false)")
    MERGED = "tmdb.merged", _("merged into {tmdb_id}")
    IGNORED = "tmdb.ignored", _("{n} details ignored ({details})")
    PROVIDER = "tmdb.provider", "{error}"
    BUG = "tmdb.bug", _("An error occurred on this site: {error}")
    LEGACY = "legacy", "{text}"  # stored before codes were introduced

    def __call__(self, **params: Any) -> "Reason":
        return Reason(self.value, params)


class Reason(NamedTuple):
    """A code with its params. In JSON it is a list of the two."""

    code: str
    params: Mapping[str, Any] = {}

    def __str__(self) -> str:
        # a later version may have written an unknown code
        label = Code(self.code).label if self.code in Code.values else self.code
        return str(label).format(**{name: _shown(value) for name, value in self.params.items()})


def describe(reasons: Iterable[Iterable[Any]]) -> str:
    """Returns the reasons as sentences in the current language, joined by semicolons."""
    return "; ".join(str(Reason(*reason)) for reason in reasons)


def _shown(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    names, n_more = ", ".join(map(str, value[:NAMED])), len(value) - NAMED
    return gettext("{names} and {n} more").format(names=names, n=n_more) if n_more > 0 else names
