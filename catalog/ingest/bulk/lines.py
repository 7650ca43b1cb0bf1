"""Line schemas for movies, users and ratings, and their parser."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, NamedTuple, TypeAlias, TypeVar

from django.conf import settings
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from django.utils import timezone
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from catalog.errors import InvalidBulk
from catalog.ingest.bulk.report import BulkReport
from catalog.models.rating import CLOCK_TOLERANCE, RATING_STEPS

MAX_ID = 2**31 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _plain(text: str) -> str:
    if "\x00" in text:
        raise ValueError("contains a NUL character, which databases cannot store")
    return text


def _username(text: str) -> str:
    return _by_django(UnicodeUsernameValidator(), text)


def _email(text: str) -> str:
    return _by_django(validate_email, text) if text else text


def _by_django(validate: Any, text: str) -> str:
    try:
        validate(text)
    except DjangoValidationError as error:
        raise ValueError(" ".join(error.messages)) from None
    return text


def _known_day(day: date) -> date:
    if not 1870 <= day.year <= 2200:
        raise ValueError("expected a day from 1870 to 2200")
    return day


def _half_stars(rating: float) -> float:
    if rating not in RATING_STEPS:
        raise ValueError("expected half stars from 0.5 to 5")
    return rating


def _known_moment(moment: datetime) -> datetime:
    if not EPOCH <= moment <= timezone.now() + CLOCK_TOLERANCE:
        raise ValueError("expected a moment from 1970 to now")
    return moment


def _as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


Plain: TypeAlias = Annotated[str, AfterValidator(_plain)]
ExternalId: TypeAlias = Annotated[Plain, Field(min_length=1, max_length=64), BeforeValidator(_as_text)]
CatalogueId: TypeAlias = Annotated[int, Field(ge=1, le=MAX_ID)]
GenreName: TypeAlias = Annotated[Plain, Field(min_length=1, max_length=60)]
KeywordName: TypeAlias = Annotated[Plain, Field(min_length=1, max_length=120)]
PersonName: TypeAlias = Annotated[Plain, Field(min_length=1, max_length=160)]


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


class MovieLine(Line):
    """A movie. Fields that a line omits stay unchanged; lists replace earlier ones."""

    external_id: ExternalId
    title: Annotated[Plain, Field(min_length=1, max_length=300)] = ""
    original_title: Annotated[Plain, Field(max_length=300)] = ""
    year: Annotated[int, Field(ge=1870, le=2200)] | None = None
    release_date: Annotated[date, AfterValidator(_known_day)] | None = None
    overview: Annotated[Plain, Field(max_length=20_000)] = ""
    language: Annotated[Plain, Field(max_length=8)] = ""
    runtime_minutes: Annotated[int, Field(ge=0, le=32_767)] | None = None
    is_adult: bool = False
    movielens_id: CatalogueId | None = None
    tmdb_id: CatalogueId | None = None
    imdb_id: Annotated[str, Field(pattern=r"^tt\d{5,12}$")] | None = None
    genres: tuple[GenreName, ...] = ()
    keywords: tuple[KeywordName, ...] = ()
    cast: tuple[PersonName, ...] = ()
    directors: tuple[PersonName, ...] = ()


class UserLine(Line):
    """A user who rates, and cannot sign in until staff set a password."""

    external_id: ExternalId
    username: Annotated[Plain, Field(min_length=1, max_length=150), AfterValidator(_username)] | None = None
    email: Annotated[Plain, Field(max_length=254), AfterValidator(_email)] = ""


class RatingLine(Line):
    """A rating; `user` and `movie` are external ids. A user's latest rating of a movie counts."""

    user: ExternalId
    movie: ExternalId
    rating: Annotated[float, AfterValidator(_half_stars)]
    rated_at: Annotated[AwareDatetime, AfterValidator(_known_moment)]


Kind = TypeVar("Kind", bound=Line)


class NumberedLine(NamedTuple, Generic[Kind]):
    number: int
    line: Kind


def read_lines(body: bytes, kind: type[Kind], report: BulkReport) -> list[NumberedLine[Kind]]:
    """The valid lines; the report lists the others. Raises InvalidBulk if there are no lines, or too many."""
    rows = list(_rows(body))
    limit = settings.POLICY.bulk.max_lines
    if not rows:
        raise InvalidBulk("Expected lines of JSON, one object each; the request has none.")
    if len(rows) > limit:
        raise InvalidBulk(f"Expected at most {limit:,} lines in a request, got {len(rows):,}.")
    report.lines = len(rows)
    good = []
    for number, raw in rows:
        try:
            good.append(NumberedLine(number, kind.model_validate_json(raw)))
        except ValidationError as error:
            report.reject(number, "; ".join(_sentence(found) for found in error.errors(include_url=False)))
    return good


def _rows(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Non-blank lines with their numbers, blank lines counted."""
    lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return ((number, line) for number, line in enumerate(lines, start=1) if line.strip())


def _sentence(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    message = error["msg"].removeprefix("Value error, ")
    return f"{where}: {message}" if where else message
