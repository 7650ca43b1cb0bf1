"""Codes of the data check rules, with their titles and sentences."""

from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from catalog.bounds import FIRST_YEAR, LAST_YEAR
from mlops.findings import Finding, describe_all, register, title


class RowRule(TextChoices):
    """Rules for single rows of ratings and movies. The subject of a rule about a column is the column's name."""

    NOT_FINITE = "rating.not_finite", _("the rating is not a finite number")
    NOT_IN_STEPS = "rating.not_in_steps", _("the rating is not one of 0.5, 1, ... 5")
    UNKNOWN_MOVIE = "rating.unknown_movie", _("the rated movie does not exist")
    IN_FUTURE = "rating.in_future", _("the rating date is in the future")
    RATED_TWICE = "rating.duplicate", _("the user rated the same movie again later")
    MOVIE_TWICE = "movie.duplicate", _("the movie has a later row")
    IMPLAUSIBLE_DATE = (
        "movie.implausible_date",
        format_lazy(_("the release date is not between {first} and {last}"), first=FIRST_YEAR, last=LAST_YEAR),
    )
    UNKNOWN_GENRE = "movie.unknown_genre", _("a genre is not in the allowed list")
    UNKNOWN_LANGUAGE = "movie.unknown_language", _("the language is not an ISO 639-1 code")
    MISSING = "column.missing", _("{subject} is missing")
    WRONG_TYPE = "column.wrong_type", _("{subject} has the wrong type")


# A person may confirm that rows breaking these rules are correct. Models are then trained on them.
RELEASABLE = frozenset(
    {
        RowRule.NOT_IN_STEPS,
        RowRule.UNKNOWN_MOVIE,
        RowRule.IN_FUTURE,
        RowRule.IMPLAUSIBLE_DATE,
        RowRule.UNKNOWN_GENRE,
        RowRule.UNKNOWN_LANGUAGE,
    }
)


class DataProblem(TextChoices):
    """Problems of a whole snapshot."""

    BAD_ROWS = "data.bad_rows", _("bad rows")
    NULL_SHARE = "data.null_share", _("movies without {subject}")
    SHRINKAGE = "data.shrinkage", _("fewer {subject}")
    MATRIX_OUTSIDE = "matrix.outside", _("training matrix: an entry is out of bounds")
    MATRIX_EMPTY_USER = "matrix.empty_user", _("training matrix: a user has no entries")
    MATRIX_NOT_FINITE = "matrix.not_finite", _("training matrix: an entry is not finite")
    MATRIX_DUPLICATE = "matrix.duplicate", _("training matrix: duplicate user and movie")
    MATRIX_COUNT = "matrix.count", _("training matrix: the number of entries is wrong")


class Counted(TextChoices):
    RATINGS = "data.ratings", _("ratings")
    MOVIES = "data.movies", _("movies")


register(
    [*RowRule, *DataProblem, *Counted],
    {
        DataProblem.BAD_ROWS: _(
            "{n_bad} of {n_rows} rows are bad. The allowed share is {threshold:g} "
            "(data_checks.max_bad_share in config.yaml)."
        ),
        DataProblem.NULL_SHARE: _(
            "{figure:.1%} of the movies with metadata have no {subject}. The limit is {threshold:.1%} "
            "(data_checks.max_null_share in config.yaml)."
        ),
        DataProblem.SHRINKAGE: _(
            "There are {figure} {subject}. At least {ratio:g} times the {before} in the last valid "
            "snapshot are required (data_checks.min_row_ratio in config.yaml)."
        ),
        DataProblem.MATRIX_COUNT: _("The training matrix has {figure} entries but there are {threshold} ratings."),
    },
)


def rules_sentence(broken: Mapping[str, int]) -> str:
    """Returns a text that lists each rule with the number of rows that break it."""
    return "; ".join(f"{title(rule)}: {n}" for rule, n in sorted(broken.items()))


def refusal_sentence(details: Mapping[str, Any]) -> str:
    """Returns a text with the reasons why no model should be trained on the data."""
    problems = describe_all(Finding.from_dict(row) for row in details["findings"])
    return f"{problems} {rules_sentence(details['rules'])}".strip()
