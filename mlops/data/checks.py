"""Checks each row before training. Each rule is a pandera check whose error is the rule's code.

A check collects all failures instead of stopping at the first one.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from catalog.bounds import FIRST_YEAR, LAST_YEAR
from catalog.models.rating import RATING_STEPS
from mlops.data.codes import RowRule

_CODES = """
    aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka
    kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng
    nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su
    sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    cn mo sh xx
"""
# ISO 639-1 codes, and TMDB's own: cn (Cantonese), mo (Moldavian), sh (Serbo-Croatian), xx (no language). Movies without
# a known language have an empty one.
LANGUAGES = frozenset(["", *_CODES.split()])

CLOCK_TOLERANCE = timedelta(days=1)  # the same tolerance as when the site records a rating

BadRows = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class CheckReport:
    """The bad rows. `bad_ratings` and `bad_movies` map positions in the frames to the codes of broken rules."""

    n_rows: int
    bad_ratings: BadRows = field(default_factory=dict)
    bad_movies: BadRows = field(default_factory=dict)

    @property
    def reasons(self) -> dict[str, int]:
        """Returns the number of rows that break each rule, keyed by code."""
        rows = (*self.bad_ratings.values(), *self.bad_movies.values())
        return dict(Counter(rule for rules in rows for rule in rules))

    @property
    def n_bad(self) -> int:
        return len(self.bad_ratings) + len(self.bad_movies)

    @property
    def bad_share(self) -> float:
        return self.n_bad / self.n_rows if self.n_rows else 0.0

    @property
    def figures(self) -> dict[str, Any]:
        return {"rows": self.n_rows, "bad_rows": self.n_bad, "bad_share": self.bad_share} | self.reasons

    def without_rows(self, ratings: Collection[int], movies: Collection[int]) -> "CheckReport":
        """Returns a copy of the report without the rows at these positions."""
        return replace(
            self,
            bad_ratings={row: rules for row, rules in self.bad_ratings.items() if row not in ratings},
            bad_movies={row: rules for row, rules in self.bad_movies.items() if row not in movies},
        )


def check_frames(
    ratings: pd.DataFrame, movies: pd.DataFrame, *, now: datetime, genres: Collection[str] | None = ()
) -> CheckReport:
    """Checks the frames, which must be indexed from 0. If a frame has wrong columns, all its rows are bad.

    With `genres` None, any genre is accepted.
    """
    return CheckReport(
        n_rows=len(ratings) + len(movies),
        bad_ratings=_bad_rows(_rating_schema(movies["movie_id"], now), ratings),
        bad_movies=_bad_rows(_movie_schema(genres), movies),
    )


def without_bad_rows(
    ratings: pd.DataFrame, movies: pd.DataFrame, report: CheckReport
) -> tuple[pd.DataFrame, pd.DataFrame]:
    return (
        ratings.drop(index=sorted(report.bad_ratings)).reset_index(drop=True),
        movies.drop(index=sorted(report.bad_movies)).reset_index(drop=True),
    )


def _rating_schema(movie_ids: "pd.Series[Any]", now: datetime) -> pa.DataFrameSchema:
    latest = pd.Timestamp(now + CLOCK_TOLERANCE)
    is_finite = pa.Check(lambda column: np.isfinite(column), error=RowRule.NOT_FINITE, ignore_na=False)
    is_last = pa.Check(lambda frame: ~frame.duplicated(["user_id", "movie_id"], keep="last"), error=RowRule.RATED_TWICE)
    return pa.DataFrameSchema(
        {
            "user_id": pa.Column("int64"),
            "movie_id": pa.Column("int64", pa.Check.isin(set(movie_ids.tolist()), error=RowRule.UNKNOWN_MOVIE)),
            "rating": pa.Column(
                "float64", [is_finite, pa.Check.isin(RATING_STEPS, error=RowRule.NOT_IN_STEPS)], nullable=True
            ),
            "rated_at": pa.Column(pd.DatetimeTZDtype("us", "UTC"), pa.Check.le(latest, error=RowRule.IN_FUTURE)),
        },
        checks=is_last,
    )


def _movie_schema(genres: Collection[str] | None) -> pa.DataFrameSchema:
    is_known = None
    if genres is not None:
        known = frozenset(genres)
        is_known = pa.Check(lambda column: column.map(known.issuperset), error=RowRule.UNKNOWN_GENRE)
    is_last = pa.Check(lambda column: ~column.duplicated(keep="last"), error=RowRule.MOVIE_TWICE)
    optional = {
        "title": None,
        "release_date": pa.Check(
            lambda column: column.dt.year.between(FIRST_YEAR, LAST_YEAR), error=RowRule.IMPLAUSIBLE_DATE
        ),
        "genres": is_known,
        "language": pa.Check.isin(LANGUAGES, error=RowRule.UNKNOWN_LANGUAGE),
    }
    columns = {name: pa.Column(checks=check, nullable=True) for name, check in optional.items()}
    return pa.DataFrameSchema({"movie_id": pa.Column("int64", is_last)} | columns)


def _bad_rows(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> BadRows:
    """Returns the codes of the rules that each bad row breaks, sorted and keyed by position."""
    broken: dict[int, set[str]] = {}
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        for case in error.failure_cases.itertuples(index=False):
            for row in range(len(frame)) if pd.isna(case.index) else [int(case.index)]:
                broken.setdefault(row, set()).add(_rule(case))
    return {row: tuple(sorted(rules)) for row, rules in sorted(broken.items())}


def _rule(case: Any) -> str:
    rule = str(case.check)
    if rule == "not_nullable":
        return f"{RowRule.MISSING}:{case.column}"
    return f"{RowRule.WRONG_TYPE}:{case.column}" if rule.startswith("dtype(") else rule
