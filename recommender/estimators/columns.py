"""Reads the columns of the two data frames from which a Dataset is built.

Every error message contains the row (its position, from 0) and the column.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recommender.estimators.ids import IdArray, IdIndex, id_array
from recommender.estimators.interactions import Array
from recommender.estimators.lazy_pandas import pd

USER_ID = "user_id"
MOVIE_ID = "movie_id"
RATING = "rating"
RATED_AT = "rated_at"
RELEASE_DATE = "release_date"
TEXT_COLUMNS = ("title", "overview", "language")
LIST_COLUMNS = ("genres", "keywords", "cast", "directors", "countries")
MOVIE_COLUMNS = (MOVIE_ID, "title", RELEASE_DATE, *LIST_COLUMNS, "overview", "language")


def require(frame: Any, columns: tuple[str, ...], name: str) -> None:
    """Raise ValueError if `frame` is not a DataFrame or lacks one of the columns."""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"{name}: expected a pandas DataFrame, got {type(frame).__name__}")
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise ValueError(f"{name}: missing column {', '.join(missing)}; there are {list(frame.columns)}")


def read_ratings(frame: pd.DataFrame) -> Array:
    """Return float64 ratings. Raises ValueError with the first row that is not a finite number."""
    values = pd.to_numeric(frame[RATING], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        row = int(bad[0])
        raise ValueError(
            f"{RATING}: row {row}: {frame[RATING].tolist()[row]!r} is not a finite number"
            + (f" ({len(bad)} such rows)" if len(bad) > 1 else "")
        )
    return values


def read_times(frame: pd.DataFrame) -> Array:
    """Return int64 nanoseconds since 1970 in UTC, or zeros without the column. A missing time counts as the oldest."""
    if RATED_AT not in frame.columns or frame[RATED_AT].isna().all():
        return np.zeros(len(frame), dtype=np.int64)
    column = frame[RATED_AT]
    if pd.api.types.is_numeric_dtype(column):
        raise ValueError(
            f"{RATED_AT}: expected dates and times, got {column.dtype}; "
            "convert seconds with pandas.to_datetime(..., unit='s')"
        )
    try:
        times = pd.to_datetime(column, utc=True).dt.tz_localize(None).dt.as_unit("ns")
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{RATED_AT}: {error}") from error
    return times.fillna(times.min()).to_numpy(dtype="datetime64[ns]").astype(np.int64)


def read_movies(movies: pd.DataFrame | None) -> pd.DataFrame:
    """Return all MOVIE_COLUMNS. If an id is repeated, the last row counts.

    Missing text is "", a missing list [] and a missing date NaT."""
    if movies is None:
        movies = pd.DataFrame({MOVIE_ID: np.empty(0, dtype=np.int64)})
    require(movies, (MOVIE_ID,), "movies")
    columns: dict[str, Any] = {MOVIE_ID: id_array(movies[MOVIE_ID], MOVIE_ID)}
    for name in MOVIE_COLUMNS[1:]:
        given = movies[name] if name in movies.columns else pd.Series([None] * len(movies), dtype=object)
        columns[name] = _read_movie_column(given, name)
    frame = pd.DataFrame(columns, columns=list(MOVIE_COLUMNS))
    frame[MOVIE_ID] = frame[MOVIE_ID].astype(columns[MOVIE_ID].dtype)
    return frame.drop_duplicates(MOVIE_ID, keep="last").reset_index(drop=True)


def align_movies(movies: pd.DataFrame, movie_ids: IdArray) -> pd.DataFrame:
    """Return one row per id, in the given order. Ids without a row have missing values."""
    described = id_array(movies[MOVIE_ID].to_numpy(), MOVIE_ID)
    blank = pd.DataFrame({name: _missing(name) for name in MOVIE_COLUMNS[1:]}, index=[0])
    rows = pd.concat([movies[list(MOVIE_COLUMNS[1:])], blank], ignore_index=True)
    aligned = rows.iloc[IdIndex(described).positions(movie_ids)].reset_index(drop=True)  # -1 is the blank row
    aligned.insert(0, MOVIE_ID, pd.Series(movie_ids, dtype=movie_ids.dtype))
    return aligned


def _missing(name: str) -> pd.Series[Any]:
    if name == RELEASE_DATE:
        return pd.Series([pd.NaT], dtype="datetime64[us]")
    missing: list[Any] = [""] if name in TEXT_COLUMNS else [[]]
    return pd.Series(missing, dtype=object)


def _read_movie_column(column: pd.Series[Any], name: str) -> Any:
    if name == RELEASE_DATE:
        return _read_dates(column)
    read = _text if name in TEXT_COLUMNS else _strings
    return pd.Series([read(value) for value in column], dtype=object)


def _read_dates(column: pd.Series[Any]) -> Array:
    cells = [None if _is_missing(value) or value == "" else _without_zone(value) for value in column]
    dates = pd.to_datetime(pd.Series(cells, dtype=object), errors="coerce", format="mixed")
    unread = dates.isna().to_numpy()
    bad = [
        row
        for row, value in enumerate(cells)
        if isinstance(value, (int, float, np.number)) or (value is not None and unread[row])
    ]
    if bad:
        raise ValueError(f"{RELEASE_DATE}: row {bad[0]}: {column.tolist()[bad[0]]!r} is not a date")
    return dates.to_numpy(dtype="datetime64[us]")


def _without_zone(value: Any) -> Any:
    return value.replace(tzinfo=None) if getattr(value, "tzinfo", None) is not None else value


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ("" if _is_missing(value) else str(value))


def _strings(value: Any) -> list[str]:
    """Return a list of non-empty strings. A single string is split at the bars that MovieLens uses."""
    if isinstance(value, str):
        value = value.split("|")
    elif isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    elif not isinstance(value, (list, tuple, np.ndarray)):
        value = [] if _is_missing(value) else [value]
    return [text for text in (_text(part) for part in value) if text]


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value))
